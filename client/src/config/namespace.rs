//! What stands in front of every key.

use std::fmt;

use super::address::Reason;
use crate::error::{Error, Result};
use crate::key::{Key, MAX_KEY_LENGTH};

/// What stands in front of every key of a client, so that several applications can share servers.
///
/// It is part of the key on the server: it counts towards the 250 bytes a key may have, and the
/// ring hashes it. It is taken as it is; most people end it with a colon. Two clients with different
/// namespaces never see each other's items, but `flush_all` and eviction know no namespaces.
///
/// ```
/// use memlens::config::Namespace;
///
/// let namespace = Namespace::new("app1:")?;
/// assert_eq!(namespace.as_bytes(), b"app1:");
/// assert!(Namespace::new("two words:").is_err());
/// # Ok::<(), memlens::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Namespace(Box<[u8]>);

impl Namespace {
    /// Checks `prefix`. An empty one is no namespace at all, which is the default.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when it holds bytes that no key
    /// may have, or leaves no room for a key: 249 bytes are the most.
    pub fn new(prefix: impl AsRef<[u8]>) -> Result<Self> {
        Self::check(prefix.as_ref()).map_err(Error::invalid_input)
    }

    pub(super) fn check(prefix: &[u8]) -> Result<Self, Reason> {
        if prefix.len() >= MAX_KEY_LENGTH {
            return Err(format!(
                "a namespace of {} bytes leaves no room for a key of at most {MAX_KEY_LENGTH}",
                prefix.len()
            )
            .into());
        }
        if !prefix.is_empty() && Key::new(prefix).is_err() {
            return Err("a namespace must not hold spaces or control characters".into());
        }
        Ok(Self(prefix.into()))
    }

    /// The bytes in front of every key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is no namespace.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A namespace is a setting, not somebody's data, so it is shown.
impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Namespace(\"{}\")", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_stand_in_front_of_a_key() {
        for prefix in [
            &b""[..],
            b"app1:",
            "über:".as_bytes(),
            b"\xff\x80",
            &[b'x'; 249],
        ] {
            assert_eq!(Namespace::new(prefix).unwrap().as_bytes(), prefix);
        }
        for prefix in [&b" "[..], b"a b", b"a\r\n", b"a\0", b"\x7f", &[b'x'; 250]] {
            assert!(Namespace::new(prefix).is_err(), "{}", prefix.escape_ascii());
        }
    }

    #[test]
    fn debug_escapes() {
        let namespace = Namespace::new(b"a:\xff").unwrap();
        assert_eq!(format!("{namespace:?}"), r#"Namespace("a:\xff")"#);
    }
}
