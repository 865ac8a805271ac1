//! The state of one connection: which requests are under way, and who waits for what.
//!
//! Requests are encoded into a buffer in the order in which their replies will come. A writer takes
//! the buffer, writes what the socket takes, and gives it back; replies are dealt out from the front
//! of the queue. Every request knows where in the stream of bytes it begins, so at any moment it is
//! clear whether the operating system has seen a byte of it. That decides three things: an abandoned
//! request that nobody took yet is removed, a lost connection fails only what had begun to be
//! written, and an error can promise that nothing was sent.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::command::Request;
use super::group::{Group, Retrieval};
use super::output::OutBuffer;
use super::reply::{Expect, Reply};
use super::slots::{Partial, Slots, Ticket};
use crate::error::{Error, ErrorKind, Result};

/// A line of keys is not lengthened beyond this many bytes. Two of them fit the 16 KiB that
/// memcached reads at once.
const MAX_GROUP_BYTES: u64 = 8 * 1024;

/// How many used groups are kept for reuse.
const KEEP_GROUPS: usize = 16;

/// Bounds on what may be under way on one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Requests that wait for their reply.
    pub(crate) operations: usize,
    /// Encoded bytes of unanswered requests. One request may exceed it when it is alone.
    pub(crate) bytes: usize,
    /// Keys of different callers in one `get` line.
    pub(crate) keys_per_line: usize,
    /// How long the reply to an abandoned request may be late before the connection is given up.
    pub(crate) drain_timeout: Duration,
}

/// There is no room for another request now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

#[derive(Debug)]
pub(super) enum Kind {
    One { slot: u32, expect: Expect },
    Get(Box<Group>),
}

#[derive(Debug)]
pub(super) struct Entry {
    /// Where in the stream of bytes the request begins and ends.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) kind: Kind,
}

/// What [`Pipeline::expire`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expiry {
    /// When to look again.
    pub(crate) next: Option<Instant>,
    /// A reply is so late that the connection should be given up.
    pub(crate) is_stalled: bool,
}

#[derive(Debug)]
pub(crate) struct Pipeline {
    limits: Limits,
    pub(super) queue: VecDeque<Entry>,
    pub(super) slots: Slots,
    #[expect(
        clippy::vec_box,
        reason = "a group keeps its box from one line to the next"
    )]
    groups: Vec<Box<Group>>,
    /// Encoded requests that no writer has taken. Begins at `taken`.
    pub(super) out: OutBuffer,
    /// The last request in `out` is a `get` line that can take more keys.
    pub(super) is_open: bool,
    /// A buffer that a writer gave back before it was all written.
    pub(super) partial: Option<OutBuffer>,
    /// A writer has taken a buffer and not given it back.
    pub(super) is_lent: bool,
    spare: OutBuffer,
    pub(super) taken: u64,
    pub(super) next: u64,
    pub(super) epoch: u64,
    /// How many slots wait for requests in `out`, and how many of those are abandoned.
    pub(super) unsent: usize,
    pub(super) abandoned: usize,
}

impl Pipeline {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            queue: VecDeque::new(),
            slots: Slots::default(),
            groups: Vec::new(),
            out: OutBuffer::default(),
            is_open: false,
            partial: None,
            is_lent: false,
            spare: OutBuffer::default(),
            taken: 0,
            next: 0,
            epoch: 0,
            unsent: 0,
            abandoned: 0,
        }
    }

    /// Whether no request is under way or waiting to be written.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether a writer is at work, or was and has to go on when the socket takes more.
    pub(crate) fn is_writing(&self) -> bool {
        self.is_lent || self.partial.is_some()
    }

    /// Whether the socket took only a part of what was to be written.
    pub(crate) fn is_blocked(&self) -> bool {
        self.partial.is_some()
    }

    /// How many requests hold a slot.
    pub(crate) fn operations(&self) -> usize {
        self.slots.in_use()
    }

    fn has_room(&self, bytes: usize) -> bool {
        let pending = self
            .queue
            .front()
            .map_or(0, |entry| (self.next - entry.start) as usize);
        self.slots.in_use() < self.limits.operations
            && (pending == 0 || pending + bytes <= self.limits.bytes)
    }

    /// Adds a request.
    pub(crate) fn push(
        &mut self,
        request: &impl Request,
        deadline: Instant,
    ) -> Result<Ticket, Full> {
        if !self.has_room(request.size_hint()) {
            return Err(Full);
        }
        self.close_group();
        let start = self.next;
        request.encode(&mut self.out);
        self.next = self.taken + self.out.len() as u64;
        let expect = request.expect();
        let slot = self.slots.take(deadline, start, 1);
        self.slots.get_mut(slot).partial = match expect {
            Expect::Lines => Partial::Lines(Vec::new(), 0),
            _ => Partial::Nothing,
        };
        self.unsent += 1;
        self.queue.push_back(Entry {
            start,
            end: self.next,
            kind: Kind::One { slot, expect },
        });
        Ok(Ticket(slot))
    }

    /// Adds a read of one key, to a line that others read with where there is one.
    pub(crate) fn push_get(
        &mut self,
        retrieval: Retrieval,
        prefix: &[u8],
        key: &[u8],
        deadline: Instant,
    ) -> Result<Ticket, Full> {
        if !self.has_room(prefix.len() + key.len() + 8) {
            return Err(Full);
        }
        let start = self.open_group(retrieval, 1, prefix.len() + key.len());
        let slot = self.slots.take(deadline, start, 1);
        self.unsent += 1;
        self.add_key(prefix, key, slot, None);
        Ok(Ticket(slot))
    }

    /// Adds a read of several keys, all on one line. Answers [`Reply::Items`] in their order.
    pub(crate) fn push_get_many<'k>(
        &mut self,
        retrieval: Retrieval,
        prefix: &[u8],
        keys: impl ExactSizeIterator<Item = &'k [u8]> + Clone,
        deadline: Instant,
    ) -> Result<Ticket, Full> {
        let bytes = keys.clone().map(|key| prefix.len() + key.len() + 1).sum();
        if !self.has_room(bytes) {
            return Err(Full);
        }
        let start = self.open_group(retrieval, keys.len(), bytes);
        let slot = self.slots.take(deadline, start, keys.len() as u32);
        self.unsent += 1;
        self.slots.get_mut(slot).partial = Partial::Items(vec![None; keys.len()]);
        for (index, key) in keys.enumerate() {
            self.add_key(prefix, key, slot, Some(index as u32));
        }
        Ok(Ticket(slot))
    }

    /// Makes the last request a `get` line with room for so many keys and bytes more.
    fn open_group(&mut self, retrieval: Retrieval, keys: usize, bytes: usize) -> u64 {
        if self.is_open
            && let Some(Entry {
                start,
                kind: Kind::Get(group),
                ..
            }) = self.queue.back()
            && group.retrieval == retrieval
            && group.len() + keys <= self.limits.keys_per_line
            && self.next - start + bytes as u64 <= MAX_GROUP_BYTES
        {
            return *start;
        }
        self.close_group();
        let start = self.next;
        self.out.put(retrieval.word());
        let group = match self.groups.pop() {
            Some(used) => used.renew(retrieval),
            None => Box::new(Group::new(retrieval)),
        };
        self.queue.push_back(Entry {
            start,
            end: start,
            kind: Kind::Get(group),
        });
        self.is_open = true;
        start
    }

    fn add_key(&mut self, prefix: &[u8], key: &[u8], slot: u32, index: Option<u32>) {
        self.out.put(b" ");
        self.out.put(prefix);
        self.out.put(key);
        self.next = self.taken + self.out.len() as u64;
        if let Some(Entry {
            end,
            kind: Kind::Get(group),
            ..
        }) = self.queue.back_mut()
        {
            group.push(prefix, key, slot, index);
            *end = self.next;
        }
    }

    /// Ends the `get` line that is still open.
    pub(super) fn close_group(&mut self) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        self.out.put(b"\r\n");
        self.next = self.taken + self.out.len() as u64;
        if let Some(entry) = self.queue.back_mut() {
            entry.end = self.next;
        }
    }

    /// Lends out what is to be written next, unless it is lent already.
    pub(crate) fn take_output(&mut self) -> Option<OutBuffer> {
        if self.is_lent {
            return None;
        }
        if let Some(partial) = self.partial.take() {
            self.is_lent = true;
            return Some(partial);
        }
        if self.abandoned > 0 {
            self.prune();
        }
        self.close_group();
        if self.out.len() == 0 {
            return None;
        }
        self.is_lent = true;
        self.unsent = 0;
        self.taken = self.next;
        let mut next = std::mem::take(&mut self.spare);
        next.begin(self.taken, self.epoch);
        Some(std::mem::replace(&mut self.out, next))
    }

    /// Takes back a buffer, written or not. Buffers of an earlier connection are dropped.
    pub(crate) fn give_back(&mut self, mut buffer: OutBuffer) {
        if buffer.epoch() != self.epoch {
            return;
        }
        self.is_lent = false;
        if buffer.is_written() {
            buffer.clear();
            self.spare = buffer;
        } else {
            self.partial = Some(buffer);
        }
    }

    /// Looks for the reply to `ticket`. Once it was `Ready`, the ticket is used up.
    pub(crate) fn poll(
        &mut self,
        ticket: &Ticket,
        context: &mut Context<'_>,
    ) -> Poll<Result<Reply>> {
        self.slots.poll(ticket, context)
    }

    /// The caller of `ticket` no longer wants the reply. Its slot stays until the reply was read;
    /// if no writer has taken the request yet, it will not be written at all.
    pub(crate) fn abandon(&mut self, ticket: Ticket) {
        let slot = self.slots.get(ticket.0);
        if slot.is_waiting() && slot.start >= self.taken {
            self.abandoned += 1;
        }
        self.slots.abandon(ticket);
        self.prune_if_worthwhile();
    }

    /// Fails the callers whose deadline has passed.
    pub(crate) fn expire(&mut self, now: Instant, wake: &mut Vec<Waker>) -> Expiry {
        let mut next: Option<Instant> = None;
        let mut is_stalled = false;
        let mut late = Vec::new();
        for (index, slot) in self.slots.iter() {
            if !slot.is_on_wire() {
                continue;
            }
            let is_late = slot.is_waiting() && slot.deadline <= now;
            if is_late {
                late.push(index);
            }
            let due = if slot.is_waiting() && !is_late {
                slot.deadline
            } else if slot.start < self.taken {
                slot.deadline + self.limits.drain_timeout
            } else {
                continue; // It will be removed before it is written.
            };
            is_stalled |= due <= now;
            next = Some(next.map_or(due, |next| next.min(due)));
        }
        for index in late {
            let is_sent = self.slots.get(index).start < self.taken;
            self.abandoned += usize::from(!is_sent);
            let error = Error::new(ErrorKind::Timeout).sent(is_sent);
            self.slots.answer(index, Err(error), wake);
        }
        self.prune_if_worthwhile();
        Expiry { next, is_stalled }
    }

    /// Up to here, bytes may have reached the operating system.
    pub(super) fn sent_to(&self) -> u64 {
        match &self.partial {
            Some(partial) if !self.is_lent => partial.written_to(),
            _ => self.taken,
        }
    }

    pub(super) fn keep_group(&mut self, group: Box<Group>) {
        if self.groups.len() < KEEP_GROUPS {
            self.groups.push(group);
        }
    }
}
