//! The state of one connection: which requests are under way, and who waits for what.
//!
//! Requests are encoded into a buffer in the order in which their replies will come. A writer takes
//! the buffer, writes what the socket takes, and gives it back; replies are dealt out from the front
//! of the queue. The `get` line that callers share stands beside the buffer until then, so that no
//! other request cuts it short, and goes behind the others: a read may see what a write under way
//! at the same time leaves, never less than what was there before. Every request knows where in the
//! stream of bytes it begins, so at any moment it is clear whether the operating system has seen a
//! byte of it. That decides three things: an abandoned request that nobody took yet is removed, a
//! lost connection fails only what had begun to be written, and an error can promise that nothing
//! was sent.

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
const MAX_GROUP_BYTES: usize = 8 * 1024;

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
    pub(super) out: Box<OutBuffer>,
    /// The `get` line that takes more keys until a writer comes, when it goes behind `out`.
    pub(super) open: Option<Box<Group>>,
    /// A buffer that a writer gave back before it was all written.
    pub(super) partial: Option<Box<OutBuffer>>,
    /// A writer has taken a buffer and not given it back.
    pub(super) is_lent: bool,
    spare: Option<Box<OutBuffer>>,
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
            out: Box::default(),
            open: None,
            partial: None,
            is_lent: false,
            spare: None,
            taken: 0,
            next: 0,
            epoch: 0,
            unsent: 0,
            abandoned: 0,
        }
    }

    /// Whether no request is under way or waiting to be written.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.open.is_none()
    }

    /// Whether a writer is at work, or was and has to go on when the socket takes more.
    #[inline]
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

    #[inline]
    fn has_room(&self, bytes: usize) -> bool {
        let first = self.queue.front().map_or(self.next, |entry| entry.start);
        let open = self.open.as_ref().map_or(0, |group| group.line().len());
        let pending = (self.next - first) as usize + open;
        self.slots.in_use() < self.limits.operations
            && (pending == 0 || pending + bytes <= self.limits.bytes)
    }

    /// Adds a request.
    #[inline]
    pub(crate) fn push(
        &mut self,
        request: &impl Request,
        deadline: Instant,
    ) -> Result<Ticket, Full> {
        if !self.has_room(request.size_hint()) {
            return Err(Full);
        }
        let expect = request.expect();
        if expect == Expect::Close {
            self.close_group(); // Nothing that came before it may be left behind it.
        }
        let start = self.next;
        request.encode(&mut self.out);
        self.next = self.taken + self.out.len() as u64;
        let slot = self.slots.take(deadline, self.taken, 1);
        if expect == Expect::Lines {
            self.slots.get_mut(slot).partial = Partial::Lines(Vec::new(), 0);
        }
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
        let bytes = prefix.len() + key.len() + 1;
        if !self.has_room(bytes) {
            return Err(Full);
        }
        let slot = self.slots.take(deadline, self.taken, 1);
        self.unsent += 1;
        self.open_group(retrieval, 1, bytes)
            .push(prefix, key, slot, false);
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
        let slot = self.slots.take(deadline, self.taken, keys.len() as u32);
        self.unsent += 1;
        self.slots.get_mut(slot).partial = Partial::Items(Vec::with_capacity(keys.len()));
        let group = self.open_group(retrieval, keys.len(), bytes);
        for key in keys {
            group.push(prefix, key, slot, true);
        }
        Ok(Ticket(slot))
    }

    /// The open `get` line, with room for so many keys and bytes more.
    #[inline]
    fn open_group(&mut self, retrieval: Retrieval, keys: usize, bytes: usize) -> &mut Group {
        let has_room = |group: &Group| {
            group.retrieval == retrieval
                && group.len() + keys <= self.limits.keys_per_line
                && group.line().len() + bytes <= MAX_GROUP_BYTES
        };
        if self.open.as_deref().is_some_and(|group| !has_room(group)) {
            self.close_group();
        }
        let groups = &mut self.groups;
        self.open.get_or_insert_with(|| match groups.pop() {
            Some(used) => used.renew(retrieval),
            None => Box::new(Group::new(retrieval)),
        })
    }

    /// Puts the `get` line that is still open behind the other requests.
    #[inline]
    pub(super) fn close_group(&mut self) {
        if let Some(group) = self.open.take() {
            self.append_group(group);
        }
    }

    #[inline]
    pub(super) fn append_group(&mut self, group: Box<Group>) {
        let start = self.next;
        self.out.put(group.line());
        self.out.put(b"\r\n");
        self.next = self.taken + self.out.len() as u64;
        self.queue.push_back(Entry {
            start,
            end: self.next,
            kind: Kind::Get(group),
        });
    }

    /// Lends out what is to be written next, unless it is lent already.
    #[inline]
    pub(crate) fn take_output(&mut self) -> Option<Box<OutBuffer>> {
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
        let mut next = self.spare.take().unwrap_or_default();
        next.begin(self.taken, self.epoch);
        Some(std::mem::replace(&mut self.out, next))
    }

    /// Takes back a buffer, written or not. Buffers of an earlier connection are dropped.
    #[inline]
    pub(crate) fn give_back(&mut self, mut buffer: Box<OutBuffer>) {
        if buffer.epoch() != self.epoch {
            return;
        }
        self.is_lent = false;
        if buffer.is_written() {
            buffer.clear();
            self.spare = Some(buffer);
        } else {
            self.partial = Some(buffer);
        }
    }

    /// Has `waker` woken when there is a reply to `ticket`.
    #[inline]
    pub(crate) fn listen(&mut self, ticket: &Ticket, waker: &Waker) {
        self.slots.listen(ticket, waker);
    }

    /// Looks for the reply to `ticket`. Once it was `Ready`, the ticket is used up.
    #[inline(always)]
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

    #[inline]
    pub(super) fn keep_group(&mut self, group: Box<Group>) {
        if self.groups.len() < KEEP_GROUPS {
            self.groups.push(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::command::WireKey;
    use crate::proto::command::admin::Shutdown;
    use crate::proto::command::item::Delete;

    const LIMITS: Limits = Limits {
        operations: 100,
        bytes: 1 << 20,
        keys_per_line: 3,
        drain_timeout: Duration::from_secs(1),
    };

    struct Calls {
        pipeline: Pipeline,
        deadline: Instant,
    }

    impl Calls {
        fn new() -> Self {
            Self {
                pipeline: Pipeline::new(LIMITS),
                deadline: Instant::now() + Duration::from_secs(60),
            }
        }

        fn get(&mut self, key: &str) -> Ticket {
            let pushed = self
                .pipeline
                .push_get(Retrieval::Get, b"", key.as_bytes(), self.deadline);
            pushed.expect("room")
        }

        fn push(&mut self, request: &impl Request) {
            assert!(self.pipeline.push(request, self.deadline).is_ok(), "room");
        }

        fn delete(&mut self, key: &str) {
            self.push(&Delete {
                key: WireKey {
                    prefix: b"",
                    key: key.as_bytes(),
                    is_base64: false,
                },
            });
        }

        fn written(&mut self) -> String {
            let out = self
                .pipeline
                .take_output()
                .map_or_else(Vec::new, |out| out.to_vec());
            String::from_utf8(out).expect("text")
        }
    }

    #[test]
    fn other_requests_cut_no_line_and_reads_come_behind_them() {
        let mut calls = Calls::new();
        calls.get("a");
        calls.delete("a");
        calls.get("b");
        calls.delete("b");
        calls.get("c");
        assert_eq!(calls.written(), "delete a\r\ndelete b\r\nget a b c\r\n");
    }

    #[test]
    fn a_full_line_makes_way_for_the_next() {
        let mut calls = Calls::new();
        for key in ["a", "b", "c", "d"] {
            calls.get(key);
        }
        assert_eq!(calls.written(), "get a b c\r\nget d\r\n");
    }

    #[test]
    fn what_ends_the_connection_comes_behind_the_reads_before_it() {
        let mut calls = Calls::new();
        calls.get("a");
        calls.push(&Shutdown { graceful: false });
        calls.get("b");
        assert_eq!(calls.written(), "get a\r\nshutdown\r\nget b\r\n");
    }

    #[test]
    fn a_read_that_was_given_up_leaves_the_line() {
        let mut calls = Calls::new();
        let (first, second) = (calls.get("a"), calls.get("b"));
        calls.delete("c");
        calls.pipeline.abandon(first);
        assert_eq!(calls.written(), "delete c\r\nget b\r\n");
        calls.pipeline.abandon(second);
        assert_eq!(calls.pipeline.operations(), 2, "their replies are to come");
    }
}
