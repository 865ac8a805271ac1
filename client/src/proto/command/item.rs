//! `gat`, `gats`, `delete` and `touch`: commands on items that carry no value. (`get` and `gets`
//! share their lines with other callers and are built by the pipeline itself.)

use super::{Command, Effect, Request, WireKey, refused};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::proto::group::Retrieval;
use crate::proto::output::OutBuffer;
use crate::proto::reply::{Allowed, Body, Expect, Item, Reply, Status};

/// `gat` or `gats`: reads an item and gives it a new expiry.
pub(crate) struct GetAndTouch<'a> {
    pub(crate) retrieval: Retrieval,
    pub(crate) exptime: i32,
    pub(crate) key: WireKey<'a>,
}

impl Request for GetAndTouch<'_> {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(match self.retrieval {
            Retrieval::Get => b"gat ",
            Retrieval::Gets => b"gats ",
        });
        out.put_number(self.exptime);
        out.put(b" ");
        self.key.put(out);
        out.put(b"\r\n");
    }

    fn expect(&self) -> Expect {
        Expect::Item {
            key: self.key.crc32(),
        }
    }
}

impl Command for GetAndTouch<'_> {
    type Output = Option<Item>;

    fn decode(&self, reply: Reply) -> Result<Self::Output> {
        match reply {
            Reply::Item(item) => Ok(item),
            other => Err(refused(other)),
        }
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn outcome(&self, item: &Option<Item>) -> Outcome {
        Item::outcome(item.as_ref())
    }

    fn miss(&self) -> Option<Self::Output> {
        Some(None)
    }
}

pub(crate) struct Delete<'a> {
    pub(crate) key: WireKey<'a>,
}

impl Request for Delete<'_> {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(b"delete ");
        self.key.put(out);
        out.put(b"\r\n");
    }

    fn expect(&self) -> Expect {
        const ALLOWED: Allowed =
            Allowed::statuses(&[Status::Deleted, Status::NotFound], Body::None);
        Expect::Line(ALLOWED)
    }
}

impl Command for Delete<'_> {
    type Output = bool;

    fn decode(&self, reply: Reply) -> Result<bool> {
        match reply {
            Reply::Status(Status::Deleted) => Ok(true),
            Reply::Status(Status::NotFound) => Ok(false),
            other => Err(refused(other)),
        }
    }

    fn effect(&self) -> Effect {
        Effect::Deletes
    }

    fn outcome(&self, is_deleted: &bool) -> Outcome {
        match is_deleted {
            true => Outcome::Deleted,
            false => Outcome::NotFound,
        }
    }
}

pub(crate) struct Touch<'a> {
    pub(crate) key: WireKey<'a>,
    pub(crate) exptime: i32,
}

impl Request for Touch<'_> {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(b"touch ");
        self.key.put(out);
        out.put(b" ");
        out.put_number(self.exptime);
        out.put(b"\r\n");
    }

    fn expect(&self) -> Expect {
        const ALLOWED: Allowed =
            Allowed::statuses(&[Status::Touched, Status::NotFound], Body::None);
        Expect::Line(ALLOWED)
    }
}

impl Command for Touch<'_> {
    type Output = bool;

    fn decode(&self, reply: Reply) -> Result<bool> {
        match reply {
            Reply::Status(Status::Touched) => Ok(true),
            Reply::Status(Status::NotFound) => Ok(false),
            other => Err(refused(other)),
        }
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn outcome(&self, is_touched: &bool) -> Outcome {
        match is_touched {
            true => Outcome::Touched,
            false => Outcome::NotFound,
        }
    }
}
