//! Whatever a server sends, and however it is cut, it is read as the same frames.

use bytes::BytesMut;

use super::choices::Choices;
use crate::proto::frame::{Frame, Scanner, Span};

const MAX_VALUE: usize = 4096;

/// A frame with the bytes that it points to.
type Seen = (String, Vec<Vec<u8>>);

fn see(block: &[u8], frame: Frame) -> Seen {
    let bytes = |span: Span| block[span.range()].to_vec();
    match frame {
        Frame::Value {
            key,
            flags,
            cas,
            data,
        } => {
            assert!(data.range().len() <= MAX_VALUE);
            (format!("{flags} {cas}"), vec![bytes(key), bytes(data)])
        }
        Frame::Meta { code, flags, data } => {
            assert!(data.is_none_or(|data| data.range().len() <= MAX_VALUE));
            let parts = [bytes(flags)].into_iter().chain(data.map(bytes));
            (format!("{code:?}"), parts.collect())
        }
        Frame::Error(class, text) => (format!("{class:?}"), vec![bytes(text)]),
        Frame::Line(line) => ("line".to_owned(), vec![bytes(line)]),
        Frame::Status(_) | Frame::Number(_) => (format!("{frame:?}"), Vec::new()),
    }
}

/// The frames of a stream that arrives in parts, and whether it broke the protocol.
fn scan<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (Vec<Seen>, bool) {
    let mut scanner = Scanner::new(MAX_VALUE);
    let mut inbox = BytesMut::new();
    let mut seen = Vec::new();
    for part in parts {
        inbox.extend_from_slice(part);
        let mut frames = Vec::new();
        let scanned = scanner.scan(&inbox, &mut frames);
        let block = inbox.split_to(scanned.complete);
        seen.extend(frames.into_iter().map(|frame| see(&block, frame)));
        if scanned.violation.is_some() {
            return (seen, true);
        }
    }
    (seen, false)
}

/// The first byte tells how the rest is cut.
pub fn reply(bytes: &[u8]) {
    let mut choices = Choices::of(bytes);
    let part = 1 + choices.below(255);
    let stream = choices.bytes(usize::MAX);
    let (whole, is_broken) = scan(std::iter::once(stream));
    let (cut, is_broken_too) = scan(stream.chunks(part));
    // A line that is too long is noticed sooner when it comes in one piece with what ends it.
    assert_eq!(is_broken, is_broken_too, "cut into parts of {part}");
    assert_eq!(whole, cut, "cut into parts of {part}");
}
