//! From the types of Rust to what they mean.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use super::datum::Datum;
use super::payload::Payload;
use super::{Codec, Value};
use crate::error::Result;

/// What can be stored: bytes, text, numbers, truth values, JSON documents, and values with
/// flags.
///
/// Text and bytes are passed on by reference, [`Bytes`] by their reference count, and numbers
/// without an allocation.
///
/// | type | is stored as |
/// |---|---|
/// | `str`, `String`, `Box<str>`, `Arc<str>`, `Cow<str>` | text |
/// | `[u8]`, `[u8; N]`, `Vec<u8>`, `Box<[u8]>`, `Arc<[u8]>`, `Cow<[u8]>`, [`Bytes`] | bytes |
/// | `i8` to `i128`, `u8` to `u128`, `isize`, `usize` | an integer |
/// | `f32`, `f64` | the shortest text that reads back as the same number |
/// | `bool` | a truth value: `true` and `false` in the plain profile |
/// | `Json<T>` | a JSON document (feature `serde`) |
/// | `(T, u32)` | `T` as the plain profile writes it, with these flags |
/// | [`Value`] | its bytes and flags as they are |
///
/// For a type of your own, say what it means:
///
/// ```
/// use memlens::value::Datum;
/// use memlens::{Result, ToValue};
///
/// struct UserId(u64);
///
/// impl ToValue for UserId {
///     fn to_value(&self) -> Result<Datum<'_>> {
///         Ok(Datum::Integer(self.0.into()))
///     }
/// }
/// ```
pub trait ToValue {
    /// What this value means.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when it cannot be stored.
    fn to_value(&self) -> Result<Datum<'_>>;
}

impl ToValue for Datum<'_> {
    fn to_value(&self) -> Result<Datum<'_>> {
        Ok(self.clone())
    }
}

impl ToValue for Value {
    fn to_value(&self) -> Result<Datum<'_>> {
        Ok(Datum::Opaque {
            data: self.data.clone().into(),
            flags: self.flags,
            form: "a value with flags of its own",
        })
    }
}

/// The value as the plain profile writes it, with exactly these flags. It is never compressed.
impl<T: ToValue> ToValue for (T, u32) {
    fn to_value(&self) -> Result<Datum<'_>> {
        let plain = Codec::default().encode(self.0.to_value()?)?;
        Ok(Datum::Opaque {
            data: plain.payload,
            flags: self.1,
            form: "a value with flags of its own",
        })
    }
}

impl ToValue for bool {
    fn to_value(&self) -> Result<Datum<'_>> {
        Ok(Datum::Bool(*self))
    }
}

impl ToValue for f32 {
    fn to_value(&self) -> Result<Datum<'_>> {
        Ok(Datum::Float32(*self))
    }
}

impl ToValue for f64 {
    fn to_value(&self) -> Result<Datum<'_>> {
        Ok(Datum::Float(*self))
    }
}

macro_rules! small_integers_to_value {
    ($($type:ty),+) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Result<Datum<'_>> {
                Ok(Datum::Int32((*self).into()))
            }
        }
    )+};
}
small_integers_to_value!(i8, i16, i32, u8, u16);

macro_rules! integers_to_value {
    ($($type:ty),+) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Result<Datum<'_>> {
                Ok(Datum::Integer(*self as i128))
            }
        }
    )+};
}
integers_to_value!(i64, i128, isize, u32, u64, usize);

/// From 2^127 on, where [`Datum::Integer`] ends, the digits are stored as text.
impl ToValue for u128 {
    fn to_value(&self) -> Result<Datum<'_>> {
        Ok(i128::try_from(*self)
            .map_or_else(|_| Datum::Text(Payload::integer(*self)), Datum::Integer))
    }
}

macro_rules! text_to_value {
    ($($type:ty),+) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Result<Datum<'_>> {
                let text: &str = self;
                Ok(Datum::Text(text.into()))
            }
        }
    )+};
}
text_to_value!(str, String, Cow<'_, str>);

macro_rules! bytes_to_value {
    ($($type:ty),+) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Result<Datum<'_>> {
                let bytes: &[u8] = self;
                Ok(Datum::Bytes(bytes.into()))
            }
        }
    )+};
}
bytes_to_value!([u8], Vec<u8>, Cow<'_, [u8]>);

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Result<Datum<'_>> {
        self.as_slice().to_value()
    }
}

impl ToValue for Bytes {
    fn to_value(&self) -> Result<Datum<'_>> {
        Ok(Datum::Bytes(self.clone().into()))
    }
}

macro_rules! pointers_to_value {
    ($($pointer:ty),+) => {$(
        impl<T: ToValue + ?Sized> ToValue for $pointer {
            fn to_value(&self) -> Result<Datum<'_>> {
                T::to_value(self)
            }
        }
    )+};
}
pointers_to_value!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn plain(value: impl ToValue) -> (Vec<u8>, u32) {
        let encoded = Codec::default().encode(value.to_value().unwrap()).unwrap();
        (encoded.payload.as_slice().to_vec(), encoded.flags)
    }

    #[test]
    fn the_plain_profile_stores_text() {
        let table: [(&dyn ToValue, &str); 24] = [
            (&"text", "text"),
            (&String::from("text"), "text"),
            (&Cow::Borrowed("text"), "text"),
            (&Box::<str>::from("text"), "text"),
            (&Arc::<str>::from("text"), "text"),
            (&b"bytes", "bytes"),
            (&b"bytes".as_slice(), "bytes"),
            (&b"bytes".to_vec(), "bytes"),
            (&Arc::<[u8]>::from(b"bytes".as_slice()), "bytes"),
            (&Bytes::from_static(b"bytes"), "bytes"),
            (&true, "true"),
            (&false, "false"),
            (&0_u8, "0"),
            (&i8::MIN, "-128"),
            (&u64::MAX, "18446744073709551615"),
            (&i64::MIN, "-9223372036854775808"),
            (&i128::MIN, "-170141183460469231731687303715884105728"),
            (&u128::MAX, "340282366920938463463374607431768211455"),
            (&0.1_f32, "0.1"),
            (&0.1_f64, "0.1"),
            (&3.0_f64, "3.0"),
            (&1e300_f64, "1e300"),
            (&f64::NAN, "NaN"),
            (&"", ""),
        ];
        for (value, stored) in table {
            assert_eq!(plain(value), (stored.as_bytes().to_vec(), 0));
        }
    }

    #[test]
    fn flags_of_the_user_are_kept() {
        for flags in [0, 1, 8, 1 << 31, u32::MAX] {
            assert_eq!(plain(("text", flags)), (b"text".to_vec(), flags));
            assert_eq!(plain((42_u64, flags)), (b"42".to_vec(), flags));
            assert_eq!(plain(Value::new("raw", flags)), (b"raw".to_vec(), flags));
        }
    }

    #[test]
    fn bytes_are_not_copied() {
        let bytes = Bytes::from(vec![1; 1000]);
        let encoded = Codec::default().encode(bytes.to_value().unwrap()).unwrap();
        assert_eq!(
            encoded.payload.as_shared().unwrap().as_ptr(),
            bytes.as_ptr()
        );
    }
}
