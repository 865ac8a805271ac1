//! One connected socket, from the driver's side: what it reads, deals out, and writes for others.

use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::connection::{Cork, Shared};
use super::dial::io_error;
use super::inbox::Inbox;
use super::stream::{Reader, Writer};
use crate::error::{Error, ErrorKind};
use crate::proto::deal::Arrived;
use crate::proto::frame::Violation;

/// How often the writing is put off once more because callers were woken on other connections, too.
const MOST_ROUNDS: u8 = 2;

pub(super) struct Session {
    reader: Reader,
    writer: Arc<Writer>,
    inbox: Inbox,
    has_answered: bool,
    /// There is something to do that the socket does not tell: to write, or to end.
    is_due: bool,
    /// The count of wakings, of all connections, when the cork was put in or its round was
    /// prolonged.
    wakings: usize,
    rounds: u8,
}

impl Session {
    pub(super) fn new(reader: Reader, writer: Arc<Writer>, max_value: usize) -> Self {
        Self {
            reader,
            writer,
            inbox: Inbox::new(max_value),
            has_answered: false,
            is_due: true,
            wakings: 0,
            rounds: 0,
        }
    }

    /// Whether the server has answered anything.
    pub(super) const fn has_answered(&self) -> bool {
        self.has_answered
    }

    /// Whether the driver has to look at the shared state before it polls the session again.
    pub(super) const fn is_due(&self) -> bool {
        self.is_due
    }

    /// Reads until there is nothing to do; `is_attended` says to write what callers left. Ready with
    /// an error when the connection is at its end, and with none when the client is closing.
    pub(super) fn poll(
        &mut self,
        shared: &Shared,
        is_attended: bool,
        wake: &mut Vec<Waker>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Error>> {
        if is_attended && let Poll::Ready(error) = self.write(shared, context) {
            return Poll::Ready(Some(error));
        }
        loop {
            match ready!(self.read(shared, wake, context)) {
                Err(error) => return Poll::Ready(Some(error)),
                Ok(Dealt {
                    is_closing: true, ..
                }) => {
                    self.is_due = true;
                    return Poll::Ready(None);
                }
                Ok(Dealt { served, .. }) if served > 1 => {
                    // Behind those it just woke: they will have requests to write together.
                    self.is_due = true;
                    self.put_off(shared.count_waking(), context);
                    return Poll::Pending;
                }
                Ok(_) => {}
            }
        }
    }

    /// Goes behind all tasks that are ready to run.
    fn put_off(&mut self, wakings: usize, context: &Context<'_>) {
        self.wakings = wakings;
        context.waker().wake_by_ref();
    }

    /// Whether callers were woken elsewhere since the cork was put in. They may have requests for
    /// this connection as well.
    fn is_prolonged(&mut self, shared: &Shared, context: &Context<'_>) -> bool {
        let wakings = shared.wakings();
        if wakings == self.wakings || self.rounds == MOST_ROUNDS {
            self.rounds = 0;
            return false;
        }
        self.rounds += 1;
        self.put_off(wakings, context);
        true
    }

    fn write(&mut self, shared: &Shared, context: &mut Context<'_>) -> Poll<Error> {
        let mut state = shared.state.lock();
        self.is_due = false;
        match state.cork {
            Cork::Out => {}
            Cork::Requested => {
                state.cork = Cork::Due;
                self.is_due = true;
                self.put_off(shared.wakings(), context);
            }
            Cork::Due if self.is_prolonged(shared, context) => self.is_due = true,
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
            self.is_due = true;
            if let Err(error) = ready!(self.writer.poll_ready(context)) {
                return Poll::Ready(io_error(ErrorKind::ConnectionClosed, error));
            }
            shared.write_out(shared.state.lock());
            state = shared.state.lock();
        }
    }

    /// Deals out what is there to be read.
    fn read(
        &mut self,
        shared: &Shared,
        wake: &mut Vec<Waker>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Dealt, Error>> {
        let gain = ready!(
            self.inbox
                .poll_read(&mut self.reader, context, |bytes, arrived| {
                    shared.watcher.received(bytes);
                    deal(shared, arrived, wake)
                })
        );
        let gain = match gain {
            Ok(gain) if gain.bytes == 0 => return Poll::Ready(Err(self.end_of_stream())),
            Ok(gain) => gain,
            Err(error) => return Poll::Ready(Err(io_error(ErrorKind::ConnectionClosed, error))),
        };
        let dealt = match gain.dealt {
            Ok(dealt) => dealt,
            Err(violation) => return Poll::Ready(Err(out_of_step(violation))),
        };
        self.has_answered |= dealt.frames > 0;
        wake.drain(..).for_each(Waker::wake);
        if dealt.has_crowd {
            shared.room.notify_one();
        }
        Poll::Ready(Ok(dealt))
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

/// What came of a batch.
struct Dealt {
    frames: usize,
    /// How many callers have their reply now.
    served: usize,
    /// Somebody waits for room in the pipeline.
    has_crowd: bool,
    is_closing: bool,
}

fn deal(shared: &Shared, arrived: Arrived<'_>, wake: &mut Vec<Waker>) -> Result<Dealt, Violation> {
    let frames = arrived.frames();
    let mut state = shared.state.lock();
    match arrived {
        Arrived::LoneValue(value) => state.pipeline.deal_lone_value(value, wake)?,
        Arrived::Batch(batch, violation) => {
            state.pipeline.deal(batch, wake)?;
            if let Some(violation) = violation {
                state.pipeline.blame(violation, wake);
                return Err(violation);
            }
        }
    }
    if wake.len() > 1 && state.cork == Cork::Out {
        state.cork = Cork::Due;
    }
    Ok(Dealt {
        frames,
        served: wake.len(),
        has_crowd: state.crowd > 0 && frames > 0,
        is_closing: state.close_by.is_some() && frames > 0,
    })
}

/// Why those fail whose replies can no longer be told apart.
fn out_of_step(violation: Violation) -> Error {
    let detail = format!("the server broke the protocol: {}", violation.0);
    Error::with_detail(ErrorKind::ConnectionClosed, detail)
}
