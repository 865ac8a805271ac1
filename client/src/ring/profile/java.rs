//! spymemcached, and what took over its locators.

use super::Profile;
use crate::ring::distribution::{
    Distribution, PointCount, PointDigest, PointSource, PointText, Points, Rule, Weights,
};
use crate::ring::hash::KeyHash;
use crate::ring::naming::NodeName;

const fn array_mod(hash: KeyHash) -> Distribution {
    Distribution::modulo(hash, Weights::Ignore)
}

/// libmemcached's points, except that the later of two equal ones counts.
const fn ketama(count: PointCount, name: NodeName) -> Distribution {
    let points = Points {
        source: PointSource::Texts {
            count,
            text: PointText::Dash,
            digest: PointDigest::Md5Words(4),
        },
        rule: Rule::AtOrAfter,
        later_wins: true,
    };
    Distribution::continuum(KeyHash::Md5, points).with_name(name)
}

profiles! {
    SPYMEMCACHED_ARRAYMOD = "spymemcached-arraymod",
        "Java: spymemcached without options: `ArrayModNodeLocator` and `NATIVE_HASH`.",
        array_mod(KeyHash::JavaString);
    SPYMEMCACHED_ARRAYMOD_CRC = "spymemcached-arraymod-crc",
        "Java: spymemcached with `CRC_HASH`.",
        array_mod(KeyHash::Crc32Shifted);
    SPYMEMCACHED_ARRAYMOD_FNV1_32 = "spymemcached-arraymod-fnv1-32",
        "Java: spymemcached with `FNV1_32_HASH`.",
        array_mod(KeyHash::Utf16Fnv1x32);
    SPYMEMCACHED_ARRAYMOD_FNV1_64 = "spymemcached-arraymod-fnv1-64",
        "Java: spymemcached with `FNV1_64_HASH`.",
        array_mod(KeyHash::Utf16Fnv1x64);
    SPYMEMCACHED_ARRAYMOD_FNV1A_32 = "spymemcached-arraymod-fnv1a-32",
        "Java: spymemcached with `FNV1A_32_HASH`.",
        array_mod(KeyHash::Utf16Fnv1ax32);
    SPYMEMCACHED_ARRAYMOD_FNV1A_64 = "spymemcached-arraymod-fnv1a-64",
        "Java: spymemcached with `FNV1A_64_HASH`.",
        array_mod(KeyHash::Utf16Fnv1ax64);
    SPYMEMCACHED_KETAMA = "spymemcached-ketama",
        "Java: spymemcached with `KetamaNodeLocator` and `KETAMA_HASH`, its own node names and no \
         weights.",
        ketama(PointCount::Fixed(40), NodeName::JavaSocketAddress);
    SPYMEMCACHED_KETAMA_WEIGHTED = "spymemcached-ketama-weighted",
        "Java: as `spymemcached-ketama`, with weights.",
        ketama(PointCount::ShareSingle(40), NodeName::JavaSocketAddress);
    SPYMEMCACHED_KETAMA_LIBMEMCACHED = "spymemcached-ketama-libmemcached",
        "Java: spymemcached with `KetamaNodeLocator` and `LIBMEMCACHED` node names, no weights.",
        ketama(PointCount::Fixed(40), NodeName::JavaHostName);
    SPYMEMCACHED_KETAMA_WEIGHTED_LIBMEMCACHED = "spymemcached-ketama-weighted-libmemcached",
        "Java: as `spymemcached-ketama-libmemcached`, with weights.",
        ketama(PointCount::ShareSingle(40), NodeName::JavaHostName);
}
