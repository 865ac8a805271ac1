//! Encoded requests on their way to a socket.

use std::io::IoSlice;
use std::ops::Range;

use bytes::Bytes;

use crate::value::Payload;

/// From this size on, a shared value is written from where it lies instead of being copied, in
/// bytes. Below, copying into one buffer is cheaper than a longer list of slices for the kernel.
const SPLICE_FROM: usize = 16 * 1024;

/// A buffer keeps at most this much memory for the next batch of requests, in bytes.
const KEEP_CAPACITY: usize = 64 * 1024;

#[derive(Debug)]
enum Segment {
    Copied(Vec<u8>),
    Shared(Bytes),
}

impl Segment {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// A stretch of the stream of requests: bytes, and large values by reference.
#[derive(Debug, Default)]
pub(crate) struct OutBuffer {
    /// What stands in front of `tail`, which is nothing unless there are large values.
    segments: Vec<Segment>,
    /// How long they are together.
    front: usize,
    tail: Vec<u8>,
    written: usize,
    /// Where in the stream it begins.
    base: u64,
    /// The connection it belongs to: see `Pipeline`.
    epoch: u64,
}

impl OutBuffer {
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
    }

    #[inline]
    pub(crate) fn put_number(&mut self, number: impl itoa::Integer + TryInto<u8> + Copy) {
        match number.try_into() {
            // Client flags and exptimes are 0 mostly.
            Ok(digit @ 0..=9) => self.tail.push(b'0' + digit),
            _ => self.put(itoa::Buffer::new().format(number).as_bytes()),
        }
    }

    pub(crate) fn put_payload(&mut self, payload: &Payload<'_>) {
        match payload.as_shared() {
            Some(bytes) if bytes.len() >= SPLICE_FROM => self.splice(bytes.clone()),
            _ => self.put(payload.as_slice()),
        }
    }

    fn splice(&mut self, bytes: Bytes) {
        self.front += self.tail.len() + bytes.len();
        if !self.tail.is_empty() {
            let tail = std::mem::take(&mut self.tail);
            self.segments.push(Segment::Copied(tail));
        }
        self.segments.push(Segment::Shared(bytes));
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.front + self.tail.len()
    }

    /// The stream offset up to which it was written.
    #[inline]
    pub(crate) fn written_to(&self) -> u64 {
        self.base + self.written as u64
    }

    #[inline]
    pub(crate) fn is_written(&self) -> bool {
        self.written == self.len()
    }

    #[inline]
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    #[inline]
    pub(crate) fn begin(&mut self, base: u64, epoch: u64) {
        self.base = base;
        self.epoch = epoch;
    }

    /// Notes that the socket took `count` bytes more.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        self.written += count;
        debug_assert!(self.written <= self.len(), "wrote more than there was");
    }

    fn slices_from_start(&self) -> impl Iterator<Item = &[u8]> {
        let segments = self.segments.iter().map(Segment::as_slice);
        segments.chain(std::iter::once(&self.tail[..]))
    }

    /// What is still to be written, as slices for a vectored write; as many as `slices` holds.
    pub(crate) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut skip = self.written;
        let mut count = 0;
        for bytes in self.slices_from_start() {
            if skip >= bytes.len() {
                skip -= bytes.len();
                continue;
            }
            let Some(slot) = slices.get_mut(count) else {
                break;
            };
            *slot = IoSlice::new(&bytes[skip..]);
            skip = 0;
            count += 1;
        }
        count
    }

    /// The rest as one slice, when it is one.
    #[inline]
    pub(crate) fn single(&self) -> Option<&[u8]> {
        match self.segments.is_empty() {
            true => self.tail.get(self.written..),
            false => None,
        }
    }

    /// Appends the part of `other` that stands at `range` of the stream.
    pub(crate) fn copy_range(&mut self, other: &Self, range: Range<u64>) {
        let mut from = other.base;
        let mut copy = |length: usize, put: &mut dyn FnMut(Range<usize>)| {
            let start = range.start.max(from);
            let end = range.end.min(from + length as u64);
            if start < end {
                put((start - from) as usize..(end - from) as usize);
            }
            from += length as u64;
        };
        for segment in &other.segments {
            copy(segment.as_slice().len(), &mut |part| match segment {
                Segment::Copied(bytes) => self.put(&bytes[part]),
                Segment::Shared(bytes) => self.splice(bytes.slice(part)),
            });
        }
        copy(other.tail.len(), &mut |part| self.put(&other.tail[part]));
    }

    /// Empties it for reuse, keeping a moderate amount of memory.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.segments.clear();
        self.front = 0;
        match self.tail.capacity() <= KEEP_CAPACITY {
            true => self.tail.clear(),
            false => self.tail = Vec::new(),
        }
        self.written = 0;
    }

    /// Everything in it, in one piece.
    #[cfg(test)]
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        self.slices_from_start().flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(buffer: &OutBuffer) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 8];
        let count = buffer.slices(&mut slices);
        slices[..count]
            .iter()
            .flat_map(|slice| slice.to_vec())
            .collect()
    }

    #[test]
    fn large_values_are_spliced_and_small_ones_copied() {
        let large = Bytes::from(vec![b'x'; SPLICE_FROM]);
        let mut buffer = OutBuffer::default();
        buffer.put(b"set k 0 0 ");
        buffer.put_number(large.len());
        buffer.put(b"\r\n");
        buffer.put_payload(&Payload::from(large.clone()));
        buffer.put(b"\r\n");
        buffer.put_payload(&Payload::from(Bytes::from_static(b"small")));
        assert_eq!(buffer.segments.len(), 2);
        assert_eq!(buffer.len(), 17 + large.len() + 2 + 5);
        assert_eq!(rest(&buffer), buffer.to_vec());
        buffer.advance(20);
        assert_eq!(rest(&buffer), buffer.to_vec()[20..]);
        buffer.advance(buffer.len() - 20 - 1);
        assert_eq!(rest(&buffer), b"l");
    }

    #[test]
    fn ranges_cross_segments() {
        let mut buffer = OutBuffer::default();
        buffer.begin(100, 0);
        buffer.put(b"abc");
        buffer.put_payload(&Payload::from(vec![b'x'; SPLICE_FROM]));
        buffer.put(b"def");
        let whole = buffer.to_vec();
        for (start, end) in [
            (0, 2),
            (1, 5),
            (2, whole.len() - 1),
            (whole.len() - 2, whole.len()),
        ] {
            let mut copy = OutBuffer::default();
            copy.copy_range(&buffer, 100 + start as u64..100 + end as u64);
            assert_eq!(copy.to_vec(), whole[start..end]);
        }
    }

    #[test]
    fn a_cleared_buffer_keeps_little() {
        let mut buffer = OutBuffer::default();
        buffer.put(&vec![0; 2 * KEEP_CAPACITY]);
        buffer.clear();
        assert_eq!(buffer.tail.capacity(), 0);
        buffer.put(b"abc");
        buffer.clear();
        assert_eq!(buffer.len(), 0);
        assert!(buffer.tail.capacity() > 0);
    }
}
