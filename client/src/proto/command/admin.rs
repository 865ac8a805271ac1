//! Commands that concern a node instead of an item.

use bytes::Bytes;

use super::{Command, Effect, Request, refused};
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::Outcome;
use crate::proto::output::OutBuffer;
use crate::proto::reply::{Allowed, Body, Expect, Reply, Status};

/// A command of one line that answers `OK`, or says in one line why not.
pub(crate) struct AdminLine<'a>(pub(crate) &'a str);

impl Request for AdminLine<'_> {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(self.0.as_bytes());
        out.put(b"\r\n");
    }

    fn expect(&self) -> Expect {
        const ALLOWED: Allowed = Allowed::statuses(&[Status::Ok], Body::None).or_text();
        Expect::Line(ALLOWED)
    }
}

/// The lines by which memcached refuses an administrative command.
const REFUSALS: &[&str] = &[
    "BADCLASS invalid class id",
    "BADCLASS invalid src or dst class id",
    "BUSY currently processing crawler request",
    "BUSY currently processing reassign request",
    "MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes",
    "MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust",
    "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m",
    "NOSPARE source class has no spare pages",
    "NOTSTARTED no items to crawl",
    "SAME src and dst class are identical",
];

/// The error for such a line.
pub(crate) fn refusal(line: &Bytes) -> Error {
    let text = String::from_utf8_lossy(line);
    let known = REFUSALS.iter().find(|known| **known == text).copied();
    Error::from_server(ErrorKind::ServerError, &text, known)
}

impl Command for AdminLine<'_> {
    type Output = ();

    fn decode(&self, reply: Reply) -> Result<()> {
        match reply {
            Reply::Status(Status::Ok) => Ok(()),
            Reply::Line(line) => Err(refusal(&line)),
            other => Err(refused(other)),
        }
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn outcome(&self, _: &()) -> Outcome {
        Outcome::Ok
    }
}

pub(crate) struct Version;

impl Request for Version {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(b"version\r\n");
    }

    fn expect(&self) -> Expect {
        const ALLOWED: Allowed = Allowed::statuses(&[], Body::None).or_text();
        Expect::Line(ALLOWED)
    }
}

impl Command for Version {
    type Output = String;

    fn decode(&self, reply: Reply) -> Result<String> {
        match reply {
            Reply::Line(line) => match line.strip_prefix(b"VERSION ") {
                Some(version) => Ok(String::from_utf8_lossy(version).into_owned()),
                None => Err(Error::protocol(
                    "a version that does not begin with VERSION",
                )),
            },
            other => Err(refused(other)),
        }
    }

    fn is_idempotent(&self) -> bool {
        true
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn outcome(&self, _: &String) -> Outcome {
        Outcome::Ok
    }
}

/// `stats`, with its arguments if it has some.
pub(crate) struct Stats<'a>(pub(crate) &'a str);

impl Request for Stats<'_> {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(b"stats");
        if !self.0.is_empty() {
            out.put(b" ");
            out.put(self.0.as_bytes());
        }
        out.put(b"\r\n");
    }

    fn expect(&self) -> Expect {
        Expect::Lines
    }
}

impl Command for Stats<'_> {
    /// Every line as it came, without `END`; none for `stats reset`.
    type Output = Vec<Bytes>;

    fn decode(&self, reply: Reply) -> Result<Vec<Bytes>> {
        match reply {
            Reply::Lines(lines) => Ok(lines),
            Reply::Status(_) => Ok(Vec::new()),
            other => Err(refused(other)),
        }
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn outcome(&self, _: &Vec<Bytes>) -> Outcome {
        Outcome::Ok
    }
}

/// `shutdown`, which the server answers by closing the connection.
pub(crate) struct Shutdown {
    pub(crate) graceful: bool,
}

impl Request for Shutdown {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(if self.graceful {
            b"shutdown graceful\r\n"
        } else {
            b"shutdown\r\n"
        });
    }

    fn expect(&self) -> Expect {
        Expect::Close
    }
}

impl Command for Shutdown {
    type Output = ();

    fn decode(&self, reply: Reply) -> Result<()> {
        match reply {
            Reply::Closed => Ok(()),
            other => Err(refused(other)),
        }
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn outcome(&self, _: &()) -> Outcome {
        Outcome::Ok
    }
}
