//! The task behind a connection: it dials, reads, deals out replies, keeps time, and writes what
//! callers left to it.
//!
//! It is the only reader, it owns the socket's life from dial to end, and it goes on when callers
//! go away. So no caller's fate can leave the connection in an unclear state.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::BytesMut;
use tokio::time::Sleep;

use super::backoff::Backoff;
use super::connection::{Cork, Link, Shared};
use super::dial::{Dialed, dial, io_error};
use super::stream::{Reader, Writer};
use crate::error::{Error, ErrorKind, Result};
use crate::proto::frame::{Frame, Scanner, Violation};

/// How much is read at once, in bytes. Large values get a buffer of their own size.
const READ_BUFFER: usize = 32 * 1024;

/// A read buffer with less room than this is replaced, in bytes.
const LEAST_ROOM: usize = 4 * 1024;

type Dialing = Pin<Box<dyn Future<Output = Result<Dialed>> + Send>>;

enum Phase {
    Idle,
    Dialing { since: Instant, dialing: Dialing },
    Up(Box<Session>),
    Resting(Pin<Box<Sleep>>),
}

/// The reading side of one connected socket.
struct Session {
    reader: Reader,
    writer: Arc<Writer>,
    scanner: Scanner,
    inbox: BytesMut,
    frames: Vec<Frame>,
    has_answered: bool,
}

pub(super) struct Driver {
    shared: Arc<Shared>,
    phase: Phase,
    backoff: Backoff,
    /// Connections in a row that ended before the server had answered anything.
    unanswered: u32,
    timer: Option<Pin<Box<Sleep>>>,
    /// What `timer` is set to.
    timer_at: Option<Instant>,
    wake: Vec<Waker>,
}

/// What ended a phase.
enum Turn {
    /// Look at the new phase.
    Again,
    /// The client is gone, or done.
    End,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let backoff = Backoff::new(shared.settings.backoff_base, shared.settings.backoff_cap);
        let phase = Phase::Idle;
        Self {
            shared,
            phase,
            backoff,
            unanswered: 0,
            timer: None,
            timer_at: None,
            wake: Vec::new(),
        }
    }

    /// Leaves a waker for callers, and acts on what they asked for since.
    fn attend(&mut self, shared: &Shared, context: &mut Context<'_>) -> Poll<Turn> {
        let mut state = shared.state.lock();
        match &mut state.driver {
            Some(waker) => waker.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        if let Some(by) = state.close_by
            && (state.pipeline.is_idle() || by <= Instant::now())
        {
            return Poll::Ready(Turn::End);
        }
        if matches!(self.phase, Phase::Idle) && matches!(state.link, Link::Dialing) {
            drop(state);
            self.start_dialing();
            return Poll::Ready(Turn::Again);
        }
        drop(state);
        self.keep_time(shared, context)
    }

    /// Sets the timer to what callers asked for, and fails those whose deadline has passed.
    fn keep_time(&mut self, shared: &Shared, context: &mut Context<'_>) -> Poll<Turn> {
        loop {
            let Some(at) = shared.state.lock().timer else {
                self.timer_at = None;
                return Poll::Pending;
            };
            if self.timer_at != Some(at) {
                self.timer_at = Some(at);
                match &mut self.timer {
                    Some(timer) => timer.as_mut().reset(at.into()),
                    None => self.timer = Some(Box::pin(tokio::time::sleep_until(at.into()))),
                }
            }
            let Some(timer) = &mut self.timer else {
                return Poll::Pending;
            };
            ready!(timer.as_mut().poll(context));
            self.timer_at = None;
            if let Some(turn) = self.expire(shared) {
                return Poll::Ready(turn);
            }
        }
    }

    fn expire(&mut self, shared: &Shared) -> Option<Turn> {
        let now = tokio::time::Instant::now().into_std();
        let mut state = shared.state.lock();
        let found = state.pipeline.expire(now, &mut self.wake);
        state.timer = earliest(found.next, state.close_by);
        let is_over = state.close_by.is_some_and(|by| by <= now);
        let has_crowd = state.crowd > 0;
        drop(state);
        self.wake.drain(..).for_each(Waker::wake);
        if has_crowd {
            shared.room.notify_one();
        }
        if is_over {
            return Some(Turn::End);
        }
        if found.is_stalled && matches!(self.phase, Phase::Up(_)) {
            self.lost(Error::with_detail(
                ErrorKind::ConnectionClosed,
                "no reply for longer than drain_timeout",
            ));
            return Some(Turn::Again);
        }
        None
    }

    fn start_dialing(&mut self) {
        let shared = Arc::clone(&self.shared);
        let dialing = async move {
            let settings = &shared.settings.dial;
            dial(&shared.node, &shared.endpoint, settings).await
        };
        self.phase = Phase::Dialing {
            since: tokio::time::Instant::now().into_std(),
            dialing: Box::pin(dialing),
        };
    }

    fn advance(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        match &mut self.phase {
            Phase::Idle => return Poll::Pending,
            Phase::Resting(rest) => {
                ready!(rest.as_mut().poll(context));
                self.shared.state.lock().link = Link::Dialing;
                self.start_dialing();
            }
            Phase::Dialing { since, dialing } => {
                let dialed = ready!(dialing.as_mut().poll(context));
                let now = tokio::time::Instant::now().into_std();
                let took = now.saturating_duration_since(*since);
                match dialed {
                    Ok((reader, writer, peer)) => {
                        self.shared.watcher.connected(took, peer);
                        self.connected(reader, writer);
                    }
                    Err(error) => {
                        self.shared.watcher.dial_failed(&error);
                        self.rest(&error.at(&Arc::clone(&self.shared.node)));
                    }
                }
            }
            Phase::Up(session) => {
                let ended = ready!(session.poll(&self.shared, &mut self.wake, context));
                self.lost(ended);
            }
        }
        Poll::Ready(Turn::Again)
    }

    fn connected(&mut self, reader: Reader, writer: Writer) {
        let writer = Arc::new(writer);
        self.phase = Phase::Up(Box::new(Session {
            reader,
            writer: Arc::clone(&writer),
            scanner: Scanner::new(self.shared.settings.max_value),
            inbox: BytesMut::new(),
            frames: Vec::new(),
            has_answered: false,
        }));
        let mut state = self.shared.state.lock();
        state.link = Link::Up(writer);
        state.cork = Cork::Out;
        state.write_error = None;
        self.shared.write_out(state);
    }

    /// The connection ended. Requests of which nothing was written go on with the next one.
    fn lost(&mut self, error: Error) {
        let Phase::Up(session) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return;
        };
        let error = error.at(&self.shared.node);
        self.shared.watcher.lost(&error);
        let is_wanted = {
            let mut state = self.shared.state.lock();
            state.pipeline.disconnect(&error, &mut self.wake);
            state.cork = Cork::Out;
            let is_wanted = !state.pipeline.is_idle();
            state.link = if is_wanted { Link::Dialing } else { Link::Idle };
            is_wanted
        };
        self.wake.drain(..).for_each(Waker::wake);
        self.shared.room.notify_one();
        if session.has_answered {
            self.unanswered = 0;
            self.backoff.reset();
        } else {
            self.unanswered += 1;
        }
        if self.unanswered > 1 {
            // It takes connections but never answers: dialling on at once could go on for ever.
            self.rest(&error);
        } else if is_wanted {
            self.start_dialing();
        }
    }

    /// The node is out of reach: fails what waits for it, and dials again after a while.
    fn rest(&mut self, error: &Error) {
        let delay = self.backoff.next(fastrand::f64());
        self.phase = Phase::Resting(Box::pin(tokio::time::sleep(delay)));
        {
            let mut state = self.shared.state.lock();
            state.pipeline.fail_unsent(error, &mut self.wake);
            state.link = Link::Resting(error.clone());
        }
        self.wake.drain(..).for_each(Waker::wake);
        self.shared.room.notify_waiters();
    }
}

/// Why those fail whose replies can no longer be told apart.
fn out_of_step(violation: Violation) -> Error {
    let detail = format!("the server broke the protocol: {}", violation.0);
    Error::with_detail(ErrorKind::ConnectionClosed, detail)
}

fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let driver = &mut *self;
        let shared = Arc::clone(&driver.shared);
        loop {
            match driver.attend(&shared, context) {
                Poll::Ready(Turn::End) => return Poll::Ready(()),
                Poll::Ready(Turn::Again) => continue,
                Poll::Pending => {}
            }
            match ready!(driver.advance(context)) {
                Turn::End => return Poll::Ready(()),
                Turn::Again => {}
            }
        }
    }
}

/// However the driver ends, by the client's end, the runtime's or a panic: nobody waits for ever.
impl Drop for Driver {
    fn drop(&mut self) {
        let error = Error::new(ErrorKind::ClientClosed).at(&self.shared.node);
        let mut state = self.shared.state.lock();
        state.pipeline.disconnect(&error, &mut self.wake);
        state.pipeline.fail_unsent(&error, &mut self.wake);
        state.link = Link::Closed;
        drop(state);
        self.wake.drain(..).for_each(Waker::wake);
        self.shared.room.notify_waiters();
        self.shared.closed.notify_waiters();
    }
}

impl Session {
    /// Writes and reads until there is nothing to do. Ready when the connection is at its end.
    fn poll(
        &mut self,
        shared: &Shared,
        wake: &mut Vec<Waker>,
        context: &mut Context<'_>,
    ) -> Poll<Error> {
        if let Poll::Ready(error) = self.write(shared, context) {
            return Poll::Ready(error);
        }
        loop {
            self.make_room();
            match ready!(self.reader.poll_read(context, &mut self.inbox)) {
                Ok(0) => return Poll::Ready(self.end_of_stream()),
                Ok(bytes) => shared.watcher.received(bytes),
                Err(error) => return Poll::Ready(io_error(ErrorKind::ConnectionClosed, error)),
            }
            match self.deal(shared, wake) {
                Err(error) => return Poll::Ready(error),
                Ok(served) if served > 1 => {
                    // Behind those it just woke: they will have requests to write together.
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Ok(_) => {}
            }
        }
    }

    fn write(&mut self, shared: &Shared, context: &mut Context<'_>) -> Poll<Error> {
        let mut state = shared.state.lock();
        match state.cork {
            Cork::Out => {}
            Cork::Requested => {
                state.cork = Cork::Due;
                context.waker().wake_by_ref();
            }
            Cork::Due => {
                state.cork = Cork::Out;
                shared.write_out(state);
                state = shared.state.lock();
            }
        }
        loop {
            if let Some(error) = state.write_error.take() {
                return Poll::Ready(io_error(ErrorKind::ConnectionClosed, error));
            }
            if !state.pipeline.is_blocked() {
                return Poll::Pending;
            }
            drop(state);
            if let Err(error) = ready!(self.writer.poll_ready(context)) {
                return Poll::Ready(io_error(ErrorKind::ConnectionClosed, error));
            }
            shared.write_out(shared.state.lock());
            state = shared.state.lock();
        }
    }

    /// Makes room for a read: for the rest of a large value exactly, and else for many replies.
    fn make_room(&mut self) {
        let held = self.inbox.len();
        match self.scanner.wanted() {
            Some(wanted) if wanted > held + LEAST_ROOM => self.inbox.reserve(wanted - held),
            _ if self.inbox.capacity() - held < LEAST_ROOM => self.inbox.reserve(READ_BUFFER),
            _ => {}
        }
    }

    /// Deals out what was read; returns how many callers were served.
    fn deal(&mut self, shared: &Shared, wake: &mut Vec<Waker>) -> Result<usize, Error> {
        self.frames.clear();
        let scanned = self.scanner.scan(&self.inbox, &mut self.frames);
        let block = self.inbox.split_to(scanned.complete).freeze();
        let (served, has_crowd) = {
            let mut state = shared.state.lock();
            let pipeline = &mut state.pipeline;
            pipeline
                .deal(&block, &self.frames, wake)
                .map_err(out_of_step)?;
            if let Some(violation) = scanned.violation {
                pipeline.blame(violation, wake);
                return Err(out_of_step(violation));
            }
            if wake.len() > 1 && state.cork == Cork::Out {
                state.cork = Cork::Due;
            }
            (wake.len(), state.crowd > 0)
        };
        if scanned.complete == 0 {
            return Ok(0);
        }
        self.has_answered = true;
        wake.drain(..).for_each(Waker::wake);
        if has_crowd {
            shared.room.notify_one();
        }
        Ok(served)
    }

    fn end_of_stream(&self) -> Error {
        let detail = if self.inbox.is_empty() {
            "the server closed the connection"
        } else {
            "the server closed the connection in the middle of a reply"
        };
        Error::with_detail(ErrorKind::ConnectionClosed, detail)
    }
}
