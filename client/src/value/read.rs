//! From what is stored to the types of Rust.

use std::any::type_name;
use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;

use super::datum::{Datum, number_text};
use super::{Codec, Value};
use crate::error::{Error, Result};

/// No client writes a null in more bytes: Python's longest, a framed pickle, has 13.
const LONGEST_NULL: usize = 16;

/// What a stored value can be read as.
///
/// | type | reads |
/// |---|---|
/// | [`Bytes`], `Vec<u8>`, `Box<[u8]>`, `Arc<[u8]>`, `Cow<[u8]>` | text, bytes and JSON; numbers and truth values as text |
/// | `[u8; N]` | the same, if it is `N` bytes |
/// | `String`, `Box<str>`, `Arc<str>`, `Cow<str>` | the same, if it is UTF-8 |
/// | `i8` to `i128`, `u8` to `u128`, `isize`, `usize` | integers, and text that is one |
/// | `f32`, `f64` | numbers, and text that is one |
/// | `bool` | truth values, the integers 0 and 1, and `true`, `false`, `True`, `False` |
/// | `Json<T>` | JSON, and text that is JSON (feature `serde`) |
/// | `Option<T>` | `None` for a stored null, else `T` |
/// | `(T, u32)` | `T` and the flags on the server |
/// | [`Value`] | anything, just as it is on the server |
/// | [`Datum`] | anything, as the profile understands it |
///
/// Spaces after a number are skipped, because `decr` leaves them. Whether a value is there at all is
/// not said by these types: reading a missing key gives `None` around them.
///
/// A type of your own is read by way of another one:
///
/// ```
/// use memlens::value::Codec;
/// use memlens::{FromValue, Result, Value};
///
/// struct UserId(u64);
///
/// impl FromValue for UserId {
///     fn from_value(value: Value, codec: &Codec) -> Result<Self> {
///         u64::from_value(value, codec).map(UserId)
///     }
/// }
/// ```
pub trait FromValue: Sized {
    /// Reads a stored value.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when it is something else. The error names
    /// types and lengths, never the stored bytes. Also what [`Codec::decode`] fails with.
    fn from_value(value: Value, codec: &Codec) -> Result<Self>;
}

impl FromValue for Value {
    fn from_value(value: Value, _codec: &Codec) -> Result<Self> {
        Ok(value)
    }
}

impl FromValue for Datum<'static> {
    fn from_value(value: Value, codec: &Codec) -> Result<Self> {
        codec.decode(value)
    }
}

impl<T: FromValue> FromValue for (T, u32) {
    fn from_value(value: Value, codec: &Codec) -> Result<Self> {
        let flags = value.flags();
        Ok((T::from_value(value, codec)?, flags))
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value, codec: &Codec) -> Result<Self> {
        if value.len() <= LONGEST_NULL && codec.decode(value.clone())? == Datum::Null {
            return Ok(None);
        }
        T::from_value(value, codec).map(Some)
    }
}

impl FromValue for Bytes {
    #[inline]
    fn from_value(value: Value, codec: &Codec) -> Result<Self> {
        text_of::<Self>(value, codec)
    }
}

macro_rules! bytes_from_value {
    ($($type:ty),+) => {$(
        impl FromValue for $type {
            fn from_value(value: Value, codec: &Codec) -> Result<Self> {
                Ok(Vec::from(text_of::<Self>(value, codec)?).into())
            }
        }
    )+};
}
bytes_from_value!(Vec<u8>, Box<[u8]>, Arc<[u8]>, Cow<'static, [u8]>);

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: Value, codec: &Codec) -> Result<Self> {
        let bytes = text_of::<Self>(value, codec)?;
        <[u8; N]>::try_from(bytes.as_ref()).map_err(|_| {
            Error::decode(format!("{} bytes cannot be read as {N} bytes", bytes.len()))
        })
    }
}

macro_rules! text_from_value {
    ($($type:ty),+) => {$(
        impl FromValue for $type {
            fn from_value(value: Value, codec: &Codec) -> Result<Self> {
                let bytes = Vec::from(text_of::<Self>(value, codec)?);
                Ok(String::from_utf8(bytes).map_err(not_utf8)?.into())
            }
        }
    )+};
}
text_from_value!(String, Box<str>, Arc<str>, Cow<'static, str>);

#[cold]
#[expect(
    clippy::needless_pass_by_value,
    reason = "so that map_err takes it as it is"
)]
fn not_utf8(error: std::string::FromUtf8Error) -> Error {
    Error::decode(format!(
        "{} bytes are no UTF-8 text from byte {} on",
        error.as_bytes().len(),
        error.utf8_error().valid_up_to()
    ))
}

macro_rules! integers_from_value {
    ($($type:ty),+) => {$(
        impl FromValue for $type {
            fn from_value(value: Value, codec: &Codec) -> Result<Self> {
                match codec.decode(value)? {
                    Datum::Int32(number) => number.try_into().map_err(|_| out_of_range::<Self>()),
                    Datum::Integer(number) => number.try_into().map_err(|_| out_of_range::<Self>()),
                    other => parse(&other),
                }
            }
        }
    )+};
}
integers_from_value!(
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize
);

impl FromValue for f64 {
    fn from_value(value: Value, codec: &Codec) -> Result<Self> {
        match codec.decode(value)? {
            Datum::Float(number) => Ok(number),
            Datum::Float32(number) => Ok(number.into()),
            Datum::Int32(number) => Ok(number.into()),
            Datum::Integer(number) => Ok(number as Self),
            other => parse(&other),
        }
    }
}

impl FromValue for f32 {
    fn from_value(value: Value, codec: &Codec) -> Result<Self> {
        match codec.decode(value)? {
            Datum::Float(number) => Ok(number as Self),
            Datum::Float32(number) => Ok(number),
            Datum::Int32(number) => Ok(number as Self),
            Datum::Integer(number) => Ok(number as Self),
            other => parse(&other),
        }
    }
}

impl FromValue for bool {
    fn from_value(value: Value, codec: &Codec) -> Result<Self> {
        let datum = codec.decode(value)?;
        let known = match &datum {
            Datum::Bool(value) => Some(*value),
            Datum::Int32(0) | Datum::Integer(0) => Some(false),
            Datum::Int32(1) | Datum::Integer(1) => Some(true),
            Datum::Text(text) | Datum::Bytes(text) => match text.as_slice() {
                b"1" | b"true" | b"True" => Some(true),
                b"0" | b"false" | b"False" => Some(false),
                _ => None,
            },
            _ => None,
        };
        known.ok_or_else(|| mismatch::<Self>(&datum))
    }
}

/// The bytes of everything that has some, for a `T`.
#[inline]
pub(super) fn text_of<T>(value: Value, codec: &Codec) -> Result<Bytes> {
    if codec.is_verbatim(value.flags) {
        return Ok(value.data);
    }
    let datum = codec.decode(value)?;
    datum.into_text().map_err(|datum| mismatch::<T>(&datum))
}

/// A number from text.
fn parse<T: FromStr>(datum: &Datum<'_>) -> Result<T> {
    let (Datum::Text(text) | Datum::Bytes(text) | Datum::Json(text)) = datum else {
        return Err(mismatch::<T>(datum));
    };
    number_text(text.as_slice())
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| mismatch::<T>(datum))
}

#[cold]
pub(super) fn mismatch<T>(datum: &Datum<'_>) -> Error {
    Error::decode(format!(
        "{} cannot be read as {}",
        datum.describe(),
        type_name::<T>()
    ))
}

#[cold]
fn out_of_range<T>() -> Error {
    Error::decode(format!(
        "a stored integer is out of the range of {}",
        type_name::<T>()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::value::ValueProfile;

    #[track_caller]
    fn read<T: FromValue>(data: &'static str) -> Result<T> {
        Value::new(data, 0).decode()
    }

    #[test]
    fn text_and_bytes() {
        assert_eq!(read::<String>("é").unwrap(), "é");
        assert_eq!(read::<Box<str>>("x").unwrap().as_ref(), "x");
        assert_eq!(read::<Arc<str>>("x").unwrap().as_ref(), "x");
        assert_eq!(read::<Cow<'_, str>>("x").unwrap(), "x");
        assert_eq!(read::<Vec<u8>>("é").unwrap(), "é".as_bytes());
        assert_eq!(read::<[u8; 2]>("é").unwrap(), "é".as_bytes());
        assert_eq!(read::<(String, u32)>("x").unwrap(), ("x".to_owned(), 0));
        assert!(read::<[u8; 3]>("é").is_err());
        let error = Value::new(&b"ab\xff"[..], 0)
            .decode::<String>()
            .unwrap_err();
        assert!(error.to_string().contains("from byte 2"), "{error}");
    }

    #[test]
    fn a_vector_of_its_own_is_not_copied() {
        let data = Bytes::from(vec![1; 100]);
        let place = data.as_ptr();
        let read = Value::new(data, 0).decode::<Vec<u8>>().unwrap();
        assert_eq!(read.as_ptr(), place);
    }

    #[test]
    fn numbers() {
        assert_eq!(read::<u8>("255").unwrap(), 255);
        assert!(read::<u8>("256").is_err());
        assert!(read::<u8>("-1").is_err());
        assert_eq!(
            read::<i128>(&i128::MIN.to_string().leak()[..]).unwrap(),
            i128::MIN
        );
        assert_eq!(
            read::<u128>(&u128::MAX.to_string().leak()[..]).unwrap(),
            u128::MAX
        );
        assert_eq!(read::<u64>("99 ").unwrap(), 99, "what decr leaves of 100");
        assert!(read::<u64>(" 99").is_err());
        assert!(read::<u64>("").is_err());
        assert_eq!(read::<f64>("3.5").unwrap(), 3.5);
        assert_eq!(read::<f64>("42").unwrap(), 42.0);
        assert!(read::<f32>("nan").unwrap().is_nan());
        assert!(read::<i64>("3.5").is_err());
    }

    #[test]
    fn truth_values() {
        for (text, value) in [
            ("1", true),
            ("true", true),
            ("True", true),
            ("0", false),
            ("false", false),
            ("False", false),
        ] {
            assert_eq!(read::<bool>(text).unwrap(), value);
        }
        for text in ["", "yes", "2", "TRUE", "1 "] {
            assert_eq!(read::<bool>(text).unwrap_err().kind(), ErrorKind::Decode);
        }
    }

    #[test]
    fn errors_show_no_stored_bytes() {
        let error = read::<u64>("hunter2").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the stored value is of another type: a byte string of 7 bytes cannot be read as u64"
        );
        let error = Value::new(&b"hunter2\xff"[..], 0)
            .decode::<String>()
            .unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }

    #[test]
    fn a_stored_null_is_none() {
        let codec = Codec::new(ValueProfile::PYLIBMC);
        let null = Value::new(&b"\x80\x05N."[..], 1);
        assert_eq!(
            Option::<u64>::from_value(null.clone(), &codec).unwrap(),
            None
        );
        let error = u64::from_value(null, &codec).unwrap_err();
        assert!(error.to_string().contains("a stored null"), "{error}");
        let number = Value::new("7", 4);
        assert_eq!(Option::<u64>::from_value(number, &codec).unwrap(), Some(7));
    }
}
