//! Keys: whoever holds a [`Key`] holds bytes that memcached takes as one word.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};

/// The longest key memcached accepts, in bytes (`KEY_MAX_LENGTH` of its protocol.txt: 250).
pub const MAX_KEY_LENGTH: usize = 250;

/// The longest key of arbitrary bytes: what base64 makes 250 bytes or fewer of.
pub const MAX_BINARY_KEY_LENGTH: usize = MAX_KEY_LENGTH / 4 * 3;

/// A legal memcached key, borrowed from the caller.
///
/// A key is 1 to 250 *bytes* (not characters), none of them a space, a control character or DEL.
/// Memcached itself lets some control characters pass, and a line break in a key would let its
/// holder run commands of their own; so the check is stricter than the server's, and it happens
/// before a single byte is written.
///
/// A key can carry an explicit hash. Then the server is chosen by that number instead of by the
/// key's bytes, which puts related keys on one server (the `(hash, key)` tuples of Python's
/// memcache module).
///
/// ```
/// use memlens::Key;
///
/// let key = Key::new(b"user:42")?;
/// assert_eq!(key.as_bytes(), b"user:42");
/// assert!(Key::new(b"two words").is_err());
/// assert!(Key::new(&[b'k'; 251]).is_err());
/// # Ok::<(), memlens::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    bytes: &'a [u8],
    hash: Option<u64>,
    is_binary: bool,
}

impl<'a> Key<'a> {
    /// Checks `bytes` and wraps them.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when they are no legal key. The
    /// error tells the length and the offending byte's position, never the key itself.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        // Without an early exit, so that many bytes are looked at in one instruction.
        let is_legal = bytes.iter().fold(true, |all, byte| all & is_legal(*byte));
        if bytes.is_empty() || bytes.len() > MAX_KEY_LENGTH || !is_legal {
            return Err(invalid(bytes));
        }
        Ok(Self {
            bytes,
            hash: None,
            is_binary: false,
        })
    }

    /// A key of arbitrary bytes, 1 to 186 of them.
    ///
    /// It travels as base64, which only the meta commands can do (their flag `b`); the server keeps
    /// the bytes themselves. Other commands refuse it with an error.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when it is empty or too long.
    pub fn binary(bytes: &'a [u8]) -> Result<Self> {
        if bytes.is_empty() || bytes.len() > MAX_BINARY_KEY_LENGTH {
            return Err(Error::invalid_key(format!(
                "a binary key has 1 to {MAX_BINARY_KEY_LENGTH} bytes; this one has {}",
                bytes.len()
            )));
        }
        Ok(Self {
            bytes,
            hash: None,
            is_binary: true,
        })
    }

    /// Whether it was made by [`Key::binary`].
    #[must_use]
    pub const fn is_binary(self) -> bool {
        self.is_binary
    }

    /// The same key, sent to the server that `hash` selects.
    #[must_use]
    pub const fn with_hash(self, hash: u64) -> Self {
        Self {
            hash: Some(hash),
            ..self
        }
    }

    /// The key's bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The explicit hash, when there is one.
    #[must_use]
    pub const fn hash(self) -> Option<u64> {
        self.hash
    }
}

/// Shows the length only: keys can hold personal data and end up in logs.
impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("len", &self.bytes.len())
            .field("hash", &self.hash)
            .finish()
    }
}

/// Whether a byte may stand in a key: above the space and not DEL.
#[inline]
pub(crate) const fn is_legal(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}

#[cold]
fn invalid(bytes: &[u8]) -> Error {
    if bytes.is_empty() {
        return Error::invalid_key("a key needs at least one byte");
    }
    if bytes.len() > MAX_KEY_LENGTH {
        return too_long(bytes.len(), MAX_KEY_LENGTH);
    }
    let at = bytes.iter().position(|b| !is_legal(*b)).unwrap_or_default();
    Error::invalid_key(format!(
        "a key must not hold spaces or control characters: byte 0x{:02x} at position {at}",
        bytes[at]
    ))
}

/// The error for a key that is too long, its namespace counted.
#[cold]
pub(crate) fn too_long(length: usize, longest: usize) -> Error {
    Error::invalid_key(format!(
        "the key has {length} bytes, namespace included; memcached takes {longest}"
    ))
}

/// What can be used as a key: text, bytes, a [`Key`], or a `(hash, key)` pair.
///
/// ```
/// use memlens::ToKey;
///
/// assert_eq!("user:42".to_key()?.as_bytes(), b"user:42");
/// assert_eq!((7, "user:42").to_key()?.hash(), Some(7));
/// # Ok::<(), memlens::Error>(())
/// ```
pub trait ToKey {
    /// Borrows `self` as a checked key.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when it is no legal key.
    fn to_key(&self) -> Result<Key<'_>>;
}

impl ToKey for Key<'_> {
    fn to_key(&self) -> Result<Key<'_>> {
        Ok(*self)
    }
}

impl<T: ToKey + ?Sized> ToKey for &T {
    #[inline]
    fn to_key(&self) -> Result<Key<'_>> {
        T::to_key(self)
    }
}

/// `(hash, key)`: the server is chosen by `hash`.
impl<T: ToKey> ToKey for (u64, T) {
    fn to_key(&self) -> Result<Key<'_>> {
        Ok(self.1.to_key()?.with_hash(self.0))
    }
}

impl<const N: usize> ToKey for [u8; N] {
    #[inline]
    fn to_key(&self) -> Result<Key<'_>> {
        Key::new(self)
    }
}

macro_rules! to_key_of_bytes {
    ($($type:ty),+ $(,)?) => {$(
        impl ToKey for $type {
            #[inline]
            fn to_key(&self) -> Result<Key<'_>> {
                Key::new(AsRef::<[u8]>::as_ref(self))
            }
        }
    )+};
}
to_key_of_bytes!(
    str,
    String,
    [u8],
    Vec<u8>,
    Box<[u8]>,
    Arc<[u8]>,
    bytes::Bytes
);

macro_rules! to_key_of_text {
    ($($type:ty),+ $(,)?) => {$(
        impl ToKey for $type {
            #[inline]
            fn to_key(&self) -> Result<Key<'_>> {
                Key::new(self.as_bytes())
            }
        }
    )+};
}
to_key_of_text!(Box<str>, Arc<str>, Cow<'_, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_position() {
        for byte in 0..=u8::MAX {
            let legal = byte > 0x20 && byte != 0x7f;
            for (length, position) in
                (1..20).flat_map(|length| (0..length).map(move |at| (length, at)))
            {
                for others in [b'a', b'!', b'~', 0x80, 0xff] {
                    let mut key = vec![others; length];
                    key[position] = byte;
                    assert_eq!(
                        Key::new(&key).is_ok(),
                        legal,
                        "byte {byte:#x} at {position} of {length}"
                    );
                }
            }
        }
    }

    #[test]
    fn length_counts_bytes() {
        assert!(Key::new(b"").is_err());
        assert!(Key::new(&[b'k'; 250]).is_ok());
        assert!(Key::new(&[b'k'; 251]).is_err());
        let umlauts = "ü".repeat(125);
        assert!(umlauts.to_key().is_ok());
        assert!(format!("{umlauts}x").to_key().is_err());
    }

    #[test]
    fn errors_and_debug_keep_the_key_to_themselves() {
        let error = Key::new(b"secret key").unwrap_err();
        assert!(error.is_invalid_input());
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().contains("0x20 at position 6"), "{error}");
        let shown = format!("{:?}", Key::new(b"secret").unwrap());
        assert!(
            !shown.contains("secret") && !shown.contains("115"),
            "{shown}"
        );
    }

    #[test]
    fn tuples_carry_their_hash() {
        let key = (5, "k".to_owned());
        assert_eq!(key.to_key().unwrap(), Key::new(b"k").unwrap().with_hash(5));
    }
}
