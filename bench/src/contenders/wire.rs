//! As much of the protocol as the floors speak.

use std::io::Write as _;

use anyhow::{Context as _, Result, bail, ensure};

use crate::workload::Item;

/// Room for the largest reply of all workloads.
const INBOX: usize = 256 * 1024;

/// `get` of one key or more.
pub(super) fn put_get<'a>(out: &mut Vec<u8>, items: impl IntoIterator<Item = &'a Item>) {
    out.extend_from_slice(b"get");
    for item in items {
        out.push(b' ');
        out.extend_from_slice(item.key.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

pub(super) fn put_set(out: &mut Vec<u8>, item: &Item) -> Result<()> {
    write!(out, "set {} 0 0 {}\r\n", item.key, item.value.len())?;
    put_value(out, item);
    Ok(())
}

pub(super) fn put_meta_get(out: &mut Vec<u8>, item: &Item) {
    out.extend_from_slice(b"mg ");
    out.extend_from_slice(item.key.as_bytes());
    out.extend_from_slice(b" v\r\n");
}

pub(super) fn put_meta_set(out: &mut Vec<u8>, item: &Item) -> Result<()> {
    write!(out, "ms {} {}\r\n", item.key, item.value.len())?;
    put_value(out, item);
    Ok(())
}

fn put_value(out: &mut Vec<u8>, item: &Item) {
    out.extend_from_slice(&item.value);
    out.extend_from_slice(b"\r\n");
}

/// A line of a reply, with its value if it announces one.
pub(super) struct Frame<'a> {
    pub(super) line: &'a [u8],
    pub(super) value: Option<&'a [u8]>,
}

impl Frame<'_> {
    /// It must be this line, and no value.
    pub(super) fn expect(&self, line: &[u8]) -> Result<()> {
        ensure!(
            self.line == line && self.value.is_none(),
            "unexpected reply {:?}",
            self.text()
        );
        Ok(())
    }

    /// It must bring the value of `item`.
    pub(super) fn expect_value(&self, item: &Item) -> Result<()> {
        match self.value {
            Some(value) => item.check(value),
            None => bail!("instead of the value of {}: {:?}", item.key, self.text()),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(self.line).into_owned()
    }
}

/// What was received and not yet understood.
pub(super) struct Inbox {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; INBOX],
            start: 0,
            end: 0,
        }
    }

    /// Where to read to.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.bytes[self.end..]
    }

    /// Notes that `count` bytes were read.
    pub(super) fn received(&mut self, count: usize) -> Result<()> {
        ensure!(count > 0, "the server closed the connection");
        self.end += count;
        Ok(())
    }

    /// The next frame, if it is complete.
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>> {
        let bytes = &self.bytes[self.start..self.end];
        let Some(newline) = memchr::memchr(b'\n', bytes) else {
            return Ok(None);
        };
        let line = bytes[..newline]
            .strip_suffix(b"\r")
            .context("a line without \\r")?;
        let after = newline + 1;
        let length = if line.starts_with(b"VALUE ") {
            line.rsplit(|byte| *byte == b' ').next()
        } else {
            line.strip_prefix(b"VA ")
        };
        let Some(length) = length else {
            self.start += after;
            return Ok(Some(Frame { line, value: None }));
        };
        let length: usize = std::str::from_utf8(length)?.parse()?;
        let Some(value) = bytes.get(after..after + length + 2) else {
            return Ok(None);
        };
        self.start += after + length + 2;
        Ok(Some(Frame {
            line,
            value: value.strip_suffix(b"\r\n"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_when_they_are_complete() -> Result<()> {
        let stream = b"VALUE a 0 4\r\n\r\nb\n\r\nVA 1\r\nx\r\nEND\r\n";
        let expected = [
            (&b"VALUE a 0 4"[..], Some(&b"\r\nb\n"[..])),
            (b"VA 1", Some(b"x")),
            (b"END", None),
        ];
        let mut inbox = Inbox::new();
        let mut seen = 0;
        for byte in stream {
            inbox.room()[0] = *byte;
            inbox.received(1)?;
            if let Some(frame) = inbox.next()? {
                assert_eq!((frame.line, frame.value), expected[seen]);
                seen += 1;
            }
        }
        assert_eq!(seen, expected.len());
        Ok(())
    }

    #[test]
    fn wrong_answers_are_noticed() {
        let item = Item {
            key: "key".to_owned(),
            value: b"right".to_vec(),
            number: 0,
        };
        let frame = |value| Frame {
            line: b"VA 5",
            value,
        };
        assert!(frame(Some(b"right")).expect_value(&item).is_ok());
        assert!(frame(Some(b"wrong")).expect_value(&item).is_err());
        assert!(frame(None).expect_value(&item).is_err());
        assert!(frame(None).expect(b"HD").is_err());
    }
}
