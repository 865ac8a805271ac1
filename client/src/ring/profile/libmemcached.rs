//! libmemcached and the clients of other languages that are built on it.

use super::Profile;
use crate::ring::distribution::{
    Distribution, Order, PointCount, PointDigest, PointSource, PointText, Points, Rule, Weights,
};
use crate::ring::hash::KeyHash;
use crate::ring::naming::NodeName;

const fn modula(hash: KeyHash) -> Distribution {
    Distribution::modulo(hash, Weights::Ignore)
}

/// 100 points a server, hashed as keys are.
const fn plain(hash: KeyHash) -> Distribution {
    let points = Points {
        source: PointSource::Texts {
            count: PointCount::Fixed(100),
            text: PointText::Dash,
            digest: PointDigest::Hash(hash),
        },
        rule: Rule::AtOrAfter,
        later_wins: false,
    };
    Distribution::continuum(hash, points).with_name(NodeName::HostPortUnlessDefault)
}

/// As [`plain`], but a weight above 1 switches to the weighted points; the keys' hash stays.
const fn consistent(hash: KeyHash) -> Distribution {
    plain(hash).with_points_if_weighted(Points::KETAMA)
}

const WEIGHTED: Distribution = Distribution::continuum(KeyHash::Md5, Points::KETAMA)
    .with_name(NodeName::HostPortUnlessDefault);

profiles! {
    LIBMEMCACHED_KETAMA_WEIGHTED = "libmemcached-ketama-weighted",
        "libmemcached with `KETAMA_WEIGHTED`, and the default of memlens.",
        WEIGHTED;
    LIBMEMCACHED_SORTED_KETAMA_WEIGHTED = "libmemcached-sorted-ketama-weighted",
        "libmemcached with `KETAMA_WEIGHTED` and `SORT_HOSTS`.",
        WEIGHTED.with_order(Order::HostThenPort);
    LIBMEMCACHED_KETAMA = "libmemcached-ketama",
        "libmemcached with `KETAMA` set before the servers: one-at-a-time hash, not MD5.",
        consistent(KeyHash::OneAtATime);
    LIBMEMCACHED_KETAMA_AFTER = "libmemcached-ketama-after",
        "libmemcached with `KETAMA` set after the servers, which ignores weights.",
        plain(KeyHash::OneAtATime);
    LIBMEMCACHED_KETAMA_MD5 = "libmemcached-ketama-md5",
        "libmemcached with `KETAMA` and `HASH` MD5.",
        consistent(KeyHash::Md5);
    LIBMEMCACHED_KETAMA_SPY = "libmemcached-ketama-spy",
        "libmemcached with `KETAMA_WEIGHTED` and `DISTRIBUTION` `CONSISTENT_KETAMA_SPY`, which \
         does not agree with spymemcached.",
        WEIGHTED.with_name(NodeName::SlashHostPort);
    LIBMEMCACHED_CONSISTENT = "libmemcached-consistent",
        "libmemcached with `DISTRIBUTION` `CONSISTENT`.",
        consistent(KeyHash::OneAtATime);
    LIBMEMCACHED = "libmemcached",
        "libmemcached without options: one-at-a-time modulo the number of servers.",
        modula(KeyHash::OneAtATime);
    LIBMEMCACHED_SORTED = "libmemcached-sorted",
        "libmemcached with `SORT_HOSTS` only.",
        modula(KeyHash::OneAtATime).with_order(Order::HostThenPort);
    LIBMEMCACHED_MODULA_CRC = "libmemcached-modula-crc",
        "libmemcached with `HASH` CRC.",
        modula(KeyHash::Crc32Shifted);
    LIBMEMCACHED_MODULA_FNV1_32 = "libmemcached-modula-fnv1-32",
        "libmemcached with `HASH` FNV1_32.",
        modula(KeyHash::Fnv1x32);
    LIBMEMCACHED_MODULA_FNV1_64 = "libmemcached-modula-fnv1-64",
        "libmemcached with `HASH` FNV1_64.",
        modula(KeyHash::Fnv1x64);
    LIBMEMCACHED_MODULA_FNV1A_32 = "libmemcached-modula-fnv1a-32",
        "libmemcached with `HASH` FNV1A_32.",
        modula(KeyHash::Fnv1ax32);
    LIBMEMCACHED_MODULA_FNV1A_64 = "libmemcached-modula-fnv1a-64",
        "libmemcached with `HASH` FNV1A_64.",
        modula(KeyHash::Fnv1ax64Truncated);
    LIBMEMCACHED_MODULA_JENKINS = "libmemcached-modula-jenkins",
        "libmemcached with `HASH` JENKINS.",
        modula(KeyHash::Jenkins);
    LIBMEMCACHED_MODULA_MD5 = "libmemcached-modula-md5",
        "libmemcached with `HASH` MD5.",
        modula(KeyHash::Md5);
    LIBMEMCACHED_MODULA_MURMUR = "libmemcached-modula-murmur",
        "libmemcached with `HASH` MURMUR.",
        modula(KeyHash::Murmur2);
    LIBMEMCACHED_MODULA_MURMUR3 = "libmemcached-modula-murmur3",
        "libmemcached with `HASH` MURMUR3.",
        modula(KeyHash::Murmur3);
    PYLIBMC = "pylibmc",
        "Python: pylibmc without behaviors.",
        modula(KeyHash::OneAtATime);
    PYLIBMC_KETAMA = "pylibmc-ketama",
        "Python: pylibmc with `ketama`.",
        consistent(KeyHash::OneAtATime);
    PYLIBMC_KETAMA_MD5 = "pylibmc-ketama-md5",
        "Python: pylibmc with `ketama` and `hash` `md5`.",
        consistent(KeyHash::Md5);
    PYLIBMC_KETAMA_WEIGHTED = "pylibmc-ketama-weighted",
        "Python: pylibmc with `ketama_weighted`.",
        WEIGHTED;
    PHP_MEMCACHED = "php-memcached",
        "PHP: the memcached extension without options.",
        modula(KeyHash::OneAtATime);
    PHP_MEMCACHED_CONSISTENT = "php-memcached-consistent",
        "PHP: the memcached extension with `DISTRIBUTION_CONSISTENT`.",
        consistent(KeyHash::OneAtATime);
    PHP_MEMCACHED_LIBKETAMA = "php-memcached-libketama",
        "PHP: the memcached extension with `OPT_LIBKETAMA_COMPATIBLE`.",
        WEIGHTED;
}
