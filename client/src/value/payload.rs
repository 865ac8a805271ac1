//! The bytes of a value, wherever they lie.

use std::fmt::{self, Write as _};

use bytes::Bytes;

/// What the longest number takes as text: a minus sign and the 39 digits of an `i128`.
const INLINE: usize = 40;

/// The bytes of a value: borrowed from the caller, shared with somebody, or a short number.
///
/// ```
/// use memlens::value::Payload;
///
/// let borrowed = Payload::from("text");
/// let shared = Payload::from(vec![1, 2, 3]);
/// assert_eq!(borrowed.as_slice(), b"text");
/// assert_eq!(shared.into_bytes(), [1, 2, 3].as_slice());
/// ```
#[derive(Clone)]
pub struct Payload<'a>(Repr<'a>);

#[derive(Clone)]
enum Repr<'a> {
    Slice(&'a [u8]),
    Shared(Bytes),
    Inline { bytes: [u8; INLINE], length: u8 },
}

impl<'a> Payload<'a> {
    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match &self.0 {
            Repr::Slice(bytes) => bytes,
            Repr::Shared(bytes) => bytes,
            Repr::Inline { bytes, length } => &bytes[..usize::from(*length)],
        }
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shared buffer, if the bytes lie in one.
    #[must_use]
    pub fn as_shared(&self) -> Option<&Bytes> {
        match &self.0 {
            Repr::Shared(bytes) => Some(bytes),
            Repr::Slice(_) | Repr::Inline { .. } => None,
        }
    }

    /// The bytes on their own. Copies them unless they are shared already.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Repr::Shared(bytes) => bytes,
            _ => Bytes::copy_from_slice(self.as_slice()),
        }
    }

    /// The same bytes, bound to no lifetime. Copies them if they are borrowed.
    #[must_use]
    pub fn into_owned(self) -> Payload<'static> {
        Payload(match self.0 {
            Repr::Slice(bytes) => Repr::Shared(Bytes::copy_from_slice(bytes)),
            Repr::Shared(bytes) => Repr::Shared(bytes),
            Repr::Inline { bytes, length } => Repr::Inline { bytes, length },
        })
    }

    /// What `text` displays as, without allocating if it is short.
    pub(super) fn format(text: fmt::Arguments<'_>) -> Payload<'a> {
        let mut short = Short {
            bytes: [0; INLINE],
            length: 0,
        };
        if short.write_fmt(text).is_err() {
            return Self::from(text.to_string().into_bytes());
        }
        Payload(Repr::Inline {
            bytes: short.bytes,
            length: short.length,
        })
    }

    pub(super) fn integer(number: impl itoa::Integer) -> Payload<'a> {
        let mut buffer = itoa::Buffer::new();
        Self::inline(buffer.format(number).as_bytes())
    }

    /// `text` has at most [`INLINE`] bytes; longer ones are copied into a shared buffer.
    pub(super) fn inline(text: &[u8]) -> Payload<'a> {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text);
                Payload(Repr::Inline { bytes, length })
            }
            _ => Self::from(text.to_vec()),
        }
    }
}

struct Short {
    bytes: [u8; INLINE],
    length: u8,
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let start = usize::from(self.length);
        let end = start + text.len();
        let place = self.bytes.get_mut(start..end).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length = u8::try_from(end).map_err(|_| fmt::Error)?;
        Ok(())
    }
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl<'a> From<&'a [u8]> for Payload<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(Repr::Slice(bytes))
    }
}

impl<'a> From<&'a str> for Payload<'a> {
    fn from(text: &'a str) -> Self {
        Self(Repr::Slice(text.as_bytes()))
    }
}

impl From<Bytes> for Payload<'_> {
    fn from(bytes: Bytes) -> Self {
        Self(Repr::Shared(bytes))
    }
}

impl From<Vec<u8>> for Payload<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Repr::Shared(Bytes::from(bytes)))
    }
}

impl PartialEq for Payload<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Payload<'_> {}

/// Shows the length only.
impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_number_needs_no_allocation() {
        let number = Payload::integer(i128::MIN);
        assert_eq!(number.as_slice(), i128::MIN.to_string().as_bytes());
        assert!(matches!(number.0, Repr::Inline { .. }));
        let float = Payload::format(format_args!("{:?}", -f64::MIN_POSITIVE));
        assert_eq!(float.as_slice(), b"-2.2250738585072014e-308");
        assert!(matches!(float.0, Repr::Inline { .. }));
    }

    #[test]
    fn longer_text_is_allocated() {
        let text = "x".repeat(INLINE + 1);
        let payload = Payload::format(format_args!("{text}"));
        assert_eq!(payload.as_slice(), text.as_bytes());
        assert_eq!(Payload::inline(text.as_bytes()), payload);
    }

    #[test]
    fn debug_shows_no_bytes() {
        assert_eq!(format!("{:?}", Payload::from("secret")), "Payload(6 bytes)");
    }

    #[test]
    fn shared_bytes_are_not_copied() {
        let bytes = Bytes::from(vec![7; 100]);
        let payload = Payload::from(bytes.clone()).into_owned();
        assert_eq!(payload.into_bytes().as_ptr(), bytes.as_ptr());
    }
}
