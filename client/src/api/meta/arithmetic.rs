//! The flags of `ma`.

use super::{Checked, ExpiryFlag, check_opaque};
use crate::api::Cas;
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::proto::command::Effect;
use crate::proto::command::meta::{FlagWriter, MetaFlags};

/// How [`meta_arithmetic`](crate::Client::meta_arithmetic) counts, and what it asks back.
#[derive(Clone, Debug, Default)]
pub struct MetaArithmetic {
    delta: Option<u64>,
    is_decrement: bool,
    vivify: ExpiryFlag,
    initial: Option<u64>,
    compare: Option<u64>,
    explicit_cas: Option<u64>,
    expiry: ExpiryFlag,
    value: bool,
    time_to_live: bool,
    cas: bool,
    key: bool,
    opaque: Option<Vec<u8>>,
}

impl MetaArithmetic {
    /// Adds 1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How much to count (flag `D`); 1 unless set.
    #[must_use]
    pub fn delta(self, delta: u64) -> Self {
        Self {
            delta: Some(delta),
            ..self
        }
    }

    /// Counts down, to 0 at least (flag `M`).
    #[must_use]
    pub fn decrement(self) -> Self {
        Self {
            is_decrement: true,
            ..self
        }
    }

    /// When there is nothing, stores `initial`, with this expiry (flags `N` and `J`).
    #[must_use]
    pub fn vivify(self, expiry: impl Into<Expiry>, initial: u64) -> Self {
        Self {
            vivify: ExpiryFlag(Some(expiry.into())),
            initial: Some(initial),
            ..self
        }
    }

    /// Counts only if the item is in this state still (flag `C`).
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

    /// Gives the item a new expiry (flag `T`).
    #[must_use]
    pub fn expiry(self, expiry: impl Into<Expiry>) -> Self {
        Self {
            expiry: ExpiryFlag(Some(expiry.into())),
            ..self
        }
    }

    /// Asks for the new number (flag `v`).
    #[must_use]
    pub fn value(self) -> Self {
        Self {
            value: true,
            ..self
        }
    }

    /// Asks how long the item will live (flag `t`).
    #[must_use]
    pub fn time_to_live(self) -> Self {
        Self {
            time_to_live: true,
            ..self
        }
    }

    /// Asks for the state that [`cas`](crate::Client::cas) compares (flag `c`).
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
}

/// [`MetaArithmetic`] with its expiries as exptimes.
#[derive(Clone, Copy)]
pub(super) struct MetaArithmeticFlags<'a> {
    flags: &'a MetaArithmetic,
    vivify: Option<i32>,
    expiry: Option<i32>,
}

impl Checked for MetaArithmetic {
    type Flags<'a> = MetaArithmeticFlags<'a>;

    fn check(&self) -> Result<MetaArithmeticFlags<'_>> {
        if let Some(opaque) = &self.opaque {
            check_opaque(opaque)?;
        }
        if self.compare == Some(0) {
            return Err(Error::invalid_input(
                "the server keeps no cas uniques (option -C)",
            ));
        }
        let (vivify, expiry) = (self.vivify.exptime()?, self.expiry.exptime()?);
        Ok(MetaArithmeticFlags {
            flags: self,
            vivify,
            expiry,
        })
    }
}

impl MetaFlags for MetaArithmeticFlags<'_> {
    fn effect(&self) -> Effect {
        match self.vivify {
            Some(_) => Effect::Creates,
            None => Effect::Changes,
        }
    }

    fn write(&self, writer: &mut FlagWriter<'_>) {
        let flags = self.flags;
        writer.bytes(b'M', if flags.is_decrement { b"D" } else { b"I" });
        writer.number(b'D', flags.delta);
        writer.number(b'N', self.vivify);
        writer.number(b'J', flags.initial);
        writer.number(b'C', flags.compare);
        writer.number(b'E', flags.explicit_cas);
        writer.number(b'T', self.expiry);
        writer.switch(b'v', flags.value);
        writer.switch(b't', flags.time_to_live);
        writer.switch(b'c', flags.cas);
        writer.switch(b'k', flags.key);
        if let Some(opaque) = &flags.opaque {
            writer.bytes(b'O', opaque);
        }
    }
}
