//! Values: what applications store, and how it lies on the server.
//!
//! A memcached item is bytes and 32 bits of client flags. What the flags mean, every client family
//! decided for itself: bit 2 says "integer" in python-memcached, "truth value" in pylibmc,
//! "compressed" in dalli. So values pass through three forms:
//!
//! ```text
//! type of Rust  <-- ToValue, FromValue -->  Datum  <-- Codec -->  bytes and flags (Value)
//! ```
//!
//! A [`Codec`] follows a [`ValueProfile`], which is named after the client whose values it reads
//! and writes. The default, [`ValueProfile::PLAIN`], stores everything as text or bytes with flags
//! 0, so that `incr` works on every integer and any other client can read it.

mod big_endian;
mod codec;
mod compression;
mod datum;
mod fastlz;
mod form;
#[cfg(feature = "serde")]
mod json;
mod marshal;
mod payload;
mod pickle;
mod profile;
mod profiles;
mod read;
mod write;

use std::fmt;

use bytes::Bytes;

pub use codec::{Codec, Encoded};
pub use datum::Datum;
#[cfg(feature = "serde")]
pub use json::Json;
pub use payload::Payload;
pub use profile::ValueProfile;
pub use read::FromValue;
pub use write::ToValue;

use crate::error::Result;

/// An item's bytes and client flags, just as they are on the server.
///
/// Reading a `Value` skips every conversion: no decompression, no parsing, flags verbatim. Writing
/// one stores its bytes and flags as they are.
///
/// ```
/// use memlens::Value;
///
/// let value = Value::new("42", 0);
/// assert_eq!(value.data(), b"42".as_slice());
/// assert_eq!(value.decode::<u64>()?, 42);
/// # Ok::<(), memlens::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Value {
    data: Bytes,
    flags: u32,
}

impl Value {
    /// A value of these bytes and flags.
    #[must_use]
    pub fn new(data: impl Into<Bytes>, flags: u32) -> Self {
        Self {
            data: data.into(),
            flags,
        }
    }

    /// The bytes.
    #[must_use]
    pub const fn data(&self) -> &Bytes {
        &self.data
    }

    /// The bytes, without copying them.
    #[must_use]
    pub fn into_data(self) -> Bytes {
        self.data
    }

    /// The client flags: 32 bits that memcached keeps without looking at them.
    #[must_use]
    pub const fn flags(&self) -> u32 {
        self.flags
    }

    /// The number of bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Reads the value as a `T` with the default [`Codec`]: the plain profile.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when it is no `T`.
    pub fn decode<T: FromValue>(self) -> Result<T> {
        T::from_value(self, &Codec::default())
    }
}

/// Shows the length and the flags only.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value")
            .field("len", &self.data.len())
            .field("flags", &self.flags)
            .finish()
    }
}
