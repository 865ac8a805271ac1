//! What other clients do with keys that are too long.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use blake2::Blake2b;
use blake2::digest::consts::U18;
use md5::{Digest as _, Md5};
use sha1::Sha1;

use super::Namespace;
use crate::error::{Error, Result};
use crate::key::{Key, MAX_BINARY_KEY_LENGTH, MAX_KEY_LENGTH, ToKey};

/// What a client does with a key that is too long for memcached.
///
/// Most refuse it, as memlens does. Some store the item under another key, and who wants to find
/// it has to do the same:
///
/// ```
/// use memlens::config::{KeyProfile, Namespace};
/// use memlens::ToKey;
///
/// let long = "k".repeat(300);
/// let rewritten = KeyProfile::DALLI.rewrite(&Namespace::default(), long.as_bytes())?;
/// assert_eq!(rewritten.as_bytes().len(), 249);
/// let key = rewritten.to_key()?;
/// # let _ = key;
/// # Ok::<(), memlens::Error>(())
/// ```
///
/// The namespace is an argument because these clients count and hash it. It is part of what comes
/// back, so the memlens client that is given the rewritten key must have no namespace of its own.
///
/// | profile | a key is too long from | and becomes |
/// |---|---|---|
/// | [`PLAIN`](Self::PLAIN) | 251 bytes | an error: also python-memcached, pymemcache, pylibmc, Cache::Memcached, memjs |
/// | [`DALLI`](Self::DALLI) | 251 characters | its beginning, `:md5:` and the MD5 of all of it |
/// | [`DALLI_SHA1`](Self::DALLI_SHA1) | 251 characters | the same with SHA-1; still called `:md5:` |
/// | [`NPM_MEMCACHED`](Self::NPM_MEMCACHED) | 251 UTF-16 units | its MD5 |
/// | [`META_MEMCACHE`](Self::META_MEMCACHE) | 187 bytes | 18 bytes of BLAKE2b, as a binary key |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyProfile {
    name: &'static str,
    /// The longest key that is left as it is, namespace included.
    longest: usize,
    unit: Unit,
    rewrite: Rewrite,
}

/// What a client counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Bytes,
    Characters,
    Utf16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rewrite {
    /// Nothing: the key is then refused for its length.
    Keep,
    /// The beginning, `:md5:`, and the digest in hexadecimal.
    Shorten(Digest),
    /// The digest in hexadecimal.
    Replace(Digest),
    /// 18 bytes of BLAKE2b.
    Blake2b,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    Md5,
    Sha1,
}

/// dalli calls every digest so.
const DALLI_MARK: &str = ":md5:";

/// The length to which dalli shortens a key that has no namespace; with one, it is 1 more.
const DALLI_LENGTH: usize = 249;

impl KeyProfile {
    /// Keys stay as they are, and what is too long is refused.
    pub const PLAIN: Self = Self {
        name: "plain",
        longest: MAX_KEY_LENGTH,
        unit: Unit::Bytes,
        rewrite: Rewrite::Keep,
    };
    /// dalli. It puts a colon between namespace and key: write it into the [`Namespace`].
    pub const DALLI: Self = Self {
        name: "dalli",
        longest: MAX_KEY_LENGTH,
        unit: Unit::Characters,
        rewrite: Rewrite::Shorten(Digest::Md5),
    };
    /// dalli with `digest_class: Digest::SHA1`.
    pub const DALLI_SHA1: Self = Self {
        name: "dalli-sha1",
        rewrite: Rewrite::Shorten(Digest::Sha1),
        ..Self::DALLI
    };
    /// The npm package memcached. Keys with `$&` and its like are beyond imitation: it takes them for
    /// replacement patterns of JavaScript and stores the item somewhere else.
    pub const NPM_MEMCACHED: Self = Self {
        name: "npm-memcached",
        longest: MAX_KEY_LENGTH,
        unit: Unit::Utf16,
        rewrite: Rewrite::Replace(Digest::Md5),
    };
    /// meta-memcache.
    pub const META_MEMCACHE: Self = Self {
        name: "meta-memcache",
        longest: MAX_BINARY_KEY_LENGTH,
        unit: Unit::Bytes,
        rewrite: Rewrite::Blake2b,
    };

    const ALL: &'static [Self] = &[
        Self::PLAIN,
        Self::DALLI,
        Self::DALLI_SHA1,
        Self::NPM_MEMCACHED,
        Self::META_MEMCACHE,
    ];

    /// Every profile.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        Self::ALL
    }

    /// The name under which [`FromStr`] finds this profile.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The key under which this client stores an item, namespace included.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when the client refuses the key, or
    /// when the server would refuse what the client makes of it.
    pub fn rewrite<'a>(&self, namespace: &Namespace, key: &'a [u8]) -> Result<RewrittenKey<'a>> {
        let whole = if namespace.is_empty() {
            Cow::Borrowed(key)
        } else {
            Cow::Owned([namespace.as_bytes(), key].concat())
        };
        if self.unit.count(&whole) <= self.longest {
            return RewrittenKey::text(whole);
        }
        match self.rewrite {
            Rewrite::Keep => RewrittenKey::text(whole),
            Rewrite::Replace(digest) => {
                RewrittenKey::text(Cow::Owned(digest.hex(&whole).into_bytes()))
            }
            Rewrite::Shorten(digest) => {
                let tail = [DALLI_MARK, &digest.hex(&whole)].concat();
                let length = DALLI_LENGTH + usize::from(!namespace.is_empty());
                let kept = length.saturating_sub(tail.len());
                let head = &whole[..self.unit.offset(&whole, kept)];
                RewrittenKey::text(Cow::Owned([head, tail.as_bytes()].concat()))
            }
            Rewrite::Blake2b => Ok(RewrittenKey {
                bytes: Cow::Owned(Blake2b::<U18>::digest(&whole).to_vec()),
                is_binary: true,
            }),
        }
    }
}

impl Unit {
    /// Bytes that are no UTF-8 count one each, as they do in Ruby.
    fn count(self, text: &[u8]) -> usize {
        match self {
            Self::Bytes => text.len(),
            Self::Characters => self.steps(text).count(),
            Self::Utf16 => self.steps(text).map(|(_, units)| units).sum(),
        }
    }

    /// Where the first `count` units end.
    fn offset(self, text: &[u8], count: usize) -> usize {
        match self {
            Self::Bytes => count.min(text.len()),
            _ => self.steps(text).take(count).map(|(bytes, _)| bytes).sum(),
        }
    }

    /// The bytes and the UTF-16 units of each character.
    fn steps(self, text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
        text.utf8_chunks().flat_map(|chunk| {
            let characters = chunk.valid().chars().map(|c| (c.len_utf8(), c.len_utf16()));
            characters.chain(chunk.invalid().iter().map(|_| (1, 1)))
        })
    }
}

impl Digest {
    fn hex(self, text: &[u8]) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha1 => hex(&Sha1::digest(text)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A key as another client would send it.
#[derive(Clone, PartialEq, Eq)]
pub struct RewrittenKey<'a> {
    bytes: Cow<'a, [u8]>,
    is_binary: bool,
}

impl<'a> RewrittenKey<'a> {
    fn text(bytes: Cow<'a, [u8]>) -> Result<Self> {
        Key::new(&bytes)?;
        Ok(Self {
            bytes,
            is_binary: false,
        })
    }

    /// The bytes of the key as it lies on the server.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether only the meta commands can send it, in base64.
    #[must_use]
    pub const fn is_binary(&self) -> bool {
        self.is_binary
    }
}

impl ToKey for RewrittenKey<'_> {
    fn to_key(&self) -> Result<Key<'_>> {
        if self.is_binary {
            Key::binary(&self.bytes)
        } else {
            Key::new(&self.bytes)
        }
    }
}

/// Shows the length only.
impl fmt::Debug for RewrittenKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RewrittenKey")
            .field("len", &self.bytes.len())
            .field("is_binary", &self.is_binary)
            .finish()
    }
}

impl fmt::Display for KeyProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// [`KeyProfile::PLAIN`].
impl Default for KeyProfile {
    fn default() -> Self {
        Self::PLAIN
    }
}

/// Finds a profile by its [`name`](KeyProfile::name).
impl FromStr for KeyProfile {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let mut profiles = Self::ALL.iter();
        let found = profiles.find(|profile| profile.name == name).copied();
        found.ok_or_else(|| Error::invalid_input("there is no key profile of this name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        let text = "aé€🌍".as_bytes();
        assert_eq!(Unit::Bytes.count(text), 10);
        assert_eq!(Unit::Characters.count(text), 4);
        assert_eq!(Unit::Utf16.count(text), 5);
        assert_eq!(Unit::Characters.offset(text, 3), 6);
        assert_eq!(Unit::Characters.offset(text, 9), 10);
        assert_eq!(Unit::Bytes.offset(text, 99), 10);
        assert_eq!(Unit::Characters.count(b"a\xff\xc3"), 3);
    }

    #[test]
    fn only_meta_memcache_makes_binary_keys() {
        let namespace = Namespace::new("ns:").unwrap();
        for profile in KeyProfile::all() {
            let long = profile.rewrite(&namespace, &[b'k'; 300]);
            let is_binary = long.is_ok_and(|key| key.is_binary());
            assert_eq!(
                is_binary,
                *profile == KeyProfile::META_MEMCACHE,
                "{profile}"
            );
        }
    }

    #[test]
    fn illegal_keys_stay_illegal() {
        for profile in KeyProfile::all() {
            for key in [&b""[..], b"two words", b"line\r\nbreak"] {
                let error = profile.rewrite(&Namespace::default(), key).unwrap_err();
                assert!(error.is_invalid_input());
            }
        }
    }

    #[test]
    fn names_read_back() {
        for profile in KeyProfile::all() {
            assert_eq!(profile.name().parse::<KeyProfile>().unwrap(), *profile);
        }
        assert!("dalli-sha256".parse::<KeyProfile>().is_err());
    }
}
