//! What a value means, between the types of Rust and the bytes on the server.

use bytes::Bytes;

use super::payload::Payload;

/// What a value means.
///
/// It stands between the types of Rust and the bytes and flags that lie on the server:
/// [`ToValue`](crate::ToValue) makes one, a [`Codec`](super::Codec) turns it into bytes and flags
/// and back, and [`FromValue`](crate::FromValue) takes it apart. Read one to see whatever is stored:
///
/// ```
/// use memlens::value::{Codec, Datum, ValueProfile};
/// use memlens::{FromValue, Value};
///
/// let codec = Codec::new(ValueProfile::PYTHON_MEMCACHED);
/// let number = Datum::from_value(Value::new("42", 2), &codec)?;
/// assert_eq!(number, Datum::Integer(42));
/// let list = Datum::from_value(Value::new("(lp0\n.", 1), &codec)?;
/// assert!(matches!(list, Datum::Opaque { form: "a Python pickle", .. }));
/// # Ok::<(), memlens::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Datum<'a> {
    /// Nothing: `None`, `nil`, `null`. The plain profile cannot store it.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer that some clients keep in 32 bits (Java's `int`).
    Int32(i32),
    /// An integer.
    Integer(i128),
    /// A floating point number that some clients keep in 32 bits (Java's `float`).
    Float32(f32),
    /// A floating point number.
    Float(f64),
    /// Text. It is meant to be UTF-8, but nobody has checked.
    Text(Payload<'a>),
    /// Bytes, or whatever a client stores without saying what it is.
    Bytes(Payload<'a>),
    /// A JSON document.
    Json(Payload<'a>),
    /// Bytes and flags as they are on the server.
    ///
    /// Reading gives this for a value that only its own client understands. Writing it stores
    /// exactly these bytes with exactly these flags.
    Opaque {
        /// The bytes as they are on the server, compressed if they are compressed there.
        data: Payload<'a>,
        /// The client flags.
        flags: u32,
        /// What the flags say it is, such as "a Python pickle".
        form: &'static str,
    },
}

impl Datum<'_> {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "truth value",
            Self::Int32(_) | Self::Integer(_) => "integer",
            Self::Float32(_) | Self::Float(_) => "floating point number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "byte string",
            Self::Json(_) => "JSON document",
            Self::Opaque { form, .. } => form,
        }
    }

    /// Kind and length for error messages; never the content.
    pub(super) fn describe(&self) -> String {
        let kind = self.kind();
        match self {
            Self::Text(payload) | Self::Bytes(payload) | Self::Json(payload) => {
                format!("a {kind} of {} bytes", payload.len())
            }
            Self::Opaque { data, flags, .. } => {
                format!("{kind} of {} bytes with flags {flags:#x}", data.len())
            }
            _ => format!("a stored {kind}"),
        }
    }

    /// As bytes, numbers and truth values as text. `None` for what has no text: null and opaque.
    pub(super) fn into_text(self) -> Result<Bytes, Self> {
        Ok(match self {
            Self::Text(payload) | Self::Bytes(payload) | Self::Json(payload) => {
                payload.into_bytes()
            }
            Self::Bool(true) => Bytes::from_static(b"true"),
            Self::Bool(false) => Bytes::from_static(b"false"),
            Self::Int32(number) => Payload::integer(number).into_bytes(),
            Self::Integer(number) => Payload::integer(number).into_bytes(),
            Self::Float32(number) => Payload::format(format_args!("{number:?}")).into_bytes(),
            Self::Float(number) => Payload::format(format_args!("{number:?}")).into_bytes(),
            other @ (Self::Null | Self::Opaque { .. }) => return Err(other),
        })
    }

    /// Bound to no lifetime. Copies what is borrowed.
    #[must_use]
    pub fn into_owned(self) -> Datum<'static> {
        match self {
            Self::Null => Datum::Null,
            Self::Bool(value) => Datum::Bool(value),
            Self::Int32(number) => Datum::Int32(number),
            Self::Integer(number) => Datum::Integer(number),
            Self::Float32(number) => Datum::Float32(number),
            Self::Float(number) => Datum::Float(number),
            Self::Text(payload) => Datum::Text(payload.into_owned()),
            Self::Bytes(payload) => Datum::Bytes(payload.into_owned()),
            Self::Json(payload) => Datum::Json(payload.into_owned()),
            Self::Opaque { data, flags, form } => Datum::Opaque {
                data: data.into_owned(),
                flags,
                form,
            },
        }
    }
}

/// A number as text, without the spaces that `decr` leaves behind it when it gets shorter
/// (protocol.txt: the value keeps its length).
pub(super) fn number_text(bytes: &[u8]) -> Option<&str> {
    let end = bytes.iter().rposition(|byte| *byte != b' ')? + 1;
    std::str::from_utf8(&bytes[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trailing_spaces_are_trimmed() {
        assert_eq!(number_text(b"99 "), Some("99"));
        assert_eq!(number_text(b"9   "), Some("9"));
        assert_eq!(number_text(b" 9"), Some(" 9"));
        assert_eq!(number_text(b"9\n"), Some("9\n"));
        assert_eq!(number_text(b"   "), None);
        assert_eq!(number_text(b""), None);
        assert_eq!(number_text(b"\xff"), None);
    }

    #[test]
    fn descriptions_hold_no_content() {
        for datum in [
            Datum::Text("secret".into()),
            Datum::Bytes("secret".into()),
            Datum::Json("secret".into()),
            Datum::Integer(424_242),
            Datum::Opaque {
                data: "secret".into(),
                flags: 1,
                form: "a Python pickle",
            },
        ] {
            let text = datum.describe();
            assert!(
                !text.contains("secret") && !text.contains("424242"),
                "{text}"
            );
        }
    }
}
