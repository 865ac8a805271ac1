//! The task behind a connection: it dials, reads, deals out replies, keeps time, and writes what
//! callers left to it.
//!
//! It is the only reader, it owns the socket's life from dial to end, and it goes on when callers
//! go away. So no caller's fate can leave the connection in an unclear state.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use tokio::time::Sleep;

use super::backoff::Backoff;
use super::connection::{Cork, Link, Shared};
use super::dial::{Dialed, dial};
use super::session::Session;
use super::stream::{Reader, Writer};
use crate::error::{Error, ErrorKind, Result};

type Dialing = Pin<Box<dyn Future<Output = Result<Dialed>> + Send>>;

enum Phase {
    Idle,
    Dialing { since: Instant, dialing: Dialing },
    Up(Box<Session>),
    Resting(Pin<Box<Sleep>>),
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
    /// The waker that callers and the timer have.
    waker: Option<Waker>,
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
            waker: None,
            wake: Vec::new(),
        }
    }

    /// Whether something may have changed besides what the socket has to tell. While it has not, a
    /// reply costs no look at the shared state and at the timer.
    fn has_news(&mut self, shared: &Shared, context: &Context<'_>) -> bool {
        let waker = context.waker();
        if !self
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            self.waker = Some(waker.clone());
            self.timer_at = None;
            return true;
        }
        let is_quiet = matches!(&self.phase, Phase::Up(session) if !session.is_due());
        shared.has_news() || !is_quiet || self.is_late()
    }

    /// Whether the timer has run out, and nobody has looked yet.
    fn is_late(&self) -> bool {
        let is_elapsed = |timer: &Pin<Box<Sleep>>| timer.is_elapsed();
        self.timer_at.is_some() && self.timer.as_ref().is_some_and(is_elapsed)
    }

    /// Leaves a waker for callers, and acts on what they asked for since.
    fn attend(&mut self, shared: &Shared, context: &mut Context<'_>) -> Poll<Turn> {
        let mut state = shared.state.lock();
        shared.note_news();
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
        let timer = state.timer;
        drop(state);
        self.keep_time(shared, timer, context)
    }

    /// Sets the timer to what callers asked for, and fails those whose deadline has passed.
    fn keep_time(
        &mut self,
        shared: &Shared,
        mut asked: Option<Instant>,
        context: &mut Context<'_>,
    ) -> Poll<Turn> {
        loop {
            let Some(at) = asked else {
                self.timer_at = None;
                return Poll::Pending;
            };
            if self.timer_at != Some(at) {
                self.timer_at = Some(at);
                match &mut self.timer {
                    Some(timer) => timer.as_mut().reset(at.into()),
                    None => self.timer = Some(Box::pin(tokio::time::sleep_until(at.into()))),
                }
            } else if !self.is_late() {
                return Poll::Pending;
            }
            let Some(timer) = &mut self.timer else {
                return Poll::Pending;
            };
            ready!(timer.as_mut().poll(context));
            self.timer_at = None;
            if let Some(turn) = self.expire(shared) {
                return Poll::Ready(turn);
            }
            asked = shared.state.lock().timer;
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

    fn go_on(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let shared = Arc::clone(&self.shared);
        loop {
            let has_news = self.has_news(&shared, context);
            if has_news {
                match self.attend(&shared, context) {
                    Poll::Ready(Turn::End) => return Poll::Ready(()),
                    Poll::Ready(Turn::Again) => continue,
                    Poll::Pending => {}
                }
            }
            match ready!(self.advance(has_news, context)) {
                Turn::End => return Poll::Ready(()),
                Turn::Again => {}
            }
        }
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

    fn advance(&mut self, is_attended: bool, context: &mut Context<'_>) -> Poll<Turn> {
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
                    Ok((reader, writer, ends)) => {
                        self.shared.watcher.connected(took, ends);
                        self.connected(reader, writer);
                    }
                    Err(error) => {
                        self.shared.watcher.dial_failed(&error);
                        self.rest(&error.at(&Arc::clone(&self.shared.node)));
                    }
                }
            }
            Phase::Up(session) => {
                let (shared, wake) = (&self.shared, &mut self.wake);
                if let Some(error) = ready!(session.poll(shared, is_attended, wake, context)) {
                    self.lost(error);
                }
            }
        }
        Poll::Ready(Turn::Again)
    }

    fn connected(&mut self, reader: Reader, writer: Writer) {
        let writer = Arc::new(writer);
        let max_value = self.shared.settings.max_value;
        let session = Session::new(reader, Arc::clone(&writer), max_value);
        self.phase = Phase::Up(Box::new(session));
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
        if session.has_answered() {
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

    /// What a panic left can't be trusted: ends the connection, fails all that wait for it, and begins
    /// anew after a rest, so that a panic at every connection does not keep a processor busy.
    fn recover(&mut self) {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        (self.timer, self.timer_at, self.waker) = (None, None, None);
        let detail = "the task behind the connection panicked";
        let error = Error::with_detail(ErrorKind::ConnectionClosed, detail).at(&self.shared.node);
        {
            let mut state = self.shared.state.lock();
            state.pipeline.abort(&error, &mut self.wake);
            state.cork = Cork::Out;
            state.write_error = None;
        }
        if matches!(&phase, Phase::Up(session) if session.has_answered()) {
            self.backoff.reset();
        }
        self.rest(&error);
        if matches!(phase, Phase::Up(_)) {
            self.shared.watcher.lost(&error);
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

fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let driver = &mut *self;
        // After a panic nothing of the driver is used again but what `recover` puts in order.
        let attempt = catch_unwind(AssertUnwindSafe(|| driver.go_on(context)));
        attempt.unwrap_or_else(|_| {
            driver.recover();
            context.waker().wake_by_ref();
            Poll::Pending
        })
    }
}

/// However the driver ends, by the client's end or the runtime's: nobody waits for ever.
impl Drop for Driver {
    fn drop(&mut self) {
        let error = Error::new(ErrorKind::ClientClosed).at(&self.shared.node);
        let mut state = self.shared.state.lock();
        state.pipeline.disconnect(&error, &mut self.wake);
        state.pipeline.fail_unsent(&error, &mut self.wake);
        state.link = Link::Closed;
        state.driver = None;
        drop(state);
        self.wake.drain(..).for_each(Waker::wake);
        self.shared.room.notify_waiters();
        self.shared.closed.notify_waiters();
    }
}
