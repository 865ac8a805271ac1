//! What a connection has read, until it is dealt out.
//!
//! All connections of a thread read into one buffer of that thread, so a connection that has
//! nothing to read holds none. What is left of an incomplete reply is kept by its connection. Only a
//! large value gets a buffer of its own, is read into it, and stays there.

use std::cell::RefCell;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};

use super::stream::Reader;
use crate::proto::deal::Batch;
use crate::proto::detach::{LARGE, detach};
use crate::proto::frame::{Frame, Scanner, Violation};

/// How much is read at once, in bytes. More than what a server sends at a time, mostly.
const READ: usize = 64 * 1024;

/// A large value's buffer has room for this many bytes besides, so that the end of its reply is
/// read together with it.
const MARGIN: usize = 512;

thread_local! {
    static SHARED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Whoever what was read is handed to: first its front, then what is left of it.
pub(super) trait Dealer {
    /// These many bytes were read.
    fn received(&mut self, bytes: usize);

    /// Takes what is expected off the front of `bytes`, with values of at most `max_value` bytes, and
    /// returns how many bytes that were.
    fn deal_expected(&mut self, bytes: &[u8], max_value: usize) -> usize;

    /// Takes the rest, which ends with `violation` if that is there, and which is never nothing.
    fn deal(&mut self, batch: Batch<'_>, violation: Option<Violation>);
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

    /// Reads what is there, hands it to `dealer` as far as it is complete, and returns how many bytes
    /// were read. None mean that the stream has ended.
    pub(super) fn poll_read(
        &mut self,
        reader: &mut Reader,
        context: &mut Context<'_>,
        dealer: &mut impl Dealer,
    ) -> Poll<io::Result<usize>> {
        match self.large() {
            Some(length) => self.poll_read_large(length, reader, context, dealer),
            None if reader.is_greedy() => self.poll_read_large(0, reader, context, dealer),
            None => SHARED.with_borrow_mut(|shared| {
                if shared.is_empty() {
                    shared.resize(READ, 0);
                }
                self.poll_read_shared(shared, reader, context, dealer)
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

    fn poll_read_shared(
        &mut self,
        shared: &mut [u8],
        reader: &mut Reader,
        context: &mut Context<'_>,
        dealer: &mut impl Dealer,
    ) -> Poll<io::Result<usize>> {
        let (front, back) = shared.split_at_mut(self.held.len());
        let bytes = ready!(reader.poll_read(context, back))?;
        dealer.received(bytes);
        front.copy_from_slice(&self.held);
        let read = &shared[..self.held.len() + bytes];
        let expected = self.deal_expected(read, dealer);
        let mut rest = &read[expected..];
        if !rest.is_empty() {
            self.frames.clear();
            let scanned = self.scanner.scan(rest, &mut self.frames);
            detach(rest, None, &self.frames, &mut self.payloads);
            self.deal(rest, scanned.violation, dealer);
            self.expect(scanned.longest);
            rest = &rest[scanned.complete..];
        }
        self.hold(rest);
        Poll::Ready(Ok(bytes))
    }

    fn poll_read_large(
        &mut self,
        length: usize,
        reader: &mut Reader,
        context: &mut Context<'_>,
        dealer: &mut impl Dealer,
    ) -> Poll<io::Result<usize>> {
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
        dealer.received(bytes);
        let mut held = std::mem::take(&mut self.held);
        let capacity = held.capacity();
        let mut expected = 0;
        if length == 0 {
            expected = self.deal_expected(&held, dealer);
            held.advance(expected);
        }
        self.frames.clear();
        let scanned = self.scanner.scan(&held, &mut self.frames);
        if scanned.complete > 0 || scanned.violation.is_some() {
            let whole = held.split_to(scanned.complete).freeze();
            detach(
                &whole,
                Some((&whole, capacity)),
                &self.frames,
                &mut self.payloads,
            );
            self.deal(&whole, scanned.violation, dealer);
            self.expect(scanned.longest);
        }
        if expected + scanned.complete > 0 {
            self.hold(&held);
        } else {
            self.held = held;
        }
        Poll::Ready(Ok(bytes))
    }

    fn deal_expected(&mut self, bytes: &[u8], dealer: &mut impl Dealer) -> usize {
        let length = dealer.deal_expected(bytes, self.scanner.max_value());
        if length > 0 {
            self.scanner.restart();
            self.expected = 0;
        }
        length
    }

    /// Hands over the frames of `bytes`, if there are some, and a violation, if there is one.
    fn deal(&mut self, bytes: &[u8], violation: Option<Violation>, dealer: &mut impl Dealer) {
        if self.frames.is_empty() && violation.is_none() {
            return;
        }
        let batch = Batch {
            bytes,
            frames: &self.frames,
            payloads: &mut self.payloads,
        };
        dealer.deal(batch, violation);
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
