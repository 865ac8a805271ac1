//! Computes anew when the plan, the cluster or what is known of it changed.

use std::sync::Arc;
use std::time::Duration;

use super::super::ViewContext;
use super::WhatIfView;
use crate::model::whatif::{
    Advice, Baseline, Change, ClusterLoad, ClusterSpec, Comparison, FetchSample, Forecast,
    Popularity,
};

/// How old what was measured may be that a forecast is computed from. Anew at every poll would make
/// figures flicker by their noise.
const OLDEST: Duration = Duration::from_secs(5);

/// A forecast with all that was computed along with it.
#[derive(Debug)]
pub(super) struct Computed {
    /// When, since the watch began.
    at: Duration,
    changes: Vec<Change>,
    sample: Option<Arc<FetchSample>>,
    pub(super) baseline: Baseline,
    pub(super) forecast: Forecast,
    /// Computed a frame after the forecast, so that no frame takes long.
    pub(super) compared: Option<Vec<Comparison>>,
    /// Computed a frame after what is compared. The inner one is missing where there is no advice.
    pub(super) advice: Option<Option<Advice>>,
    /// Grows with each computation, so that what was painted of one is not taken for another.
    pub(super) number: u64,
}

impl WhatIfView {
    /// Brings the forecast up to date; for an empty plan it tells how things are.
    pub(super) fn compute(&mut self, cx: &ViewContext<'_>, spec: &ClusterSpec) {
        let sample = cx
            .published
            .reads
            .as_ref()
            .and_then(|reads| reads.sample.clone());
        let at = cx.snapshot.at;
        let known = self.computed.as_ref();
        let is_current = known.is_some_and(|known| {
            let same_sample = match (&known.sample, &sample) {
                (Some(known), Some(sample)) => Arc::ptr_eq(known, sample),
                (known, sample) => known.is_none() && sample.is_none(),
            };
            same_sample && known.changes == self.plan.changes() && known.is_recent(at)
        });
        if is_current {
            self.complete();
            return;
        }
        // While only the plan changes, what it is computed from stays the same.
        let is_fresh = |known: &&Computed| {
            known.is_recent(at)
                && known.sample.as_ref().map(Arc::as_ptr) == sample.as_ref().map(Arc::as_ptr)
        };
        let (baseline, at) = match known.filter(is_fresh) {
            Some(known) => (known.baseline.clone(), known.at),
            None => (baseline(cx, spec, sample.as_deref()), at),
        };
        let number = known.map_or(0, |known| known.number + 1);
        let computed = baseline.forecast(&self.plan).map(|forecast| Computed {
            at,
            changes: self.plan.changes().to_vec(),
            sample,
            compared: None,
            advice: None,
            forecast,
            baseline,
            number,
        });
        match computed {
            Ok(computed) => self.computed = Some(computed),
            Err(error) => {
                self.refusal = Some(error.to_string());
                self.plan.clear();
            }
        }
    }
}

impl WhatIfView {
    /// Computes the next part of what comes after the forecast.
    fn complete(&mut self) {
        let Some(computed) = &mut self.computed else {
            return;
        };
        // The plan fits the cluster, or there would be no forecast.
        if computed.compared.is_none() {
            let compared = computed.baseline.compare(&self.plan);
            computed.compared = Some(compared.unwrap_or_default());
        } else if computed.advice.is_none() {
            let advice = computed.baseline.advise(&self.plan, &computed.forecast);
            computed.advice = Some(advice.unwrap_or_default());
        }
    }

    /// Whether there is more to compute.
    pub(super) fn is_incomplete(&self) -> bool {
        self.computed
            .as_ref()
            .is_some_and(|computed| computed.advice.is_none())
    }
}

fn baseline(cx: &ViewContext<'_>, spec: &ClusterSpec, sample: Option<&FetchSample>) -> Baseline {
    let load = ClusterLoad::of(cx.snapshot);
    let popularity = sample
        .and_then(|sample| Popularity::from_sample(sample, &load))
        .or_else(|| Popularity::from_figures(&load));
    Baseline::new(spec, &load, popularity, cx.snapshot.interval.as_secs_f64())
}

impl Computed {
    /// Whether it is good for what is shown at `at`. What lacked figures is good for its own moment alone:
    /// the next poll may bring them.
    fn is_recent(&self, at: Duration) -> bool {
        let oldest = if self.forecast.hit_rate.is_ok() {
            OLDEST
        } else {
            Duration::from_nanos(1)
        };
        at >= self.at && at.saturating_sub(self.at) < oldest
    }

    /// Whether anything is planned.
    pub(super) fn is_plan(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The plan in few words.
    pub(super) fn what(&self) -> String {
        let changes: Vec<String> = self.changes.iter().map(ToString::to_string).collect();
        changes.join(", ")
    }
}
