//! The places where callers wait for their replies.
//!
//! A slot has two ends: the caller's, which a reply, a deadline or a drop ends, and the wire's,
//! which only the reply or the end of the connection ends. A slot is reused when both have ended,
//! so a reply that comes late finds the slot of the caller who gave up, never another one.

use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;

use super::reply::{Item, Reply};
use crate::error::{Error, Result};

/// A caller's claim to a reply.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ticket(pub(super) u32);

#[derive(Debug)]
enum Caller {
    Waiting(Option<Waker>),
    Answered(Result<Reply>),
    Gone,
}

/// Parts of a reply that takes several frames.
#[derive(Debug, Default)]
pub(super) enum Partial {
    #[default]
    Nothing,
    /// Of the first of several keys, in their order.
    Items(Vec<Option<Item>>),
    Item(Item),
    /// And how many bytes they hold.
    Lines(Vec<Bytes>, usize),
}

#[derive(Debug)]
pub(super) struct Slot {
    caller: Caller,
    /// How many keys or commands on the wire still refer to this slot.
    wire: u32,
    pub(super) deadline: Instant,
    /// Where in the stream the batch begins that its request is a part of.
    pub(super) start: u64,
    pub(super) partial: Partial,
}

impl Slot {
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.caller, Caller::Waiting(_))
    }

    pub(super) fn is_on_wire(&self) -> bool {
        self.wire > 0
    }

    #[inline]
    pub(super) fn is_last_on_wire(&self) -> bool {
        self.wire == 1
    }

    /// Throws away what there is of a reply. Mostly that is nothing, which needs no destructor.
    #[inline]
    fn clear_partial(&mut self) {
        if !matches!(self.partial, Partial::Nothing) {
            self.partial = Partial::Nothing;
        }
    }

    #[inline]
    fn is_free(&self) -> bool {
        self.wire == 0 && matches!(self.caller, Caller::Gone)
    }
}

#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Slots {
    #[inline]
    pub(super) fn in_use(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Takes a slot for a request at stream offset `start` that `wire` replies will end.
    #[inline(always)]
    pub(super) fn take(&mut self, deadline: Instant, start: u64, wire: u32) -> u32 {
        if let Some(index) = self.free.pop() {
            let slot = &mut self.slots[index as usize];
            slot.caller = Caller::Waiting(None);
            slot.wire = wire;
            slot.deadline = deadline;
            slot.start = start;
            slot.clear_partial();
            return index;
        }
        self.slots.push(Slot {
            caller: Caller::Waiting(None),
            wire,
            deadline,
            start,
            partial: Partial::Nothing,
        });
        (self.slots.len() - 1) as u32
    }

    #[inline]
    pub(super) fn get_mut(&mut self, index: u32) -> &mut Slot {
        &mut self.slots[index as usize]
    }

    #[inline]
    pub(super) fn get(&self, index: u32) -> &Slot {
        &self.slots[index as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Slot)> {
        self.slots
            .iter()
            .enumerate()
            .map(|(index, slot)| (index as u32, slot))
    }

    #[inline]
    fn release_if_free(&mut self, index: u32) {
        if self.slots[index as usize].is_free() {
            self.free.push(index);
        }
    }

    /// Gives the caller, if one still waits, its answer.
    #[inline(always)]
    pub(super) fn answer(&mut self, index: u32, result: Result<Reply>, wake: &mut Vec<Waker>) {
        let slot = &mut self.slots[index as usize];
        if slot.is_waiting()
            && let Caller::Waiting(Some(waker)) =
                std::mem::replace(&mut slot.caller, Caller::Answered(result))
        {
            wake.push(waker);
        }
    }

    /// Notes that one reply for this slot was read, or never will be.
    #[inline]
    pub(super) fn off_wire(&mut self, index: u32) {
        self.slots[index as usize].wire -= 1;
        self.release_if_free(index);
    }

    /// One more reply was read, and it is the caller's answer.
    #[inline(always)]
    pub(super) fn complete(&mut self, index: u32, reply: Reply, wake: &mut Vec<Waker>) {
        self.answer(index, Ok(reply), wake);
        self.off_wire(index);
    }

    /// One more reply will never be read, because of `error`.
    pub(super) fn fail(&mut self, index: u32, error: &Error, wake: &mut Vec<Waker>) {
        if self.get(index).is_waiting() {
            self.answer(index, Err(error.clone()), wake);
        }
        self.off_wire(index);
    }

    /// No reply will ever be read, because of `cause`: fails all who wait. What begins before `taken`
    /// may have been sent.
    pub(super) fn fail_all(&mut self, cause: &Error, taken: u64, wake: &mut Vec<Waker>) {
        self.free.clear();
        for (index, slot) in (0..).zip(&mut self.slots) {
            slot.wire = 0;
            slot.partial = Partial::Nothing;
            if let Caller::Waiting(waker) = &mut slot.caller {
                wake.extend(waker.take());
                let error = cause.clone().sent(slot.start < taken);
                slot.caller = Caller::Answered(Err(error));
            }
            if slot.is_free() {
                self.free.push(index);
            }
        }
    }

    #[inline]
    pub(super) fn listen(&mut self, ticket: &Ticket, waker: &Waker) {
        if let Caller::Waiting(known) = &mut self.slots[ticket.0 as usize].caller {
            match known {
                Some(known) => known.clone_from(waker),
                None => *known = Some(waker.clone()),
            }
        }
    }

    #[inline(always)]
    pub(super) fn poll(
        &mut self,
        ticket: &Ticket,
        context: &mut Context<'_>,
    ) -> Poll<Result<Reply>> {
        let slot = &mut self.slots[ticket.0 as usize];
        if slot.is_waiting() {
            self.listen(ticket, context.waker());
            return Poll::Pending;
        }
        let Caller::Answered(result) = std::mem::replace(&mut slot.caller, Caller::Gone) else {
            // A ticket is consumed with its answer, so nobody can ask twice.
            return Poll::Pending;
        };
        self.release_if_free(ticket.0);
        Poll::Ready(result)
    }

    /// The caller of `ticket` is gone.
    pub(super) fn abandon(&mut self, Ticket(index): Ticket) {
        let slot = &mut self.slots[index as usize];
        slot.caller = Caller::Gone;
        slot.partial = Partial::Nothing;
        self.release_if_free(index);
    }
}
