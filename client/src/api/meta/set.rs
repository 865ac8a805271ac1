//! The flags of `ms`.

use super::{Checked, ExpiryFlag, check_opaque};
use crate::api::Cas;
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::proto::command::Effect;
use crate::proto::command::meta::{FlagWriter, MetaFlags};

/// How [`meta_set`](crate::Client::meta_set) stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MetaMode {
    /// Whatever is there.
    #[default]
    Set,
    /// Only if there is nothing.
    Add,
    /// Only if there is something.
    Replace,
    /// Behind what is there.
    Append,
    /// In front of what is there.
    Prepend,
}

impl MetaMode {
    const fn token(self) -> &'static [u8] {
        match self {
            Self::Set => b"S",
            Self::Add => b"E",
            Self::Replace => b"R",
            Self::Append => b"A",
            Self::Prepend => b"P",
        }
    }
}

/// How [`meta_set`](crate::Client::meta_set) stores, and what it asks back.
#[derive(Clone, Debug, Default)]
pub struct MetaSet {
    mode: MetaMode,
    client_flags: Option<u32>,
    expiry: ExpiryFlag,
    compare: Option<u64>,
    explicit_cas: Option<u64>,
    invalidate: bool,
    cas: bool,
    key: bool,
    opaque: Option<Vec<u8>>,
    vivify: ExpiryFlag,
}

impl MetaSet {
    /// A plain set, without an expiry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What to do with what is there (flag `M`).
    #[must_use]
    pub fn mode(self, mode: MetaMode) -> Self {
        Self { mode, ..self }
    }

    /// The client flags (flag `F`), instead of those that belong to the value's type.
    #[must_use]
    pub fn client_flags(self, flags: u32) -> Self {
        Self {
            client_flags: Some(flags),
            ..self
        }
    }

    /// When the item expires (flag `T`).
    #[must_use]
    pub fn expiry(self, expiry: impl Into<Expiry>) -> Self {
        Self {
            expiry: ExpiryFlag(Some(expiry.into())),
            ..self
        }
    }

    /// Stores only if the item is in this state still (flag `C`).
    #[must_use]
    pub fn compare(self, cas: Cas) -> Self {
        Self {
            compare: Some(cas.unique()),
            ..self
        }
    }

    /// The item's new cas unique, instead of the server's choice (flag `E`). Needs memcached 1.6.19
    /// or later.
    #[must_use]
    pub fn explicit_cas(self, unique: u64) -> Self {
        Self {
            explicit_cas: Some(unique),
            ..self
        }
    }

    /// With [`compare`](Self::compare): if the item has changed since, but to a newer state, stores
    /// the value as a stale one (flag `I`).
    #[must_use]
    pub fn invalidate(self) -> Self {
        Self {
            invalidate: true,
            ..self
        }
    }

    /// Asks for the item's new state (flag `c`). Needs memcached 1.6.19 or later.
    #[must_use]
    pub fn cas(self) -> Self {
        Self { cas: true, ..self }
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

    /// With [`MetaMode::Append`] and [`MetaMode::Prepend`]: when there is nothing, creates the item,
    /// with this expiry (flag `N`).
    #[must_use]
    pub fn vivify(self, expiry: impl Into<Expiry>) -> Self {
        Self {
            vivify: ExpiryFlag(Some(expiry.into())),
            ..self
        }
    }

    /// Whether the value is added to one that is stored.
    pub(super) const fn is_addition(&self) -> bool {
        matches!(self.mode, MetaMode::Append | MetaMode::Prepend)
    }

    /// The client flags of the value's type, unless others were chosen.
    pub(super) fn default_client_flags(self, flags: u32) -> Self {
        Self {
            client_flags: self.client_flags.or(Some(flags)),
            ..self
        }
    }
}

/// [`MetaSet`] with its expiries as exptimes.
#[derive(Clone, Copy)]
pub(super) struct MetaSetFlags<'a> {
    flags: &'a MetaSet,
    expiry: Option<i32>,
    vivify: Option<i32>,
}

impl Checked for MetaSet {
    type Flags<'a> = MetaSetFlags<'a>;

    fn check(&self) -> Result<MetaSetFlags<'_>> {
        if let Some(opaque) = &self.opaque {
            check_opaque(opaque)?;
        }
        if self.compare == Some(0) {
            return Err(Error::invalid_input(
                "the server keeps no cas uniques (option -C)",
            ));
        }
        let (expiry, vivify) = (self.expiry.exptime()?, self.vivify.exptime()?);
        Ok(MetaSetFlags {
            flags: self,
            expiry,
            vivify,
        })
    }
}

impl MetaFlags for MetaSetFlags<'_> {
    fn effect(&self) -> Effect {
        match self.flags.mode {
            MetaMode::Set if self.flags.compare.is_none() => Effect::Overwrites,
            MetaMode::Add => Effect::Creates,
            MetaMode::Append | MetaMode::Prepend if self.vivify.is_some() => Effect::Creates,
            MetaMode::Set | MetaMode::Replace | MetaMode::Append | MetaMode::Prepend => {
                Effect::Changes
            }
        }
    }

    fn write(&self, writer: &mut FlagWriter<'_>) {
        let flags = self.flags;
        writer.bytes(b'M', flags.mode.token());
        writer.number(b'F', flags.client_flags);
        writer.number(b'T', self.expiry);
        writer.number(b'C', flags.compare);
        writer.number(b'E', flags.explicit_cas);
        writer.switch(b'I', flags.invalidate);
        writer.switch(b'c', flags.cas);
        writer.switch(b'k', flags.key);
        writer.number(b'N', self.vivify);
        if let Some(opaque) = &flags.opaque {
            writer.bytes(b'O', opaque);
        }
    }
}
