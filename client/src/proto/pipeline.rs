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
    end: u64,
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
    groups: Vec<Box<Group>>,
    /// Encoded requests that no writer has taken. Begins at `taken`.
    out: OutBuffer,
    /// The last request in `out` is a `get` line that can take more keys.
    is_open: bool,
    /// A buffer that a writer gave back before it was all written.
    partial: Option<OutBuffer>,
    /// A writer has taken a buffer and not given it back.
    is_lent: bool,
    spare: OutBuffer,
    pub(super) taken: u64,
    next: u64,
    epoch: u64,
    /// How many slots wait for requests in `out`, and how many of those are abandoned.
    unsent: usize,
    abandoned: usize,
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
    fn close_group(&mut self) {
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
    fn sent_to(&self) -> u64 {
        match &self.partial {
            Some(partial) if !self.is_lent => partial.written_to(),
            _ => self.taken,
        }
    }

    /// The connection is lost. Fails every request of which something was written, and keeps the
    /// others for the next connection.
    pub(crate) fn disconnect(&mut self, cause: &Error, wake: &mut Vec<Waker>) {
        self.close_group();
        let sent = self.sent_to();
        let first_unsent = self.queue.partition_point(|entry| entry.start < sent);
        let unsent = self.queue.split_off(first_unsent);
        let cause = cause.clone().sent(true);
        for entry in std::mem::take(&mut self.queue) {
            self.fail_entry(entry, &cause, wake);
        }
        let partial = self.partial.take();
        let out = std::mem::take(&mut self.out);
        self.is_lent = false;
        self.epoch += 1;
        self.taken = sent;
        self.requeue(unsent, partial.iter().chain([&out]));
    }

    /// Fails every request that was not written yet. To be called after [`Self::disconnect`].
    pub(crate) fn fail_unsent(&mut self, cause: &Error, wake: &mut Vec<Waker>) {
        let cause = cause.clone().sent(false);
        self.is_open = false;
        for entry in std::mem::take(&mut self.queue) {
            self.fail_entry(entry, &cause, wake);
        }
        self.requeue(VecDeque::new(), []);
    }

    /// Fails the oldest request alone.
    pub(super) fn fail_front(&mut self, cause: &Error, wake: &mut Vec<Waker>) {
        if let Some(entry) = self.queue.pop_front_if(|entry| entry.start < self.taken) {
            self.fail_entry(entry, cause, wake);
        }
    }

    fn fail_entry(&mut self, entry: Entry, cause: &Error, wake: &mut Vec<Waker>) {
        match entry.kind {
            Kind::One {
                slot,
                expect: Expect::Close,
            } if cause.was_sent() => {
                self.slots.complete(slot, Reply::Closed, wake);
            }
            Kind::One { slot, .. } => self.slots.fail(slot, cause, wake),
            Kind::Get(mut group) => {
                while let Some((member, _)) = group.advance() {
                    self.slots.fail(member.slot, cause, wake);
                }
                self.keep_group(group);
            }
        }
    }

    /// Removes abandoned requests when that gives back at least half of what waits to be written,
    /// so that the cost of moving the rest is spread over as many removals.
    fn prune_if_worthwhile(&mut self) {
        if self.abandoned > 0 && self.abandoned * 2 >= self.unsent {
            self.prune();
        }
    }

    /// Removes the requests in `out` that nobody waits for.
    fn prune(&mut self) {
        self.close_group();
        let first = self.queue.partition_point(|entry| entry.start < self.taken);
        let unsent = self.queue.split_off(first);
        let out = std::mem::take(&mut self.out);
        self.requeue(unsent, [&out]);
    }

    /// Rebuilds `out` from those of `entries`, and those of their keys, that somebody waits for.
    fn requeue<'b>(
        &mut self,
        entries: VecDeque<Entry>,
        sources: impl IntoIterator<Item = &'b OutBuffer> + Clone,
    ) {
        self.abandoned = 0;
        self.unsent = 0;
        self.out.clear();
        self.out.begin(self.taken, self.epoch);
        self.next = self.taken;
        for entry in entries {
            let start = self.next;
            let kind = match entry.kind {
                Kind::One { slot, expect } => {
                    if !self.requeue_slot(slot, start) {
                        self.slots.off_wire(slot);
                        continue;
                    }
                    for source in sources.clone() {
                        self.out.copy_range(source, entry.start..entry.end);
                    }
                    Kind::One { slot, expect }
                }
                Kind::Get(group) => match self.requeue_group(group, start) {
                    Some(group) => Kind::Get(group),
                    None => continue,
                },
            };
            self.next = self.taken + self.out.len() as u64;
            self.queue.push_back(Entry {
                start,
                end: self.next,
                kind,
            });
        }
    }

    /// Moves a slot to its request's new place; tells whether somebody waits for it.
    fn requeue_slot(&mut self, slot: u32, start: u64) -> bool {
        let slot = self.slots.get_mut(slot);
        slot.start = start;
        self.unsent += usize::from(slot.is_waiting());
        slot.is_waiting()
    }

    /// Writes the line of keys anew with those that are still wanted, if there are some.
    fn requeue_group(&mut self, old: Box<Group>, start: u64) -> Option<Box<Group>> {
        let mut group = Box::new(Group::new(old.retrieval));
        for (key, member) in old.keys() {
            if !self.slots.get(member.slot).is_waiting() {
                self.slots.off_wire(member.slot);
                continue;
            }
            // A slot with several keys on the line counts once.
            if member.index.unwrap_or(0) == 0 {
                self.requeue_slot(member.slot, start);
            }
            self.out.put(if group.len() == 0 {
                old.retrieval.word()
            } else {
                b""
            });
            self.out.put(b" ");
            self.out.put(key);
            group.push(b"", key, member.slot, member.index);
        }
        self.keep_group(old);
        if group.len() == 0 {
            return None;
        }
        self.out.put(b"\r\n");
        Some(group)
    }

    pub(super) fn keep_group(&mut self, group: Box<Group>) {
        if self.groups.len() < KEEP_GROUPS {
            self.groups.push(group);
        }
    }
}
