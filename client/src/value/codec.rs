//! From meaning to stored bytes and flags, and back.

use super::Value;
use super::datum::Datum;
use super::payload::Payload;
use super::profile::{Layout, ValueProfile};
use crate::error::{Error, Result};

/// The largest value that decompression may make, unless configured: 64 MiB. The server's default
/// limit of 1 MiB for an item can hold a gigabyte of zeros in a zlib stream.
const DEFAULT_MAX_UNPACKED: usize = 64 << 20;

/// Bytes and flags, ready to be stored.
#[derive(Clone, Debug)]
pub struct Encoded<'a> {
    /// The bytes.
    pub payload: Payload<'a>,
    /// The client flags.
    pub flags: u32,
}

/// Turns what a value means into stored bytes and flags, and back.
///
/// ```
/// use memlens::value::{Codec, ValueProfile};
/// use memlens::{FromValue, ToValue, Value};
///
/// let codec = Codec::new(ValueProfile::PYTHON_MEMCACHED);
/// let stored = codec.encode("hello".to_value()?)?;
/// assert_eq!((stored.payload.as_slice(), stored.flags), (b"hello".as_slice(), 16));
/// let number = i64::from_value(Value::new("-17", 2), &codec)?;
/// assert_eq!(number, -17);
/// # Ok::<(), memlens::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    profile: ValueProfile,
    compress_above: Option<usize>,
    max_unpacked: usize,
}

impl Codec {
    /// A codec that writes no compressed values, but reads them.
    #[must_use]
    pub const fn new(profile: ValueProfile) -> Self {
        Self {
            profile,
            compress_above: None,
            max_unpacked: DEFAULT_MAX_UNPACKED,
        }
    }

    /// Compresses texts, bytes and JSON of more than `threshold` bytes. What does not get shorter
    /// is stored as it is.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the profile's client has no
    /// compression, or without the feature `zlib`.
    pub fn compress_above(mut self, threshold: usize) -> Result<Self> {
        if !self.profile.can_compress() {
            return Err(Error::invalid_input(format!(
                "values of the profile {} cannot be compressed",
                self.profile
            )));
        }
        if !cfg!(feature = "zlib") {
            return Err(Error::invalid_input(
                "compression needs memlens's feature `zlib`",
            ));
        }
        self.compress_above = Some(threshold);
        Ok(self)
    }

    /// The largest value that decompression may make, in bytes; 64 MiB unless set. A larger one is
    /// refused with [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
    #[must_use]
    pub const fn max_unpacked(mut self, bytes: usize) -> Self {
        self.max_unpacked = bytes;
        self
    }

    /// The profile.
    #[must_use]
    pub const fn profile(&self) -> ValueProfile {
        self.profile
    }

    /// The bytes and flags to store.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the profile's client could
    /// not store such a value.
    pub fn encode<'a>(&self, datum: Datum<'a>) -> Result<Encoded<'a>> {
        if let Datum::Opaque { data, flags, .. } = datum {
            return Ok(Encoded {
                payload: data,
                flags,
            });
        }
        let kind = datum.kind();
        let mark = self
            .layout()
            .write
            .mark(&datum)
            .ok_or_else(|| self.refused(kind))?;
        // A compressed number would be out of reach for `incr`.
        let is_packable = matches!(datum, Datum::Text(_) | Datum::Bytes(_) | Datum::Json(_));
        let payload = mark.form.encode(datum).ok_or_else(|| self.refused(kind))?;
        let encoded = Encoded {
            payload,
            flags: mark.flags,
        };
        Ok(if is_packable {
            self.pack(encoded)
        } else {
            encoded
        })
    }

    fn pack<'a>(&self, plain: Encoded<'a>) -> Encoded<'a> {
        let Some((pack_flags, method)) = self.layout().pack else {
            return plain;
        };
        if self
            .compress_above
            .is_none_or(|threshold| plain.payload.len() <= threshold)
        {
            return plain;
        }
        match method.pack(plain.payload.as_slice()) {
            Some(packed) => Encoded {
                payload: packed.into(),
                flags: plain.flags | pack_flags,
            },
            None => plain,
        }
    }

    /// What a stored value means. What only its own client can read becomes [`Datum::Opaque`].
    ///
    /// # Errors
    /// - [`ErrorKind::Decode`](crate::ErrorKind::Decode) when a compressed value is damaged, or is
    ///   compressed in a way that needs a feature of memlens that is off.
    /// - [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) when it would get too large.
    pub fn decode(&self, value: Value) -> Result<Datum<'static>> {
        let layout = self.layout();
        let Value {
            mut data,
            flags: stored_flags,
        } = value;
        let mut flags = stored_flags;
        let mut packed = None;
        let packing = layout
            .unpack
            .iter()
            .find(|unpack| flags & unpack.mask == unpack.bits);
        if let Some(packing) = packing {
            flags &= !packing.mask;
            if let Some(unpacked) = packing.method.unpack(&data, self.max_unpacked)? {
                packed = Some(std::mem::replace(&mut data, unpacked.into()));
            }
        }
        let form = layout.form(flags);
        Ok(form.decode(data).unwrap_or_else(|data| Datum::Opaque {
            data: packed.unwrap_or(data).into(),
            flags: stored_flags,
            form: form.description(),
        }))
    }

    const fn layout(&self) -> &'static Layout {
        self.profile.0
    }

    #[cold]
    fn refused(&self, kind: &str) -> Error {
        Error::invalid_input(format!(
            "the profile {} cannot store this {kind}",
            self.profile
        ))
    }
}

/// [`ValueProfile::PLAIN`] without compression.
impl Default for Codec {
    fn default() -> Self {
        Self::new(ValueProfile::PLAIN)
    }
}
