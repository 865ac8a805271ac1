//! What is computed once for a ring.

use std::sync::Arc;

use memlens::ring::{Accuracy, Ring, RingArc};

use crate::model::placement::Lens;

/// What the screen asks of a ring over and over.
#[derive(Debug)]
pub(super) struct RingFacts {
    pub(super) ring: Arc<Ring>,
    /// The arcs of a continuum, or nothing.
    pub(super) arcs: Vec<RingArc>,
    /// Share of each node.
    pub(super) shares: Vec<f64>,
    pub(super) accuracy: Accuracy,
    /// What would be fair, by weight.
    pub(super) fair: Vec<f64>,
    pub(super) points: Vec<u64>,
    /// The nodes, those with the largest share first.
    pub(super) by_share: Vec<usize>,
    /// Who gets a node's keys if it leaves, computed for the node that was asked for last.
    successors: Option<(usize, Vec<(usize, f64)>)>,
    lens: Option<(f64, Option<Lens>)>,
}

impl RingFacts {
    pub(super) fn of(ring: &Arc<Ring>) -> Self {
        let shares = ring.shares();
        let uses_weights = ring.distribution().uses_weights();
        let weights = ring.members().iter().map(|member| match uses_weights {
            true => f64::from(member.weight()),
            false => 1.0,
        });
        let weights: Vec<f64> = weights.collect();
        let all: f64 = weights.iter().sum();
        let mut by_share: Vec<usize> = (0..shares.len()).collect();
        by_share.sort_by(|one, other| shares[*other].total_cmp(&shares[*one]));
        Self {
            ring: Arc::clone(ring),
            arcs: ring.arcs().collect(),
            shares,
            accuracy: ring.shares_accuracy(),
            fair: weights.into_iter().map(|weight| weight / all).collect(),
            points: ring.point_counts(),
            by_share,
            successors: None,
            lens: None,
        }
    }

    /// How much more than its fair share the fullest node has.
    pub(super) fn imbalance(&self) -> f64 {
        let ratios = self
            .shares
            .iter()
            .zip(&self.fair)
            .map(|(share, fair)| share / fair);
        ratios.fold(1.0, f64::max)
    }

    /// The node at a place of the circle, by arcs or, without arcs, by the shares one after the
    /// other.
    pub(super) fn node_at(&self, turn: f64) -> Option<usize> {
        self.arc_at(turn)
            .map(|arc| self.arcs[arc].node)
            .or_else(|| {
                let mut end = 0.0;
                self.shares.iter().position(|share| {
                    end += share;
                    turn < end
                })
            })
    }

    pub(super) fn arc_at(&self, turn: f64) -> Option<usize> {
        let arc = self.arcs.partition_point(|arc| arc.end <= turn);
        (arc < self.arcs.len()).then_some(arc)
    }

    pub(super) fn first_arc_of(&self, node: usize) -> Option<usize> {
        self.arcs.iter().position(|arc| arc.node == node)
    }

    /// Who gets the keys of a node that leaves, and which part of them; the largest first.
    pub(super) fn successors(&mut self, node: usize) -> &[(usize, f64)] {
        let known = self
            .successors
            .as_ref()
            .is_some_and(|(known, _)| *known == node);
        if !known {
            self.successors = Some((node, self.find_successors(node)));
        }
        self.successors.as_ref().map_or(&[], |(_, found)| found)
    }

    fn find_successors(&self, node: usize) -> Vec<(usize, f64)> {
        let mut members = self.ring.members().to_vec();
        members.remove(node);
        let Ok(after) = Ring::new(members, *self.ring.distribution()) else {
            return Vec::new();
        };
        let share = self.shares[node].max(f64::MIN_POSITIVE);
        let flows = self.ring.moved(&after).flows;
        let from_node = flows.into_iter().filter(|flow| flow.from == node);
        from_node
            .map(|flow| {
                let former = flow.to + usize::from(flow.to >= node);
                (former, flow.fraction / share)
            })
            .collect()
    }

    /// The neighbourhood of a place.
    pub(super) fn lens(&mut self, turn: f64) -> Option<&Lens> {
        if self.lens.as_ref().is_none_or(|(known, _)| *known != turn) {
            self.lens = Some((turn, Lens::around(&self.ring, turn)));
        }
        self.lens.as_ref().and_then(|(_, lens)| lens.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use memlens::ring::{Member, Profile, Ring};

    use super::RingFacts;

    fn facts(profile: Profile) -> RingFacts {
        let members: Vec<Member> = (1..=5).map(|port| Member::tcp("a", port)).collect();
        RingFacts::of(&Arc::new(Ring::new(members, profile).unwrap()))
    }

    #[test]
    fn every_place_has_a_node_and_every_node_has_successors() {
        for profile in [
            Profile::default(),
            Profile::RENDEZVOUS,
            Profile::CRC32_MODULO,
        ] {
            let mut facts = facts(profile);
            for turn in [0.0, 0.3, 0.999] {
                assert!(facts.node_at(turn).is_some(), "{profile}");
            }
            let successors = facts.successors(2).to_vec();
            let all: f64 = successors.iter().map(|(_, part)| part).sum();
            assert!((0.75..1.001).contains(&all), "{profile}: {all}");
            assert!(successors.iter().all(|(node, _)| *node < 5));
            let is_consistent = profile != Profile::CRC32_MODULO;
            assert!(!is_consistent || successors.iter().all(|(node, _)| *node != 2));
        }
    }

    #[test]
    fn shares_are_sorted_and_compared_with_what_is_fair() {
        let facts = facts(Profile::default());
        assert!(
            facts
                .by_share
                .is_sorted_by(|one, other| facts.shares[*one] >= facts.shares[*other])
        );
        assert!(facts.imbalance() > 1.0);
        assert_eq!(facts.fair, [0.2; 5]);
    }
}
