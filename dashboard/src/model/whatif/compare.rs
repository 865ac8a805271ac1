//! The same change of the server list under other ways of dealing out keys.

use memlens::ring::{Accuracy, Profile};
use serde::Serialize;

use super::baseline::{Baseline, Shift};
use super::change::{Change, ChangeError};
use super::cluster::ClusterSpec;
use super::hit_rate::Milestones;
use super::movement::Movement;
use super::plan::Plan;
use super::transient::{HandOver, Transient};

/// The ways that are compared, by the profile that stands for each.
const METHODS: [(&str, Profile); 4] = [
    ("modulo", Profile::CRC32_MODULO),
    ("ketama", Profile::LIBMEMCACHED_KETAMA_WEIGHTED),
    ("rendezvous", Profile::RENDEZVOUS),
    ("jump", Profile::JUMP),
];

/// What the change costs under one way of dealing out keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// `modulo`, `ketama`, `rendezvous`, `jump` or `warm hand-over`.
    pub method: &'static str,
    /// Whether the cluster deals out keys in this way today.
    pub is_current: bool,
    /// The part of the hash space that moves, 0 to 1. What a hand-over moves without a miss counts,
    /// too.
    pub moved: f64,
    /// Whether `moved` was counted by looking up sampled keys; else it is exact, or ideal.
    pub is_sampled: bool,
    /// The lowest hit rate that a measured interval would show.
    pub lowest: Option<f64>,
    /// The new steady state.
    pub steady: Option<f64>,
    /// How long until 99 % of that are reached, in seconds.
    pub back_in: Option<f64>,
    /// What else there is to know.
    pub note: Option<&'static str>,
}

impl Baseline {
    /// What the plan's changes of the server list would cost if keys were dealt out by modulo, ketama,
    /// rendezvous or jump, before and after alike; and with a warm hand-over as things are. Changes of
    /// points and of the ring itself are left out, since they are about one way only. Nothing if
    /// no server comes, leaves or gets another weight.
    ///
    /// # Errors
    ///
    /// When a change of the plan cannot be made to this cluster.
    pub fn compare(&self, plan: &Plan) -> Result<Vec<Comparison>, ChangeError> {
        let about_servers = |change: &&Change| change.node().is_some();
        let changes: Vec<&Change> = plan.changes().iter().filter(about_servers).collect();
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let mut comparisons = Vec::with_capacity(METHODS.len() + 1);
        for (method, profile) in METHODS {
            let is_own = self.spec.profile() == profile && self.spec.points_are_usual();
            let before = if is_own {
                self.spec.clone()
            } else {
                self.spec.with_profile(profile)?
            };
            let after = apply(&changes, &before)?;
            let mut comparison = self.comparison(method, &before, &after, HandOver::Cold);
            let current = self.spec.distribution();
            comparison.is_current = current.method() == profile.distribution().method();
            comparison.note = note(profile, plan);
            comparisons.push(comparison);
        }
        let after = apply(&changes, &self.spec)?;
        comparisons.push(self.comparison("warm hand-over", &self.spec, &after, HandOver::Warm));
        Ok(comparisons)
    }

    fn comparison(
        &self,
        method: &'static str,
        before: &ClusterSpec,
        after: &ClusterSpec,
        hand_over: HandOver,
    ) -> Comparison {
        let movement = Movement::between(before.ring(), after.ring());
        let milestones = self.model.as_ref().ok().map(|model| {
            let shift = Shift {
                movement: &movement,
                owners_before: &model.owners_in(before.ring()),
                owners_after: &model.owners_in(after.ring()),
            };
            let groups = self.groups(model, &shift, 0);
            let transient = Transient::new(&groups.groups, &groups.gone, model.lifetime());
            Milestones::of(&transient, model.hit_rate, self.interval, hand_over)
        });
        Comparison {
            method,
            is_current: false,
            moved: movement.moved.fraction,
            is_sampled: matches!(movement.accuracy, Accuracy::Sampled { .. }),
            lowest: milestones.map(|milestones| milestones.lowest),
            steady: milestones.map(|milestones| milestones.steady),
            back_in: milestones.and_then(|milestones| milestones.back_in),
            note: None,
        }
    }
}

fn note(profile: Profile, plan: &Plan) -> Option<&'static str> {
    let removes = plan
        .changes()
        .iter()
        .any(|change| matches!(change, Change::Remove { .. }));
    (profile == Profile::JUMP && removes)
        .then_some("jump moves a fair share only if the last server of the list leaves")
}

/// A weight that a way ignores changes nothing under it.
fn apply(changes: &[&Change], spec: &ClusterSpec) -> Result<ClusterSpec, ChangeError> {
    changes
        .iter()
        .try_fold(spec.clone(), |spec, change| match change.apply(&spec) {
            Err(ChangeError::NoChange | ChangeError::WeightsIgnored { .. }) => Ok(spec),
            other => other,
        })
}
