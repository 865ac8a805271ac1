//! `incr` and `decr`, and their meta form that creates a counter which is not there.

use super::{Command, Effect, Request, WireKey, refused};
use crate::error::{Error, Result};
use crate::outcome::Outcome;
use crate::proto::output::OutBuffer;
use crate::proto::reply::{Allowed, Body, Expect, MetaCode, Reply, Status};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Increment,
    Decrement,
}

pub(crate) struct Count<'a> {
    pub(crate) direction: Direction,
    pub(crate) key: WireKey<'a>,
    pub(crate) delta: u64,
}

impl Request for Count<'_> {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(match self.direction {
            Direction::Increment => b"incr ",
            Direction::Decrement => b"decr ",
        });
        self.key.put(out);
        out.put(b" ");
        out.put_number(self.delta);
        out.put(b"\r\n");
    }

    fn expect(&self) -> Expect {
        const ALLOWED: Allowed = Allowed::statuses(&[Status::NotFound], Body::None).or_number();
        Expect::Line(ALLOWED)
    }
}

impl Command for Count<'_> {
    type Output = Option<u64>;

    fn decode(&self, reply: Reply) -> Result<Option<u64>> {
        match reply {
            Reply::Number(value) => Ok(Some(value)),
            Reply::Status(Status::NotFound) => Ok(None),
            other => Err(refused(other)),
        }
    }

    fn effect(&self) -> Effect {
        Effect::Changes
    }

    fn outcome(&self, value: &Option<u64>) -> Outcome {
        value.map_or(Outcome::NotFound, |_| Outcome::Ok)
    }
}

/// `ma` with a value to start from.
pub(crate) struct CountFrom<'a> {
    pub(crate) direction: Direction,
    pub(crate) key: WireKey<'a>,
    pub(crate) delta: u64,
    pub(crate) initial: u64,
    pub(crate) exptime: i32,
}

impl Request for CountFrom<'_> {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(b"ma ");
        self.key.put(out);
        out.put(match self.direction {
            Direction::Increment => b" v MI N",
            Direction::Decrement => b" v MD N",
        });
        out.put_number(self.exptime);
        out.put(b" J");
        out.put_number(self.initial);
        out.put(b" D");
        out.put_number(self.delta);
        out.put(b"\r\n");
    }

    fn expect(&self) -> Expect {
        Expect::Meta(Body::None)
    }
}

impl Command for CountFrom<'_> {
    type Output = u64;

    fn decode(&self, reply: Reply) -> Result<u64> {
        match reply {
            Reply::Meta(reply) if reply.code == MetaCode::Value => reply
                .data()
                .and_then(|data| std::str::from_utf8(data).ok())
                .and_then(|text| text.trim_end().parse().ok())
                .ok_or_else(|| Error::protocol("a counter that is no number")),
            other => Err(refused(other)),
        }
    }

    fn effect(&self) -> Effect {
        Effect::Creates
    }

    fn outcome(&self, _: &u64) -> Outcome {
        Outcome::Ok
    }
}
