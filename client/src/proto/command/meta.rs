//! The meta commands on the wire: `mg`, `ms`, `md`, `ma`, `me` and `mn`.

use bytes::Bytes;

use super::{Command, Effect, Request, WireKey, refused};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::proto::output::OutBuffer;
use crate::proto::reply::{Body, Expect, MetaCode, MetaReply, Reply};
use crate::value::Payload;

/// Which meta command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetaVerb {
    Get,
    Set,
    Delete,
    Arithmetic,
    Debug,
}

impl MetaVerb {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Get => b"mg ",
            Self::Set => b"ms ",
            Self::Delete => b"md ",
            Self::Arithmetic => b"ma ",
            Self::Debug => b"me ",
        }
    }
}

/// Writes the flags of a meta command: each a letter, some with a token behind it.
#[derive(Debug)]
pub(crate) struct FlagWriter<'a>(&'a mut OutBuffer);

impl FlagWriter<'_> {
    #[inline]
    pub(crate) fn letter(&mut self, letter: u8) {
        self.0.put(&[b' ', letter]);
    }

    /// The letter if `is_set`.
    #[inline]
    pub(crate) fn switch(&mut self, letter: u8, is_set: bool) {
        if is_set {
            self.letter(letter);
        }
    }

    /// The letter with its number, if there is one.
    #[inline]
    pub(crate) fn number(
        &mut self,
        letter: u8,
        token: Option<impl itoa::Integer + TryInto<u8> + Copy>,
    ) {
        if let Some(token) = token {
            self.letter(letter);
            self.0.put_number(token);
        }
    }

    pub(crate) fn bytes(&mut self, letter: u8, token: &[u8]) {
        self.letter(letter);
        self.0.put(token);
    }
}

/// The typed flags of one meta command.
pub(crate) trait MetaFlags {
    fn write(&self, flags: &mut FlagWriter<'_>);

    fn effect(&self) -> Effect;

    /// Whether the command may be sent again when nobody knows if it was carried out.
    fn is_idempotent(&self) -> bool {
        false
    }
}

/// One meta command.
pub(crate) struct Meta<'a, F> {
    pub(crate) verb: MetaVerb,
    pub(crate) key: WireKey<'a>,
    pub(crate) flags: F,
    pub(crate) data: Option<&'a Payload<'a>>,
}

impl<F: MetaFlags> Meta<'_, F> {
    const fn body(&self) -> Body {
        match self.data {
            Some(_) => Body::Data,
            None => Body::None,
        }
    }
}

impl<F: MetaFlags> Request for Meta<'_, F> {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(self.verb.word());
        self.key.put(out);
        if let Some(data) = self.data {
            out.put(b" ");
            out.put_number(data.len());
        }
        let mut flags = FlagWriter(out);
        flags.switch(b'b', self.key.is_base64);
        self.flags.write(&mut flags);
        out.put(b"\r\n");
        if let Some(data) = self.data {
            out.put_payload(data);
            out.put(b"\r\n");
        }
    }

    fn expect(&self) -> Expect {
        Expect::Meta(self.body())
    }

    fn size_hint(&self) -> usize {
        96 + self.key.len() + self.data.map_or(0, Payload::len)
    }
}

impl<F: MetaFlags> Command for Meta<'_, F> {
    type Output = MetaReply;

    fn decode(&self, reply: Reply) -> Result<MetaReply> {
        match reply {
            Reply::Meta(reply) => Ok(reply),
            other => Err(refused(other)),
        }
    }

    fn is_idempotent(&self) -> bool {
        self.flags.is_idempotent()
    }

    fn effect(&self) -> Effect {
        self.flags.effect()
    }

    fn outcome(&self, reply: &MetaReply) -> Outcome {
        match reply.code {
            MetaCode::Miss => Outcome::Miss,
            MetaCode::NotFound => Outcome::NotFound,
            MetaCode::NotStored => Outcome::NotStored,
            MetaCode::Exists => Outcome::Exists,
            MetaCode::Noop | MetaCode::Debug => Outcome::Ok,
            MetaCode::Value | MetaCode::Done => match self.verb {
                MetaVerb::Get => Outcome::Hit(reply.data().map(<[u8]>::len)),
                MetaVerb::Set => Outcome::Stored,
                MetaVerb::Delete => Outcome::Deleted,
                MetaVerb::Arithmetic | MetaVerb::Debug => Outcome::Ok,
            },
        }
    }

    fn miss(&self) -> Option<MetaReply> {
        let miss = || MetaReply::without_data(MetaCode::Miss, Bytes::new());
        (self.verb == MetaVerb::Get).then(miss)
    }
}

/// `mn`, which only asks for an answer.
pub(crate) struct Noop;

impl Request for Noop {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(b"mn\r\n");
    }

    fn expect(&self) -> Expect {
        Expect::Noop
    }
}

impl Command for Noop {
    type Output = ();

    fn decode(&self, reply: Reply) -> Result<()> {
        match reply {
            Reply::Meta(_) => Ok(()),
            other => Err(refused(other)),
        }
    }

    fn is_idempotent(&self) -> bool {
        true
    }

    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn outcome(&self, _: &()) -> Outcome {
        Outcome::Ok
    }
}
