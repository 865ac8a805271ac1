//! The flags of `mg`.

use std::time::Duration;

use super::{Checked, ExpiryFlag, check_opaque};
use crate::error::Result;
use crate::expiry::Expiry;
use crate::proto::command::Effect;
use crate::proto::command::meta::{FlagWriter, MetaFlags};

/// What [`meta_get`](crate::Client::meta_get) asks for, and does to the item. Without any flag it
/// only tells whether there is an item.
#[derive(Clone, Debug, Default)]
pub struct MetaGet {
    value: bool,
    client_flags: bool,
    cas: bool,
    time_to_live: bool,
    size: bool,
    hit_before: bool,
    last_access: bool,
    key: bool,
    leave_lru_alone: bool,
    opaque: Option<Vec<u8>>,
    touch: ExpiryFlag,
    vivify: ExpiryFlag,
    recache: Option<Duration>,
    explicit_cas: Option<u64>,
}

impl MetaGet {
    /// No flags.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the value (flag `v`) and its client flags (flag `f`), without which a value can't be
    /// read by type.
    #[must_use]
    pub fn value(self) -> Self {
        Self {
            value: true,
            client_flags: true,
            ..self
        }
    }

    /// Asks for the client flags alone (flag `f`).
    #[must_use]
    pub fn client_flags(self) -> Self {
        Self {
            client_flags: true,
            ..self
        }
    }

    /// Asks for the state that [`cas`](crate::Client::cas) compares (flag `c`).
    #[must_use]
    pub fn cas(self) -> Self {
        Self { cas: true, ..self }
    }

    /// Asks how long the item will live (flag `t`).
    #[must_use]
    pub fn time_to_live(self) -> Self {
        Self {
            time_to_live: true,
            ..self
        }
    }

    /// Asks for the length of the value (flag `s`).
    #[must_use]
    pub fn size(self) -> Self {
        Self { size: true, ..self }
    }

    /// Asks whether the item was read since it was stored (flag `h`).
    #[must_use]
    pub fn is_hit_before(self) -> Self {
        Self {
            hit_before: true,
            ..self
        }
    }

    /// Asks how long ago the item was read last (flag `l`).
    #[must_use]
    pub fn last_access(self) -> Self {
        Self {
            last_access: true,
            ..self
        }
    }

    /// Asks for the key, as the server has it (flag `k`).
    #[must_use]
    pub fn key(self) -> Self {
        Self { key: true, ..self }
    }

    /// Does not count as a use of the item, so that it keeps its place in the LRU (flag `u`).
    #[must_use]
    pub fn leave_lru_alone(self) -> Self {
        Self {
            leave_lru_alone: true,
            ..self
        }
    }

    /// Sends a word of up to 31 bytes, which the reply brings back (flag `O`).
    #[must_use]
    pub fn opaque(self, token: impl Into<Vec<u8>>) -> Self {
        Self {
            opaque: Some(token.into()),
            ..self
        }
    }

    /// Gives the item a new expiry (flag `T`).
    #[must_use]
    pub fn touch(self, expiry: impl Into<Expiry>) -> Self {
        Self {
            touch: ExpiryFlag(Some(expiry.into())),
            ..self
        }
    }

    /// On a miss, creates an empty item that lives this long, and tells this caller that it has won
    /// the right to fill it (flag `N`). Others who come meanwhile are told that somebody has.
    #[must_use]
    pub fn vivify(self, expiry: impl Into<Expiry>) -> Self {
        Self {
            vivify: ExpiryFlag(Some(expiry.into())),
            ..self
        }
    }

    /// When the item has less than this to live, tells one caller that it has won the right to
    /// renew it (flag `R`). Whole seconds, rounded up.
    #[must_use]
    pub fn recache_below(self, left: Duration) -> Self {
        Self {
            recache: Some(left),
            ..self
        }
    }

    /// With [`vivify`](Self::vivify), the cas unique of the item that is created (flag `E`). Needs
    /// memcached 1.6.19 or later.
    #[must_use]
    pub fn explicit_cas(self, unique: u64) -> Self {
        Self {
            explicit_cas: Some(unique),
            ..self
        }
    }
}

/// [`MetaGet`] with its expiries as exptimes.
#[derive(Clone, Copy)]
pub(super) struct MetaGetFlags<'a> {
    flags: &'a MetaGet,
    touch: Option<i32>,
    vivify: Option<i32>,
}

impl Checked for MetaGet {
    type Flags<'a> = MetaGetFlags<'a>;

    fn check(&self) -> Result<MetaGetFlags<'_>> {
        if let Some(opaque) = &self.opaque {
            check_opaque(opaque)?;
        }
        let (touch, vivify) = (self.touch.exptime()?, self.vivify.exptime()?);
        Ok(MetaGetFlags {
            flags: self,
            touch,
            vivify,
        })
    }
}

impl MetaFlags for MetaGetFlags<'_> {
    fn effect(&self) -> Effect {
        match self.vivify {
            Some(_) => Effect::Creates,
            None => Effect::Reads,
        }
    }

    fn is_idempotent(&self) -> bool {
        self.touch.is_none() && self.vivify.is_none() && self.flags.recache.is_none()
    }

    #[inline]
    fn write(&self, writer: &mut FlagWriter<'_>) {
        let flags = self.flags;
        writer.switch(b'v', flags.value);
        writer.switch(b'f', flags.client_flags);
        writer.switch(b'c', flags.cas);
        // Flags work in this order: `t` is to tell the time after the touch.
        writer.number(b'T', self.touch);
        writer.switch(b't', flags.time_to_live);
        writer.switch(b's', flags.size);
        writer.switch(b'h', flags.hit_before);
        writer.switch(b'l', flags.last_access);
        writer.switch(b'k', flags.key);
        writer.switch(b'u', flags.leave_lru_alone);
        writer.number(b'N', self.vivify);
        let part = |left: Duration| u64::from(left.subsec_nanos() > 0);
        let seconds = |left: Duration| left.as_secs().saturating_add(part(left));
        writer.number(b'R', flags.recache.map(seconds));
        writer.number(b'E', flags.explicit_cas);
        if let Some(opaque) = &flags.opaque {
            writer.bytes(b'O', opaque);
        }
    }
}
