//! The nodes for a key in the order in which a client would try them.

use super::Ring;
use super::distribution::Rehash;
use super::hash::KeyHash;
use super::table::Table;

/// python-memcached asks at most this many servers, the first one included.
const PYTHON_TRIES: u32 = 10;

/// Cache::Memcached and dalli ask at most this many servers, the first one included.
const PERL_AND_RUBY_TRIES: u32 = 20;

/// The nodes for a key in order, each once; made by [`Ring::nodes_for`].
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    ring: &'a Ring,
    course: Course<'a>,
    seen: Seen,
}

/// How a walk finds its next node.
#[derive(Clone, Debug)]
enum Course<'a> {
    /// Hash anew, as the profile says.
    Rehash {
        rehash: Rehash,
        by: KeyHash,
        key: &'a [u8],
        hash: u64,
        tries: u32,
    },
    /// Step through buckets, arcs or members, from `next` on and around.
    Around { next: usize, left: usize },
    /// Follow a list.
    Ranked(std::vec::IntoIter<u32>),
}

impl<'a> Walk<'a> {
    pub(super) fn new(ring: &'a Ring, key: &'a [u8], hash: Option<u64>) -> Self {
        Self {
            ring,
            course: Course::new(ring, key, hash),
            seen: Seen::new(ring.members.len()),
        }
    }
}

impl<'a> Course<'a> {
    fn new(ring: &'a Ring, key: &'a [u8], hash: Option<u64>) -> Self {
        let part = ring.distribution.hashed_part.of(key);
        if let (Some(rehash), Some(by)) = (ring.distribution.rehash, ring.table.key_hash())
            && by.bits() <= u64::BITS
        {
            return Self::Rehash {
                rehash,
                key,
                hash: hash.unwrap_or_else(|| by.of(part)),
                by,
                tries: 0,
            };
        }
        if let Table::Rendezvous(rendezvous) = &ring.table {
            let ranked = match hash {
                Some(hash) => rendezvous.ranked_by_hash(hash),
                None => rendezvous.ranked(part),
            };
            return Self::Ranked(ranked.into_iter());
        }
        let next = match hash {
            Some(hash) => ring.table.place_of_hash(hash),
            None => ring.table.place(part),
        };
        Self::Around {
            next,
            left: ring.table.places(),
        }
    }

    /// The next candidate, or `None` where the client gives up.
    fn step(&mut self, ring: &Ring) -> Option<usize> {
        match self {
            Self::Ranked(ranked) => ranked.next().map(|member| member as usize),
            Self::Around { next, left } => {
                *left = left.checked_sub(1)?;
                let at = *next;
                *next = if at + 1 == ring.table.places() {
                    0
                } else {
                    at + 1
                };
                Some(ring.table.owner_at(at) as usize)
            }
            Self::Rehash {
                rehash,
                by,
                key,
                hash,
                tries,
            } => {
                *hash = rehash.hash(*by, *hash, key, *tries)?;
                *tries += 1;
                Some(ring.node_for_hash(*hash))
            }
        }
    }
}

impl Rehash {
    /// The hash to look up after `tries` servers have failed, `hash` being the one before.
    fn hash(self, by: KeyHash, hash: u64, key: &[u8], tries: u32) -> Option<u64> {
        let limit = match self {
            Self::HashThenTry => PYTHON_TRIES,
            Self::AddTryThenKey | Self::TryThenKey => PERL_AND_RUBY_TRIES,
        };
        if tries >= limit {
            return None;
        }
        let Some(failed) = tries.checked_sub(1) else {
            return Some(hash);
        };
        let numbered_key = |number: u32| [number.to_string().as_bytes(), key].concat();
        Some(match self {
            Self::HashThenTry => by.of(format!("{hash}{failed}").as_bytes()),
            Self::AddTryThenKey => hash.wrapping_add(by.of(&numbered_key(tries))),
            Self::TryThenKey => by.of(&numbered_key(failed)),
        })
    }
}

impl Iterator for Walk<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            if self.seen.is_full() {
                return None;
            }
            let node = self.course.step(self.ring)?;
            if self.seen.insert(node) {
                return Some(node);
            }
        }
    }
}

/// Which members a walk has already given; without an allocation for up to 128 of them.
#[derive(Clone, Debug)]
struct Seen {
    few: u128,
    many: Vec<bool>,
    left: usize,
}

impl Seen {
    fn new(members: usize) -> Self {
        let many = if members > u128::BITS as usize {
            vec![false; members]
        } else {
            Vec::new()
        };
        Self {
            few: 0,
            many,
            left: members,
        }
    }

    const fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Whether `node` is new.
    fn insert(&mut self, node: usize) -> bool {
        let is_new = if let Some(seen) = self.many.get_mut(node) {
            !std::mem::replace(seen, true)
        } else {
            let bit = 1_u128 << node;
            let is_new = self.few & bit == 0;
            self.few |= bit;
            is_new
        };
        self.left -= usize::from(is_new);
        is_new
    }
}
