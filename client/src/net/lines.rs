//! A connection of its own for commands that answer with an endless, or very long, list of lines.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use tokio::time::timeout_at;

use super::connection::Settings;
use super::dial::{Endpoint, dial, io_error};
use super::stream::{Reader, Writer};
use crate::error::{Error, ErrorKind, Result};
use crate::proto::frame::{Frame, Scanner};
use crate::proto::output::OutBuffer;
use crate::proto::reply::{ErrorLine, MetaCode, Status};

const READ_BUFFER: usize = 16 * 1024;

/// One line of the answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Text(Bytes),
    Ok,
    End,
}

pub(crate) struct Lines {
    node: Arc<str>,
    reader: Reader,
    /// Held so that the sending side stays open.
    _writer: Writer,
    scanner: Scanner,
    inbox: BytesMut,
    ready: VecDeque<Result<Line>>,
}

/// Without what was read, which holds keys.
impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl Lines {
    /// Dials, and sends `request`, which has its line end.
    pub(crate) async fn open(
        node: &Arc<str>,
        endpoint: &Endpoint,
        settings: &Settings,
        request: &str,
        deadline: Instant,
    ) -> Result<Self> {
        let dialing = dial(node, endpoint, &settings.dial);
        let dialed = timeout_at(deadline.into(), dialing).await;
        let timed_out = |_| Error::new(ErrorKind::Timeout).at(node);
        let (reader, writer, _) = dialed.map_err(timed_out)?.map_err(|error| error.at(node))?;
        let mut out = OutBuffer::default();
        out.put(request.as_bytes());
        let broken = |error| {
            io_error(ErrorKind::ConnectionClosed, error)
                .sent(true)
                .at(node)
        };
        while !writer.try_write_all(&mut out).map_err(broken)? {
            let ready = poll_fn(|context| writer.poll_ready(context));
            timeout_at(deadline.into(), ready)
                .await
                .map_err(|late| timed_out(late).sent(true))?
                .map_err(broken)?;
        }
        Ok(Self {
            node: Arc::clone(node),
            reader,
            _writer: writer,
            scanner: Scanner::new(0),
            inbox: BytesMut::new(),
            ready: VecDeque::new(),
        })
    }

    /// The next line; `None` at the end of the connection.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Line>>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Poll::Ready(Some(line.map_err(|error| error.at(&self.node))));
            }
            self.inbox.reserve(READ_BUFFER);
            let read = ready!(self.reader.poll_read_buf(context, &mut self.inbox));
            match read.map_err(|error| io_error(ErrorKind::ConnectionClosed, error)) {
                Ok(0) => return Poll::Ready(None),
                Ok(_) => self.scan(),
                Err(error) => self.ready.push_back(Err(error.sent(true))),
            }
        }
    }

    pub(crate) async fn next(&mut self, deadline: Instant) -> Result<Option<Line>> {
        let next = poll_fn(|context| self.poll_next(context));
        match timeout_at(deadline.into(), next).await {
            Ok(line) => line.transpose(),
            Err(_) => Err(Error::new(ErrorKind::Timeout).sent(true).at(&self.node)),
        }
    }

    fn scan(&mut self) {
        let mut frames = Vec::new();
        let scanned = self.scanner.scan(&self.inbox, &mut frames);
        let block = self.inbox.split_to(scanned.complete).freeze();
        self.ready
            .extend(frames.into_iter().map(|frame| line(&block, frame)));
        if let Some(violation) = scanned.violation {
            self.ready.push_back(Err(Error::protocol(violation.0)));
        }
    }
}

fn line(block: &Bytes, frame: Frame) -> Result<Line> {
    match frame {
        Frame::Line(span) => Ok(Line::Text(block.slice(span.range()))),
        Frame::Status(Status::Ok) => Ok(Line::Ok),
        Frame::Status(Status::End)
        | Frame::Meta {
            code: MetaCode::Miss,
            ..
        } => Ok(Line::End),
        Frame::Error(class, text) => Err(ErrorLine {
            class,
            message: block.slice(text.range()),
        }
        .into_error()),
        _ => Err(Error::protocol(
            "a line of another kind than the command can answer",
        )),
    }
}
