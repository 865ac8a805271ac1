//! Replies on their way to the client.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use crate::store::Item;

/// Values from this size on are sent from where they are stored; smaller ones are copied.
const SHARE_FROM: usize = 4096;
/// With this much unsent, values are shared from a smaller size on: one line can ask for the same
/// value half a million times.
const MUCH: usize = 256 * 1024;
const SHARE_FROM_WITH_MUCH: usize = 128;

/// A stored value as the owner of bytes to send.
struct SharedValue(Arc<Item>);

impl AsRef<[u8]> for SharedValue {
    fn as_ref(&self) -> &[u8] {
        self.0.value()
    }
}

/// Replies that are not sent yet.
///
/// Replies are sent many at a time. memcached, too, stacks them up, and in places its behaviour
/// depends on whether any are stacked; [`Replies::sent_mark`] remembers what it would have sent.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    /// Complete pieces, before `tail`.
    pieces: VecDeque<Bytes>,
    pieces_len: usize,
    tail: BytesMut,
    /// How much memcached would have sent by now.
    sent_mark: usize,
    /// How many replies it would not have sent yet, those left out for silence included.
    stacked: usize,
    /// Items it would hold until those replies are sent.
    held: Vec<Arc<Item>>,
}

impl Replies {
    pub(crate) fn len(&self) -> usize {
        self.pieces_len + self.tail.len()
    }

    /// How much memcached would have sent by now.
    pub(crate) fn due(&self) -> usize {
        self.sent_mark
    }

    /// A reply line.
    pub(crate) fn line(&mut self, line: &str) {
        self.bytes(line.as_bytes());
        self.bytes(b"\r\n");
    }

    /// Part of a reply.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
    }

    /// A decimal number.
    pub(crate) fn number(&mut self, number: impl itoa::Integer) {
        self.bytes(itoa::Buffer::new().format(number).as_bytes());
    }

    /// The value of an item and its line ending.
    pub(crate) fn value(&mut self, item: &Arc<Item>) {
        let share_from = if self.len() < MUCH {
            SHARE_FROM
        } else {
            SHARE_FROM_WITH_MUCH
        };
        if item.value().len() < share_from {
            self.bytes(item.value());
        } else {
            self.seal();
            self.pieces_len += item.value().len();
            self.pieces
                .push_back(Bytes::from_owner(SharedValue(Arc::clone(item))));
        }
        self.bytes(b"\r\n");
    }

    /// Bytes that are already there, without copying.
    pub(crate) fn shared(&mut self, bytes: Bytes) {
        self.seal();
        self.pieces_len += bytes.len();
        self.pieces.push_back(bytes);
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            let piece = self.tail.split().freeze();
            self.pieces_len += piece.len();
            self.pieces.push_back(piece);
        }
    }

    /// Takes back everything after the first `len` bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        if len >= self.pieces_len {
            self.tail.truncate(len - self.pieces_len);
            return;
        }
        self.tail.clear();
        while let Some(mut last) = self.pieces.pop_back() {
            self.pieces_len -= last.len();
            if self.pieces_len < len {
                last.truncate(len - self.pieces_len);
                self.pieces_len = len;
                self.pieces.push_back(last);
            }
            if self.pieces_len <= len {
                return;
            }
        }
    }

    /// Counts one reply, given or left out.
    pub(crate) fn count(&mut self) {
        self.stacked += 1;
    }

    /// Whether memcached would have unsent replies.
    pub(crate) fn has_stacked(&self) -> bool {
        self.stacked > 0
    }

    /// Holds an item until the replies are sent, as memcached does.
    pub(crate) fn hold(&mut self, item: &Arc<Item>) {
        self.held.push(Arc::clone(item));
    }

    /// Notes that memcached would have sent everything now.
    pub(crate) fn mark_sent(&mut self) {
        self.sent_mark = self.len();
        self.stacked = 0;
        self.held.clear();
    }

    /// Drops the replies memcached would not have sent yet.
    pub(crate) fn drop_stacked(&mut self) {
        self.truncate(self.sent_mark);
        self.held.clear();
    }
}

impl Buf for Replies {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self.pieces
            .front()
            .map_or(&self.tail[..], |piece| &piece[..])
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = self.pieces.iter().map(|piece| &piece[..]);
        let tail = std::iter::once(&self.tail[..]).filter(|tail| !tail.is_empty());
        let mut used = 0;
        for (slot, chunk) in slices.iter_mut().zip(pieces.chain(tail)) {
            *slot = IoSlice::new(chunk);
            used += 1;
        }
        used
    }

    fn advance(&mut self, mut count: usize) {
        self.sent_mark = self.sent_mark.saturating_sub(count);
        while let Some(front) = self.pieces.front_mut() {
            let taken = count.min(front.len());
            front.advance(taken);
            self.pieces_len -= taken;
            count -= taken;
            if !front.is_empty() {
                return;
            }
            self.pieces.pop_front();
        }
        self.tail.advance(count);
        if self.tail.is_empty() {
            self.tail.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(replies: &mut Replies) -> Vec<u8> {
        let mut out = Vec::new();
        while replies.has_remaining() {
            let chunk = replies.chunk().to_vec();
            replies.advance(chunk.len());
            out.extend(chunk);
        }
        out
    }

    #[test]
    fn truncation_reaches_into_sealed_pieces() {
        for len in 0..=9 {
            let mut replies = Replies::default();
            replies.bytes(b"abc");
            replies.shared(Bytes::from_static(b"def"));
            replies.bytes(b"ghi");
            replies.truncate(len);
            assert_eq!(drain(&mut replies), &b"abcdefghi"[..len]);
        }
    }

    #[test]
    fn stacked_replies_can_be_dropped() {
        let mut replies = Replies::default();
        replies.line("OK");
        replies.mark_sent();
        replies.line("LOST");
        replies.drop_stacked();
        replies.line("ERROR");
        assert_eq!(drain(&mut replies), b"OK\r\nERROR\r\n");
    }

    #[test]
    fn all_pieces_are_offered_at_once() {
        let mut replies = Replies::default();
        replies.bytes(b"a");
        replies.shared(Bytes::from_static(b"b"));
        replies.bytes(b"c");
        let mut slices = [IoSlice::new(&[]); 8];
        assert_eq!(replies.chunks_vectored(&mut slices), 3);
        assert_eq!(
            slices[..3].iter().map(|slice| slice.len()).sum::<usize>(),
            3
        );
    }
}
