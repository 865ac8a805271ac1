//! One multiplexed connection, as the tasks that share it see it.
//!
//! Callers encode their request into the shared pipeline under a lock that is never held across an
//! `.await` or a system call. Who finds the wire idle writes at once, so that a lone caller pays no
//! hand-over. Who finds requests under way leaves the writing to the driver task, which first lets
//! every task that is ready add its own request; so one write carries many requests.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::dial::{DialSettings, Endpoint};
use super::driver::Driver;
use super::stream::Writer;
use super::watcher::Watcher;
use crate::error::{Error, ErrorKind, Result};
use crate::proto::pipeline::{Full, Limits, Pipeline};
use crate::proto::reply::Reply;
use crate::proto::slots::Ticket;

/// How a connection behaves.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) dial: DialSettings,
    pub(crate) limits: Limits,
    /// The largest value to accept from the server, in bytes.
    pub(crate) max_value: usize,
    pub(crate) backoff_base: Duration,
    pub(crate) backoff_cap: Duration,
}

/// What the connection is doing.
#[derive(Debug)]
pub(super) enum Link {
    /// Nothing: the next request dials.
    Idle,
    Dialing,
    Up(Arc<Writer>),
    /// Nothing until the rest is over, because of this.
    Resting(Error),
    Closed,
}

/// Whether callers leave the writing to the driver for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cork {
    Out,
    /// The driver was asked to write, after one more round of the run queue.
    Requested,
    /// The round is over, or began with the driver: it writes when it is polled next.
    Due,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) pipeline: Pipeline,
    pub(super) link: Link,
    pub(super) cork: Cork,
    /// Why a caller's write failed; the driver has yet to see it.
    pub(super) write_error: Option<io::Error>,
    pub(super) driver: Option<Waker>,
    /// When the driver has to look at the deadlines.
    pub(super) timer: Option<Instant>,
    /// Callers that wait for room in the pipeline.
    pub(super) crowd: usize,
    /// When a closing connection gives up on the replies it still waits for.
    pub(super) close_by: Option<Instant>,
}

impl State {
    pub(super) fn wake_driver(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }
}

pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// Passed on from caller to caller while there is room.
    pub(super) room: Notify,
    pub(super) closed: Notify,
    pub(super) settings: Settings,
    pub(super) endpoint: Endpoint,
    pub(super) node: Arc<str>,
    pub(super) watcher: Arc<dyn Watcher>,
}

/// Without the pipeline, whose buffers hold keys and values.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("node", &self.node)
            .field("endpoint", &self.endpoint)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Writes what waits to be written, as far as the socket takes it.
    pub(super) fn write_out<'a>(&'a self, mut state: MutexGuard<'a, State>) {
        let Link::Up(writer) = &state.link else {
            return;
        };
        let writer = Arc::clone(writer);
        while let Some(mut buffer) = state.pipeline.take_output() {
            drop(state);
            let before = buffer.written_to();
            let written = writer.try_write_all(&mut buffer);
            self.watcher.sent((buffer.written_to() - before) as usize);
            state = self.state.lock();
            state.pipeline.give_back(buffer);
            match &state.link {
                Link::Up(current) if Arc::ptr_eq(current, &writer) => {}
                _ => return, // The driver has given this connection up meanwhile.
            }
            match written {
                Ok(true) => {}
                Ok(false) => return state.wake_driver(),
                Err(error) => {
                    state.write_error = Some(error);
                    return state.wake_driver();
                }
            }
        }
    }

    /// Adds a request and sees to it that it is written. `None`: there is no room.
    fn submit(
        &self,
        deadline: Instant,
        in_crowd: bool,
        push: &mut dyn FnMut(&mut Pipeline) -> Result<Ticket, Full>,
    ) -> Result<Option<Ticket>> {
        let mut state = self.state.lock();
        match &state.link {
            Link::Resting(error) => return Err(error.as_node_down()),
            Link::Closed => return Err(Error::new(ErrorKind::ClientClosed).at(&self.node)),
            Link::Idle | Link::Dialing | Link::Up(_) => {}
        }
        if state.close_by.is_some() {
            return Err(Error::new(ErrorKind::ClientClosed).at(&self.node));
        }
        if state.crowd > 0 && !in_crowd {
            return Ok(None); // Not past those who wait already.
        }
        let was_idle = state.pipeline.is_idle();
        let Ok(ticket) = push(&mut state.pipeline) else {
            return Ok(None);
        };
        if in_crowd && state.crowd > 1 {
            self.room.notify_one();
        }
        if state.timer.is_none_or(|timer| deadline < timer) {
            state.timer = Some(deadline);
            state.wake_driver();
        }
        match state.link {
            Link::Up(_) if state.pipeline.is_writing() || state.cork != Cork::Out => {}
            Link::Up(_) if was_idle => self.write_out(state),
            Link::Up(_) => {
                state.cork = Cork::Requested;
                state.wake_driver();
            }
            Link::Idle => {
                state.link = Link::Dialing;
                state.wake_driver();
            }
            Link::Dialing | Link::Resting(_) | Link::Closed => {}
        }
        Ok(Some(ticket))
    }
}

/// What a connection has to do at this moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) is_up: bool,
    /// Requests that hold a place in the pipeline.
    pub(crate) in_flight: usize,
    /// Requests that wait for the connection to be made, or for room in the pipeline.
    pub(crate) waiting: usize,
}

/// A handle to the connection. The connection ends with its last handle.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    owner: Arc<Owner>,
}

/// Ends the driver when the last handle is gone.
#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.close_by.get_or_insert_with(Instant::now);
        state.wake_driver();
    }
}

impl Connection {
    /// Starts the driver on `runtime`; it dials when the first request comes.
    pub(crate) fn new(
        node: Arc<str>,
        endpoint: Endpoint,
        settings: Settings,
        watcher: Arc<dyn Watcher>,
        runtime: &tokio::runtime::Handle,
    ) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                pipeline: Pipeline::new(settings.limits),
                link: Link::Idle,
                cork: Cork::Out,
                write_error: None,
                driver: None,
                timer: None,
                crowd: 0,
                close_by: None,
            }),
            room: Notify::new(),
            closed: Notify::new(),
            settings,
            endpoint,
            node,
            watcher,
        });
        runtime.spawn(Driver::new(Arc::clone(&shared)));
        Self {
            owner: Arc::new(Owner { shared }),
        }
    }

    /// Adds a request if there is room now, and returns what to await.
    pub(crate) fn try_call(
        &self,
        deadline: Instant,
        push: &mut dyn FnMut(&mut Pipeline) -> Result<Ticket, Full>,
    ) -> Result<Option<PendingReply>> {
        let ticket = self.owner.shared.submit(deadline, false, push)?;
        Ok(ticket.map(|ticket| PendingReply {
            shared: Arc::clone(&self.owner.shared),
            ticket: Some(ticket),
        }))
    }

    /// Adds a request, when there is no room after waiting for some, and awaits the reply.
    ///
    /// Cancel safe: dropping it takes the request back if nobody has begun to write it, and
    /// otherwise leaves its reply to be read and thrown away.
    pub(crate) async fn call(
        &self,
        deadline: Instant,
        push: &mut (dyn FnMut(&mut Pipeline) -> Result<Ticket, Full> + Send),
    ) -> Result<Reply> {
        let pending = match self.try_call(deadline, push)? {
            Some(pending) => pending,
            None => self.wait_for_room(deadline, push).await?,
        };
        pending.await
    }

    async fn wait_for_room(
        &self,
        deadline: Instant,
        push: &mut (dyn FnMut(&mut Pipeline) -> Result<Ticket, Full> + Send),
    ) -> Result<PendingReply> {
        let shared = &self.owner.shared;
        let _place = Place::take(shared);
        loop {
            let mut room = pin!(shared.room.notified());
            room.as_mut().enable();
            if let Some(ticket) = shared.submit(deadline, true, push)? {
                return Ok(PendingReply {
                    shared: Arc::clone(shared),
                    ticket: Some(ticket),
                });
            }
            tokio::time::timeout_at(deadline.into(), room)
                .await
                .map_err(|_| Error::new(ErrorKind::Overloaded).at(&shared.node))?;
        }
    }

    /// Refuses new requests from now on. Ends when those under way are answered, or at `deadline`.
    pub(crate) fn start_closing(&self, deadline: Instant) {
        let mut state = self.owner.shared.state.lock();
        state.close_by = Some(deadline);
        state.timer = Some(state.timer.map_or(deadline, |timer| timer.min(deadline)));
        state.wake_driver();
    }

    /// Waits until the connection has ended.
    pub(crate) async fn closed(&self) {
        let shared = &self.owner.shared;
        let mut closed = pin!(shared.closed.notified());
        closed.as_mut().enable();
        let has_ended = matches!(shared.state.lock().link, Link::Closed);
        if !has_ended {
            closed.await;
        }
    }

    /// How many requests hold a place in the pipeline.
    pub(crate) fn in_flight(&self) -> usize {
        self.owner.shared.state.lock().pipeline.operations()
    }

    pub(crate) fn load(&self) -> Load {
        let state = self.owner.shared.state.lock();
        let is_up = matches!(state.link, Link::Up(_));
        let in_flight = state.pipeline.operations();
        let unsent = if is_up { 0 } else { in_flight };
        Load {
            is_up,
            in_flight,
            waiting: state.crowd + unsent,
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

/// The reply to a request that was submitted.
#[derive(Debug)]
#[must_use = "a request whose reply nobody awaits is taken back"]
pub(crate) struct PendingReply {
    shared: Arc<Shared>,
    ticket: Option<Ticket>,
}

impl Future for PendingReply {
    type Output = Result<Reply>;

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

impl Drop for PendingReply {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.state.lock().pipeline.abandon(ticket);
        }
    }
}
