//! Which node holds a key.
//!
//! A [`Ring`] is built from [`Member`]s and a [`Distribution`], usually one of the [`Profile`]s
//! that are named after the clients of other languages, and never changes afterwards. It knows no
//! sockets and no clock: the same list gives the same answers in every process.
//!
//! ```
//! use memlens::ring::{Member, Profile, Ring};
//!
//! let three = [1, 2, 3].map(|n| Member::tcp(format!("cache{n}"), 11211));
//! let four = [1, 2, 3, 4].map(|n| Member::tcp(format!("cache{n}"), 11211));
//! let loss = |profile: Profile| -> Result<f64, memlens::ring::RingError> {
//!     let after = Ring::new(four.clone(), profile)?;
//!     Ok(Ring::new(three.clone(), profile)?.moved(&after).fraction)
//! };
//! // A fourth server empties three quarters of a modulo cluster, but a quarter of a ketama one.
//! assert!((loss(Profile::CRC32_MODULO)? - 0.75).abs() < 0.01);
//! assert!((loss(Profile::default())? - 0.25).abs() < 0.05);
//! # Ok::<(), memlens::ring::RingError>(())
//! ```
//!
#![doc = include_str!("profile/table.md")]

mod batch;
#[cfg(test)]
mod by_hand;
mod continuum;
mod distribution;
mod error;
mod explain;
mod furc;
mod hash;
mod jump;
mod member;
mod moved;
mod naming;
mod points;
mod profile;
mod rendezvous;
mod share;
mod table;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::HashSet;

use table::Table;

pub use distribution::{
    Distribution, HashedPart, Order, PointCount, PointDigest, PointSource, PointText, Points,
    Rehash, Rule, Score, Weights,
};
pub use error::RingError;
pub use explain::{Candidate, Explanation, Method, Step};
pub use hash::KeyHash;
pub use member::Member;
pub use moved::{ArcChange, Flow, Moved};
pub use naming::NodeName;
pub use profile::{Profile, UnknownProfile};
pub use share::{Accuracy, RingArc};
pub use walk::Walk;

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
        let table = Table::new(&members, &distribution)?;
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
        self.table.owner(part) as usize
    }

    /// The index of the member that holds keys with this `hash`, as python-memcached finds it for
    /// a `(hash, key)` tuple.
    ///
    /// On a continuum the hash is a position, cut to the ring's width. A rendezvous that has no
    /// hash of the key alone takes the decimal digits of `hash` for the key.
    #[must_use]
    #[inline]
    pub fn node_for_hash(&self, hash: u64) -> usize {
        self.table.owner_of_hash(hash) as usize
    }

    /// The members for `key` in the order in which to try them: first [`node_for`](Self::node_for),
    /// then those that take over when the ones before them are down. The same order serves for
    /// replicas.
    ///
    /// Every member comes once. Profiles whose client hashes anew after a failure
    /// (python-memcached, Cache::Memcached, dalli) follow it, and end where it gives up: after 10
    /// or 20 attempts, which may leave members out. Otherwise the walk goes on along the
    /// continuum, to the next bucket, or by falling score.
    #[must_use]
    pub fn nodes_for<'a>(&'a self, key: &'a [u8]) -> Walk<'a> {
        Walk::new(self, key, None)
    }

    /// As [`nodes_for`](Self::nodes_for), beginning at [`node_for_hash`](Self::node_for_hash);
    /// `key` is what a profile hashes anew after a failure.
    #[must_use]
    pub fn nodes_for_hash<'a>(&'a self, hash: u64, key: &'a [u8]) -> Walk<'a> {
        Walk::new(self, key, Some(hash))
    }
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
