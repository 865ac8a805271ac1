//! What a list of members comes down to for one distribution: the structure that lookups read.

use super::continuum::Continuum;
use super::distribution::{Distribution, Layout, Order, Points, Weights};
use super::error::RingError;
use super::hash::KeyHash;
use super::member::Member;
use super::points::{self, Node};
use super::rendezvous::Rendezvous;
use super::{furc, jump};

/// The most points or buckets of one ring: 16 million, 128 MiB of them.
const SIZE_LIMIT: u64 = 1 << 24;

/// The lookup structure of a ring.
///
/// All but a rendezvous are a row of *places* (buckets, arcs or list positions), each with an owner.
#[derive(Clone, Debug)]
pub(super) enum Table {
    /// A member for each remainder.
    Modulo(KeyHash, Vec<u32>),
    /// A member for each bucket that jump hashing can end in.
    Jump(KeyHash, Vec<u32>),
    /// A member for each position of mcrouter's list.
    Furc(Vec<u32>),
    /// Points on a circle of hashes of up to 32 bits.
    Narrow(KeyHash, Continuum<u32>),
    /// Points on a circle of wider hashes.
    Wide(KeyHash, Continuum<u128>),
    /// Nodes that bid.
    Rendezvous(Rendezvous),
}

impl Table {
    /// Sorts, names and places `members`.
    pub(super) fn new(members: &[Member], distribution: &Distribution) -> Result<Self, RingError> {
        let nodes = nodes(members, distribution);
        Ok(match distribution.layout {
            Layout::Modulo { hash, weights } => Self::Modulo(hash, buckets(&nodes, weights)?),
            Layout::Jump { hash } => Self::Jump(hash, buckets(&nodes, Weights::Repeat)?),
            Layout::Furc => Self::Furc(buckets(&nodes, Weights::Ignore)?),
            Layout::Rendezvous { score } => Self::Rendezvous(Rendezvous::new(score, &nodes)),
            Layout::Continuum {
                hash,
                points,
                if_weighted,
            } => {
                let weighted = nodes.iter().any(|node| node.weight > 1);
                let points = if_weighted.filter(|_| weighted).unwrap_or(points);
                continuum(hash, &points, &nodes)?
            }
        })
    }

    /// The member that holds a key of which `part` is hashed.
    #[inline]
    pub(super) fn owner(&self, part: &[u8]) -> u32 {
        if let Self::Modulo(hash, buckets) = self {
            return buckets[remainder(hash.of(part), buckets.len())];
        }
        if let Self::Narrow(hash, continuum) = self {
            return continuum.owner(hash.of(part) as u32);
        }
        self.owner_elsewhere(part)
    }

    #[inline(never)]
    fn owner_elsewhere(&self, part: &[u8]) -> u32 {
        match self {
            Self::Rendezvous(rendezvous) => rendezvous.owner(part),
            _ => self.owner_at(self.place(part)),
        }
    }

    /// The member that holds keys with this hash.
    #[inline]
    pub(super) fn owner_of_hash(&self, hash: u64) -> u32 {
        match self {
            Self::Rendezvous(rendezvous) => rendezvous.owner_of_hash(hash),
            _ => self.owner_at(self.place_of_hash(hash)),
        }
    }

    /// What keys are hashed with before anything else happens; `None` where there is no such step.
    pub(super) const fn key_hash(&self) -> Option<KeyHash> {
        match self {
            Self::Modulo(hash, _)
            | Self::Jump(hash, _)
            | Self::Narrow(hash, _)
            | Self::Wide(hash, _) => Some(*hash),
            Self::Furc(_) | Self::Rendezvous(_) => None,
        }
    }

    /// The place of a key of which `part` is hashed; 0 for a rendezvous, which has none.
    pub(super) fn place(&self, part: &[u8]) -> usize {
        match self {
            Self::Modulo(hash, _) | Self::Jump(hash, _) | Self::Narrow(hash, _) => {
                self.place_of_hash(hash.of(part))
            }
            Self::Wide(hash, continuum) => continuum.position(hash.wide(part)),
            Self::Furc(_) => self.place_of_hash(furc::hash(part)),
            Self::Rendezvous(_) => 0,
        }
    }

    /// The place of keys with this hash; 0 for a rendezvous, which has none.
    #[inline]
    pub(super) fn place_of_hash(&self, hash: u64) -> usize {
        match self {
            Self::Modulo(_, buckets) => remainder(hash, buckets.len()),
            Self::Jump(_, buckets) => jump::bucket(hash, buckets.len() as u32) as usize,
            Self::Furc(list) => furc::position(hash, list.len() as u32) as usize,
            Self::Narrow(_, continuum) => continuum.position(hash as u32),
            Self::Wide(_, continuum) => continuum.position(u128::from(hash)),
            Self::Rendezvous(_) => 0,
        }
    }

    /// How many places there are.
    pub(super) fn places(&self) -> usize {
        match self {
            Self::Modulo(_, owners) | Self::Jump(_, owners) | Self::Furc(owners) => owners.len(),
            Self::Narrow(_, continuum) => continuum.spans().len(),
            Self::Wide(_, continuum) => continuum.spans().len(),
            Self::Rendezvous(_) => 0,
        }
    }

    /// The member at a place.
    pub(super) fn owner_at(&self, place: usize) -> u32 {
        match self {
            Self::Modulo(_, owners) | Self::Jump(_, owners) | Self::Furc(owners) => owners[place],
            Self::Narrow(_, continuum) => continuum.spans()[place].owner,
            Self::Wide(_, continuum) => continuum.spans()[place].owner,
            Self::Rendezvous(_) => 0,
        }
    }
}

/// `hash % count`. A division of 32-bit numbers takes half the time of one of 64-bit numbers on
/// many CPUs, and nearly every hash is one.
#[inline]
fn remainder(hash: u64, count: usize) -> usize {
    match (u32::try_from(hash), count as u32) {
        (Ok(hash), count) => (hash % count) as usize,
        (Err(_), count) => (hash % u64::from(count)) as usize,
    }
}

/// The members as their ring sees them, in the order in which they count.
pub(super) fn nodes(members: &[Member], distribution: &Distribution) -> Vec<Node> {
    let mut nodes: Vec<Node> = members
        .iter()
        .zip(0..)
        .map(|(member, index)| Node {
            name: distribution.name.of(member),
            weight: member.weight(),
            member: index,
        })
        .collect();
    match distribution.order {
        Order::Given => {}
        Order::ShorterNameFirst => {
            nodes.sort_by(|a, b| (a.name.len(), &a.name).cmp(&(b.name.len(), &b.name)));
        }
        Order::HostThenPort => {
            nodes.sort_by_key(|node| members[node.member as usize].host_and_port());
        }
    }
    nodes
}

fn continuum(hash: KeyHash, points: &Points, nodes: &[Node]) -> Result<Table, RingError> {
    check_size(points::count(points, nodes))?;
    let bits = hash.bits();
    Ok(if bits <= u32::BITS {
        let placed = points::place(points, nodes);
        Table::Narrow(
            hash,
            Continuum::new(placed, points.rule, points.later_wins, bits),
        )
    } else {
        let placed = points::place(points, nodes);
        Table::Wide(
            hash,
            Continuum::new(placed, points.rule, points.later_wins, bits),
        )
    })
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
        1..=SIZE_LIMIT => Ok(()),
        _ => Err(RingError::TooLarge {
            asked,
            limit: SIZE_LIMIT,
        }),
    }
}
