//! What the ring gives each node, beside what would be fair.

use std::sync::Arc;

use memlens::ring::{
    Distribution, KeyHash, PointCount, PointDigest, PointSource, PointText, Points, Ring,
};

/// Texts a node for the ring that imbalance is compared with: four times libmemcached's, and so 640
/// points.
const MORE_TEXTS: u32 = 160;

/// Points of a node in that ring.
pub const MORE_POINTS: u32 = MORE_TEXTS * 4;

/// The nodes' shares of the hash space.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RingShares {
    names: Vec<Arc<str>>,
    shares: Vec<f64>,
    fair: Vec<f64>,
    /// [`imbalance`](Self::imbalance) of a ketama ring of the same nodes with [`MORE_POINTS`] points
    /// each. `None` for a ring that has no points.
    pub imbalance_with_more_points: Option<f64>,
}

impl RingShares {
    /// The shares of a ring. `names` are the nodes' names in the order of the ring's members.
    ///
    /// This builds a second ring to compare with: call it when the ring changes, not at every poll.
    #[must_use]
    pub fn of(ring: &Ring, names: impl IntoIterator<Item = Arc<str>>) -> Self {
        let weights: Vec<f64> = ring
            .members()
            .iter()
            .map(|m| f64::from(m.weight()))
            .collect();
        let uses_weights = ring.distribution().uses_weights();
        let weights = if uses_weights {
            weights
        } else {
            vec![1.0; weights.len()]
        };
        let sum: f64 = weights.iter().sum();
        let mut shares = Self {
            names: names.into_iter().collect(),
            shares: ring.shares(),
            fair: weights.iter().map(|weight| weight / sum).collect(),
            imbalance_with_more_points: None,
        };
        let has_points = ring.arcs().next().is_some();
        shares.imbalance_with_more_points =
            has_points.then(|| shares.with_more_points(ring)).flatten();
        shares
    }

    fn with_more_points(&self, ring: &Ring) -> Option<f64> {
        let points = Points {
            source: PointSource::Texts {
                count: PointCount::Share(MORE_TEXTS),
                text: PointText::Dash,
                digest: PointDigest::Md5Words(4),
            },
            ..Points::KETAMA
        };
        let distribution = Distribution::continuum(KeyHash::Md5, points);
        let shares = Ring::new(ring.members(), distribution).ok()?.shares();
        Some(imbalance(&shares, &self.fair))
    }

    /// The share of the node with this name, 0 to 1.
    #[must_use]
    pub fn share(&self, name: &str) -> Option<f64> {
        let index = self.names.iter().position(|known| **known == *name)?;
        self.shares.get(index).copied()
    }

    /// How much more than its fair share the fullest node holds: the largest ratio of share to fair
    /// share. 1 is perfect.
    #[must_use]
    pub fn imbalance(&self) -> f64 {
        imbalance(&self.shares, &self.fair)
    }

    /// The node that holds most beyond its fair share, with its share and its fair share.
    #[must_use]
    pub fn fullest(&self) -> Option<(&Arc<str>, f64, f64)> {
        let nodes = self.names.iter().zip(&self.shares).zip(&self.fair);
        nodes
            .map(|((name, share), fair)| (name, *share, *fair))
            .max_by(|one, other| (one.1 / one.2).total_cmp(&(other.1 / other.2)))
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

fn imbalance(shares: &[f64], fair: &[f64]) -> f64 {
    let ratios = shares.iter().zip(fair).map(|(share, fair)| share / fair);
    ratios.fold(1.0, f64::max)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use memlens::ring::{Member, Profile, Ring};

    use super::RingShares;

    fn shares(members: &[Member], profile: Profile) -> RingShares {
        let names = members.iter().map(|member| Arc::from(member.name()));
        RingShares::of(&Ring::new(members, profile).unwrap(), names)
    }

    #[test]
    fn the_fullest_node_gives_the_imbalance() {
        let members: Vec<_> = (1..=64)
            .map(|n| Member::tcp(format!("10.0.0.{n}"), 11211))
            .collect();
        let shares = shares(&members, Profile::default());
        let (name, share, fair) = shares.fullest().unwrap();
        assert_eq!(shares.share(name), Some(share));
        assert_eq!(share / fair, shares.imbalance());
        assert!(
            (1.1..1.3).contains(&shares.imbalance()),
            "{}",
            shares.imbalance()
        );
        let more = shares.imbalance_with_more_points.unwrap();
        assert!(more < shares.imbalance(), "{more}");
    }

    #[test]
    fn weights_count_as_fair() {
        let heavy = Member::tcp("b", 1).with_weight(3);
        let shares = shares(&[Member::tcp("a", 1), heavy], Profile::default());
        assert!(shares.share("b:1").unwrap() > 0.6);
        assert!(shares.imbalance() < 1.3);
        assert_eq!(shares.share("c:1"), None);
    }

    #[test]
    fn a_ring_without_points_is_not_compared() {
        let members = ["a", "b"].map(|host| Member::tcp(host, 1));
        let shares = shares(&members, Profile::CRC32_MODULO);
        assert_eq!(shares.imbalance_with_more_points, None);
        assert_eq!(shares.imbalance(), 1.0);
        assert_eq!((shares.len(), shares.is_empty()), (2, false));
    }
}
