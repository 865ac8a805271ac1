//! Replies with what legitimately differs between two servers taken out.
//!
//! Cas ids become the order of their appearance, times become numbers that may be off by a little, the
//! version becomes a blank. Everything else stays byte for byte.

use std::fmt;

/// Two servers are asked one after the other and count whole seconds each by its own clock.
const SECONDS_APART: i64 = 3;

/// A part of a reply.
#[derive(Debug, Clone)]
pub enum Part {
    /// These very bytes.
    Exact(Vec<u8>),
    /// The n-th distinct cas id, counted from 1.
    Cas(usize),
    /// A time or a number of seconds.
    Seconds(i64),
    /// A version number.
    Version,
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(ours), Self::Exact(theirs)) => ours == theirs,
            (Self::Cas(ours), Self::Cas(theirs)) => ours == theirs,
            (Self::Seconds(ours), Self::Seconds(theirs)) => (ours - theirs).abs() <= SECONDS_APART,
            (Self::Version, Self::Version) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(bytes) => write!(formatter, "{}", bytes.escape_ascii()),
            Self::Cas(number) => write!(formatter, "<cas {number}>"),
            Self::Seconds(seconds) => write!(formatter, "<about {seconds}>"),
            Self::Version => write!(formatter, "<version>"),
        }
    }
}

/// The cas ids a server has shown during one script.
#[derive(Debug, Default)]
pub struct CasSeen {
    distinct: Vec<u64>,
    last: u64,
}

impl CasSeen {
    /// The distinct ids, in the order of their appearance.
    pub fn distinct(&self) -> &[u64] {
        &self.distinct
    }

    /// The id seen last, 0 if none.
    pub fn last(&self) -> u64 {
        self.last
    }

    fn note(&mut self, id: u64) -> usize {
        self.last = id;
        let known = self.distinct.iter().position(|&seen| seen == id);
        known.unwrap_or_else(|| {
            self.distinct.push(id);
            self.distinct.len() - 1
        }) + 1
    }
}

/// Splits a stream of replies into lines and data blocks and normalises each: one list per line.
pub fn normalise(replies: &[u8], cas: &mut CasSeen) -> Vec<Vec<Part>> {
    let mut lines = Vec::new();
    let mut rest = replies;
    while !rest.is_empty() {
        let end = rest
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        lines.push(line);
        let block = (data_length(line).unwrap_or(0) + 2).min(rest.len());
        if data_length(line).is_some() && block > 0 {
            lines.push(&rest[..block]);
            rest = &rest[block..];
        }
    }
    let mut after_header = false;
    let sorted = sort_dump_lines(lines);
    sorted
        .into_iter()
        .map(|line| {
            let is_data = std::mem::replace(&mut after_header, false);
            after_header = !is_data && data_length(line).is_some();
            if is_data {
                vec![Part::Exact(line.to_vec())]
            } else {
                normalise_line(line, cas)
            }
        })
        .collect()
}

/// The length of the data block that follows a `VALUE` or `VA` line.
fn data_length(line: &[u8]) -> Option<usize> {
    let mut words = line.trim_ascii_end().split(|&byte| byte == b' ');
    let length = match words.next()? {
        b"VALUE" => words.nth(2)?,
        b"VA" => words.next()?,
        _ => return None,
    };
    str::from_utf8(length).ok()?.parse().ok()
}

/// `lru_crawler metadump` walks lists whose order is no promise: each run of its lines is sorted by key.
fn sort_dump_lines(mut lines: Vec<&[u8]>) -> Vec<&[u8]> {
    for run in lines.chunk_by_mut(|a, b| is_dump_line(a) && is_dump_line(b)) {
        if is_dump_line(run[0]) {
            run.sort_unstable();
        }
    }
    lines
}

fn is_dump_line(line: &[u8]) -> bool {
    line.starts_with(b"key=") || line.starts_with(b"mg ") || line.starts_with(b"ITEM ")
}

fn normalise_line(line: &[u8], cas: &mut CasSeen) -> Vec<Part> {
    let mut parts = Parts(Vec::new());
    let words: Vec<&[u8]> = line.split_inclusive(|&byte| byte == b' ').collect();
    let kind = words.first().map_or(&b""[..], |word| word.trim_ascii_end());
    for (index, word) in words.iter().enumerate() {
        let bare = word.trim_ascii_end();
        let ending = &word[bare.len()..];
        let (name, value) = match kind {
            b"VALUE" if index == 4 => (&b""[..], Value::Cas),
            b"VERSION" if index == 1 => (&b""[..], Value::Version),
            b"HD" | b"VA" if index > 0 && bare.len() > 1 => match bare[0] {
                b'c' => (&bare[..1], Value::Cas),
                b't' | b'l' => (&bare[..1], Value::Seconds),
                _ => (bare, Value::None),
            },
            // `ITEM key [5 b; 1795211806 s]`
            b"ITEM" if index == 4 => (&b""[..], Value::Seconds),
            _ if kind == b"ME" || is_dump_line(line) => named_value(bare),
            _ => (bare, Value::None),
        };
        parts.exact(name);
        parts.value(&bare[name.len()..], value, cas);
        parts.exact(ending);
    }
    parts.0
}

/// What stands behind the `=` of `exp=-1`, `la=0`, `cas=5`.
fn named_value(word: &[u8]) -> (&[u8], Value) {
    for (name, value) in [
        (&b"exp="[..], Value::Seconds),
        (b"la=", Value::Seconds),
        (b"cas=", Value::Cas),
    ] {
        if word.starts_with(name) {
            return (&word[..name.len()], value);
        }
    }
    (word, Value::None)
}

#[derive(Clone, Copy)]
enum Value {
    None,
    Cas,
    Seconds,
    Version,
}

struct Parts(Vec<Part>);

impl Parts {
    fn exact(&mut self, bytes: &[u8]) {
        if let Some(Part::Exact(last)) = self.0.last_mut() {
            last.extend_from_slice(bytes);
        } else if !bytes.is_empty() {
            self.0.push(Part::Exact(bytes.to_vec()));
        }
    }

    fn value(&mut self, text: &[u8], kind: Value, cas: &mut CasSeen) {
        let number = str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<i128>().ok());
        match (kind, number) {
            // 0 stands for "no cas id" and -1 for "never expires": both are the same everywhere.
            (Value::Cas, Some(id)) if id > 0 => self.0.push(Part::Cas(cas.note(id as u64))),
            (Value::Seconds, Some(seconds)) if seconds != -1 => {
                self.0.push(Part::Seconds(seconds as i64));
            }
            (Value::Version, _) => self.0.push(Part::Version),
            _ => self.exact(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(replies: &[u8]) -> String {
        let mut cas = CasSeen::default();
        let lines = normalise(replies, &mut cas);
        lines.iter().flatten().map(Part::to_string).collect()
    }

    #[test]
    fn cas_ids_become_their_order_of_appearance() {
        assert_eq!(
            shown(b"VALUE a 0 1 77\r\nx\r\nVALUE b 0 1 5\r\nx\r\nVALUE a 0 1 77\r\nx\r\nEND\r\n"),
            r"VALUE a 0 1 <cas 1>\r\nx\r\nVALUE b 0 1 <cas 2>\r\nx\r\nVALUE a 0 1 <cas 1>\r\nx\r\nEND\r\n"
        );
        assert_eq!(
            shown(b"HD c9 kc5 Oc7\r\nNS c0\r\n"),
            r"HD c<cas 1> kc5 Oc7\r\nNS c0\r\n"
        );
    }

    #[test]
    fn data_blocks_stay_as_they_are() {
        assert_eq!(
            shown(b"VALUE a 0 13\r\nVALUE b 0 1 5\r\nEND\r\n"),
            r"VALUE a 0 13\r\nVALUE b 0 1 5\r\nEND\r\n"
        );
        assert_eq!(
            shown(b"VA 7 t30 c5\r\nHD c8\r\n\r\n"),
            r"VA 7 t<about 30> c<cas 1>\r\nHD c8\r\n\r\n"
        );
        assert_eq!(shown(b"VA 0\r\n\r\nHD t-1\r\n"), r"VA 0\r\n\r\nHD t-1\r\n");
    }

    #[test]
    fn times_and_versions_are_blanked() {
        assert_eq!(
            shown(b"ME k exp=-599 la=2 cas=5 fetch=no cls=1 size=63\r\n"),
            r"ME k exp=<about -599> la=<about 2> cas=<cas 1> fetch=no cls=1 size=63\r\n"
        );
        assert_eq!(shown(b"VERSION 1.6.18\r\n"), r"VERSION <version>\r\n");
        assert_eq!(
            shown(b"ITEM k [5 b; 1795211806 s]\r\n"),
            r"ITEM k [5 b; <about 1795211806> s]\r\n"
        );
        assert_eq!(Part::Seconds(30), Part::Seconds(29));
        assert_ne!(Part::Seconds(30), Part::Seconds(300));
    }

    #[test]
    fn dump_lines_are_sorted() {
        assert_eq!(
            shown(b"key=b cas=3\nkey=a cas=9\nEND\r\n"),
            r"key=a cas=<cas 1>\nkey=b cas=<cas 2>\nEND\r\n"
        );
    }

    #[test]
    fn a_cut_reply_is_kept() {
        assert_eq!(shown(b"VALUE a 0 10\r\nabc"), r"VALUE a 0 10\r\nabc");
        assert_eq!(shown(b"STOR"), "STOR");
    }
}
