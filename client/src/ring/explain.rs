//! From a key to its node, step by step, for whoever asks why.

use super::Ring;
use super::continuum::{Continuum, Position};
use super::distribution::{Layout, Points, Rule};
use super::hash::KeyHash;
use super::share::RingArc;
use super::table::Table;
use super::{Distribution, furc, points, table};

/// Why a key lies where it does; made by [`Ring::explain`].
///
/// ```
/// use memlens::ring::{Member, Profile, Ring, Step};
///
/// let servers = [1, 2, 3].map(|n| Member::tcp(format!("cache{n}"), 11211));
/// let ring = Ring::new(servers, Profile::default())?;
/// let why = ring.explain(b"user:42");
/// if let Step::Continuum { hash, point, arc, .. } = why.step {
///     assert_eq!(hash, 0x18df_da56);
///     assert!(point >= hash && arc.node == why.node);
/// }
/// assert_eq!(why.node, ring.node_for(b"user:42"));
/// # Ok::<(), memlens::ring::RingError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation<'k> {
    /// The bytes of the key that are hashed: all, unless the distribution has a
    /// [`HashedPart`](super::HashedPart).
    pub hashed: &'k [u8],
    /// What happens to them.
    pub step: Step,
    /// The index of the member that holds the key.
    pub node: usize,
}

/// How a ring comes from the hashed bytes to a member.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// The remainder of the hash is the number of a bucket.
    Modulo {
        /// What the key was hashed with.
        with: KeyHash,
        /// The hash.
        hash: u64,
        /// How many buckets there are: members, or their weights added up.
        buckets: usize,
        /// `hash mod buckets`.
        bucket: usize,
    },
    /// The hash lies in the arc of a point.
    Continuum {
        /// What the key was hashed with.
        with: KeyHash,
        /// The hash.
        hash: u128,
        /// Where it lies on the circle, as a fraction of a full turn.
        turn: f64,
        /// The point to whose arc it belongs. For most rings the first point at or after the hash,
        /// which may be reached over the end of the circle.
        point: u128,
        /// Which hashes belong to a point.
        rule: Rule,
        /// The arc.
        arc: RingArc,
    },
    /// The hash jumps from bucket to bucket and stays in the last one it reaches.
    Jump {
        /// What the key was hashed with.
        with: KeyHash,
        /// The hash.
        hash: u64,
        /// How many buckets there are: the weights added up.
        buckets: usize,
        /// Where it stays.
        bucket: usize,
    },
    /// The bits of the hash walk down a tree whose leaves are the positions of the list.
    Ch3 {
        /// The first 64 bits of the row of bits.
        hash: u64,
        /// How many positions there are.
        positions: usize,
        /// Where the walk ends.
        position: usize,
    },
    /// Every member has a score for the key, and the highest wins.
    Rendezvous {
        /// All members, the winner first.
        ranking: Vec<Candidate>,
    },
}

/// A member's bid for a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Index of the member.
    pub node: usize,
    /// Its score. Only the order of scores means anything. Of equal ones the first wins.
    pub score: f64,
}

impl Ring {
    /// Tells how `key` gets to its node: what is hashed, the hash, and the point, bucket or score that
    /// decides.
    #[must_use]
    pub fn explain<'k>(&self, key: &'k [u8]) -> Explanation<'k> {
        let hashed = self.distribution.hashed_part.of(key);
        Explanation {
            hashed,
            step: self.step(hashed),
            node: self.table.owner(hashed) as usize,
        }
    }

    fn step(&self, hashed: &[u8]) -> Step {
        match &self.table {
            Table::Modulo(with, buckets) => Step::Modulo {
                with: *with,
                hash: with.of(hashed),
                buckets: buckets.len(),
                bucket: self.table.place(hashed),
            },
            Table::Jump(with, buckets) => Step::Jump {
                with: *with,
                hash: with.of(hashed),
                buckets: buckets.len(),
                bucket: self.table.place(hashed),
            },
            Table::Furc(list) => Step::Ch3 {
                hash: furc::hash(hashed),
                positions: list.len(),
                position: self.table.place(hashed),
            },
            Table::Narrow(with, continuum) => {
                self.on_continuum(continuum, *with, u128::from(with.of(hashed) as u32))
            }
            Table::Wide(with, continuum) => self.on_continuum(continuum, *with, with.wide(hashed)),
            Table::Rendezvous(rendezvous) => Step::Rendezvous {
                ranking: rendezvous
                    .ranking(hashed)
                    .map(|(node, score)| Candidate {
                        node: node as usize,
                        score,
                    })
                    .collect(),
            },
        }
    }

    fn on_continuum<P: Position>(
        &self,
        continuum: &Continuum<P>,
        with: KeyHash,
        hash: u128,
    ) -> Step {
        let position = continuum.position(P::cut(hash));
        let rule = self
            .points_in_use()
            .map_or(Rule::AtOrAfter, |points| points.rule);
        // `f64` holds a circle of 2^128 as well as one of 2^15.
        let space = 2_f64.powi(with.bits() as i32);
        let start = position.checked_sub(1).map_or(0.0, |before| {
            continuum.spans()[before].end.into() as f64 + 1.0
        });
        let span = continuum.spans()[position];
        Step::Continuum {
            with,
            hash,
            turn: hash as f64 / space,
            point: continuum.point(position, rule),
            rule,
            arc: RingArc {
                start: start / space,
                end: ((span.end.into() as f64 + 1.0) / space).min(1.0),
                node: span.owner as usize,
            },
        }
    }

    /// How many points each member has, by index, or nothing for a distribution without points. Of
    /// two that fall on the same place only one counts for a key.
    #[must_use]
    pub fn point_counts(&self) -> Vec<u64> {
        let mut counts = Vec::new();
        if let Some(points) = self.points_in_use() {
            let nodes = table::nodes(&self.members, &self.distribution);
            counts.resize(nodes.len(), 0);
            for (node, count) in nodes.iter().zip(points::counts(&points, &nodes)) {
                counts[node.member as usize] = count;
            }
        }
        counts
    }

    /// The points that this list of members takes; `None` unless it is a continuum.
    fn points_in_use(&self) -> Option<Points> {
        let is_weighted = self.members.iter().any(|member| member.weight() > 1);
        match self.distribution.layout {
            Layout::Continuum {
                points,
                if_weighted,
                ..
            } => Some(if_weighted.filter(|_| is_weighted).unwrap_or(points)),
            _ => None,
        }
    }
}

impl Distribution {
    /// What keys are hashed with; `None` where that is no step of its own (rendezvous and Ch3).
    #[must_use]
    pub const fn key_hash(&self) -> Option<KeyHash> {
        match self.layout {
            Layout::Modulo { hash, .. }
            | Layout::Continuum { hash, .. }
            | Layout::Jump { hash } => Some(hash),
            Layout::Rendezvous { .. } | Layout::Furc => None,
        }
    }

    /// The points of a continuum, as unweighted members have them.
    #[must_use]
    pub const fn points(&self) -> Option<Points> {
        match self.layout {
            Layout::Continuum { points, .. } => Some(points),
            _ => None,
        }
    }

    /// The same with another number of points for a member of average weight.
    ///
    /// `None` unless this is a [`continuum`](Self::continuum), and `points` a multiple of what its
    /// recipe makes at once: see [`Points::with_per_member`].
    #[must_use]
    pub const fn with_points_per_member(self, points: u32) -> Option<Self> {
        let Layout::Continuum {
            hash,
            points: recipe,
            if_weighted,
        } = self.layout
        else {
            return None;
        };
        let Some(unweighted) = recipe.with_per_member(points) else {
            return None;
        };
        let if_weighted = match if_weighted {
            Some(weighted) => match weighted.with_per_member(points) {
                Some(weighted) => Some(weighted),
                None => return None,
            },
            None => None,
        };
        let layout = Layout::Continuum {
            hash,
            points: unweighted,
            if_weighted,
        };
        Some(Self { layout, ..self })
    }

    /// How the hash space is divided, in one word.
    #[must_use]
    pub const fn method(&self) -> Method {
        match self.layout {
            Layout::Modulo { .. } => Method::Modulo,
            Layout::Continuum { .. } => Method::Continuum,
            Layout::Rendezvous { .. } => Method::Rendezvous,
            Layout::Jump { .. } => Method::Jump,
            Layout::Furc => Method::Ch3,
        }
    }
}

/// How a [`Distribution`] divides the hash space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// By the remainder of a division.
    Modulo,
    /// By points on a circle.
    Continuum,
    /// By the highest score.
    Rendezvous,
    /// By jump consistent hashing.
    Jump,
    /// By mcrouter's walk down a tree.
    Ch3,
}

impl Method {
    /// `modulo`, `continuum`, `rendezvous`, `jump` or `ch3`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Modulo => "modulo",
            Self::Continuum => "continuum",
            Self::Rendezvous => "rendezvous",
            Self::Jump => "jump",
            Self::Ch3 => "ch3",
        }
    }
}
