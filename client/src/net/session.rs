//! One connected socket, from the driver's side: what it reads, deals out, and writes for others.

use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::connection::{Cork, Shared, State};
use super::dial::io_error;
use super::inbox::{Dealer, Inbox};
use super::stream::{Reader, Writer};
use crate::error::{Error, ErrorKind};
use crate::proto::deal::Batch;
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
        let mut dealer = Dealing {
            shared,
            wake,
            dealt: Dealt::default(),
            violation: None,
        };
        let read = self.inbox.poll_read(&mut self.reader, context, &mut dealer);
        let (dealt, violation) = (dealer.dealt, dealer.violation);
        match ready!(read) {
            Ok(0) => return Poll::Ready(Err(self.end_of_stream())),
            Ok(_) => {}
            Err(error) => return Poll::Ready(Err(io_error(ErrorKind::ConnectionClosed, error))),
        }
        if let Some(violation) = violation {
            return Poll::Ready(Err(out_of_step(violation)));
        }
        self.has_answered |= dealt.has_answers;
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

/// What came of what was read.
#[derive(Default)]
struct Dealt {
    has_answers: bool,
    /// How many callers have their reply now.
    served: usize,
    /// Somebody waits for room in the pipeline.
    has_crowd: bool,
    is_closing: bool,
}

/// Gives out what was read, to those that share the connection.
struct Dealing<'a> {
    shared: &'a Shared,
    wake: &'a mut Vec<Waker>,
    dealt: Dealt,
    violation: Option<Violation>,
}

impl Dealing<'_> {
    /// Some replies were given out.
    #[inline]
    fn note(&mut self, state: &mut State) {
        if self.wake.len() > 1 && state.cork == Cork::Out {
            state.cork = Cork::Due;
        }
        self.dealt = Dealt {
            has_answers: true,
            served: self.wake.len(),
            has_crowd: state.crowd > 0,
            is_closing: state.close_by.is_some(),
        };
    }
}

impl Dealer for Dealing<'_> {
    fn received(&mut self, bytes: usize) {
        self.shared.watcher.received(bytes);
    }

    #[inline]
    fn deal_expected(&mut self, bytes: &[u8], max_value: usize) -> usize {
        let mut state = self.shared.state.lock();
        let length = state.pipeline.deal_expected(bytes, max_value, self.wake);
        if length > 0 {
            self.note(&mut state);
        }
        length
    }

    fn deal(&mut self, batch: Batch<'_>, violation: Option<Violation>) {
        let has_answers = !batch.frames.is_empty();
        let mut state = self.shared.state.lock();
        self.violation = state.pipeline.deal(batch, violation, self.wake).err();
        if has_answers {
            self.note(&mut state);
        }
    }
}

/// Why those fail whose replies can no longer be told apart.
fn out_of_step(violation: Violation) -> Error {
    let detail = format!("the server broke the protocol: {}", violation.0);
    Error::with_detail(ErrorKind::ConnectionClosed, detail)
}
