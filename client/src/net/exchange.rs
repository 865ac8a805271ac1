//! One request and its reply, as the caller awaits them.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use super::connection::Shared;
use crate::error::{Error, ErrorKind, Result};
use crate::proto::pipeline::{Full, Pipeline};
use crate::proto::reply::Reply;
use crate::proto::slots::Ticket;

/// Adds a request to the pipeline, if there is room.
pub(crate) trait Push: FnMut(&mut Pipeline) -> Result<Ticket, Full> + Send {}

impl<P: FnMut(&mut Pipeline) -> Result<Ticket, Full> + Send> Push for P {}

/// A request and its reply. Nothing happens before it is polled.
///
/// It is written by hand, because it is what most operations consist of: their first poll submits
/// the request and leaves the waker under one and the same lock.
#[must_use = "futures do nothing unless they are awaited"]
pub(crate) struct Exchange<'a, P> {
    shared: &'a Shared,
    deadline: Instant,
    stage: Stage<'a, P>,
}

enum Stage<'a, P> {
    New(P),
    /// There was no room.
    Crowded(Pin<Box<dyn Future<Output = Result<PendingReply<'a>>> + Send + 'a>>),
    Pending(PendingReply<'a>),
    Over,
}

impl<'a, P: Push + Unpin + 'a> Future for Exchange<'a, P> {
    type Output = Result<Reply>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (shared, deadline) = (self.shared, self.deadline);
        if let Stage::New(push) = &mut self.stage {
            match shared.submit(deadline, false, Some(context.waker()), push)? {
                Some(ticket) => {
                    self.stage = Stage::Pending(PendingReply::new(shared, ticket));
                    return Poll::Pending;
                }
                None => self.wait_for_room(),
            }
        }
        if let Stage::Crowded(room) = &mut self.stage {
            self.stage = Stage::Pending(ready!(room.as_mut().poll(context))?);
        }
        let Stage::Pending(reply) = &mut self.stage else {
            return Poll::Pending;
        };
        Pin::new(reply).poll(context)
    }
}

impl<'a, P: Push + 'a> Exchange<'a, P> {
    pub(super) const fn new(shared: &'a Shared, deadline: Instant, push: P) -> Self {
        Self {
            shared,
            deadline,
            stage: Stage::New(push),
        }
    }

    #[cold]
    fn wait_for_room(&mut self) {
        if let Stage::New(push) = std::mem::replace(&mut self.stage, Stage::Over) {
            let room = wait_for_room(self.shared, self.deadline, push);
            self.stage = Stage::Crowded(Box::pin(room));
        }
    }
}

/// A place among the callers that wait for room.
struct Place<'a> {
    shared: &'a Shared,
}

impl<'a> Place<'a> {
    fn take(shared: &'a Shared) -> Self {
        shared.state.lock().crowd += 1;
        Self { shared }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.crowd -= 1;
        if state.crowd > 0 {
            self.shared.room.notify_one();
        }
    }
}

async fn wait_for_room<'a>(
    shared: &'a Shared,
    deadline: Instant,
    mut push: impl Push,
) -> Result<PendingReply<'a>> {
    let _place = Place::take(shared);
    loop {
        let mut room = pin!(shared.room.notified());
        room.as_mut().enable();
        if let Some(ticket) = shared.submit(deadline, true, None, &mut push)? {
            return Ok(PendingReply::new(shared, ticket));
        }
        tokio::time::timeout_at(deadline.into(), room)
            .await
            .map_err(|_| Error::new(ErrorKind::Overloaded).at(&shared.node))?;
    }
}

/// The reply to a request that was submitted.
#[derive(Debug)]
#[must_use = "a request whose reply nobody awaits is taken back"]
pub(crate) struct PendingReply<'a> {
    shared: &'a Shared,
    ticket: Option<Ticket>,
}

impl<'a> PendingReply<'a> {
    pub(super) const fn new(shared: &'a Shared, ticket: Ticket) -> Self {
        Self {
            shared,
            ticket: Some(ticket),
        }
    }
}

impl Future for PendingReply<'_> {
    type Output = Result<Reply>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(ticket) = &self.ticket else {
            return Poll::Pending;
        };
        let polled = self.shared.state.lock().pipeline.poll(ticket, context);
        polled.map(|result| {
            self.ticket = None;
            result.map_err(|error| error.at(&self.shared.node))
        })
    }
}

impl Drop for PendingReply<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.abandon(ticket);
        }
    }
}
