//! Proxies in front of a cluster.

use super::Profile;
use crate::ring::distribution::{Distribution, HashedPart, Order, Points, Weights};
use crate::ring::hash::KeyHash;
use crate::ring::naming::NodeName;

/// twemproxy sorts its servers by name before anything else. Its `hash_tag` is
/// [`Distribution::with_hash_tag`].
const fn ketama(hash: KeyHash) -> Distribution {
    Distribution::continuum(hash, Points::KETAMA)
        .with_name(NodeName::HostPortUnlessDefault)
        .with_order(Order::ShorterNameFirst)
}

const fn modula(hash: KeyHash) -> Distribution {
    Distribution::modulo(hash, Weights::Repeat)
        .with_name(NodeName::HostPortUnlessDefault)
        .with_order(Order::ShorterNameFirst)
}

/// mcrouter hashes a key up to this mark.
const ROUTING_END: HashedPart = HashedPart::Before("|#|");

profiles! {
    TWEMPROXY_KETAMA_CRC16 = "twemproxy-ketama-crc16",
        "twemproxy with `distribution: ketama` and `hash: crc16`.",
        ketama(KeyHash::Crc16Unmasked);
    TWEMPROXY_KETAMA_CRC32 = "twemproxy-ketama-crc32",
        "twemproxy with `distribution: ketama` and `hash: crc32`. That hash has 15 bits, so nearly all keys go to the owner of the lowest points.",
        ketama(KeyHash::Crc32Shifted);
    TWEMPROXY_KETAMA_CRC32A = "twemproxy-ketama-crc32a",
        "twemproxy with `distribution: ketama` and `hash: crc32a`.",
        ketama(KeyHash::Crc32);
    TWEMPROXY_KETAMA_FNV1_32 = "twemproxy-ketama-fnv1-32",
        "twemproxy with `distribution: ketama` and `hash: fnv1_32`.",
        ketama(KeyHash::Fnv1x32);
    TWEMPROXY_KETAMA_FNV1_64 = "twemproxy-ketama-fnv1-64",
        "twemproxy with `distribution: ketama` and `hash: fnv1_64`.",
        ketama(KeyHash::Fnv1x64);
    TWEMPROXY_KETAMA_FNV1A_32 = "twemproxy-ketama-fnv1a-32",
        "twemproxy with `distribution: ketama` and `hash: fnv1a_32`.",
        ketama(KeyHash::Fnv1ax32);
    TWEMPROXY_KETAMA_FNV1A_64 = "twemproxy-ketama-fnv1a-64",
        "twemproxy with `distribution: ketama` and `hash: fnv1a_64`.",
        ketama(KeyHash::Fnv1ax64Truncated);
    TWEMPROXY_KETAMA_HSIEH = "twemproxy-ketama-hsieh",
        "twemproxy with `distribution: ketama` and `hash: hsieh`.",
        ketama(KeyHash::Hsieh);
    TWEMPROXY_KETAMA_JENKINS = "twemproxy-ketama-jenkins",
        "twemproxy with `distribution: ketama` and `hash: jenkins`.",
        ketama(KeyHash::Jenkins);
    TWEMPROXY_KETAMA_MD5 = "twemproxy-ketama-md5",
        "twemproxy with `distribution: ketama` and `hash: md5`.",
        ketama(KeyHash::Md5);
    TWEMPROXY_KETAMA_MURMUR = "twemproxy-ketama-murmur",
        "twemproxy with `distribution: ketama` and `hash: murmur`.",
        ketama(KeyHash::Murmur2);
    TWEMPROXY_KETAMA_ONE_AT_A_TIME = "twemproxy-ketama-one-at-a-time",
        "twemproxy with `distribution: ketama` and `hash: one_at_a_time`.",
        ketama(KeyHash::OneAtATime);
    TWEMPROXY_MODULA_CRC16 = "twemproxy-modula-crc16",
        "twemproxy with `distribution: modula` and `hash: crc16`.",
        modula(KeyHash::Crc16Unmasked);
    TWEMPROXY_MODULA_CRC32 = "twemproxy-modula-crc32",
        "twemproxy with `distribution: modula` and `hash: crc32`.",
        modula(KeyHash::Crc32Shifted);
    TWEMPROXY_MODULA_CRC32A = "twemproxy-modula-crc32a",
        "twemproxy with `distribution: modula` and `hash: crc32a`.",
        modula(KeyHash::Crc32);
    TWEMPROXY_MODULA_FNV1_32 = "twemproxy-modula-fnv1-32",
        "twemproxy with `distribution: modula` and `hash: fnv1_32`.",
        modula(KeyHash::Fnv1x32);
    TWEMPROXY_MODULA_FNV1_64 = "twemproxy-modula-fnv1-64",
        "twemproxy with `distribution: modula` and `hash: fnv1_64`.",
        modula(KeyHash::Fnv1x64);
    TWEMPROXY_MODULA_FNV1A_32 = "twemproxy-modula-fnv1a-32",
        "twemproxy with `distribution: modula` and `hash: fnv1a_32`.",
        modula(KeyHash::Fnv1ax32);
    TWEMPROXY_MODULA_FNV1A_64 = "twemproxy-modula-fnv1a-64",
        "twemproxy with `distribution: modula` and `hash: fnv1a_64`.",
        modula(KeyHash::Fnv1ax64Truncated);
    TWEMPROXY_MODULA_HSIEH = "twemproxy-modula-hsieh",
        "twemproxy with `distribution: modula` and `hash: hsieh`.",
        modula(KeyHash::Hsieh);
    TWEMPROXY_MODULA_JENKINS = "twemproxy-modula-jenkins",
        "twemproxy with `distribution: modula` and `hash: jenkins`.",
        modula(KeyHash::Jenkins);
    TWEMPROXY_MODULA_MD5 = "twemproxy-modula-md5",
        "twemproxy with `distribution: modula` and `hash: md5`.",
        modula(KeyHash::Md5);
    TWEMPROXY_MODULA_MURMUR = "twemproxy-modula-murmur",
        "twemproxy with `distribution: modula` and `hash: murmur`.",
        modula(KeyHash::Murmur2);
    TWEMPROXY_MODULA_ONE_AT_A_TIME = "twemproxy-modula-one-at-a-time",
        "twemproxy with `distribution: modula` and `hash: one_at_a_time`.",
        modula(KeyHash::OneAtATime);
    MCROUTER_CH3 = "mcrouter-ch3",
        "mcrouter with `hash_func` `Ch3`, its default.",
        Distribution::furc().with_hashed_part(ROUTING_END);
    MCROUTER_CRC32 = "mcrouter-crc32",
        "mcrouter with `hash_func` `Crc32`.",
        Distribution::modulo(KeyHash::Crc32Low31, Weights::Ignore).with_hashed_part(ROUTING_END);
}
