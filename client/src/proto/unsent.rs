//! Requests that were not written: when they are removed, and when they move to another connection.

use std::collections::VecDeque;
use std::task::Waker;

use super::group::Group;
use super::output::OutBuffer;
use super::pipeline::{Entry, Kind, Pipeline};
use super::reply::{Expect, Reply};
use crate::error::Error;

impl Pipeline {
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
        let sources = partial.iter().chain([&out]).map(AsRef::as_ref);
        self.requeue(unsent, &sources);
    }

    /// Fails every request that was not written yet. To be called after [`Self::disconnect`].
    pub(crate) fn fail_unsent(&mut self, cause: &Error, wake: &mut Vec<Waker>) {
        let cause = cause.clone().sent(false);
        self.close_group();
        for entry in std::mem::take(&mut self.queue) {
            self.fail_entry(entry, &cause, wake);
        }
        self.requeue(VecDeque::new(), &[]);
    }

    /// Fails every request, whatever state they are in: relies on the slots alone, so that a panic in
    /// the middle of a change leaves nobody waiting.
    pub(crate) fn abort(&mut self, cause: &Error, wake: &mut Vec<Waker>) {
        self.slots.fail_all(cause, self.taken, wake);
        self.open = None;
        self.partial = None;
        self.is_lent = false;
        self.epoch += 1;
        self.queue.clear();
        self.requeue(VecDeque::new(), &[]);
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
                while let Some(member) = group.advance() {
                    self.slots.fail(member.slot, cause, wake);
                }
                self.keep_group(group);
            }
        }
    }

    /// Removes abandoned requests when that gives back at least half of what waits to be written,
    /// so that the cost of moving the rest is spread over as many removals.
    pub(super) fn prune_if_worthwhile(&mut self) {
        if self.abandoned > 0 && self.abandoned * 2 >= self.unsent {
            self.prune();
        }
    }

    /// Removes the requests in `out` that nobody waits for.
    pub(super) fn prune(&mut self) {
        self.close_group();
        let first = self.queue.partition_point(|entry| entry.start < self.taken);
        let unsent = self.queue.split_off(first);
        let out = std::mem::take(&mut self.out);
        self.requeue(unsent, &[&*out]);
    }

    /// Rebuilds `out` from those of `entries`, and those of their keys, that somebody waits for.
    fn requeue<'b>(
        &mut self,
        entries: VecDeque<Entry>,
        sources: &(impl IntoIterator<Item = &'b OutBuffer> + Clone),
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
                Kind::Get(group) => {
                    self.requeue_group(group, start);
                    continue;
                }
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
    fn requeue_group(&mut self, old: Box<Group>, start: u64) {
        let mut group = Box::new(Group::new(old.retrieval));
        let mut latest = None;
        for (key, member) in old.keys() {
            if !self.slots.get(member.slot).is_waiting() {
                self.slots.off_wire(member.slot);
                continue;
            }
            // A slot with several keys on the line counts once.
            if latest != Some(member.slot) {
                self.requeue_slot(member.slot, start);
            }
            latest = Some(member.slot);
            group.push(b"", key, member.slot, member.is_one_of_many);
        }
        self.keep_group(old);
        if group.len() > 0 {
            self.append_group(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::error::{ErrorKind, Result};
    use crate::proto::command::admin::Version;
    use crate::proto::frame::Scanner;
    use crate::proto::group::Retrieval;
    use crate::proto::pipeline::Limits;
    use crate::proto::slots::Ticket;

    fn pipeline() -> Pipeline {
        Pipeline::new(Limits {
            operations: 10,
            bytes: 1 << 20,
            keys_per_line: 10,
            drain_timeout: Duration::from_secs(1),
        })
    }

    fn read(pipeline: &mut Pipeline, keys: &[&str]) -> Ticket {
        let keys = keys.iter().map(|key| key.as_bytes());
        let deadline = Instant::now() + Duration::from_secs(60);
        let pushed = pipeline.push_get_many(Retrieval::Get, b"", keys, deadline);
        pushed.expect("room")
    }

    fn poll(pipeline: &mut Pipeline, ticket: &Ticket) -> Poll<Result<Reply>> {
        pipeline.poll(ticket, &mut Context::from_waker(Waker::noop()))
    }

    fn deal(pipeline: &mut Pipeline, bytes: &[u8]) {
        let (length, dealt) = pipeline.deal_read(&mut Scanner::new(100), bytes, &mut Vec::new());
        dealt.expect("what was asked for");
        assert_eq!(length, bytes.len());
    }

    #[test]
    fn after_an_abort_all_have_failed_and_the_pipeline_is_as_new() {
        let mut pipeline = pipeline();
        let half_answered = read(&mut pipeline, &["a", "b"]);
        let given_up = read(&mut pipeline, &["c"]);
        let taken = pipeline.take_output().expect("something to write");
        deal(&mut pipeline, b"VALUE a 0 1\r\n1\r\n");
        pipeline.abandon(given_up);
        let unsent = read(&mut pipeline, &["d"]);
        // A request that got lost on its way from the queue to its slot.
        pipeline.queue.pop_front();

        let cause = Error::new(ErrorKind::ConnectionClosed);
        pipeline.abort(&cause, &mut Vec::new());

        for (ticket, was_sent) in [(half_answered, true), (unsent, false)] {
            let Poll::Ready(Err(error)) = poll(&mut pipeline, &ticket) else {
                panic!("it has failed");
            };
            assert_eq!(error.kind(), ErrorKind::ConnectionClosed);
            assert_eq!(error.was_sent(), was_sent);
        }
        assert_eq!(pipeline.operations(), 0);
        assert!(pipeline.is_idle());

        // Of the connection before.
        pipeline.give_back(taken);
        let deadline = Instant::now() + Duration::from_secs(60);
        let next = pipeline.push(&Version, deadline).expect("room");
        let output = pipeline.take_output().expect("something to write");
        assert_eq!(output.to_vec(), b"version\r\n");
        deal(&mut pipeline, b"VERSION 1\r\n");
        assert!(matches!(poll(&mut pipeline, &next), Poll::Ready(Ok(_))));
    }
}
