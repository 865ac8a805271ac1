//! Which node holds a key.
//!
//! A [`Ring`] is built from [`Member`]s and a [`Distribution`], usually one of the [`Profile`]s
//! that are named after the clients of other languages, and never changes afterwards. It knows no
//! sockets and no clock: the same list gives the same answers in every process.

mod continuum;
mod distribution;
mod error;
mod hash;
mod member;
mod naming;
mod points;
mod profile;

use std::collections::HashSet;

use continuum::Continuum;
use distribution::Layout;
use points::Node;

pub use distribution::{
    Distribution, HashedPart, Order, PointCount, PointDigest, PointSource, PointText, Points,
    Rehash, Rule, Weights,
};
pub use error::RingError;
pub use hash::KeyHash;
pub use member::Member;
pub use naming::NodeName;
pub use profile::{Profile, UnknownProfile};

/// The most points or buckets of one ring: 16 million, 128 MiB of them.
const SIZE_LIMIT: u64 = 1 << 24;

/// An immutable map from keys to members.
///
/// ```
/// use memlens::ring::{Member, Profile, Ring};
///
/// let servers = [Member::tcp("10.0.0.1", 11211), Member::tcp("10.0.0.2", 11211)];
/// let ring = Ring::new(servers, Profile::default())?;
/// let index = ring.node_for(b"user:42");
/// println!("user:42 lives on {}", ring.members()[index]);
/// # Ok::<(), memlens::ring::RingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ring {
    members: Vec<Member>,
    distribution: Distribution,
    table: Table,
}

/// The lookup structure that a [`Layout`] comes down to.
#[derive(Clone, Debug)]
enum Table {
    /// Each bucket's member.
    Buckets(KeyHash, Vec<u32>),
    /// Points on a circle of hashes of up to 32 bits.
    Narrow(KeyHash, Continuum<u32>),
    /// Points on a circle of wider hashes.
    Wide(KeyHash, Continuum<u128>),
}

impl Ring {
    /// Builds the ring of `members`, whose indexes stay those of the list given here.
    ///
    /// # Errors
    /// When the list is empty, names a server twice, has a weight of 0 or a name that could not
    /// stand in a server list, or when the weights ask for more than 16 million points.
    pub fn new(
        members: impl Into<Vec<Member>>,
        distribution: impl Into<Distribution>,
    ) -> Result<Self, RingError> {
        let members = members.into();
        let distribution = distribution.into();
        check(&members)?;
        let table = build(&members, &distribution)?;
        Ok(Self {
            members,
            distribution,
            table,
        })
    }

    /// The members in the order in which they were given.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How keys are dealt out.
    #[must_use]
    pub const fn distribution(&self) -> &Distribution {
        &self.distribution
    }

    /// The index of the member that holds `key`.
    #[must_use]
    #[inline]
    pub fn node_for(&self, key: &[u8]) -> usize {
        let part = self.distribution.hashed_part.of(key);
        match &self.table {
            Table::Buckets(hash, buckets) => bucket_owner(buckets, hash.of(part)),
            Table::Narrow(hash, continuum) => continuum.owner(hash.of(part) as u32) as usize,
            Table::Wide(hash, continuum) => continuum.owner(hash.wide(part)) as usize,
        }
    }

    /// The index of the member that holds keys with this `hash`, as python-memcached finds it for
    /// a `(hash, key)` tuple.
    ///
    /// On a continuum the hash is a position, cut to the ring's width.
    #[must_use]
    #[inline]
    pub fn node_for_hash(&self, hash: u64) -> usize {
        match &self.table {
            Table::Buckets(_, buckets) => bucket_owner(buckets, hash),
            Table::Narrow(_, continuum) => continuum.owner(hash as u32) as usize,
            Table::Wide(_, continuum) => continuum.owner(u128::from(hash)) as usize,
        }
    }
}

#[inline]
fn bucket_owner(buckets: &[u32], hash: u64) -> usize {
    // A division of 32-bit numbers takes half the time of one of 64-bit numbers on many CPUs.
    let bucket = match (u32::try_from(hash), buckets.len() as u32) {
        (Ok(hash), count) => (hash % count) as usize,
        (Err(_), count) => (hash % u64::from(count)) as usize,
    };
    buckets[bucket] as usize
}

fn check(members: &[Member]) -> Result<(), RingError> {
    if members.is_empty() {
        return Err(RingError::Empty);
    }
    let mut names = HashSet::with_capacity(members.len());
    for member in members {
        let name = member.name();
        if member.has_illegal_name() {
            return Err(RingError::IllegalName { member: name });
        }
        if member.weight() == 0 {
            return Err(RingError::ZeroWeight { member: name });
        }
        if !names.insert(name.clone()) {
            return Err(RingError::Duplicate { member: name });
        }
    }
    Ok(())
}

fn build(members: &[Member], distribution: &Distribution) -> Result<Table, RingError> {
    let nodes: Vec<Node> = members
        .iter()
        .zip(0..)
        .map(|(member, index)| Node {
            name: distribution.name.of(member),
            weight: member.weight(),
            member: index,
        })
        .collect();
    match distribution.layout {
        Layout::Modulo { hash, weights } => Ok(Table::Buckets(hash, buckets(&nodes, weights)?)),
        Layout::Continuum {
            hash,
            points,
            if_weighted,
        } => {
            let weighted = nodes.iter().any(|node| node.weight > 1);
            let points = if_weighted.filter(|_| weighted).unwrap_or(points);
            check_size(points::count(&points, &nodes))?;
            let bits = hash.bits();
            Ok(if bits <= u32::BITS {
                let placed = points::place(&points, &nodes);
                Table::Narrow(
                    hash,
                    Continuum::new(placed, points.rule, points.later_wins, bits),
                )
            } else {
                let placed = points::place(&points, &nodes);
                Table::Wide(
                    hash,
                    Continuum::new(placed, points.rule, points.later_wins, bits),
                )
            })
        }
    }
}

fn buckets(nodes: &[Node], weights: Weights) -> Result<Vec<u32>, RingError> {
    if weights == Weights::Ignore {
        return Ok(nodes.iter().map(|node| node.member).collect());
    }
    check_size(nodes.iter().map(|node| u64::from(node.weight)).sum())?;
    Ok(nodes
        .iter()
        .flat_map(|node| std::iter::repeat_n(node.member, node.weight as usize))
        .collect())
}

fn check_size(asked: u64) -> Result<(), RingError> {
    match asked {
        0 => Err(RingError::NoPoints),
        SIZE_LIMIT.. => Err(RingError::TooLarge {
            asked,
            limit: SIZE_LIMIT,
        }),
        _ => Ok(()),
    }
}
