//! What a connection has read, until it is dealt out.
//!
//! All connections of a thread read into one buffer of that thread, so a connection that has
//! nothing to read holds none. What is left of an incomplete reply is kept by its connection. Only a
//! large value gets a buffer of its own, is read into it, and stays there.

use std::cell::RefCell;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use super::stream::Reader;
use crate::proto::deal::{Arrived, Batch, LoneValue};
use crate::proto::detach::{LARGE, detach};
use crate::proto::frame::{Frame, Scanner};

/// How much is read at once, in bytes. More than what a server sends at a time, mostly.
const READ: usize = 64 * 1024;

/// A large value's buffer has room for this many bytes besides, so that the end of its reply is
/// read together with it.
const MARGIN: usize = 512;

thread_local! {
    static SHARED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What was read at one go.
pub(super) struct Gain<T> {
    pub(super) bytes: usize,
    /// What `deal` has returned.
    pub(super) dealt: T,
}

#[derive(Debug)]
pub(super) struct Inbox {
    scanner: Scanner,
    /// An incomplete reply, or the beginning of one.
    held: BytesMut,
    /// How long the latest large value was, with its line: large values come in a row. 0 when
    /// something else came.
    expected: usize,
    frames: Vec<Frame>,
    payloads: Vec<Bytes>,
}

impl Inbox {
    pub(super) fn new(max_value: usize) -> Self {
        Self {
            scanner: Scanner::new(max_value),
            held: BytesMut::new(),
            expected: 0,
            frames: Vec::new(),
            payloads: Vec::new(),
        }
    }

    /// Whether no reply has begun.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Reads what is there, and hands to `deal` how many bytes that were, what is complete, and what
    /// comes behind it if that will never be a reply. No bytes mean that the stream has ended.
    pub(super) fn poll_read<T>(
        &mut self,
        reader: &mut Reader,
        context: &mut Context<'_>,
        deal: impl FnOnce(usize, Arrived<'_>) -> T,
    ) -> Poll<io::Result<Gain<T>>> {
        match self.large() {
            Some(length) => self.poll_read_large(length, reader, context, deal),
            None if reader.is_greedy() => self.poll_read_large(0, reader, context, deal),
            None => SHARED.with_borrow_mut(|shared| {
                if shared.is_empty() {
                    shared.resize(READ, 0);
                }
                self.poll_read_shared(shared, reader, context, deal)
            }),
        }
    }

    /// How long the reply is whose rest comes next, if it has a large value.
    fn large(&self) -> Option<usize> {
        let length = match self.scanner.wanted() {
            Some(wanted) => wanted,
            None if self.held.is_empty() => self.expected,
            None => 0,
        };
        (length >= LARGE).then_some(length)
    }

    fn poll_read_shared<T>(
        &mut self,
        shared: &mut [u8],
        reader: &mut Reader,
        context: &mut Context<'_>,
        deal: impl FnOnce(usize, Arrived<'_>) -> T,
    ) -> Poll<io::Result<Gain<T>>> {
        let (front, back) = shared.split_at_mut(self.held.len());
        let bytes = ready!(reader.poll_read(context, back))?;
        if front.is_empty() {
            let bytes_read = &back[..bytes];
            if let Some(frame) = self.scanner.lone_value(bytes_read)
                && frame.payload().len() < LARGE
            {
                let value = LoneValue {
                    bytes: bytes_read,
                    payload: Bytes::copy_from_slice(&bytes_read[frame.payload()]),
                    frame,
                };
                let dealt = deal(bytes, Arrived::LoneValue(value));
                self.expected = 0;
                return Poll::Ready(Ok(Gain { bytes, dealt }));
            }
        }
        front.copy_from_slice(&self.held);
        let read = &shared[..self.held.len() + bytes];
        self.frames.clear();
        let scanned = self.scanner.scan(read, &mut self.frames);
        detach(read, None, &self.frames, &mut self.payloads);
        let batch = Batch {
            bytes: read,
            frames: &self.frames,
            payloads: &mut self.payloads,
        };
        let dealt = deal(bytes, Arrived::Batch(batch, scanned.violation));
        self.expect(scanned.longest);
        self.hold(&read[scanned.complete..]);
        Poll::Ready(Ok(Gain { bytes, dealt }))
    }

    fn poll_read_large<T>(
        &mut self,
        length: usize,
        reader: &mut Reader,
        context: &mut Context<'_>,
        deal: impl FnOnce(usize, Arrived<'_>) -> T,
    ) -> Poll<io::Result<Gain<T>>> {
        // No buffer for what may come in an hour.
        ready!(reader.poll_ready(context))?;
        if self.held.capacity() < length {
            let mut longer = BytesMut::with_capacity(length + MARGIN);
            longer.extend_from_slice(&self.held);
            self.held = longer;
        }
        let Poll::Ready(bytes) = reader.poll_read_buf(context, &mut self.held) else {
            if self.held.is_empty() {
                self.held = BytesMut::new();
            }
            return Poll::Pending;
        };
        let bytes = bytes?;
        self.frames.clear();
        let scanned = self.scanner.scan(&self.held, &mut self.frames);
        let capacity = self.held.capacity();
        let whole = match scanned.complete {
            0 => Bytes::new(),
            complete => self.held.split_to(complete).freeze(),
        };
        detach(
            &whole,
            Some((&whole, capacity)),
            &self.frames,
            &mut self.payloads,
        );
        let batch = Batch {
            bytes: &whole,
            frames: &self.frames,
            payloads: &mut self.payloads,
        };
        let dealt = deal(bytes, Arrived::Batch(batch, scanned.violation));
        if scanned.complete > 0 {
            self.expect(scanned.longest);
            let rest = std::mem::take(&mut self.held);
            self.hold(&rest);
        }
        Poll::Ready(Ok(Gain { bytes, dealt }))
    }

    /// Takes a guess at what comes next: what came just now, whose longest data block this is.
    fn expect(&mut self, longest: usize) {
        if !self.frames.is_empty() {
            self.expected = if longest >= LARGE { longest } else { 0 };
        }
    }

    /// Keeps `rest` for the next time, and no memory for nothing.
    fn hold(&mut self, rest: &[u8]) {
        if rest.is_empty() && self.held.capacity() == 0 {
            return;
        }
        self.held.clear();
        let whole = self.scanner.wanted().filter(|wanted| *wanted >= LARGE);
        let capacity = whole.map_or(rest.len(), |wanted| wanted + MARGIN);
        if self.held.capacity() < capacity || self.held.capacity() > capacity + LARGE {
            self.held = BytesMut::with_capacity(capacity);
        }
        self.held.extend_from_slice(rest);
    }
}
