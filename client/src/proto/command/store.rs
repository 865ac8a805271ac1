//! `set`, `add`, `replace`, `append`, `prepend` and `cas`.

use super::{Command, Effect, Request, WireKey, refused};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::proto::output::OutBuffer;
use crate::proto::reply::{Allowed, Body, Expect, Reply, Status};
use crate::value::Payload;

/// Which of the storage commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreVerb {
    Set,
    Add,
    Replace,
    Append,
    Prepend,
}

impl StoreVerb {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Set => b"set ",
            Self::Add => b"add ",
            Self::Replace => b"replace ",
            Self::Append => b"append ",
            Self::Prepend => b"prepend ",
        }
    }
}

/// An item to store.
#[derive(Clone, Copy)]
pub(crate) struct NewItem<'a> {
    pub(crate) key: WireKey<'a>,
    pub(crate) payload: &'a Payload<'a>,
    pub(crate) flags: u32,
    pub(crate) exptime: i32,
}

impl NewItem<'_> {
    fn encode(&self, word: &[u8], cas: Option<u64>, out: &mut OutBuffer) {
        out.put(word);
        self.key.put(out);
        out.put(b" ");
        out.put_number(self.flags);
        out.put(b" ");
        out.put_number(self.exptime);
        out.put(b" ");
        out.put_number(self.payload.len());
        if let Some(cas) = cas {
            out.put(b" ");
            out.put_number(cas);
        }
        out.put(b"\r\n");
        out.put_payload(self.payload);
        out.put(b"\r\n");
    }

    fn size_hint(&self) -> usize {
        64 + self.key.len() + self.payload.len()
    }
}

pub(crate) struct Store<'a> {
    pub(crate) verb: StoreVerb,
    pub(crate) item: NewItem<'a>,
}

impl Request for Store<'_> {
    fn encode(&self, out: &mut OutBuffer) {
        self.item.encode(self.verb.word(), None, out);
    }

    fn expect(&self) -> Expect {
        const ALLOWED: Allowed =
            Allowed::statuses(&[Status::Stored, Status::NotStored], Body::Data);
        Expect::Line(ALLOWED)
    }

    fn size_hint(&self) -> usize {
        self.item.size_hint()
    }
}

impl Command for Store<'_> {
    type Output = bool;

    fn decode(&self, reply: Reply) -> Result<bool> {
        match reply {
            Reply::Status(Status::Stored) => Ok(true),
            Reply::Status(Status::NotStored) => Ok(false),
            other => Err(refused(other)),
        }
    }

    fn effect(&self) -> Effect {
        match self.verb {
            StoreVerb::Set => Effect::Overwrites,
            StoreVerb::Add => Effect::Creates,
            StoreVerb::Replace | StoreVerb::Append | StoreVerb::Prepend => Effect::Changes,
        }
    }

    fn outcome(&self, is_stored: &bool) -> Outcome {
        match is_stored {
            true => Outcome::Stored,
            false => Outcome::NotStored,
        }
    }
}

/// How a `cas` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CasOutcome {
    /// The item was unchanged since it was read, and the new value is stored.
    Stored,
    /// Somebody else changed the item in between. Nothing was stored.
    Exists,
    /// The item is gone. Nothing was stored.
    NotFound,
}

pub(crate) struct CompareAndSwap<'a> {
    pub(crate) item: NewItem<'a>,
    pub(crate) cas: u64,
}

impl Request for CompareAndSwap<'_> {
    fn encode(&self, out: &mut OutBuffer) {
        self.item.encode(b"cas ", Some(self.cas), out);
    }

    fn expect(&self) -> Expect {
        const ALLOWED: Allowed = Allowed::statuses(
            &[
                Status::Stored,
                Status::Exists,
                Status::NotFound,
                Status::NotStored,
            ],
            Body::Data,
        );
        Expect::Line(ALLOWED)
    }

    fn size_hint(&self) -> usize {
        self.item.size_hint()
    }
}

impl Command for CompareAndSwap<'_> {
    type Output = CasOutcome;

    fn decode(&self, reply: Reply) -> Result<CasOutcome> {
        match reply {
            Reply::Status(Status::Stored) => Ok(CasOutcome::Stored),
            Reply::Status(Status::Exists | Status::NotStored) => Ok(CasOutcome::Exists),
            Reply::Status(Status::NotFound) => Ok(CasOutcome::NotFound),
            other => Err(refused(other)),
        }
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn outcome(&self, outcome: &CasOutcome) -> Outcome {
        match outcome {
            CasOutcome::Stored => Outcome::Stored,
            CasOutcome::Exists => Outcome::Exists,
            CasOutcome::NotFound => Outcome::NotFound,
        }
    }
}
