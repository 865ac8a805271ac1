//! From meaning to stored bytes and flags, and back.

use super::Value;
use super::datum::Datum;
use super::form::Form;
use super::payload::Payload;
use super::profile::{Layout, Unpack, ValueProfile};
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
        let Some(payload) = mark.form.encode(datum) else {
            return Err(self.refused(kind));
        };
        let encoded = Encoded {
            payload,
            flags: mark.flags,
        };
        match self.compress_above {
            Some(threshold) if is_packable && encoded.payload.len() > threshold => {
                Ok(self.pack(encoded))
            }
            _ => Ok(encoded),
        }
    }

    fn pack<'a>(&self, plain: Encoded<'a>) -> Encoded<'a> {
        let Some((pack_flags, method)) = self.layout().pack else {
            return plain;
        };
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

    /// Whether values of these flags mean the bytes that they are.
    #[inline]
    pub(super) fn is_verbatim(&self, flags: u32) -> bool {
        let layout = self.layout();
        let is_packed = |unpack: &Unpack| flags & unpack.mask == unpack.bits;
        matches!(layout.form(flags), Form::Bytes | Form::Text)
            && !layout.unpack.iter().any(is_packed)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;
    use crate::value::{FromValue, ToValue};

    fn codecs() -> impl Iterator<Item = Codec> {
        ValueProfile::all().iter().map(|profile| {
            let codec = Codec::new(*profile);
            codec.clone().compress_above(20).unwrap_or(codec)
        })
    }

    /// The value after it was stored and read.
    fn through<T: ToValue + FromValue>(codec: &Codec, value: &T) -> Result<T> {
        let stored = codec.encode(value.to_value()?)?;
        T::from_value(Value::new(stored.payload.into_bytes(), stored.flags), codec)
    }

    #[cfg(feature = "zlib")]
    #[test]
    fn only_long_texts_and_bytes_are_compressed() {
        let codec = Codec::default().compress_above(20).unwrap();
        let stored = |value: &dyn ToValue| {
            let encoded = codec.encode(value.to_value().unwrap()).unwrap();
            (encoded.payload.len(), encoded.flags)
        };
        assert_eq!(stored(&"x".repeat(20)), (20, 0));
        assert!(stored(&"x".repeat(21)).0 < 21);
        assert_eq!(stored(&"x".repeat(21)).1, 8);
        assert_eq!(stored(&i128::MIN), (40, 0));
        assert_eq!(stored(&("x".repeat(100), 4)), (100, 4));
        assert_eq!(stored(&Value::new("x".repeat(100), 0)), (100, 0));
        let random: Vec<u8> = (0..=255).collect();
        assert_eq!(stored(&random), (256, 0), "what would grow stays as it is");
    }

    #[test]
    fn what_a_client_cannot_store_is_refused() {
        for (profile, datum) in [
            (ValueProfile::PLAIN, Datum::Null),
            (ValueProfile::SPYMEMCACHED, Datum::Null),
            (ValueProfile::SPYMEMCACHED, Datum::Integer(1 << 63)),
            (ValueProfile::PHP_MEMCACHED, Datum::Integer(1 << 63)),
            (ValueProfile::NPM_MEMCACHED, Datum::Float(f64::NAN)),
        ] {
            let error = Codec::new(profile).encode(datum).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{profile}");
            assert!(error.to_string().contains(profile.name()), "{error}");
        }
    }

    #[test]
    fn profiles_are_found_by_their_names() {
        for profile in ValueProfile::all() {
            assert_eq!(profile.name().parse::<ValueProfile>().unwrap(), *profile);
        }
        assert!("python".parse::<ValueProfile>().is_err());
    }

    proptest! {
        #[test]
        fn every_value_comes_back_in_every_profile(
            text in "\\PC{0,60}",
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            integer: i64,
            float in prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL,
            truth: bool,
        ) {
            for codec in codecs() {
                prop_assert_eq!(&through(&codec, &text)?, &text, "{:?}", codec);
                prop_assert_eq!(&through(&codec, &bytes)?, &bytes, "{:?}", codec);
                prop_assert_eq!(through(&codec, &integer)?, integer, "{:?}", codec);
                prop_assert_eq!(through(&codec, &float)?.to_bits(), float.to_bits(), "{:?}", codec);
                prop_assert_eq!(through(&codec, &truth)?, truth, "{:?}", codec);
                prop_assert_eq!(through(&codec, &(text.clone(), 0))?.0, text.as_str());
            }
        }

        #[test]
        fn no_stored_value_panics(
            data in prop::collection::vec(any::<u8>(), 0..60),
            flags in prop_oneof![0..256_u32, any::<u32>()],
        ) {
            for codec in codecs() {
                let value = Value::new(data.clone(), flags);
                let _ = String::from_value(value.clone(), &codec);
                if let Ok(Datum::Opaque { data: kept, flags: kept_flags, .. }) = codec.decode(value) {
                    prop_assert_eq!(kept.as_slice(), data.as_slice());
                    prop_assert_eq!(kept_flags, flags);
                }
            }
        }
    }
}
