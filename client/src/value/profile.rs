//! What a profile is made of, and how one is found by its name.

use std::fmt;
use std::str::FromStr;

use super::compression::Method;
use super::datum::Datum;
use super::form::Form;
use super::profiles;
use crate::error::{Error, Result};

/// How a client marks and writes the values it stores.
///
/// A profile is named after the client that a cluster is shared with. The same flag bits mean
/// different things to different clients, so there is no profile that reads them all.
///
/// | profile | flags |
/// |---|---|
/// | [`PLAIN`](Self::PLAIN) | 0: text and bytes as they are, numbers in decimal |
/// | [`PYTHON_MEMCACHED`](Self::PYTHON_MEMCACHED) | pickle 1, integer 2 or 4, zlib 8, text 16 |
/// | [`PYMEMCACHE`](Self::PYMEMCACHE) | 0: Python's `str()` of the value |
/// | [`PYMEMCACHE_SERDE`](Self::PYMEMCACHE_SERDE) | as python-memcached |
/// | [`PYLIBMC`](Self::PYLIBMC) | pickle 1, bool 2, integer 4, zlib 8, text 16 |
/// | [`META_MEMCACHE`](Self::META_MEMCACHE) | text 0, pickle 1, integer 2 or 4, zlib 8, bytes 16, zstd 32 |
/// | [`PYTHON_BINARY_MEMCACHED`](Self::PYTHON_BINARY_MEMCACHED) | the same without zstd |
/// | [`DALLI`](Self::DALLI) | Marshal 1, zlib or gzip 2, text 4 |
/// | [`DALLI_RAW`](Self::DALLI_RAW) | as dalli, but written as text with flags 0 |
/// | [`PHP_MEMCACHED`](Self::PHP_MEMCACHED) | the type in 4 bits; compressed 16 with zlib 32, FastLZ 64 or zstd 128 |
/// | [`SPYMEMCACHED`](Self::SPYMEMCACHED) | the type in bits 8 to 15; Java object 1, gzip 2 |
/// | [`CACHE_MEMCACHED`](Self::CACHE_MEMCACHED) | Storable 1, gzip 2 |
/// | [`CACHE_MEMCACHED_FAST`](Self::CACHE_MEMCACHED_FAST) | the same, and UTF-8 text 4 |
/// | [`NPM_MEMCACHED`](Self::NPM_MEMCACHED) | JSON 2, Buffer 4, number 8 |
/// | [`RUST_MEMCACHE_EXP`](Self::RUST_MEMCACHE_EXP) | integer 2, text 16, JSON 32 |
///
/// What only the client itself can read (pickled or marshalled objects, Storable, Java
/// serialization, igbinary, msgpack) is read as [`Datum::Opaque`]; every other type refuses it with
/// [`ErrorKind::Decode`](crate::ErrorKind::Decode).
///
/// ```
/// use memlens::value::ValueProfile;
///
/// let profile: ValueProfile = "php-memcached".parse()?;
/// assert_eq!(profile, ValueProfile::PHP_MEMCACHED);
/// # Ok::<(), memlens::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct ValueProfile(pub(super) &'static Layout);

/// A profile as data.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) name: &'static str,
    /// Which flags say that a value is compressed, and how. The first that matches counts, and its
    /// bits are cleared before `read` is asked.
    pub(super) unpack: &'static [Unpack],
    /// Which flags say what. The first that matches counts.
    pub(super) read: &'static [Read],
    pub(super) write: Write,
    /// The flags to add to a compressed value, and how it is compressed.
    pub(super) pack: Option<(u32, Method)>,
}

/// A value with `flags & mask == bits` is compressed by `method`.
#[derive(Debug)]
pub(super) struct Unpack {
    pub(super) mask: u32,
    pub(super) bits: u32,
    pub(super) method: Method,
}

/// A value with `flags & mask == bits` has this form.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) mask: u32,
    pub(super) bits: u32,
    pub(super) form: Form,
}

/// The flags and the form in which a kind of value is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) flags: u32,
    pub(super) form: Form,
}

/// How each kind of value is stored; `None` where the client has no way.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) null: Option<Mark>,
    pub(super) bool: Option<Mark>,
    pub(super) int32: Mark,
    pub(super) integer: Mark,
    pub(super) float32: Mark,
    pub(super) float: Mark,
    pub(super) text: Mark,
    /// For text that is not only ASCII, if that makes a difference.
    pub(super) non_ascii_text: Option<Mark>,
    pub(super) bytes: Mark,
    pub(super) json: Mark,
}

impl Layout {
    /// What the flags, those of compression cleared, say about the bytes.
    pub(super) fn form(&self, flags: u32) -> Form {
        let mut forms = self.read.iter();
        let found = forms.find(|read| flags & read.mask == read.bits);
        found.map_or(UNKNOWN, |read| read.form)
    }
}

/// For flags that no rule of a profile covers.
const UNKNOWN: Form = Form::Unreadable("a value with flags that its client does not use");

impl Write {
    /// `None` for what cannot be stored at all.
    pub(super) fn mark(&self, datum: &Datum<'_>) -> Option<Mark> {
        match datum {
            Datum::Null => self.null,
            Datum::Bool(_) => self.bool,
            Datum::Int32(_) => Some(self.int32),
            Datum::Integer(_) => Some(self.integer),
            Datum::Float32(_) => Some(self.float32),
            Datum::Float(_) => Some(self.float),
            Datum::Text(payload) => match self.non_ascii_text {
                Some(mark) if !payload.as_slice().is_ascii() => Some(mark),
                _ => Some(self.text),
            },
            Datum::Bytes(_) => Some(self.bytes),
            Datum::Json(_) => Some(self.json),
            Datum::Opaque { .. } => None,
        }
    }
}

impl ValueProfile {
    /// Every profile.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        profiles::ALL
    }

    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::all()
            .iter()
            .find(|profile| profile.name() == name)
            .copied()
    }

    /// The name under which [`FromStr`] finds this profile, as in `?values=php-memcached`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Whether this client compresses values in a way that memlens can write.
    #[must_use]
    pub const fn can_compress(self) -> bool {
        self.0.pack.is_some()
    }
}

/// [`ValueProfile::PLAIN`].
impl Default for ValueProfile {
    fn default() -> Self {
        Self::PLAIN
    }
}

impl PartialEq for ValueProfile {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for ValueProfile {}

impl fmt::Debug for ValueProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValueProfile({})", self.name())
    }
}

impl fmt::Display for ValueProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Finds a profile by its [`name`](ValueProfile::name).
impl FromStr for ValueProfile {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::find(name)
            .ok_or_else(|| Error::invalid_input("there is no value profile of this name"))
    }
}
