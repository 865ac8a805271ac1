//! Every command of memcached's text and meta protocols: its bytes, its reply, its meaning.
//!
//! A command is a small struct that borrows its arguments. It knows how to write itself, which
//! replies it may get, and what they mean; so adding one is adding one struct.

pub(crate) mod admin;
pub(crate) mod counter;
pub(crate) mod item;
pub(crate) mod meta;
pub(crate) mod store;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::output::OutBuffer;
use super::reply::{Expect, Reply};
use crate::error::{Error, Result};
use crate::outcome::Outcome;

/// What the pipeline needs to know of a command.
pub(crate) trait Request {
    /// Writes the whole request.
    fn encode(&self, out: &mut OutBuffer);

    /// What it may get back.
    fn expect(&self) -> Expect;

    /// About how many bytes it encodes to.
    fn size_hint(&self) -> usize {
        64
    }
}

/// What a command does to its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing that anybody could tell by the value.
    Reads,
    /// Changes an item that is there.
    Changes,
    /// Makes an item if none is there.
    Creates,
    /// Makes an item whatever is there.
    Overwrites,
    /// Removes the item, or marks it as stale.
    Deletes,
}

/// A command with the meaning of its replies.
pub(crate) trait Command: Request {
    type Output: Send;

    /// The meaning of `reply`, which is one that [`Request::expect`] allows or an error line.
    fn decode(&self, reply: Reply) -> Result<Self::Output>;

    fn effect(&self) -> Effect;

    /// `output` in one word.
    fn outcome(&self, output: &Self::Output) -> Outcome;

    /// Whether `output` says that there was no item.
    fn is_miss(&self, output: &Self::Output) -> bool {
        use Outcome::{Miss, NotFound, NotStored};
        matches!(self.outcome(output), Miss | NotFound | NotStored)
    }

    /// The output of a read that finds nothing.
    fn miss(&self) -> Option<Self::Output> {
        None
    }

    /// Whether it may be sent again when nobody knows if it was carried out. Only what changes
    /// nothing may: even a `set` that is carried out a second time, or late because the server still
    /// had the first one in its buffer, can overwrite what somebody stored in between.
    fn is_idempotent(&self) -> bool {
        false
    }
}

/// A key as it is sent: the client's namespace, then the caller's key.
#[derive(Clone, Copy)]
pub(crate) struct WireKey<'a> {
    pub(crate) prefix: &'a [u8],
    pub(crate) key: &'a [u8],
    /// Sent as base64, by a meta command with the flag `b`.
    pub(crate) is_base64: bool,
}

impl WireKey<'_> {
    /// In bytes, before base64.
    pub(crate) fn len(self) -> usize {
        self.prefix.len() + self.key.len()
    }

    /// By which the key in a reply is compared with this one.
    fn crc32(self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.prefix);
        hasher.update(self.key);
        hasher.finalize()
    }

    #[inline]
    fn put(self, out: &mut OutBuffer) {
        if self.is_base64 {
            let raw = [self.prefix, self.key].concat();
            out.put(STANDARD.encode(raw).as_bytes());
        } else {
            if !self.prefix.is_empty() {
                out.put(self.prefix);
            }
            out.put(self.key);
        }
    }
}

/// The error for a reply that is none of the command's own: the server's error line, or worse.
#[cold]
pub(crate) fn refused(reply: Reply) -> Error {
    match reply {
        Reply::Error(line) => line.into_error(),
        _ => Error::protocol("a reply of another kind than the request can get"),
    }
}
