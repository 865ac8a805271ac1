//! The cluster as its clients are configured: who is in it, and how keys are dealt out.

use std::sync::Arc;

use memlens::ring::{Distribution, Member, Profile, Ring, RingError};

/// The servers of a cluster and how keys are dealt out to them, with the ring that comes of it.
#[derive(Clone, Debug)]
pub struct ClusterSpec {
    profile: Profile,
    points: Option<u32>,
    hash_tag: Option<[u8; 2]>,
    ring: Arc<Ring>,
}

/// Two specs are the same if every client set up with one or the other agrees on every key.
impl PartialEq for ClusterSpec {
    fn eq(&self, other: &Self) -> bool {
        self.ring.members() == other.ring.members()
            && self.ring.distribution() == other.ring.distribution()
    }
}

impl ClusterSpec {
    /// A cluster of these servers, with the points that the profile gives.
    ///
    /// # Errors
    ///
    /// Those of [`Ring::new`].
    pub fn new(members: impl Into<Vec<Member>>, profile: Profile) -> Result<Self, RingError> {
        Self::build(members.into(), profile, None, None)
    }

    /// The same with only the part of a key hashed that stands between these two bytes, if a key has
    /// both.
    ///
    /// # Errors
    ///
    /// Those of [`Ring::new`].
    pub fn with_hash_tag(&self, hash_tag: Option<[u8; 2]>) -> Result<Self, RingError> {
        Self::build(self.members().to_vec(), self.profile, self.points, hash_tag)
    }

    /// The same way of dealing out keys over other servers.
    pub(super) fn with_members(&self, members: Vec<Member>) -> Result<Self, RingError> {
        Self::build(members, self.profile, self.points, self.hash_tag)
    }

    /// The same servers under another profile, with the points that it gives.
    pub(super) fn with_profile(&self, profile: Profile) -> Result<Self, RingError> {
        Self::build(self.members().to_vec(), profile, None, self.hash_tag)
    }

    /// The same with another number of points for a server of average weight. A number that the
    /// profile cannot have changes nothing.
    pub(super) fn with_points(&self, points: u32) -> Result<Self, RingError> {
        Self::build(
            self.members().to_vec(),
            self.profile,
            Some(points),
            self.hash_tag,
        )
    }

    fn build(
        members: Vec<Member>,
        profile: Profile,
        points: Option<u32>,
        hash_tag: Option<[u8; 2]>,
    ) -> Result<Self, RingError> {
        let mut distribution = profile.distribution();
        let changed = points.and_then(|points| distribution.with_points_per_member(points));
        if let Some(changed) = changed {
            distribution = changed;
        }
        if let Some([open, close]) = hash_tag {
            distribution = distribution.with_hash_tag(open, close);
        }
        Ok(Self {
            profile,
            points: changed.and(points),
            hash_tag,
            ring: Arc::new(Ring::new(members, distribution)?),
        })
    }

    /// The servers, in the order of the list.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        self.ring.members()
    }

    /// How keys are dealt out, by the name of the client that does it so.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// How keys are dealt out, with what was changed of the profile.
    #[must_use]
    pub fn distribution(&self) -> &Distribution {
        self.ring.distribution()
    }

    /// The ring.
    #[must_use]
    pub const fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// Whether this is what was planned for the cluster `before`: the same of its servers are left, with
    /// the same weights; as many have come, weighted alike; and keys are dealt out in the same way. What
    /// those are called that have come does not matter.
    #[must_use]
    pub fn is_as_planned(&self, planned: &Self, before: &Self) -> bool {
        let parts = |spec: &Self| {
            let mut left = Vec::new();
            let mut come = Vec::new();
            for member in spec.members() {
                match before.position(&member.name()) {
                    Some(_) => left.push((member.name(), member.weight())),
                    None => come.push(member.weight()),
                }
            }
            come.sort_unstable();
            (left, come)
        };
        parts(self) == parts(planned) && self.distribution() == planned.distribution()
    }

    /// The position of the server with this name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.members()
            .iter()
            .position(|member| member.name() == name)
    }

    /// Points of a server of average weight; `None` for a distribution without points.
    #[must_use]
    pub fn points_per_server(&self) -> Option<u32> {
        Some(self.distribution().points()?.per_member())
    }

    /// Whether the number of points is the profile's own.
    pub(super) const fn points_are_usual(&self) -> bool {
        self.points.is_none()
    }

    /// How keys are dealt out, in few words: `continuum · md5 · 160 points`.
    #[must_use]
    pub fn summary(&self) -> String {
        let distribution = self.distribution();
        let mut summary = distribution.method().name().to_owned();
        if let Some(hash) = distribution.key_hash() {
            summary.push_str(" · ");
            summary.push_str(hash.name());
        }
        if let Some(points) = self.points_per_server() {
            summary.push_str(&format!(" · {points} points"));
        }
        summary
    }
}
