//! Cuts what a server sent into frames: a line, or a line with its data block.
//!
//! The replies of memcached say themselves where they end: only `VALUE` and `VA` lines are followed
//! by data, and they state its length. So frames can be found without knowing what was asked, and
//! without holding the lock under which requests wait for them. Frames only point into the scanned
//! bytes; nothing is copied or allocated, however large a length the server states.

use std::ops::Range;

use super::reply::{ErrorClass, MetaCode, Status};
use super::value_line::{VALUE, ValueLine, number};

/// The longest line a server may send, in bytes. The longest line memcached sends is a `watch`
/// line, with a key of 250 bytes percent-encoded, in less than 2 KiB.
pub(crate) const MAX_LINE: usize = 8 * 1024;

pub(super) const END: &[u8; 5] = b"END\r\n";

/// Where something stands in the scanned bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(range: Range<usize>) -> Self {
        // The scanner never looks further than one frame past u32::MAX: see `Scanner::new`.
        Self {
            start: range.start as u32,
            end: range.end as u32,
        }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One line from the server, with its data block if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// `VALUE <key> <flags> <bytes> [<cas unique>]` and its data.
    Value {
        key: Span,
        flags: u32,
        cas: u64,
        data: Span,
    },
    /// A reply of a meta command: its code, the rest of its line, and the data of a `VA`.
    Meta {
        code: MetaCode,
        flags: Span,
        data: Option<Span>,
    },
    /// A line that is one fixed word.
    Status(Status),
    /// A line that is one decimal number.
    Number(u64),
    /// `ERROR`, `CLIENT_ERROR …` or `SERVER_ERROR …`, and what stands behind the word.
    Error(ErrorClass, Span),
    /// Any other line, without its line end.
    Line(Span),
}

impl Frame {
    /// Where that stands which the frame brings to its request: one stretch, empty for replies that
    /// are all in their kind. Of a meta reply, it is the flags, a line end, and the data; without
    /// flags, the data alone.
    #[inline(always)]
    pub(crate) fn payload(&self) -> Range<usize> {
        match self {
            // Apart from the others, as it is most of what comes.
            Self::Value { data, .. } => data.range(),
            _ => self.other_payload(),
        }
    }

    fn other_payload(&self) -> Range<usize> {
        match self {
            Self::Value { data: span, .. }
            | Self::Meta {
                flags: span,
                data: None,
                ..
            }
            | Self::Error(_, span)
            | Self::Line(span) => span.range(),
            Self::Meta {
                flags,
                data: Some(data),
                ..
            } => match flags.range() {
                flags if flags.is_empty() => data.range(),
                flags => flags.start..data.range().end,
            },
            Self::Status(_) | Self::Number(_) => 0..0,
        }
    }
}

/// What a server sent that no memcached would send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation(pub(crate) &'static str);

/// A value that is larger than the client accepts.
pub(crate) const TOO_LARGE: Violation = Violation("a value that is larger than max_value_size");

/// How far a scan came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// The length that the complete frames cover.
    pub(crate) complete: usize,
    /// How long the longest data block among them is.
    pub(crate) longest: usize,
    /// What stands behind them, if that is no frame and never will be.
    pub(crate) violation: Option<Violation>,
}

/// Finds the frames at the front of a growing buffer.
#[derive(Debug)]
pub(crate) struct Scanner {
    max_value: usize,
    /// Up to here the incomplete frame at the front was searched for a line end.
    searched: usize,
    /// The length the incomplete frame at the front will have, once its line was read.
    wanted: usize,
}

impl Scanner {
    /// `max_value` is the largest data block to accept, in bytes; at most 1 GiB.
    pub(crate) fn new(max_value: usize) -> Self {
        Self {
            max_value: max_value.min(1 << 30),
            searched: 0,
            wanted: 0,
        }
    }

    /// How long the frame at the front of the buffer will be when it is complete, if its line was
    /// read already and more data is to come.
    pub(crate) fn wanted(&self) -> Option<usize> {
        (self.wanted > 0).then_some(self.wanted)
    }

    /// The largest data block to accept, in bytes.
    pub(crate) fn max_value(&self) -> usize {
        self.max_value
    }

    /// Begins anew, since somebody else has taken the frame at the front.
    pub(crate) fn restart(&mut self) {
        self.searched = 0;
        self.wanted = 0;
    }

    /// Appends every complete frame in `bytes` to `frames` and returns the length they cover.
    ///
    /// The caller takes that many bytes off the front before it scans again with more behind.
    /// After a violation it must not scan again; the frames in front of it are good.
    pub(crate) fn scan(&mut self, bytes: &[u8], frames: &mut Vec<Frame>) -> Scanned {
        let mut scanned = Scanned {
            complete: 0,
            longest: 0,
            violation: None,
        };
        scanned.violation = self.scan_frames(bytes, frames, &mut scanned).err();
        scanned
    }

    fn scan_frames(
        &mut self,
        bytes: &[u8],
        frames: &mut Vec<Frame>,
        scanned: &mut Scanned,
    ) -> Result<(), Violation> {
        if bytes.len() < self.wanted {
            return Ok(());
        }
        let mut at = 0;
        loop {
            while let Some((frame, end)) = self.common(bytes, at) {
                scanned.longest = scanned.longest.max(frame.payload().len());
                frames.push(frame);
                at = end;
            }
            if at > scanned.complete {
                scanned.complete = at;
                self.searched = 0;
                self.wanted = 0;
            }
            if at == bytes.len() {
                return Ok(());
            }
            let Some(Cut { frame, line, data }) = self.cut(bytes, at)? else {
                return Ok(());
            };
            let mut end = line;
            if let Some(data) = data {
                end = data + 2;
                if bytes.len() < end {
                    self.searched = line - 1 - at;
                    self.wanted = end - at;
                    return Ok(());
                }
                if bytes[data..end] != *b"\r\n" {
                    return Err(Violation("a data block that is not followed by a line end"));
                }
                scanned.longest = scanned.longest.max(data - line);
            }
            frames.push(frame);
            at = end;
            scanned.complete = end;
            self.searched = 0;
            self.wanted = 0;
        }
    }

    /// The frame that begins at `at`, and where it ends, if it is one of the two that nearly all
    /// replies consist of, and complete. For those, nobody looks for the line's end first.
    #[inline(always)]
    fn common(&self, bytes: &[u8], at: usize) -> Option<(Frame, usize)> {
        let rest = bytes.get(at..)?;
        if rest.starts_with(END) {
            return Some((Frame::Status(Status::End), at + END.len()));
        }
        self.common_value(bytes, at)
    }

    #[inline(always)]
    fn common_value(&self, bytes: &[u8], at: usize) -> Option<(Frame, usize)> {
        let line = ValueLine::parse(bytes.get(at..)?)?;
        let data = at + line.length;
        let end = data + self.size(line.size).ok()?;
        if bytes.get(end..end + 2)? != b"\r\n" {
            return None;
        }
        Some((self.value(&line, at, data..end), end + 2))
    }

    /// The frame whose line begins at `at`, if that line is complete.
    fn cut(&mut self, bytes: &[u8], at: usize) -> Result<Option<Cut>, Violation> {
        let Some(line) = ValueLine::parse(&bytes[at..]) else {
            return self.cut_line(bytes, at);
        };
        let data = at + line.length;
        let end = data + self.size(line.size)?;
        Ok(Some(Cut {
            frame: self.value(&line, at, data..end),
            line: data,
            data: Some(end),
        }))
    }

    fn cut_line(&mut self, bytes: &[u8], at: usize) -> Result<Option<Cut>, Violation> {
        let rest = &bytes[at + self.searched..];
        let Some(found) = memchr::memchr(b'\n', rest) else {
            self.searched += rest.len();
            if self.searched > MAX_LINE {
                return Err(Violation("a line that is too long"));
            }
            return Ok(None);
        };
        let line_end = at + self.searched + found;
        let line = at..match bytes[at..line_end] {
            [.., b'\r'] => line_end - 1,
            _ => line_end,
        };
        self.parse(bytes, line, line_end + 1).map(Some)
    }

    /// The frame that starts with `line`; what follows it begins at `after`.
    fn parse(&self, bytes: &[u8], line: Range<usize>, after: usize) -> Result<Cut, Violation> {
        let text = &bytes[line.clone()];
        if text.len() > MAX_LINE {
            return Err(Violation("a line that is too long"));
        }
        if text.starts_with(b"VALUE ") {
            return Err(Violation("a VALUE line that is not understood"));
        }
        if let Some(rest) = text.strip_prefix(b"VA ") {
            let (size, rest) = number(rest).ok_or(Violation("a VA line without a size"))?;
            let end = after + self.size(size)?;
            let flags = Span::new(line.end - rest.len()..line.end);
            let data = Some(Span::new(after..end));
            return Ok(Cut {
                frame: Frame::Meta {
                    code: MetaCode::Value,
                    flags,
                    data,
                },
                line: after,
                data: Some(end),
            });
        }
        Ok(Cut {
            frame: line_frame(text, line),
            line: after,
            data: None,
        })
    }

    #[inline]
    fn value(&self, line: &ValueLine, at: usize, data: Range<usize>) -> Frame {
        let key = at + VALUE.len();
        Frame::Value {
            key: Span::new(key..key + line.key_length),
            flags: line.flags,
            cas: line.cas,
            data: Span::new(data),
        }
    }

    #[inline]
    fn size(&self, stated: u64) -> Result<usize, Violation> {
        match usize::try_from(stated) {
            Ok(size) if size <= self.max_value => Ok(size),
            _ => Err(TOO_LARGE),
        }
    }
}

/// A frame whose line is complete; its data may be still to come.
struct Cut {
    frame: Frame,
    /// Where the line ends, with its line end.
    line: usize,
    /// Where the data ends, without its line end.
    data: Option<usize>,
}

fn line_frame(text: &[u8], line: Range<usize>) -> Frame {
    if let Some(status) = Status::parse(text) {
        return Frame::Status(status);
    }
    let word = memchr::memchr(b' ', text).unwrap_or(text.len());
    let rest = (line.start + word + 1).min(line.end)..line.end;
    if let Some(class) = ErrorClass::parse(&text[..word]) {
        return Frame::Error(class, Span::new(rest));
    }
    if let Some(code) = MetaCode::parse(&text[..word]) {
        let flags = Span::new(line.start + word..line.end);
        return Frame::Meta {
            code,
            flags,
            data: None,
        };
    }
    match number(text) {
        Some((value, b"")) => Frame::Number(value),
        _ => Frame::Line(Span::new(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<(Vec<Frame>, usize), Violation> {
        let mut frames = Vec::new();
        let scanned = Scanner::new(1 << 20).scan(bytes, &mut frames);
        match scanned.violation {
            Some(violation) => Err(violation),
            None => Ok((frames, scanned.complete)),
        }
    }

    #[test]
    fn a_value_may_look_like_the_protocol() {
        let bytes = b"VALUE k 7 5\r\nEND\r\n\r\nEND\r\n";
        let (frames, used) = all(bytes).unwrap();
        assert_eq!(used, bytes.len());
        let [
            Frame::Value {
                key,
                flags: 7,
                cas: 0,
                data,
            },
            Frame::Status(Status::End),
        ] = frames[..]
        else {
            panic!("{frames:?}")
        };
        assert_eq!(
            (&bytes[key.range()], &bytes[data.range()]),
            (&b"k"[..], &b"END\r\n"[..])
        );
    }

    #[test]
    fn lengths_are_checked_before_anything_is_awaited() {
        assert!(all(b"VALUE k 0 99999999999\r\n").is_err());
        assert!(all(b"VALUE k 0 99999999999999999999999\r\n").is_err());
        assert!(all(b"VALUE k 4294967296 1\r\n").is_err());
        assert!(all(b"VA 1048577\r\n").is_err());
        assert!(all(b"VALUE k 0 1\r\nxyz").is_err());
        assert!(all(b"VALUE k 0 1 2 3\r\n").is_err());
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut scanner = Scanner::new(1 << 20);
        let bytes = vec![b'x'; MAX_LINE + 1];
        let mut scan = |length: usize| scanner.scan(&bytes[..length], &mut Vec::new());
        let more = Scanned {
            complete: 0,
            longest: 0,
            violation: None,
        };
        assert_eq!(scan(MAX_LINE), more);
        assert!(scan(MAX_LINE + 1).violation.is_some());
        assert!(all(&[&bytes[..], b"\r\n"].concat()).is_err());
    }

    #[test]
    fn lines_end_with_or_without_a_carriage_return() {
        let (frames, _) = all(b"key=a exp=-1\nEND\r\n").unwrap();
        assert!(matches!(
            frames[..],
            [Frame::Line(_), Frame::Status(Status::End)]
        ));
    }

    #[test]
    fn it_says_how_much_a_value_still_needs() {
        let mut scanner = Scanner::new(1 << 20);
        let mut frames = Vec::new();
        let scanned = scanner.scan(b"STORED\r\nVA 100 f0\r\nabc", &mut frames);
        assert_eq!(
            scanned,
            Scanned {
                complete: 8,
                longest: 0,
                violation: None
            }
        );
        assert_eq!(scanner.wanted(), Some(11 + 102));
    }

    #[test]
    fn what_stands_before_a_violation_is_good() {
        let mut frames = Vec::new();
        let scanned = Scanner::new(10).scan(b"STORED\r\nVALUE k 0 11\r\n", &mut frames);
        assert_eq!(
            scanned,
            Scanned {
                complete: 8,
                longest: 0,
                violation: Some(TOO_LARGE)
            }
        );
        assert_eq!(frames, [Frame::Status(Status::Stored)]);
    }
}
