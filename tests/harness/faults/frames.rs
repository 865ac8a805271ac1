//! Where requests and replies end, as far as a proxy needs to know it.
//!
//! Written for the tests alone and from the protocol's description, so that it shares no mistake with the
//! client.

/// How the end of a reply is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// One line, with its data.
    OneLine,
    /// Lines up to `END`, or one error line.
    End,
}

/// A request whose first line has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) length: usize,
    pub(super) ending: Ending,
}

fn line(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some(&bytes[..=end])
}

fn words(line: &[u8]) -> Vec<&[u8]> {
    let line = line.trim_ascii_end();
    line.split(|byte| *byte == b' ').collect()
}

fn number(word: Option<&&[u8]>) -> usize {
    word.and_then(|word| std::str::from_utf8(word).ok()?.parse().ok())
        .unwrap_or_default()
}

/// The request at the front of `bytes`, once its line is there.
pub(super) fn request(bytes: &[u8]) -> Option<Request> {
    let line = line(bytes)?;
    let words = words(line);
    let data = match words[0] {
        b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas" => Some(words.get(4)),
        b"ms" => Some(words.get(2)),
        _ => None,
    };
    let ending = match words[0] {
        b"get" | b"gets" | b"gat" | b"gats" | b"stats" => Ending::End,
        _ => Ending::OneLine,
    };
    Some(Request {
        length: line.len() + data.map_or(0, |size| number(size) + 2),
        ending,
    })
}

/// The length of the reply at the front of `bytes`, if all of it is there.
pub(super) fn reply(bytes: &[u8], ending: Ending) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = line(&bytes[at..])?;
        let words = words(line);
        at += line.len();
        let (data, is_last) = match words[0] {
            b"VALUE" => (Some(words.get(3)), ending == Ending::OneLine),
            b"VA" => (Some(words.get(1)), true),
            b"END" | b"OK" | b"RESET" | b"ERROR" | b"CLIENT_ERROR" | b"SERVER_ERROR" => {
                (None, true)
            }
            _ => (None, ending == Ending::OneLine),
        };
        at += data.map_or(0, |size| number(size) + 2);
        if bytes.len() < at {
            return None;
        }
        if is_last {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_end_with_their_line_or_their_data() {
        let length = |bytes: &[u8]| request(bytes).map(|request| request.length);
        assert_eq!(length(b"get a"), None);
        assert_eq!(length(b"get a b\r\nget c\r\n"), Some(9));
        assert_eq!(length(b"set a 0 0 5\r\n"), Some(20));
        assert_eq!(length(b"cas a 0 0 5 77\r\nEND"), Some(23));
        assert_eq!(length(b"ms a 2 T0\r\n\r\n\r\n"), Some(15));
        assert_eq!(request(b"stats\r\n").unwrap().ending, Ending::End);
        assert_eq!(request(b"incr a 1\r\n").unwrap().ending, Ending::OneLine);
    }

    #[test]
    fn replies_end_where_memcached_ends_them() {
        let hit = b"VALUE a 0 5\r\nEND\r\n\r\nEND\r\n";
        for length in 0..hit.len() {
            assert_eq!(reply(&hit[..length], Ending::End), None);
        }
        assert_eq!(reply(hit, Ending::End), Some(hit.len()));
        assert_eq!(reply(b"STORED\r\nSTORED\r\n", Ending::OneLine), Some(8));
        assert_eq!(
            reply(b"VA 3 f0\r\na\r\n\r\nHD\r\n", Ending::OneLine),
            Some(14)
        );
        assert_eq!(
            reply(b"STAT a 1\r\nSTAT b 2\r\nEND\r\n", Ending::End),
            Some(25)
        );
        assert_eq!(
            reply(b"SERVER_ERROR busy\r\nEND\r\n", Ending::End),
            Some(19)
        );
    }
}
