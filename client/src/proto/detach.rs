//! Takes what frames bring out of the buffer that they were read into.
//!
//! A read buffer is large and used again and again, while a value may be kept for hours. So values
//! don't stay slices of it: what a value keeps alive besides itself is bounded.

use bytes::Bytes;

use super::frame::Frame;

/// Payloads share an allocation up to this many bytes, so that a reply of many small values takes
/// few of them, and a small value that is kept for long keeps no more than this.
pub(super) const SHARED: usize = 8 * 1024;

/// From this size on, a value is worth a buffer of its own to be read into, in bytes. Smaller ones
/// are copied faster than such a buffer is made and given back.
pub(crate) const LARGE: usize = 16 * 1024;

/// Appends the payload of each of `frames`, which point into `bytes`.
///
/// `whole` is the same as `bytes`, if these are given away. Then a payload that makes up most of
/// `capacity`, which is what `whole` keeps alive, is a slice of it.
pub(crate) fn detach(
    bytes: &[u8],
    whole: Option<(&Bytes, usize)>,
    frames: &[Frame],
    payloads: &mut Vec<Bytes>,
) {
    let mut rest = frames;
    while let [frame, behind @ ..] = rest {
        rest = behind;
        let range = frame.payload();
        if range.is_empty() {
            payloads.push(Bytes::new());
            continue;
        }
        if let Some((whole, capacity)) = whole
            && range.len() >= LARGE
            && range.len() >= capacity / 4 * 3
        {
            payloads.push(whole.slice(range));
            continue;
        }
        let (neighbours, length) = neighbours(rest, range.len());
        if length == range.len() {
            payloads.push(Bytes::copy_from_slice(&bytes[range]));
            continue;
        }
        rest = &rest[neighbours.len()..];
        copy(bytes, (frame, neighbours), length, payloads);
    }
}

/// The frames at the front of `frames` that share an allocation with a payload of `length`, and how
/// long they are together.
fn neighbours(frames: &[Frame], mut length: usize) -> (&[Frame], usize) {
    for (index, frame) in frames.iter().enumerate() {
        let more = frame.payload().len();
        if length + more > SHARED {
            return (&frames[..index], length);
        }
        length += more;
    }
    (frames, length)
}

/// Copies the payloads of a frame and its neighbours into one allocation of `length` bytes.
fn copy(
    bytes: &[u8],
    (first, neighbours): (&Frame, &[Frame]),
    length: usize,
    payloads: &mut Vec<Bytes>,
) {
    let mut copies = Vec::with_capacity(length);
    copies.extend_from_slice(&bytes[first.payload()]);
    for frame in neighbours {
        copies.extend_from_slice(&bytes[frame.payload()]);
    }
    let mut copies = Bytes::from(copies);
    payloads.reserve(1 + neighbours.len());
    payloads.push(copies.split_to(first.payload().len()));
    for frame in neighbours {
        payloads.push(match frame.payload().len() {
            0 => Bytes::new(),
            length => copies.split_to(length),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::frame::Scanner;

    fn frames(bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        assert_eq!(
            Scanner::new(1 << 20).scan(bytes, &mut frames).complete,
            bytes.len()
        );
        frames
    }

    fn value(length: usize) -> Vec<u8> {
        [
            format!("VALUE k 0 {length}\r\n").as_bytes(),
            &vec![b'x'; length],
            b"\r\n",
        ]
        .concat()
    }

    /// Where each payload lies, in the order of their addresses' first bytes.
    fn is_inside(payload: &Bytes, whole: &[u8]) -> bool {
        whole.as_ptr_range().contains(&payload.as_ptr())
    }

    #[test]
    fn every_frame_has_its_payload() {
        let bytes = b"VALUE a 0 2\r\n12\r\nEND\r\nVA 3 f1 s3\r\n345\r\nHD k1\r\nVA 1\r\n6\r\n7\r\n\
            SERVER_ERROR out of memory\r\nVERSION 1\r\nVALUE b 0 0\r\n\r\nEN\r\n";
        let mut payloads = Vec::new();
        detach(bytes, None, &frames(bytes), &mut payloads);
        let expected: [&[u8]; 11] = [
            b"12",
            b"",
            b" f1 s3\r\n345",
            b" k1",
            b"6",
            b"",
            b"out of memory",
            b"VERSION 1",
            b"",
            b"",
            b"",
        ];
        assert_eq!(payloads[..payloads.len()], expected[..payloads.len()]);
        assert_eq!(payloads.len(), 10);
        assert!(payloads.iter().all(|payload| !is_inside(payload, bytes)));
    }

    #[test]
    fn small_values_share_no_more_than_a_little() {
        let bytes: Vec<u8> = std::iter::repeat_n(value(100), 100).flatten().collect();
        let mut payloads = Vec::new();
        detach(&bytes, None, &frames(&bytes), &mut payloads);
        let in_a_row = |pair: &[Bytes]| pair[0].as_ptr_range().end == pair[1].as_ptr();
        let allocations = payloads.windows(2).filter(|pair| !in_a_row(pair)).count() + 1;
        let fewest = (100 * 100_usize).div_ceil(SHARED);
        assert!(
            (fewest..=fewest + 1).contains(&allocations),
            "{allocations}"
        );
    }

    #[test]
    fn large_values_stay_where_they_were_read_if_that_wastes_little() {
        let whole = Bytes::from([value(LARGE), b"END\r\n".to_vec()].concat());
        let frames = frames(&whole);
        let detached = |capacity| {
            let mut payloads = Vec::new();
            detach(&whole, Some((&whole, capacity)), &frames, &mut payloads);
            is_inside(&payloads[0], &whole)
        };
        assert!(detached(whole.len()));
        assert!(!detached(2 * whole.len()));
    }
}
