//! One multiplexed connection, as the tasks that share it see it.
//!
//! Callers encode their request into the shared pipeline under a lock that is never held across an
//! `.await` or a system call. Who finds the wire idle writes at once, so that a lone caller pays no
//! hand-over. Who finds requests under way leaves the writing to the driver task, which first lets
//! every task that is ready add its own request; so one write carries many requests.

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::dial::{DialSettings, Endpoint};
use super::driver::Driver;
use super::exchange::{Exchange, PendingReply, Push};
use super::stream::Writer;
use super::watcher::Watcher;
use crate::error::{Error, ErrorKind, Result};
use crate::proto::pipeline::{Limits, Pipeline};
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
    /// To be woken by [`Shared::wake_driver`].
    pub(super) driver: Option<Waker>,
    /// When the driver has to look at the deadlines.
    pub(super) timer: Option<Instant>,
    /// Callers that wait for room in the pipeline.
    pub(super) crowd: usize,
    /// When a closing connection gives up on the replies it still waits for.
    pub(super) close_by: Option<Instant>,
}

/// Counts how often several callers were woken at once, over all connections of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wakings(Arc<AtomicUsize>);

pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// The state has changed in a way that the driver has to look at. Changes under its lock.
    has_news: AtomicBool,
    wakings: Wakings,
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
    /// Has the driver look at what was changed in `state`.
    pub(super) fn wake_driver(&self, state: &State) {
        self.has_news.store(true, Ordering::Release);
        if let Some(driver) = &state.driver {
            driver.wake_by_ref();
        }
    }

    pub(super) fn has_news(&self) -> bool {
        self.has_news.load(Ordering::Acquire)
    }

    /// The driver, which holds the lock of the state, looks at it.
    pub(super) fn note_news(&self) {
        self.has_news.store(false, Ordering::Relaxed);
    }

    pub(super) fn wakings(&self) -> usize {
        self.wakings.0.load(Ordering::Relaxed)
    }

    /// Counts one more, and returns the count.
    pub(super) fn count_waking(&self) -> usize {
        self.wakings.0.fetch_add(1, Ordering::Relaxed) + 1
    }

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
                Ok(false) => return self.wake_driver(&state),
                Err(error) => {
                    state.write_error = Some(error);
                    return self.wake_driver(&state);
                }
            }
        }
    }

    /// The caller of `ticket` no longer waits for its reply.
    #[cold]
    pub(super) fn abandon(&self, ticket: Ticket) {
        self.state.lock().pipeline.abandon(ticket);
    }

    /// Adds a request, sees to it that it is written, and leaves `waker` for its reply. `None`: there
    /// is no room.
    pub(super) fn submit(
        &self,
        deadline: Instant,
        in_crowd: bool,
        waker: Option<&Waker>,
        push: &mut impl Push,
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
        if let Some(waker) = waker {
            state.pipeline.listen(&ticket, waker);
        }
        if in_crowd && state.crowd > 1 {
            self.room.notify_one();
        }
        if state.timer.is_none_or(|timer| deadline < timer) {
            state.timer = Some(deadline);
            self.wake_driver(&state);
        }
        match state.link {
            Link::Up(_) if state.pipeline.is_writing() || state.cork != Cork::Out => {}
            Link::Up(_) if was_idle => self.write_out(state),
            Link::Up(_) => {
                state.cork = Cork::Requested;
                self.wake_driver(&state);
            }
            Link::Idle => {
                state.link = Link::Dialing;
                self.wake_driver(&state);
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
        self.shared.wake_driver(&state);
    }
}

impl Connection {
    /// Starts the driver on `runtime`; it dials when the first request comes.
    pub(crate) fn new(
        node: Arc<str>,
        endpoint: Endpoint,
        settings: Settings,
        watcher: Arc<dyn Watcher>,
        wakings: Wakings,
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
            has_news: AtomicBool::new(false),
            wakings,
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
        push: &mut impl Push,
    ) -> Result<Option<PendingReply<'_>>> {
        let shared = &*self.owner.shared;
        let ticket = shared.submit(deadline, false, None, push)?;
        Ok(ticket.map(|ticket| PendingReply::new(shared, ticket)))
    }

    /// Adds a request, when there is no room after waiting for some, and awaits the reply.
    ///
    /// Cancel safe: dropping it takes the request back if nobody has begun to write it, and
    /// otherwise leaves its reply to be read and thrown away.
    pub(crate) fn call<'a, P: Push + 'a>(&'a self, deadline: Instant, push: P) -> Exchange<'a, P> {
        Exchange::new(&self.owner.shared, deadline, push)
    }

    /// Refuses new requests from now on. Ends when those under way are answered, or at `deadline`.
    pub(crate) fn start_closing(&self, deadline: Instant) {
        let mut state = self.owner.shared.state.lock();
        state.close_by = Some(deadline);
        state.timer = Some(state.timer.map_or(deadline, |timer| timer.min(deadline)));
        self.owner.shared.wake_driver(&state);
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
