//! Clients written in Python.

use super::Profile;
use crate::ring::distribution::{
    Distribution, Order, PointCount, PointDigest, PointSource, PointText, Points, Rehash, Rule,
    Score, Weights,
};
use crate::ring::hash::KeyHash;
use crate::ring::naming::NodeName;

const fn python_memcached(hash: KeyHash) -> Distribution {
    Distribution::modulo(hash, Weights::Repeat).with_rehash(Rehash::HashThenTry)
}

/// Numbered texts as hash_ring and uhashring have them: a hash belongs to the first point *after*
/// it, and a dictionary keeps the later of two equal points.
const fn after(count: PointCount, digest: PointDigest) -> Points {
    Points {
        source: PointSource::Texts {
            count,
            text: PointText::Dash,
            digest,
        },
        rule: Rule::After,
        later_wins: true,
    }
}

/// uhashring's default ring: whole MD5 numbers, 160 for each unit of weight.
const fn uhashring(count: PointCount) -> Distribution {
    let points = after(count, PointDigest::Hash(KeyHash::Md5Number));
    Distribution::continuum(KeyHash::Md5Number, points)
}

profiles! {
    PYTHON_MEMCACHED = "python-memcached",
        "Python: python-memcached, also Django's former `MemcachedCache`; `(hash, key)` tuples are \
         keys with a hash of their own.",
        python_memcached(KeyHash::Crc32Shifted);
    PYTHON_MEMCACHED_OLD_HASH = "python-memcached-old-hash",
        "Python: python-memcached after `useOldServerHashFunction()`.",
        python_memcached(KeyHash::Crc32);
    PYMEMCACHE = "pymemcache",
        "Python: pymemcache `HashClient` with `str` keys, also Django's `PyMemcacheCache`. A \
         `key_prefix` is not hashed.",
        Distribution::rendezvous(Score::Pymemcache);
    PYMEMCACHE_BYTES_KEYS = "pymemcache-bytes-keys",
        "Python: pymemcache `HashClient` with `bytes` keys, which go elsewhere than the same `str`.",
        Distribution::rendezvous(Score::PymemcacheBytes);
    HASH_RING = "hash-ring",
        "Python: the hash_ring package over `host:port` nodes.",
        Distribution::continuum(
            KeyHash::Md5,
            after(PointCount::Share(40), PointDigest::Md5Words(3)),
        );
    UHASHRING_KETAMA = "uhashring-ketama",
        "Python: uhashring with `hash_fn='ketama'` over `host:port` nodes.",
        Distribution::continuum(
            KeyHash::Md5,
            after(PointCount::Share(40), PointDigest::Md5Words(4)),
        );
    UHASHRING_DEFAULT = "uhashring-default",
        "Python: uhashring over `host:port` nodes.",
        uhashring(PointCount::TimesWeight(160));
    META_MEMCACHE_HASHRING = "meta-memcache-hashring",
        "Python: meta-memcache with `HashRingConnectionPoolProvider`; a routing key is hashed in \
         place of the key.",
        uhashring(PointCount::Fixed(160))
            .with_name(NodeName::Bracketed)
            .with_order(Order::HostThenPort);
    META_MEMCACHE_NONCONSISTENT = "meta-memcache-nonconsistent",
        "Python: meta-memcache with `NonConsistentHashPoolProvider`.",
        Distribution::modulo(KeyHash::Crc32, Weights::Ignore);
    PYTHON_BINARY_MEMCACHED = "python-binary-memcached",
        "Python: bmemcached `DistributedClient` without a user.",
        uhashring(PointCount::Fixed(160)).with_name(NodeName::HostPortNoUser);
    EMCACHE = "emcache",
        "Python: emcache. Its scores are broken in a way that leaves shares far from even.",
        Distribution::rendezvous(Score::Emcache).with_name(NodeName::HostThenPort);
}
