//! The ways in which clients write down a number, a text or nothing.

use bytes::Bytes;

use super::datum::{Datum, number_text};
use super::payload::Payload;
use super::{big_endian, marshal, pickle};

/// How a client writes a value down. Which one it used, it says in the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Bytes as they are; numbers, truth values and text too.
    Bytes,
    /// Text as it is.
    Text,
    /// A JSON document.
    Json,
    /// An integer in decimal.
    Decimal,
    /// The same, written by a client that has no integers beyond 64 bits.
    Decimal64,
    /// A floating point number in decimal.
    DecimalFloat,
    /// Either.
    DecimalNumber,
    /// A truth value as one of two words.
    Words { yes: &'static str, no: &'static str },
    /// Null, as one fixed text.
    Fixed(&'static str),
    /// Python's pickle: scalars, as the clients pickle them.
    Pickle,
    /// Ruby's Marshal: scalars and strings.
    Marshal,
    /// PHP's `serialize`: only null, since php-memcached has flags of their own for other scalars.
    PhpSerialized,
    /// A 32-bit integer, most significant byte first, leading zero bytes left out.
    BigEndianInt32,
    /// The same with 64 bits.
    BigEndianInt64,
    /// One byte, with a sign.
    BigEndianInt8,
    /// The bits of a 32-bit floating point number, written like a 32-bit integer.
    BigEndianFloat32,
    /// The same with 64 bits.
    BigEndianFloat64,
    /// Bytes, each written as the Unicode character of that number, in UTF-8.
    Latin1InUtf8,
    /// What only its own client can read.
    Unreadable(&'static str),
}

impl Form {
    /// For error messages.
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Text => "text",
            Self::Json => "a JSON document",
            Self::Decimal | Self::Decimal64 => "a damaged integer",
            Self::DecimalFloat | Self::DecimalNumber => "a damaged number",
            Self::Words { .. } => "a damaged truth value",
            Self::Fixed(_) => "a null",
            Self::Pickle => "a Python pickle",
            Self::Marshal => "a Ruby Marshal dump",
            Self::PhpSerialized => "a PHP serialization",
            Self::BigEndianInt8 | Self::BigEndianInt32 | Self::BigEndianInt64 => {
                "a damaged big-endian integer"
            }
            Self::BigEndianFloat32 | Self::BigEndianFloat64 => "a damaged big-endian number",
            Self::Latin1InUtf8 => "bytes that are not written through UTF-8",
            Self::Unreadable(what) => what,
        }
    }

    /// What the bytes mean. Gives them back if they are not of this form, or if only its own
    /// client can tell.
    pub(super) fn decode(self, data: Bytes) -> Result<Datum<'static>, Bytes> {
        let datum = match self {
            Self::Bytes => return Ok(Datum::Bytes(data.into())),
            Self::Text => return Ok(Datum::Text(data.into())),
            Self::Json => return Ok(json(data)),
            Self::Decimal | Self::Decimal64 => decimal(&data),
            Self::DecimalFloat => float(&data),
            Self::DecimalNumber => integer(&data).or_else(|| float(&data)),
            Self::Words { yes, no } => match data.as_ref() {
                word if word == yes.as_bytes() => Some(Datum::Bool(true)),
                word if word == no.as_bytes() => Some(Datum::Bool(false)),
                _ => None,
            },
            Self::Fixed(text) => (data == text).then_some(Datum::Null),
            Self::Pickle => pickle::read(&data),
            Self::Marshal => marshal::read(&data),
            Self::PhpSerialized => (data == "N;").then_some(Datum::Null),
            Self::BigEndianInt8 => big_endian::read_i8(&data).map(Datum::Int32),
            Self::BigEndianInt32 => big_endian::read_i32(&data).map(Datum::Int32),
            Self::BigEndianInt64 => big_endian::read_i64(&data).map(|n| Datum::Integer(n.into())),
            Self::BigEndianFloat32 => big_endian::read_f32(&data).map(Datum::Float32),
            Self::BigEndianFloat64 => big_endian::read_f64(&data).map(Datum::Float),
            Self::Latin1InUtf8 => from_latin1(&data).map(|bytes| Datum::Bytes(bytes.into())),
            Self::Unreadable(_) => None,
        };
        datum.ok_or(data)
    }

    /// The bytes for `datum`; `None` if this form has no way to write it.
    pub(super) fn encode(self, datum: Datum<'_>) -> Option<Payload<'_>> {
        match (self, datum) {
            (Self::Pickle, datum) => pickle::write(&datum),
            (Self::Marshal, datum) => marshal::write(&datum),
            (Self::PhpSerialized, Datum::Null) => Some("N;".into()),
            (Self::Fixed(text), Datum::Null) => Some(text.into()),
            (Self::Json, Datum::Null) => Some("null".into()),
            (Self::Words { yes, .. }, Datum::Bool(true)) => Some(yes.into()),
            (Self::Words { no, .. }, Datum::Bool(false)) => Some(no.into()),
            (Self::Latin1InUtf8, Datum::Bytes(payload)) => Some(to_latin1(&payload)),
            (
                Self::Bytes | Self::Text | Self::Json,
                Datum::Text(payload) | Datum::Bytes(payload) | Datum::Json(payload),
            ) => Some(payload),
            (form, Datum::Int32(number)) => form.encode_integer(number.into()),
            (form, Datum::Integer(number)) => form.encode_integer(number),
            (form, Datum::Float32(number)) => form.encode_float32(number),
            (form, Datum::Float(number)) => form.encode_float(number),
            _ => None,
        }
    }

    fn encode_integer(self, number: i128) -> Option<Payload<'static>> {
        match self {
            Self::BigEndianInt32 => Some(big_endian::write_i32(i32::try_from(number).ok()?)),
            Self::BigEndianInt64 => Some(big_endian::write_i64(i64::try_from(number).ok()?)),
            Self::Decimal64 => Some(Payload::integer(i64::try_from(number).ok()?)),
            Self::Bytes | Self::Text | Self::Json | Self::Decimal | Self::DecimalNumber => {
                Some(Payload::integer(number))
            }
            _ => None,
        }
    }

    fn encode_float32(self, number: f32) -> Option<Payload<'static>> {
        match self {
            Self::BigEndianFloat32 => Some(big_endian::write_f32(number)),
            Self::BigEndianFloat64 => Some(big_endian::write_f64(number.into())),
            _ => self.encode_float_text(number.is_finite(), format_args!("{number:?}")),
        }
    }

    fn encode_float(self, number: f64) -> Option<Payload<'static>> {
        match self {
            Self::BigEndianFloat64 => Some(big_endian::write_f64(number)),
            _ => self.encode_float_text(number.is_finite(), format_args!("{number:?}")),
        }
    }

    /// `text` is the shortest one that reads back as the same number.
    fn encode_float_text(
        self,
        is_finite: bool,
        text: std::fmt::Arguments<'_>,
    ) -> Option<Payload<'static>> {
        match self {
            Self::Bytes | Self::Text | Self::DecimalFloat => Some(Payload::format(text)),
            // Neither JSON nor JavaScript's Number() knows Rust's "inf".
            Self::Json | Self::DecimalNumber if is_finite => Some(Payload::format(text)),
            _ => None,
        }
    }
}

fn json(data: Bytes) -> Datum<'static> {
    match data.as_ref() {
        b"null" => Datum::Null,
        b"true" => Datum::Bool(true),
        b"false" => Datum::Bool(false),
        _ => Datum::Json(data.into()),
    }
}

fn integer(data: &[u8]) -> Option<Datum<'static>> {
    number_text(data)?.parse().ok().map(Datum::Integer)
}

fn float(data: &[u8]) -> Option<Datum<'static>> {
    number_text(data)?.parse().ok().map(Datum::Float)
}

/// Integers of Python have no largest one: those beyond 128 bits stay text.
fn decimal(data: &Bytes) -> Option<Datum<'static>> {
    if let Some(number) = integer(data) {
        return Some(number);
    }
    let text = number_text(data)?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Datum::Text(data.clone().into()))
}

fn from_latin1(data: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(data).ok()?;
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}

fn to_latin1(payload: &Payload<'_>) -> Payload<'static> {
    let text: String = payload.as_slice().iter().copied().map(char::from).collect();
    text.into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_value_whatever_their_size() {
        let huge = "170141183460469231731687303715884105728000";
        for (text, datum) in [
            ("42", Datum::Integer(42)),
            ("-17", Datum::Integer(-17)),
            ("99 ", Datum::Integer(99)),
            (huge, Datum::Text(huge.into())),
        ] {
            assert_eq!(Form::Decimal.decode(text.into()), Ok(datum));
        }
        for text in ["", "x", "-", "1.5", " 5"] {
            assert!(Form::Decimal.decode(text.into()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn bytes_written_through_utf8_come_back() {
        let all: Vec<u8> = (0..=255).collect();
        let written = Form::Latin1InUtf8
            .encode(Datum::Bytes(all.clone().into()))
            .unwrap();
        assert_eq!(written.len(), 128 + 2 * 128);
        assert_eq!(
            Form::Latin1InUtf8.decode(written.into_bytes()),
            Ok(Datum::Bytes(all.into()))
        );
        assert!(
            Form::Latin1InUtf8
                .decode(Bytes::from_static(b"\xff"))
                .is_err()
        );
    }

    #[test]
    fn json_has_no_infinity() {
        assert_eq!(Form::Json.encode(Datum::Float(f64::INFINITY)), None);
        assert_eq!(Form::Json.encode(Datum::Float(1e300)), Some("1e300".into()));
        assert_eq!(
            Form::Bytes.encode(Datum::Float(f64::INFINITY)),
            Some("inf".into())
        );
    }

    #[test]
    fn narrow_forms_refuse_what_does_not_fit() {
        assert_eq!(Form::BigEndianInt32.encode(Datum::Integer(1 << 31)), None);
        assert_eq!(Form::BigEndianInt64.encode(Datum::Integer(1 << 63)), None);
        assert_eq!(Form::Decimal64.encode(Datum::Integer(1 << 63)), None);
    }
}
