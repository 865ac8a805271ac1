//! Clients written in Perl, Ruby, JavaScript, Go and Rust.

use super::Profile;
use crate::ring::distribution::{
    Distribution, PointCount, PointDigest, PointSource, PointText, Points, Rehash, Rule, Score,
    Weights,
};
use crate::ring::hash::KeyHash;
use crate::ring::naming::NodeName;

/// dalli: points by SHA-1, and a hash belongs to the point at or *before* it.
const DALLI: Points = Points {
    source: PointSource::Texts {
        count: PointCount::Share(160),
        text: PointText::Colon,
        digest: PointDigest::Hash(KeyHash::Sha1),
    },
    rule: Rule::AtOrBefore,
    later_wins: true,
};

/// Cache::Memcached::Fast with `ketama_points` 150.
const PERL_FAST: Points = Points {
    source: PointSource::CrcChain { per_weight: 150 },
    rule: Rule::AtOrAfter,
    later_wins: false,
};

/// npm's hashring: libmemcached's points in double precision.
const NPM_HASHRING: Points = Points {
    source: PointSource::Texts {
        count: PointCount::ShareDouble(40),
        text: PointText::Dash,
        digest: PointDigest::Md5Words(4),
    },
    rule: Rule::AtOrAfter,
    later_wins: false,
};

profiles! {
    PERL_CACHE_MEMCACHED = "perl-cache-memcached",
        "Perl: Cache::Memcached.",
        Distribution::modulo(KeyHash::Crc32Shifted, Weights::Repeat)
            .with_rehash(Rehash::AddTryThenKey);
    PERL_CACHE_MEMCACHED_FAST = "perl-cache-memcached-fast",
        "Perl: Cache::Memcached::Fast without `ketama_points`.",
        Distribution::modulo(KeyHash::Crc32Shifted, Weights::Repeat);
    PERL_CACHE_MEMCACHED_FAST_KETAMA_150 = "perl-cache-memcached-fast-ketama-150",
        "Perl: Cache::Memcached::Fast with `ketama_points` 150.",
        Distribution::continuum(KeyHash::Crc32, PERL_FAST).with_name(NodeName::HostNulPort);
    DALLI = "dalli",
        "Ruby: dalli, also Rails' `mem_cache_store`.",
        Distribution::continuum(KeyHash::Crc32, DALLI).with_rehash(Rehash::TryThenKey);
    NPM_MEMCACHED = "npm-memcached",
        "JavaScript: the npm package memcached (hashring).",
        Distribution::continuum(KeyHash::Md5, NPM_HASHRING)
            .with_name(NodeName::HostPortUnlessDefault);
    NPM_MEMJS = "npm-memjs",
        "JavaScript: the npm package memjs.",
        Distribution::modulo(KeyHash::JavaStringAbsolute, Weights::Ignore);
    GOMEMCACHE = "gomemcache",
        "Go: bradfitz/gomemcache; a server listed several times is one with that weight.",
        Distribution::modulo(KeyHash::Crc32, Weights::Repeat);
    RUST_MEMCACHE_CLASSIC = "rust-memcache-classic",
        "Rust: the crate memcache, `memcache::Client`.",
        Distribution::modulo(KeyHash::RustStr, Weights::Ignore);
    RUST_MEMCACHE_EXP_RENDEZVOUS = "rust-memcache-exp-rendezvous",
        "Rust: the crate memcache, the `memcache::exp` clients.",
        Distribution::rendezvous(Score::Rust).with_name(NodeName::Bracketed);
}
