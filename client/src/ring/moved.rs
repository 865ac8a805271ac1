//! What a change of the member list does to the keys.

use std::collections::BTreeMap;

use super::Ring;
use super::share::{Accuracy, SAMPLE, hashes_in_bucket, sample, stretches};
use super::table::Table;

/// Which part of the hash space changes its owner between two rings; made by [`Ring::moved`].
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The fraction of the hash space that changes its owner, from 0 to 1.
    pub fraction: f64,
    /// From whom to whom, the largest first. The fractions add up to [`fraction`](Self::fraction).
    pub flows: Vec<Flow>,
    /// How far the fractions can be trusted.
    pub accuracy: Accuracy,
}

/// A part of the hash space that goes from one member to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// Index of the former owner in the ring before.
    pub from: usize,
    /// Index of the new owner in the ring after.
    pub to: usize,
    /// The fraction of the hash space that goes this way.
    pub fraction: f64,
}

/// A stretch of a continuum with its owners before and after a change; made by
/// [`Ring::arc_changes`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArcChange {
    /// Where it begins, as a fraction of a full turn, from 0 to less than 1.
    pub start: f64,
    /// Where it ends, more than `start` and at most 1.
    pub end: f64,
    /// Index of its owner in the ring before.
    pub from: usize,
    /// Index of its owner in the ring after.
    pub to: usize,
    /// Whether they are two different members.
    pub is_moved: bool,
}

/// Up to so many hash values or remainders are counted one by one.
const COUNTED: u128 = 1 << 22;

impl Ring {
    /// Compares this ring with the one `after` a change. Members are the same if they have the same
    /// [`name`](super::Member::name).
    ///
    /// Exact between two continua, or two modulo rings with fewer than 4 million common
    /// remainders, that hash keys the same way. Between two rendezvous, jump or Ch3 rings it is
    /// what theory says, provided that members in both have the same weight. Everything else, such
    /// as a change from modulo to ketama, is sampled.
    #[must_use]
    pub fn moved(&self, after: &Self) -> Moved {
        let mut joint = Joint::default();
        let accuracy = joint.fill(self, after);
        joint.into_moved(self, after, accuracy)
    }

    /// Both continua laid over each other: every stretch that has one owner before and one after, in
    /// ascending order and without a gap. Nothing unless both rings are continua that hash keys the
    /// same way.
    #[must_use]
    pub fn arc_changes(&self, after: &Self) -> Vec<ArcChange> {
        let is_comparable = self.distribution.hashed_part == after.distribution.hashed_part
            && self.table.key_hash() == after.table.key_hash();
        if !is_comparable {
            return Vec::new();
        }
        let common = common_stretches(&self.table, &after.table);
        let space = common.last().map_or(1.0, |last| last.end as f64);
        let partners = partners(self, after);
        let change = |stretch: &CommonStretch| ArcChange {
            start: stretch.start as f64 / space,
            end: stretch.end as f64 / space,
            from: stretch.from as usize,
            to: stretch.to as usize,
            is_moved: partners[stretch.from as usize] != Some(stretch.to),
        };
        common.iter().map(change).collect()
    }
}

/// A stretch that lies in one arc of each of two continua.
struct CommonStretch {
    start: u128,
    end: u128,
    from: u32,
    to: u32,
}

/// Merges two sorted lists of arcs over the same space.
fn common_stretches(before: &Table, after: &Table) -> Vec<CommonStretch> {
    let (before, after) = (stretches(before), stretches(after));
    let mut common = Vec::with_capacity(before.len() + after.len());
    let mut new = after.iter().peekable();
    for old in &before {
        let mut start = old.start;
        while start < old.end
            && let Some(next) = new.peek()
        {
            let end = old.end.min(next.end);
            common.push(CommonStretch {
                start,
                end,
                from: old.owner,
                to: next.owner,
            });
            start = end;
            if next.end == end {
                new.next();
            }
        }
    }
    common
}

/// Sums over pairs of members: in a square while it is small, where adding is one addition, else in a
/// map.
enum Widths {
    Square { columns: usize, sums: Vec<u128> },
    Map(BTreeMap<(u32, u32), u128>),
}

impl Widths {
    /// 512 members against 512: 4 MiB.
    const LARGEST_SQUARE: usize = 1 << 18;

    fn new(rows: usize, columns: usize) -> Self {
        match rows.checked_mul(columns) {
            Some(cells) if cells <= Self::LARGEST_SQUARE => Self::Square {
                columns,
                sums: vec![0; cells],
            },
            _ => Self::Map(BTreeMap::new()),
        }
    }

    fn add(&mut self, from: u32, to: u32, width: u128) {
        match self {
            Self::Square { columns, sums } => sums[from as usize * *columns + to as usize] += width,
            Self::Map(sums) => *sums.entry((from, to)).or_default() += width,
        }
    }

    fn into_pairs(self) -> Vec<((u32, u32), u128)> {
        match self {
            Self::Square { columns, sums } => sums
                .into_iter()
                .enumerate()
                .filter(|(_, width)| *width > 0)
                .map(|(cell, width)| (((cell / columns) as u32, (cell % columns) as u32), width))
                .collect(),
            Self::Map(sums) => sums.into_iter().collect(),
        }
    }
}

/// How much of the hash space each pair of former and new owner has.
#[derive(Default)]
struct Joint {
    fractions: BTreeMap<(u32, u32), f64>,
}

impl Joint {
    fn add(&mut self, from: u32, to: u32, fraction: f64) {
        *self.fractions.entry((from, to)).or_default() += fraction;
    }

    fn fill(&mut self, before: &Ring, after: &Ring) -> Accuracy {
        if before.distribution.hashed_part != after.distribution.hashed_part {
            return self.sample(before, after);
        }
        let same_hash = before.table.key_hash() == after.table.key_hash();
        match (&before.table, &after.table) {
            (Table::Modulo(hash, from), Table::Modulo(_, to)) if same_hash => {
                let space = 1_u128 << hash.bits().min(64);
                let common = common_multiple(from.len() as u128, to.len() as u128);
                if space.min(common) > COUNTED {
                    return self.sample(before, after);
                }
                self.remainders(from, to, space, common);
                Accuracy::Exact
            }
            (Table::Narrow(..), Table::Narrow(..)) | (Table::Wide(..), Table::Wide(..))
                if same_hash =>
            {
                self.arcs(before, after);
                Accuracy::Exact
            }
            (Table::Jump(_, from), Table::Jump(_, to)) if same_hash => {
                self.jumps(from, to);
                Accuracy::Ideal
            }
            (Table::Furc(from), Table::Furc(to)) => {
                self.jumps(from, to);
                Accuracy::Ideal
            }
            (Table::Rendezvous(from), Table::Rendezvous(to))
                if from.is_even() && from.has_score_of(to) =>
            {
                let from: Vec<(u32, u32)> = from.weights().collect();
                let to: Vec<(u32, u32)> = to.weights().collect();
                if self.bids(before, after, &from, &to) {
                    Accuracy::Ideal
                } else {
                    self.sample(before, after)
                }
            }
            _ => self.sample(before, after),
        }
    }

    /// Two lists of buckets meet in the same way after every common multiple of their lengths.
    fn remainders(&mut self, from: &[u32], to: &[u32], space: u128, common: u128) {
        let mut counts: BTreeMap<(u32, u32), u128> = BTreeMap::new();
        let pairs = from.iter().cycle().zip(to.iter().cycle());
        for (remainder, (from, to)) in (0..common.min(space)).zip(pairs) {
            let hashes = hashes_in_bucket(space, common, remainder);
            *counts.entry((*from, *to)).or_default() += hashes;
        }
        for ((from, to), hashes) in counts {
            self.add(from, to, hashes as f64 / space as f64);
        }
    }

    /// Adds up what two lists of arcs over the same space have in common, pair by pair.
    fn arcs(&mut self, before: &Ring, after: &Ring) {
        let common = common_stretches(&before.table, &after.table);
        let space = common.last().map_or(1.0, |last| last.end as f64);
        let mut widths = Widths::new(before.members.len(), after.members.len());
        for stretch in &common {
            widths.add(stretch.from, stretch.to, stretch.end - stretch.start);
        }
        for ((from, to), width) in widths.into_pairs() {
            self.add(from, to, width as f64 / space);
        }
    }

    /// Jump hashing and Ch3: a bucket of the longer list keeps its keys if the shorter one has it,
    /// else they are spread over all buckets of the shorter.
    fn jumps(&mut self, from: &[u32], to: &[u32]) {
        let shorter = from.len().min(to.len());
        let longer = from.len().max(to.len()) as f64;
        for (from, to) in from.iter().zip(to) {
            self.add(*from, *to, 1.0 / longer);
        }
        let spread = 1.0 / longer / shorter as f64;
        let (from_by_owner, to_by_owner) = if from.len() < to.len() {
            (count(from), count(&to[shorter..]))
        } else {
            (count(&from[shorter..]), count(to))
        };
        for (from, times) in &from_by_owner {
            for (to, other_times) in &to_by_owner {
                self.add(*from, *to, spread * times * other_times);
            }
        }
    }

    /// Rendezvous: let all members of both rings bid together. A winner that is in both keeps the
    /// key; one that is in one ring only leaves it, in the other ring, to whoever wins there.
    ///
    /// False if a member's weight differs between the rings, for which this does not hold.
    fn bids(
        &mut self,
        before: &Ring,
        after: &Ring,
        from: &[(u32, u32)],
        to: &[(u32, u32)],
    ) -> bool {
        let partners = partners(before, after);
        let new_weights: BTreeMap<u32, u32> = to.iter().copied().collect();
        let mut gone = Vec::new();
        for (member, weight) in from {
            match partners[*member as usize] {
                Some(partner) if new_weights.get(&partner) != Some(weight) => return false,
                Some(_) => {}
                None => gone.push((*member, *weight)),
            }
        }
        let kept: Vec<u32> = partners.iter().copied().flatten().collect();
        let come = to.iter().filter(|(member, _)| !kept.contains(member));
        let sum = |weights: &[(u32, u32)]| weights.iter().map(|(_, w)| f64::from(*w)).sum::<f64>();
        let (all_from, all_to) = (sum(from), sum(to));
        let union = sum(&gone) + all_to;
        for (member, weight) in &gone {
            for (winner, bid) in to {
                let fraction = f64::from(*weight) / union * f64::from(*bid) / all_to;
                self.add(*member, *winner, fraction);
            }
        }
        for (member, weight) in come {
            for (loser, bid) in from {
                let fraction = f64::from(*weight) / union * f64::from(*bid) / all_from;
                self.add(*loser, *member, fraction);
            }
        }
        true
    }

    fn sample(&mut self, before: &Ring, after: &Ring) -> Accuracy {
        for key in sample() {
            let key = key.as_bytes();
            let (from, to) = (before.node_for(key), after.node_for(key));
            self.add(from as u32, to as u32, 1.0 / f64::from(SAMPLE));
        }
        Accuracy::Sampled { keys: SAMPLE }
    }

    /// Leaves out what stays with the same member.
    fn into_moved(self, before: &Ring, after: &Ring, accuracy: Accuracy) -> Moved {
        let partners = partners(before, after);
        let mut flows: Vec<Flow> = self
            .fractions
            .into_iter()
            .filter(|((from, to), _)| partners[*from as usize] != Some(*to))
            .map(|((from, to), fraction)| Flow {
                from: from as usize,
                to: to as usize,
                fraction,
            })
            .collect();
        flows.sort_by(|a, b| {
            let by_fraction = b.fraction.total_cmp(&a.fraction);
            by_fraction.then_with(|| (a.from, a.to).cmp(&(b.from, b.to)))
        });
        Moved {
            fraction: flows.iter().map(|flow| flow.fraction).sum(),
            flows,
            accuracy,
        }
    }
}

/// For each member of `before` the index of the one with the same name in `after`.
fn partners(before: &Ring, after: &Ring) -> Vec<Option<u32>> {
    let names: BTreeMap<String, u32> = after
        .members
        .iter()
        .zip(0..)
        .map(|(member, index)| (member.name(), index))
        .collect();
    let partner = |name: String| names.get(&name).copied();
    before
        .members
        .iter()
        .map(|member| partner(member.name()))
        .collect()
}

/// How often each owner occurs.
fn count(owners: &[u32]) -> BTreeMap<u32, f64> {
    let mut counts = BTreeMap::new();
    for owner in owners {
        *counts.entry(*owner).or_insert(0.0) += 1.0;
    }
    counts
}

fn common_multiple(a: u128, b: u128) -> u128 {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    a / divisor * b
}
