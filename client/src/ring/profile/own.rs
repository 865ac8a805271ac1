//! Profiles that follow no client in particular, and two recipes found in tutorials.

use super::Profile;
use crate::ring::distribution::{
    Distribution, PointCount, PointDigest, PointSource, PointText, Points, Rule, Score, Weights,
};
use crate::ring::hash::KeyHash;
use crate::ring::naming::NodeName;

/// `count` points a server: the whole digest `digest` of a numbered text.
const fn recipe(count: PointCount, text: PointText, digest: KeyHash) -> Points {
    Points {
        source: PointSource::Texts {
            count,
            text,
            digest: PointDigest::Hash(digest),
        },
        rule: Rule::AtOrAfter,
        later_wins: false,
    }
}

profiles! {
    CRC32_MODULO = "crc32-modulo",
        "CRC-32 modulo the number of servers: the simplest choice, for lists that never change. \
         The same as `gomemcache`.",
        Distribution::modulo(KeyHash::Crc32, Weights::Repeat);
    RENDEZVOUS = "rendezvous",
        "Rendezvous hashing with xxh3: even and weighted, best for up to a few dozen servers.",
        Distribution::rendezvous(Score::Xxh3).with_name(NodeName::Bracketed);
    JUMP = "jump",
        "Jump consistent hashing with xxh3: even, but servers come and go only at the end of the \
         list.",
        Distribution::jump(KeyHash::Xxh3);
    MD5_THREE_REPLICA_RING = "md5-three-replica-ring",
        "The Python recipe of a ring of 128-bit MD5 numbers with three points `host:port:i:weight` \
         a server. Weights change the points but not the shares, which are far from even.",
        Distribution::continuum(
            KeyHash::Md5Number,
            recipe(PointCount::Fixed(3), PointText::ColonWeight, KeyHash::Md5Number),
        );
    CRC32_SLOT_RING = "crc32-slot-ring",
        "The Python recipe of a ring of 65,536 slots by CRC-32. A server's weight is its number of \
         points; the recipe's default is 200.",
        Distribution::continuum(
            KeyHash::Crc32Low16,
            recipe(PointCount::TimesWeight(1), PointText::Underscore, KeyHash::Crc32Low16),
        );
}
