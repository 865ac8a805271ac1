//! The flags of `md`.

use super::{Checked, ExpiryFlag, check_opaque};
use crate::api::Cas;
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::proto::command::Effect;
use crate::proto::command::meta::{FlagWriter, MetaFlags};

/// How [`meta_delete`](crate::Client::meta_delete) deletes, and what it asks back.
#[derive(Clone, Debug, Default)]
pub struct MetaDelete {
    compare: Option<u64>,
    explicit_cas: Option<u64>,
    invalidate: bool,
    expiry: ExpiryFlag,
    key: bool,
    opaque: Option<Vec<u8>>,
    empty: bool,
}

impl MetaDelete {
    /// A plain delete.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Deletes only if the item is in this state still (flag `C`).
    #[must_use]
    pub fn compare(self, cas: Cas) -> Self {
        Self {
            compare: Some(cas.unique()),
            ..self
        }
    }

    /// The item's new cas unique, where it stays (flag `E`). Needs memcached 1.6.19 or later.
    #[must_use]
    pub fn explicit_cas(self, unique: u64) -> Self {
        Self {
            explicit_cas: Some(unique),
            ..self
        }
    }

    /// Leaves the item, but marks it as stale: the next reader by [`MetaGet`](super::MetaGet) is
    /// told that it has won the right to renew it (flag `I`).
    #[must_use]
    pub fn invalidate(self) -> Self {
        Self {
            invalidate: true,
            ..self
        }
    }

    /// With [`invalidate`](Self::invalidate): how long the stale item lives on (flag `T`).
    #[must_use]
    pub fn expiry(self, expiry: impl Into<Expiry>) -> Self {
        Self {
            expiry: ExpiryFlag(Some(expiry.into())),
            ..self
        }
    }

    /// Asks for the key, as the server has it (flag `k`).
    #[must_use]
    pub fn key(self) -> Self {
        Self { key: true, ..self }
    }

    /// Sends a word of up to 31 bytes, which the reply brings back (flag `O`).
    #[must_use]
    pub fn opaque(self, token: impl Into<Vec<u8>>) -> Self {
        Self {
            opaque: Some(token.into()),
            ..self
        }
    }

    /// Leaves the item, but without its value and client flags (flag `x`). Needs memcached 1.6.23
    /// or later.
    #[must_use]
    pub fn empty(self) -> Self {
        Self {
            empty: true,
            ..self
        }
    }
}

/// [`MetaDelete`] with its expiry as an exptime.
#[derive(Clone, Copy)]
pub(super) struct MetaDeleteFlags<'a> {
    flags: &'a MetaDelete,
    expiry: Option<i32>,
}

impl Checked for MetaDelete {
    type Flags<'a> = MetaDeleteFlags<'a>;

    fn check(&self) -> Result<MetaDeleteFlags<'_>> {
        if let Some(opaque) = &self.opaque {
            check_opaque(opaque)?;
        }
        if self.compare == Some(0) {
            return Err(Error::invalid_input(
                "the server keeps no cas uniques (option -C)",
            ));
        }
        Ok(MetaDeleteFlags {
            flags: self,
            expiry: self.expiry.exptime()?,
        })
    }
}

impl MetaFlags for MetaDeleteFlags<'_> {
    fn effect(&self) -> Effect {
        Effect::Deletes
    }

    fn write(&self, writer: &mut FlagWriter<'_>) {
        let flags = self.flags;
        writer.number(b'C', flags.compare);
        writer.number(b'E', flags.explicit_cas);
        writer.switch(b'I', flags.invalidate);
        writer.number(b'T', self.expiry);
        writer.switch(b'k', flags.key);
        writer.switch(b'x', flags.empty);
        if let Some(opaque) = &flags.opaque {
            writer.bytes(b'O', opaque);
        }
    }
}
