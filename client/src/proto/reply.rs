//! What requests get back, and which of it each request may get.

use bytes::{Buf as _, Bytes};

use crate::error::{Error, ErrorKind};
use crate::outcome::Outcome;

/// A reply that is one fixed word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    Stored,
    NotStored,
    Exists,
    NotFound,
    Deleted,
    Touched,
    Ok,
    End,
    Reset,
}

impl Status {
    #[inline]
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        Some(match line {
            b"END" => Self::End,
            b"STORED" => Self::Stored,
            b"NOT_STORED" => Self::NotStored,
            b"EXISTS" => Self::Exists,
            b"NOT_FOUND" => Self::NotFound,
            b"DELETED" => Self::Deleted,
            b"TOUCHED" => Self::Touched,
            b"OK" => Self::Ok,
            b"RESET" => Self::Reset,
            _ => return None,
        })
    }
}

/// The first word of a reply to a meta command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetaCode {
    /// `VA`: a value follows.
    Value,
    /// `HD`: done.
    Done,
    /// `EN`: a miss.
    Miss,
    /// `NF`: not found.
    NotFound,
    /// `NS`: not stored.
    NotStored,
    /// `EX`: the item's cas unique is another one.
    Exists,
    /// `MN`: the answer to `mn`.
    Noop,
    /// `ME`: what `me` tells of an item.
    Debug,
}

impl MetaCode {
    pub(crate) fn parse(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"HD" => Self::Done,
            b"EN" => Self::Miss,
            b"NF" => Self::NotFound,
            b"NS" => Self::NotStored,
            b"EX" => Self::Exists,
            b"MN" => Self::Noop,
            b"ME" => Self::Debug,
            _ => return None,
        })
    }
}

/// The three kinds of error line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// `ERROR`
    Unknown,
    /// `CLIENT_ERROR`
    Client,
    /// `SERVER_ERROR`
    Server,
}

impl ErrorClass {
    pub(crate) fn parse(word: &[u8]) -> Option<Self> {
        Some(match word {
            // With a colon where `shutdown` is switched off.
            b"ERROR" | b"ERROR:" => Self::Unknown,
            b"CLIENT_ERROR" => Self::Client,
            b"SERVER_ERROR" => Self::Server,
            _ => return None,
        })
    }
}

/// An item as a read answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) data: Bytes,
    pub(crate) flags: u32,
    /// 0 where the request didn't ask for it, or the server keeps none.
    pub(crate) cas: u64,
}

impl Item {
    /// What a read that answered this has found.
    pub(crate) fn outcome(found: Option<&Self>) -> Outcome {
        found.map_or(Outcome::Miss, |item| Outcome::Hit(Some(item.data.len())))
    }
}

/// A reply of a meta command, in one piece as it was read: each piece of its own would be counted and
/// moved by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MetaReply {
    pub(crate) code: MetaCode,
    /// The flags, and behind them the data, if there are any. What stands between is a line end.
    payload: Bytes,
    flags_end: u32,
    data_start: Option<u32>,
}

impl MetaReply {
    pub(crate) const fn without_data(code: MetaCode, flags: Bytes) -> Self {
        Self {
            code,
            flags_end: flags.len() as u32,
            payload: flags,
            data_start: None,
        }
    }

    /// A reply whose flags are the first `flags` bytes of `payload`, and its data the last `data`.
    #[inline]
    pub(crate) const fn with_data(
        code: MetaCode,
        payload: Bytes,
        (flags, data): (usize, usize),
    ) -> Self {
        Self {
            code,
            // The scanner accepts no value of more than 1 GiB.
            flags_end: flags as u32,
            data_start: Some((payload.len() - data) as u32),
            payload,
        }
    }

    /// The rest of its line, with the space in front.
    #[inline]
    pub(crate) fn flags(&self) -> &[u8] {
        &self.payload[..self.flags_end as usize]
    }

    #[inline]
    pub(crate) fn data(&self) -> Option<&[u8]> {
        self.data_start.map(|start| &self.payload[start as usize..])
    }

    #[inline]
    pub(crate) fn into_data(mut self) -> Option<Bytes> {
        let start = self.data_start?;
        self.payload.advance(start as usize);
        Some(self.payload)
    }

    /// A part of its flags that can be kept without the reply.
    pub(crate) fn keep(&self, token: &[u8]) -> Bytes {
        self.payload.slice_ref(token)
    }
}

/// A whole reply to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Status(Status),
    Number(u64),
    Line(Bytes),
    /// Every line up to `END`.
    Lines(Vec<Bytes>),
    /// One key of a retrieval line.
    Item(Option<Item>),
    /// Several keys of a retrieval line, in the order of the request.
    Items(Vec<Option<Item>>),
    Meta(MetaReply),
    Error(ErrorLine),
    /// The server closed the connection, as was asked of it.
    Closed,
}

/// An error line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorLine {
    pub(crate) class: ErrorClass,
    pub(crate) message: Bytes,
}

/// What a request may get back. Anything else means that requests and replies are out of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// One line: a status out of a set, a number, or other text.
    Line(Allowed),
    /// Lines up to `END`, or one `OK` or `RESET` in their place.
    Lines,
    /// A `VALUE` or none, then `END`. The key has this CRC-32.
    Item { key: u32 },
    /// One line of a meta command, with or without data.
    Meta(Body),
    /// `MN`.
    Noop,
    /// The end of the connection, or an error line.
    Close,
}

impl Expect {
    pub(crate) const fn body(self) -> Body {
        match self {
            Self::Line(allowed) => allowed.body,
            Self::Meta(body) => body,
            Self::Lines | Self::Item { .. } | Self::Noop | Self::Close => Body::None,
        }
    }
}

/// Whether a request carries a data block.
///
/// Where memcached refuses the line in front of a data block with `CLIENT_ERROR` or `ERROR`, it
/// may go on to read the block as commands: after that nobody knows which reply answers what.
/// `SERVER_ERROR` is safe; then the block is swallowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Data,
}

/// The one-line replies a request may get, besides error lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    set: u16,
    body: Body,
}

impl Allowed {
    const NUMBER: u16 = 1 << 14;
    const TEXT: u16 = 1 << 15;

    pub(crate) const fn statuses(statuses: &[Status], body: Body) -> Self {
        let mut set = 0;
        let mut at = 0;
        while at < statuses.len() {
            set |= 1 << statuses[at] as u16;
            at += 1;
        }
        Self { set, body }
    }

    pub(crate) const fn or_number(self) -> Self {
        Self {
            set: self.set | Self::NUMBER,
            ..self
        }
    }

    pub(crate) const fn or_text(self) -> Self {
        Self {
            set: self.set | Self::TEXT,
            ..self
        }
    }

    pub(crate) const fn allows(self, status: Status) -> bool {
        self.set & (1 << status as u16) != 0
    }

    pub(crate) const fn allows_number(self) -> bool {
        self.set & Self::NUMBER != 0
    }

    pub(crate) const fn allows_text(self) -> bool {
        self.set & Self::TEXT != 0
    }
}

/// The messages of memcached 1.6 that the client may repeat, and what they mean to it.
///
/// They are the fixed texts of its sources; a message that is not listed may come from a proxy and
/// could hold a key, so errors tell its length only.
const KNOWN_MESSAGES: &[(&str, Option<ErrorKind>)] = &[
    ("object too large for cache", Some(ErrorKind::TooLarge)),
    (
        "cannot increment or decrement non-numeric value",
        Some(ErrorKind::NotNumeric),
    ),
    ("unauthenticated", Some(ErrorKind::Auth)),
    ("authentication failure", Some(ErrorKind::Auth)),
    ("bad authentication token format", Some(ErrorKind::Auth)),
    ("an unknown error happened", None),
    ("bad command line", None),
    ("bad command line format", None),
    (
        "bad command line format.  Usage: delete <key> [noreply]",
        None,
    ),
    ("bad command line termination", None),
    ("bad data chunk", None),
    ("bad token in command line format", None),
    ("cannot pipeline other commands before metadump", None),
    ("cannot pipeline other commands before watch", None),
    ("duplicate flag", None),
    ("error decoding key", None),
    ("failed to start lru crawler thread", None),
    ("failed to stop lru crawler thread", None),
    ("flush_all not allowed", None),
    ("hot and warm pcts must not exceed 80", None),
    ("hot/warm age factors must be greater than 0", None),
    ("Illegal slab id", None),
    ("incorrect length for M token", None),
    ("invalid exptime argument", None),
    ("invalid flag", None),
    ("invalid mode for ma M token", None),
    ("invalid mode for ms M token", None),
    ("invalid numeric delta argument", None),
    ("invalid numeric delta value", None),
    ("invalid numeric initial value", None),
    ("invalid or duplicate flag", None),
    ("invalid shutdown mode", None),
    ("lru crawler disabled", None),
    ("metadump not allowed", None),
    ("opaque token too long", None),
    ("options flags are too long", None),
    ("options flags too long", None),
    ("out of memory", None),
    ("Out of memory allocating item", None),
    ("Out of memory allocating new item", None),
    ("Out of memory during read", None),
    ("Out of memory generating stats", None),
    ("Out of memory incrementing value", None),
    ("Out of memory preparing to send stats", None),
    ("out of memory reading request", None),
    ("out of memory storing object", None),
    ("out of memory writing get response", None),
    ("out of memory writing stats", None),
    ("output line too long", None),
    ("refcount overflow during fetch", None),
    ("shutdown not enabled", None),
    ("slab reassignment disabled", None),
    ("sleep must be one second or less", None),
    ("stats cachedump not allowed", None),
    ("Too many open connections", None),
    ("Unhandled storage type.", None),
    ("usage: stats detail on|off|dump", None),
    ("watch commands not allowed", None),
];

impl ErrorLine {
    /// The error an operation reports when it got this line.
    pub(crate) fn into_error(self) -> Error {
        let text = String::from_utf8_lossy(&self.message);
        let known = KNOWN_MESSAGES.iter().find(|(known, _)| *known == text);
        let by_class = match self.class {
            ErrorClass::Unknown => ErrorKind::UnknownCommand,
            ErrorClass::Client => ErrorKind::ClientError,
            ErrorClass::Server => ErrorKind::ServerError,
        };
        if text.is_empty() {
            return Error::new(by_class).sent(true);
        }
        let kind = known.and_then(|(_, kind)| *kind).unwrap_or(by_class);
        Error::from_server(kind, &text, known.map(|(text, _)| *text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_lines_map_to_kinds() {
        let kind = |class, message: &'static str| {
            ErrorLine {
                class,
                message: Bytes::from_static(message.as_bytes()),
            }
            .into_error()
            .kind()
        };
        use ErrorClass::{Client, Server, Unknown};
        assert_eq!(kind(Unknown, ""), ErrorKind::UnknownCommand);
        assert_eq!(
            kind(Client, "bad command line format"),
            ErrorKind::ClientError
        );
        assert_eq!(
            kind(Server, "object too large for cache"),
            ErrorKind::TooLarge
        );
        assert_eq!(kind(Client, "unauthenticated"), ErrorKind::Auth);
        assert_eq!(
            kind(Client, "cannot increment or decrement non-numeric value"),
            ErrorKind::NotNumeric
        );
        assert_eq!(kind(Server, "whatever key=secret"), ErrorKind::ServerError);
    }

    #[test]
    fn a_set_of_statuses_allows_just_these() {
        let allowed = Allowed::statuses(&[Status::Stored, Status::Reset], Body::Data);
        assert!(allowed.allows(Status::Stored) && allowed.allows(Status::Reset));
        assert!(!allowed.allows(Status::NotStored) && !allowed.allows_number());
        assert!(allowed.or_number().allows_number() && !allowed.allows_text());
    }
}
