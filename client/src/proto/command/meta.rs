//! The meta commands on the wire: `mg`, `ms`, `md`, `ma`, `me` and `mn`.

use super::{Command, Request, WireKey, refused};
use crate::error::Result;
use crate::proto::output::{OutBuffer, Payload};
use crate::proto::reply::{Body, ErrorLine, Expect, MetaReply, Reply};

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
    pub(crate) fn letter(&mut self, letter: u8) {
        self.0.put(&[b' ', letter]);
    }

    /// The letter if `is_set`.
    pub(crate) fn switch(&mut self, letter: u8, is_set: bool) {
        if is_set {
            self.letter(letter);
        }
    }

    /// The letter with its number, if there is one.
    pub(crate) fn number(&mut self, letter: u8, token: Option<impl itoa::Integer>) {
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
}

/// One meta command.
pub(crate) struct Meta<'a, F> {
    pub(crate) verb: MetaVerb,
    pub(crate) key: WireKey<'a>,
    pub(crate) flags: &'a F,
    pub(crate) data: Option<&'a Payload<'a>>,
}

impl<F: MetaFlags> Meta<'_, F> {
    /// `opaque` marks a quiet command of a batch, so that its reply can be found.
    fn encode_with(&self, opaque: Option<usize>, out: &mut OutBuffer) {
        out.put(self.verb.word());
        self.key.put(out);
        if let Some(data) = self.data {
            out.put(b" ");
            out.put_number(data.len());
        }
        let mut flags = FlagWriter(out);
        flags.switch(b'b', self.key.is_base64);
        self.flags.write(&mut flags);
        if let Some(opaque) = opaque {
            flags.letter(b'q');
            flags.number(b'O', Some(opaque));
        }
        out.put(b"\r\n");
        if let Some(data) = self.data {
            out.put_payload(data);
            out.put(b"\r\n");
        }
    }

    const fn body(&self) -> Body {
        match self.data {
            Some(_) => Body::Data,
            None => Body::None,
        }
    }
}

impl<F: MetaFlags> Request for Meta<'_, F> {
    fn encode(&self, out: &mut OutBuffer) {
        self.encode_with(None, out);
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
}

/// Quiet meta commands and the `mn` that ends them. Each is marked with its index as opaque.
pub(crate) struct Batch<'a, F>(pub(crate) &'a [Meta<'a, F>]);

impl<F: MetaFlags> Request for Batch<'_, F> {
    fn encode(&self, out: &mut OutBuffer) {
        for (index, meta) in self.0.iter().enumerate() {
            meta.encode_with(Some(index), out);
        }
        out.put(b"mn\r\n");
    }

    fn expect(&self) -> Expect {
        let has_data = self.0.iter().any(|meta| meta.body() == Body::Data);
        Expect::Batch(if has_data { Body::Data } else { Body::None })
    }

    fn size_hint(&self) -> usize {
        self.0.iter().map(Request::size_hint).sum()
    }
}

impl<F: MetaFlags> Command for Batch<'_, F> {
    /// The replies that were not kept quiet.
    type Output = Vec<Result<MetaReply, ErrorLine>>;

    fn decode(&self, reply: Reply) -> Result<Self::Output> {
        match reply {
            Reply::Batch(replies) => Ok(replies),
            other => Err(refused(other)),
        }
    }
}

/// `mn`, which only asks for an answer.
pub(crate) struct Noop;

impl Request for Noop {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(b"mn\r\n");
    }

    fn expect(&self) -> Expect {
        Expect::Batch(Body::None)
    }
}

impl Command for Noop {
    type Output = ();

    fn decode(&self, reply: Reply) -> Result<()> {
        match reply {
            Reply::Batch(replies) => match replies.into_iter().find_map(Result::err) {
                Some(line) => Err(line.into_error()),
                None => Ok(()),
            },
            other => Err(refused(other)),
        }
    }

    fn is_idempotent(&self) -> bool {
        true
    }
}
