//! The profiles: which flags each client sets for which kind of value.
//!
//! Every constant is a fact about a client, taken from its source and checked against items that it
//! really stored (`tests/data/values`).

use super::compression::Method;
use super::form::Form;
use super::profile::{Layout, Mark, Read, Unpack, ValueProfile, Write};

pub(super) const ALL: &[ValueProfile] = &[
    ValueProfile::PLAIN,
    ValueProfile::PYTHON_MEMCACHED,
    ValueProfile::PYMEMCACHE,
    ValueProfile::PYMEMCACHE_SERDE,
    ValueProfile::PYLIBMC,
    ValueProfile::META_MEMCACHE,
    ValueProfile::PYTHON_BINARY_MEMCACHED,
    ValueProfile::DALLI,
    ValueProfile::DALLI_RAW,
    ValueProfile::PHP_MEMCACHED,
    ValueProfile::SPYMEMCACHED,
    ValueProfile::CACHE_MEMCACHED,
    ValueProfile::CACHE_MEMCACHED_FAST,
    ValueProfile::NPM_MEMCACHED,
    ValueProfile::RUST_MEMCACHE_EXP,
];

/// A value of which all of `mask`'s bits are set.
const fn set(mask: u32, form: Form) -> Read {
    Read {
        mask,
        bits: mask,
        form,
    }
}

/// A value whose flags under `mask` are `bits`.
const fn is(mask: u32, bits: u32, form: Form) -> Read {
    Read { mask, bits, form }
}

/// Every other value.
const fn otherwise(form: Form) -> Read {
    Read {
        mask: 0,
        bits: 0,
        form,
    }
}

const fn packed(mask: u32, method: Method) -> Unpack {
    Unpack {
        mask,
        bits: mask,
        method,
    }
}

const fn mark(flags: u32, form: Form) -> Mark {
    Mark { flags, form }
}

const NO_FLAGS: u32 = u32::MAX;

/// Everything as it is, with flags 0.
const VERBATIM: Write = Write {
    null: None,
    bool: Some(mark(
        0,
        Form::Words {
            yes: "true",
            no: "false",
        },
    )),
    int32: mark(0, Form::Bytes),
    integer: mark(0, Form::Bytes),
    float32: mark(0, Form::Bytes),
    float: mark(0, Form::Bytes),
    text: mark(0, Form::Bytes),
    non_ascii_text: None,
    bytes: mark(0, Form::Bytes),
    json: mark(0, Form::Bytes),
};

const PLAIN: Layout = Layout {
    name: "plain",
    unpack: &[packed(8, Method::ZlibIfItLooksLikeOne)],
    read: &[otherwise(Form::Bytes)],
    write: VERBATIM,
    pack: Some((8, Method::Zlib)),
};

const PYTHON_MEMCACHED: Layout = Layout {
    name: "python-memcached",
    unpack: &[packed(8, Method::Zlib)],
    read: &[
        set(16, Form::Text),
        set(2, Form::Decimal),
        set(4, Form::Decimal),
        set(1, Form::Pickle),
        is(NO_FLAGS, 0, Form::Bytes),
    ],
    write: PYTHON_WRITE,
    pack: Some((8, Method::Zlib)),
};

const PYTHON_WRITE: Write = Write {
    null: Some(mark(1, Form::Pickle)),
    bool: Some(mark(1, Form::Pickle)),
    int32: mark(2, Form::Decimal),
    integer: mark(2, Form::Decimal),
    float32: mark(1, Form::Pickle),
    float: mark(1, Form::Pickle),
    text: mark(16, Form::Text),
    non_ascii_text: None,
    bytes: mark(0, Form::Bytes),
    json: mark(16, Form::Text),
};

const PYMEMCACHE: Layout = Layout {
    name: "pymemcache",
    unpack: &[],
    read: &[otherwise(Form::Bytes)],
    write: Write {
        null: Some(mark(0, Form::Fixed("None"))),
        bool: Some(mark(
            0,
            Form::Words {
                yes: "True",
                no: "False",
            },
        )),
        ..VERBATIM
    },
    pack: None,
};

const PYMEMCACHE_SERDE: Layout = Layout {
    name: "pymemcache-serde",
    ..PYTHON_MEMCACHED
};

const PYLIBMC: Layout = Layout {
    name: "pylibmc",
    unpack: &[packed(8, Method::Zlib)],
    read: &[
        set(16, Form::Text),
        set(2, Form::Words { yes: "1", no: "0" }),
        set(4, Form::Decimal),
        set(1, Form::Pickle),
        is(NO_FLAGS, 0, Form::Bytes),
    ],
    write: Write {
        bool: Some(mark(2, Form::Words { yes: "1", no: "0" })),
        int32: mark(4, Form::Decimal),
        integer: mark(4, Form::Decimal),
        ..PYTHON_WRITE
    },
    pack: Some((8, Method::Zlib)),
};

/// Its bit 16 says bytes, where the other Python clients' says text.
const META_MEMCACHE: Layout = Layout {
    name: "meta-memcache",
    unpack: &[
        packed(8, Method::Zlib),
        packed(32, Method::ZstdWithoutMagic),
    ],
    read: META_READ,
    write: META_WRITE,
    pack: Some((8, Method::Zlib)),
};

const META_READ: &[Read] = &[
    set(1, Form::Pickle),
    set(2, Form::Decimal),
    set(4, Form::Decimal),
    set(16, Form::Bytes),
    is(NO_FLAGS, 0, Form::Text),
];

const META_WRITE: Write = Write {
    text: mark(0, Form::Text),
    bytes: mark(16, Form::Bytes),
    json: mark(0, Form::Text),
    ..PYTHON_WRITE
};

const PYTHON_BINARY_MEMCACHED: Layout = Layout {
    name: "python-binary-memcached",
    unpack: &[packed(8, Method::Zlib)],
    ..META_MEMCACHE
};

const DALLI: Layout = Layout {
    name: "dalli",
    unpack: &[packed(2, Method::ZlibOrGzip)],
    read: &[
        set(1, Form::Marshal),
        set(4, Form::Text),
        is(NO_FLAGS, 0, Form::Bytes),
    ],
    write: Write {
        null: Some(mark(1, Form::Marshal)),
        bool: Some(mark(1, Form::Marshal)),
        int32: mark(1, Form::Marshal),
        integer: mark(1, Form::Marshal),
        float32: mark(1, Form::Marshal),
        float: mark(1, Form::Marshal),
        text: mark(1, Form::Marshal),
        non_ascii_text: None,
        bytes: mark(1, Form::Marshal),
        json: mark(1, Form::Marshal),
    },
    pack: Some((2, Method::ZlibOrGzip)),
};

const DALLI_RAW: Layout = Layout {
    name: "dalli-raw",
    write: Write {
        null: Some(mark(0, Form::Fixed(""))),
        ..VERBATIM
    },
    ..DALLI
};

/// The type lies in the lower four bits (`MEMC_VAL_TYPE_MASK`); the upper 16 are the user's.
const PHP_MEMCACHED: Layout = Layout {
    name: "php-memcached",
    unpack: &[
        packed(16 | 32, Method::LengthThenZlib),
        packed(16 | 64, Method::LengthThenFastLz),
        packed(16 | 128, Method::LengthThenZstd),
    ],
    read: &[
        is(0xf, 0, Form::Bytes),
        is(0xf, 1, Form::Decimal),
        is(0xf, 2, Form::DecimalFloat),
        is(0xf, 3, Form::Words { yes: "1", no: "" }),
        is(0xf, 4, Form::PhpSerialized),
        is(0xf, 5, Form::Unreadable("an igbinary value")),
        is(0xf, 6, Form::Json),
        is(0xf, 7, Form::Unreadable("a msgpack value")),
    ],
    write: Write {
        null: Some(mark(4, Form::PhpSerialized)),
        bool: Some(mark(3, Form::Words { yes: "1", no: "" })),
        int32: mark(1, Form::Decimal64),
        integer: mark(1, Form::Decimal64),
        float32: mark(2, Form::DecimalFloat),
        float: mark(2, Form::DecimalFloat),
        json: mark(6, Form::Json),
        ..VERBATIM
    },
    pack: Some((16 | 32, Method::LengthThenZlib)),
};

/// `SerializingTranscoder`: the type lies under `SPECIAL_MASK`, 0xff00.
const SPYMEMCACHED: Layout = Layout {
    name: "spymemcached",
    unpack: &[packed(2, Method::Gzip)],
    read: &[
        set(1, Form::Unreadable("a serialized Java object")),
        is(0xff00, 0x000, Form::Text),
        is(0xff00, 0x100, Form::Words { yes: "1", no: "0" }),
        is(0xff00, 0x200, Form::BigEndianInt32),
        is(0xff00, 0x300, Form::BigEndianInt64),
        // A date: milliseconds since 1970.
        is(0xff00, 0x400, Form::BigEndianInt64),
        is(0xff00, 0x500, Form::BigEndianInt8),
        is(0xff00, 0x600, Form::BigEndianFloat32),
        is(0xff00, 0x700, Form::BigEndianFloat64),
        is(0xff00, 0x800, Form::Bytes),
    ],
    write: Write {
        null: None,
        bool: Some(mark(0x100, Form::Words { yes: "1", no: "0" })),
        int32: mark(0x200, Form::BigEndianInt32),
        integer: mark(0x300, Form::BigEndianInt64),
        float32: mark(0x600, Form::BigEndianFloat32),
        float: mark(0x700, Form::BigEndianFloat64),
        text: mark(0, Form::Text),
        non_ascii_text: None,
        bytes: mark(0x800, Form::Bytes),
        json: mark(0, Form::Text),
    },
    pack: Some((2, Method::Gzip)),
};

/// Perl has no truth values; 1 and 0 are what it tests for.
const CACHE_MEMCACHED: Layout = Layout {
    name: "perl-cache-memcached",
    unpack: &[packed(2, Method::Gzip)],
    read: &[
        set(1, Form::Unreadable("a Perl Storable image")),
        set(4, Form::Text),
        is(NO_FLAGS, 0, Form::Bytes),
    ],
    write: Write {
        bool: Some(mark(0, Form::Words { yes: "1", no: "0" })),
        ..VERBATIM
    },
    pack: Some((2, Method::Gzip)),
};

const CACHE_MEMCACHED_FAST: Layout = Layout {
    name: "perl-cache-memcached-fast",
    write: Write {
        non_ascii_text: Some(mark(4, Form::Text)),
        ..CACHE_MEMCACHED.write
    },
    ..CACHE_MEMCACHED
};

const NPM_MEMCACHED: Layout = Layout {
    name: "npm-memcached",
    unpack: &[],
    read: &[
        set(2, Form::Json),
        set(4, Form::Latin1InUtf8),
        set(8, Form::DecimalNumber),
        is(NO_FLAGS, 0, Form::Text),
    ],
    write: Write {
        null: Some(mark(2, Form::Json)),
        bool: Some(mark(
            2,
            Form::Words {
                yes: "true",
                no: "false",
            },
        )),
        int32: mark(8, Form::DecimalNumber),
        integer: mark(8, Form::DecimalNumber),
        float32: mark(8, Form::DecimalNumber),
        float: mark(8, Form::DecimalNumber),
        text: mark(0, Form::Text),
        non_ascii_text: None,
        bytes: mark(4, Form::Latin1InUtf8),
        json: mark(2, Form::Json),
    },
    pack: None,
};

/// Its readers ignore the flags, so unknown ones hide nothing.
const RUST_MEMCACHE_EXP: Layout = Layout {
    name: "rust-memcache-exp",
    unpack: &[],
    read: &[
        set(32, Form::Json),
        set(16, Form::Text),
        set(2, Form::Decimal),
        otherwise(Form::Bytes),
    ],
    write: Write {
        null: Some(mark(32, Form::Json)),
        bool: Some(mark(
            32,
            Form::Words {
                yes: "true",
                no: "false",
            },
        )),
        int32: mark(2, Form::Decimal),
        integer: mark(2, Form::Decimal),
        float32: mark(32, Form::Json),
        float: mark(32, Form::Json),
        text: mark(16, Form::Text),
        non_ascii_text: None,
        bytes: mark(0, Form::Bytes),
        json: mark(32, Form::Json),
    },
    pack: None,
};

impl ValueProfile {
    /// Text and bytes as they are, numbers in decimal, truth values as `true` and `false`; flags
    /// always 0. `incr` and `decr` work on every integer, and every other client can read it.
    ///
    /// Only a compressed value has a flag: 8, with a zlib stream, as in python-memcached. Flag 8 on
    /// a value that does not begin like a zlib stream means nothing.
    ///
    /// It also fits what gomemcache, memjs and the crates memcache and async-memcached store.
    pub const PLAIN: Self = Self(&PLAIN);
    /// python-memcached.
    pub const PYTHON_MEMCACHED: Self = Self(&PYTHON_MEMCACHED);
    /// pymemcache without a serde: Python's `str()` of everything, with flags 0. It reads
    /// everything back as bytes, and so does this profile.
    pub const PYMEMCACHE: Self = Self(&PYMEMCACHE);
    /// pymemcache with `serde.pickle_serde` or `serde.compressed_serde`.
    pub const PYMEMCACHE_SERDE: Self = Self(&PYMEMCACHE_SERDE);
    /// pylibmc. Its integers are 4 and its truth values 2; python-memcached's integers are 2.
    pub const PYLIBMC: Self = Self(&PYLIBMC);
    /// meta-memcache with its `MixedSerializer`. Zstandard is read with the feature `zstd`, and
    /// never written; frames that need a dictionary cannot be read.
    pub const META_MEMCACHE: Self = Self(&META_MEMCACHE);
    /// python-binary-memcached.
    pub const PYTHON_BINARY_MEMCACHED: Self = Self(&PYTHON_BINARY_MEMCACHED);
    /// dalli with its default serializer, Marshal.
    ///
    /// dalli's own counters are raw text. A number written by this profile is marshalled, so
    /// `incr` refuses it: use [`DALLI_RAW`](Self::DALLI_RAW) where values are counted.
    pub const DALLI: Self = Self(&DALLI);
    /// dalli's `raw: true`: reads all that dalli stores, writes text.
    pub const DALLI_RAW: Self = Self(&DALLI_RAW);
    /// php-memcached. Reads every compression it has, zstd with the feature `zstd`; writes zlib.
    pub const PHP_MEMCACHED: Self = Self(&PHP_MEMCACHED);
    /// spymemcached's `SerializingTranscoder`. `i8`, `i16`, `i32`, `u8` and `u16` are written as
    /// Java's `int`, wider ones as `long`. A date is read as milliseconds since 1970.
    pub const SPYMEMCACHED: Self = Self(&SPYMEMCACHED);
    /// Perl's Cache::Memcached.
    pub const CACHE_MEMCACHED: Self = Self(&CACHE_MEMCACHED);
    /// Perl's Cache::Memcached::Fast with `utf8`.
    pub const CACHE_MEMCACHED_FAST: Self = Self(&CACHE_MEMCACHED_FAST);
    /// The npm package memcached. It writes a Buffer as if it were Latin-1 text, so that every
    /// byte from 0x80 on takes two; this profile undoes that when reading and does it when writing.
    pub const NPM_MEMCACHED: Self = Self(&NPM_MEMCACHED);
    /// The module `exp` of the crate memcache.
    pub const RUST_MEMCACHE_EXP: Self = Self(&RUST_MEMCACHE_EXP);
}
