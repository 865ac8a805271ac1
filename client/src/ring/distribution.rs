//! What a client does to get from a key to a server, as data.

use super::hash::KeyHash;
use super::naming::NodeName;

/// How keys are dealt out to the members of a ring.
///
/// A distribution is plain data: which part of a key is hashed and how, how the hash space is
/// divided, what a node is called in hashed texts, and in which order nodes count. Every
/// [`Profile`](super::Profile) is one; build your own from [`modulo`](Self::modulo),
/// [`continuum`](Self::continuum), [`rendezvous`](Self::rendezvous), [`jump`](Self::jump) or
/// [`furc`](Self::furc) and the `with_` methods.
///
/// ```
/// use memlens::ring::{Distribution, KeyHash, Member, Points, Ring};
///
/// // libmemcached's points, but keys hashed by CRC-32, and only by what stands between braces.
/// let distribution = Distribution::continuum(KeyHash::Crc32, Points::KETAMA)
///     .with_hash_tag(b'{', b'}');
/// let ring = Ring::new([Member::tcp("a", 11211), Member::tcp("b", 11211)], distribution)?;
/// assert_eq!(ring.node_for(b"{user:1}:name"), ring.node_for(b"{user:1}:mail"));
/// # Ok::<(), memlens::ring::RingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Distribution {
    pub(super) layout: Layout,
    pub(super) hashed_part: HashedPart,
    pub(super) name: NodeName,
    pub(super) order: Order,
    pub(super) rehash: Option<Rehash>,
}

/// How the hash space is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Layout {
    Modulo {
        hash: KeyHash,
        weights: Weights,
    },
    Continuum {
        hash: KeyHash,
        points: Points,
        /// Taken instead of `points` as soon as a member has a weight above 1.
        if_weighted: Option<Points>,
    },
    Rendezvous {
        score: Score,
    },
    Jump {
        hash: KeyHash,
    },
    Furc,
}

/// How a node's score for a key is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Score {
    /// SplitMix64 of the xxh3 of the key and of the name; minds weights.
    Xxh3,
    /// SplitMix64 of the SipHash of the key and of the name (the Rust crate memcache).
    Rust,
    /// MurmurHash3 of `name-key`, where a character of the key counts by its low byte (pymemcache
    /// with `str` keys).
    Pymemcache,
    /// MurmurHash3 of `name-b'key'` (pymemcache with `bytes` keys).
    PymemcacheBytes,
    /// A few bits of MurmurHash3 of key and name (emcache).
    Emcache,
}

/// Whether a modulo distribution minds weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weights {
    /// A member of weight w stands w times in the list of buckets, one after the other.
    Repeat,
    /// Every member stands there once.
    Ignore,
}

/// Which part of a key is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashedPart {
    /// All of it.
    Whole,
    /// What stands between the first `open` byte and the next `close` byte, if there is anything;
    /// else all of it (twemproxy's `hash_tag`).
    Between {
        /// First byte of the tag.
        open: u8,
        /// Last byte of the tag.
        close: u8,
    },
    /// What stands before the first occurrence of this text, or all of it (mcrouter's `|#|`).
    Before(&'static str),
}

/// The order in which members count, which modulo buckets and ties depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// As given.
    Given,
    /// By the name that is hashed: shorter first, then bytewise (twemproxy).
    ShorterNameFirst,
    /// By host bytewise, then by port (libmemcached's `SORT_HOSTS`, meta-memcache).
    HostThenPort,
}

/// What a client hashes when the server of a key cannot be reached, always with the hash of its
/// keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rehash {
    /// The digits of the failed hash and the digits of the try, counted from 0; ten servers in all
    /// (python-memcached).
    HashThenTry,
    /// The digits of the try, counted from 1, and the key; the result is *added* to the failed
    /// hash. Twenty servers in all (Cache::Memcached).
    AddTryThenKey,
    /// The digits of the try, counted from 0, and the key; twenty servers in all (dalli).
    TryThenKey,
}

/// The points of a continuum: where they lie and which hashes belong to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Points {
    /// Where each member's points come from.
    pub source: PointSource,
    /// Which hashes belong to a point.
    pub rule: Rule,
    /// Of two equal points, whether the one added later counts.
    pub later_wins: bool,
}

/// Where a member's points come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointSource {
    /// Digests of numbered texts.
    Texts {
        /// How many texts a member has.
        count: PointCount,
        /// How a text is made of the node's name and the number.
        text: PointText,
        /// What is taken of a text's digest.
        digest: PointDigest,
    },
    /// A chain of CRC-32s over host, NUL and port, `per_weight` links for each unit of weight: each
    /// link goes on over the link before it (Cache::Memcached::Fast, nginx).
    CrcChain {
        /// Points of a member of weight 1.
        per_weight: u32,
    },
}

/// How many texts a member has. n is the number of members, w the weight, W the sum of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointCount {
    /// The same number for all; weights are ignored.
    Fixed(u32),
    /// ⌊count · w⌋: points grow with the weight, whatever the others weigh.
    TimesWeight(u32),
    /// ⌊count · n · w / W⌋ in whole numbers.
    Share(u32),
    /// ⌊w / W · count · n⌋ with every step rounded to single precision. For some n equal weights
    /// give one text less than `count`; libmemcached, twemproxy and spymemcached have it so.
    ShareSingle(u32),
    /// The same in double precision, which falls short for other n (npm's hashring).
    ShareDouble(u32),
}

/// How a numbered text is made of the node's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointText {
    /// `name-7`.
    Dash,
    /// `name:7`.
    Colon,
    /// `name_7`.
    Underscore,
    /// `name:7:weight`.
    ColonWeight,
}

/// What is taken of a text's digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointDigest {
    /// One point: this hash of the text.
    Hash(KeyHash),
    /// This many points: the first words of the MD5, each read little-endian; at most 4.
    Md5Words(u8),
}

/// Which hashes belong to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A hash belongs to the first point at or after it.
    AtOrAfter,
    /// A hash belongs to the first point after it.
    After,
    /// A hash belongs to the last point at or before it.
    AtOrBefore,
}

impl Points {
    /// libmemcached's weighted ketama: 40 texts a member, four points of each MD5.
    pub const KETAMA: Self = Self {
        source: PointSource::Texts {
            count: PointCount::ShareSingle(40),
            text: PointText::Dash,
            digest: PointDigest::Md5Words(4),
        },
        rule: Rule::AtOrAfter,
        later_wins: false,
    };
}

impl Distribution {
    const fn new(layout: Layout) -> Self {
        Self {
            layout,
            hashed_part: HashedPart::Whole,
            name: NodeName::HostPort,
            order: Order::Given,
            rehash: None,
        }
    }

    /// `hash(key) mod number of buckets`. Cheap and perfectly even, but adding a node moves nearly
    /// every key.
    #[must_use]
    pub const fn modulo(hash: KeyHash, weights: Weights) -> Self {
        Self::new(Layout::Modulo { hash, weights })
    }

    /// Consistent hashing: the key's hash belongs to a point on a circle, the point to a member.
    #[must_use]
    pub const fn continuum(hash: KeyHash, points: Points) -> Self {
        Self::new(Layout::Continuum {
            hash,
            points,
            if_weighted: None,
        })
    }

    /// Rendezvous hashing: the node with the highest score for the key. Adding or removing a node
    /// moves only that node's keys, wherever it stands in the list; a lookup asks every node.
    #[must_use]
    pub const fn rendezvous(score: Score) -> Self {
        Self::new(Layout::Rendezvous { score })
    }

    /// Jump consistent hashing over the list, where a member of weight w stands w times. Even and
    /// without a table, but nodes can only be added and removed at the end of the list.
    #[must_use]
    pub const fn jump(hash: KeyHash) -> Self {
        Self::new(Layout::Jump { hash })
    }

    /// mcrouter's Ch3: consistent for nodes added and removed at the end of the list. Weights are
    /// ignored.
    #[must_use]
    pub const fn furc() -> Self {
        Self::new(Layout::Furc)
    }

    /// Uses other points as soon as a member has a weight above 1. Does nothing unless this is a
    /// [`continuum`](Self::continuum).
    #[must_use]
    pub const fn with_points_if_weighted(self, weighted: Points) -> Self {
        match self.layout {
            Layout::Continuum { hash, points, .. } => Self {
                layout: Layout::Continuum {
                    hash,
                    points,
                    if_weighted: Some(weighted),
                },
                ..self
            },
            _ => self,
        }
    }

    /// Sets which part of a key is hashed.
    #[must_use]
    pub const fn with_hashed_part(self, hashed_part: HashedPart) -> Self {
        Self {
            hashed_part,
            ..self
        }
    }

    /// Hashes only what stands between these two bytes, if a key has both.
    #[must_use]
    pub const fn with_hash_tag(self, open: u8, close: u8) -> Self {
        self.with_hashed_part(HashedPart::Between { open, close })
    }

    /// Sets what a node is called in hashed texts.
    #[must_use]
    pub const fn with_name(self, name: NodeName) -> Self {
        Self { name, ..self }
    }

    /// Sets the order in which members count.
    #[must_use]
    pub const fn with_order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// Sets what is hashed after a failure. Has no effect where keys have no hash of up to 64 bits
    /// of their own: with rendezvous, Ch3 and [`KeyHash::Md5Number`].
    #[must_use]
    pub const fn with_rehash(self, rehash: Rehash) -> Self {
        Self {
            rehash: Some(rehash),
            ..self
        }
    }

    /// Whether a member's weight has any effect.
    #[must_use]
    pub const fn uses_weights(&self) -> bool {
        match self.layout {
            Layout::Modulo { weights, .. } => matches!(weights, Weights::Repeat),
            Layout::Rendezvous { score } => matches!(score, Score::Xxh3),
            Layout::Jump { .. } => true,
            Layout::Furc => false,
            Layout::Continuum {
                points,
                if_weighted,
                ..
            } => {
                if_weighted.is_some()
                    || !matches!(
                        points.source,
                        PointSource::Texts {
                            count: PointCount::Fixed(_),
                            ..
                        }
                    )
            }
        }
    }
}

/// The profile's distribution.
impl From<super::Profile> for Distribution {
    fn from(profile: super::Profile) -> Self {
        profile.distribution()
    }
}

impl HashedPart {
    /// The bytes of `key` that are hashed.
    #[inline]
    pub(super) fn of<'k>(&self, key: &'k [u8]) -> &'k [u8] {
        if *self == Self::Whole {
            return key;
        }
        self.cut(key)
    }

    #[inline(never)]
    fn cut<'k>(&self, key: &'k [u8]) -> &'k [u8] {
        match *self {
            Self::Whole => key,
            Self::Between { open, close } => between(key, open, close).unwrap_or(key),
            Self::Before(mark) => {
                let mark = mark.as_bytes();
                let end = key.windows(mark.len().max(1)).position(|part| part == mark);
                &key[..end.unwrap_or(key.len())]
            }
        }
    }
}

/// What stands between the first `open` and the next `close`, unless nothing does.
fn between(key: &[u8], open: u8, close: u8) -> Option<&[u8]> {
    let start = key.iter().position(|byte| *byte == open)? + 1;
    let length = key[start..].iter().position(|byte| *byte == close)?;
    (length > 0).then(|| &key[start..start + length])
}
