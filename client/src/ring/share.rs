//! How much of the hash space each member holds, and where.

use super::Ring;
use super::continuum::{Continuum, Position};
use super::table::Table;

/// A stretch of a continuum that belongs to one member, as fractions of a full turn.
///
/// It holds the hashes from `start` up to, but not including, `end`. Only hashes that a key can
/// have count: where the hash has fewer bits than the points, as in twemproxy's `ketama` with
/// `crc32`, the turn is the part of the circle that keys can reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RingArc {
    /// Where it begins, from 0 to less than 1.
    pub start: f64,
    /// Where it ends, more than `start` and at most 1.
    pub end: f64,
    /// Index of the member that owns it.
    pub node: usize,
}

/// How far a share or a move can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accuracy {
    /// Every hash value was counted. Only the rounding of `f64` remains.
    Exact,
    /// What holds for a hash that treats all keys alike. Real keys differ by chance alone.
    Ideal,
    /// So many pseudo-random keys, always the same, were looked up. The standard error of a
    /// fraction is at most half of one over the square root of their number.
    Sampled {
        /// How many keys were looked up.
        keys: u32,
    },
}

/// Sampled keys: enough for a standard error of 0.2 percentage points.
pub(super) const SAMPLE: u32 = 1 << 16;

impl Ring {
    /// The arcs of a continuum in ascending order, or nothing for a distribution that has none
    /// (modulo, rendezvous, jump and Ch3 scatter a member's keys over the whole hash space).
    ///
    /// Neighbouring arcs can belong to the same member, since every point ends one. An arc that
    /// reaches over the end of the turn comes in two parts, at the very beginning and end.
    pub fn arcs(&self) -> impl Iterator<Item = RingArc> {
        let stretches = stretches(&self.table);
        let total = stretches.last().map_or(1.0, |last| last.end as f64);
        stretches.into_iter().map(move |stretch| RingArc {
            start: stretch.start as f64 / total,
            end: stretch.end as f64 / total,
            node: stretch.owner as usize,
        })
    }

    /// The share of the hash space that each member holds, by index; together 1.
    ///
    /// [`shares_accuracy`](Self::shares_accuracy) tells how far to trust them.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.members.len()];
        match &self.table {
            Table::Modulo(hash, buckets) => {
                let space = 1_u128 << hash.bits().min(64);
                for (bucket, owner) in (0..).zip(buckets) {
                    let hashes = hashes_in_bucket(space, buckets.len() as u128, bucket);
                    shares[*owner as usize] += hashes as f64 / space as f64;
                }
            }
            Table::Jump(_, buckets) | Table::Furc(buckets) => {
                for owner in buckets {
                    shares[*owner as usize] += 1.0 / buckets.len() as f64;
                }
            }
            Table::Narrow(..) | Table::Wide(..) => {
                let mut widths = vec![0_u128; self.members.len()];
                for stretch in stretches(&self.table) {
                    widths[stretch.owner as usize] += stretch.end - stretch.start;
                }
                let total = widths.iter().sum::<u128>() as f64;
                shares = widths
                    .into_iter()
                    .map(|width| width as f64 / total)
                    .collect();
            }
            Table::Rendezvous(rendezvous) if rendezvous.is_even() => {
                let total: f64 = rendezvous
                    .weights()
                    .map(|(_, weight)| f64::from(weight))
                    .sum();
                for (member, weight) in rendezvous.weights() {
                    shares[member as usize] = f64::from(weight) / total;
                }
            }
            Table::Rendezvous(_) => {
                for key in sample() {
                    shares[self.node_for(key.as_bytes())] += 1.0 / f64::from(SAMPLE);
                }
            }
        }
        shares
    }

    /// The share of the hash space that one member holds: an entry of [`shares`](Self::shares),
    /// which computes them all.
    ///
    /// # Panics
    /// When `node` is no index of a member.
    #[must_use]
    pub fn share(&self, node: usize) -> f64 {
        self.shares()[node]
    }

    /// How far [`shares`](Self::shares) can be trusted: exact for modulo and continua, ideal for
    /// rendezvous, jump and Ch3, sampled for emcache's uneven scores.
    #[must_use]
    pub fn shares_accuracy(&self) -> Accuracy {
        match &self.table {
            Table::Modulo(..) | Table::Narrow(..) | Table::Wide(..) => Accuracy::Exact,
            Table::Rendezvous(rendezvous) if !rendezvous.is_even() => {
                Accuracy::Sampled { keys: SAMPLE }
            }
            Table::Jump(..) | Table::Furc(_) | Table::Rendezvous(_) => Accuracy::Ideal,
        }
    }
}

/// How many of the hashes from 0 to `space` - 1 leave the remainder `bucket`.
pub(super) const fn hashes_in_bucket(space: u128, buckets: u128, bucket: u128) -> u128 {
    space / buckets + (bucket < space % buckets) as u128
}

/// An arc in whole hash values, cut to their upper 64 bits if they are wider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) start: u128,
    pub(super) end: u128,
    pub(super) owner: u32,
}

/// All arcs in which a key's hash can lie, from 0 to the end of the hash space without a gap;
/// empty unless the table is a continuum.
pub(super) fn stretches(table: &Table) -> Vec<Stretch> {
    match table {
        Table::Narrow(hash, continuum) => stretches_of(continuum, hash.bits()),
        Table::Wide(hash, continuum) => stretches_of(continuum, hash.bits()),
        _ => Vec::new(),
    }
}

fn stretches_of<P: Position>(continuum: &Continuum<P>, bits: u32) -> Vec<Stretch> {
    let shift = bits.saturating_sub(64);
    let space = 1_u128 << (bits - shift);
    let mut stretches = Vec::with_capacity(continuum.spans().len());
    let mut start = 0;
    for span in continuum.spans() {
        let end = ((span.end.into() >> shift) + 1).min(space);
        if end > start {
            let owner = span.owner;
            stretches.push(Stretch { start, end, owner });
            start = end;
        }
    }
    stretches
}

/// The keys of [`Accuracy::Sampled`]: hexadecimal digits of SplitMix64, for plain numbers would be
/// as orderly under a checksum as they are themselves.
pub(super) fn sample() -> impl Iterator<Item = String> {
    (1..=u64::from(SAMPLE)).map(|number| {
        let state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{:016x}", super::rendezvous::split_mix(state))
    })
}
