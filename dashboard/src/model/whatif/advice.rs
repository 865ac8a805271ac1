//! One step after the other instead of all at once.

use serde::Serialize;

use super::baseline::Baseline;
use super::change::{Change, ChangeError};
use super::forecast::Forecast;
use super::plan::Plan;
use super::transient::HandOver;

/// How a plan of several changes is carried out with the least harm: what brings memory first, what
/// takes it last, and before each step the hit rate is back from the one before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// The steps in the order in which to take them.
    pub steps: Vec<Step>,
    /// The lowest hit rate if all is done at once.
    pub lowest_at_once: f64,
    /// The lowest hit rate step by step.
    pub lowest_in_steps: f64,
    /// Misses per second at worst if all is done at once.
    pub misses_at_once: f64,
    /// Misses per second at worst step by step.
    pub misses_in_steps: f64,
    /// How long all the waiting takes, in seconds; `None` if some step does not recover.
    pub takes: Option<f64>,
}

/// A step of an [`Advice`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Its place in the plan.
    pub change: usize,
    /// What to do.
    pub what: String,
    /// The part of the hash space that it moves.
    pub moved: f64,
    /// The lowest hit rate after it.
    pub lowest: f64,
    /// How long to wait before the next step, in seconds; `None` if it does not recover.
    pub wait: Option<f64>,
}

impl Advice {
    /// How much higher the lowest hit rate is step by step.
    #[must_use]
    pub fn gain(&self) -> f64 {
        self.lowest_in_steps - self.lowest_at_once
    }
}

impl Baseline {
    /// How to carry out the plan step by step; `None` for a plan of one change, and where no hit rate
    /// can be predicted. `at_once` is the forecast of the whole plan.
    ///
    /// # Errors
    ///
    /// When a change of the plan cannot be made to this cluster.
    pub fn advise(&self, plan: &Plan, at_once: &Forecast) -> Result<Option<Advice>, ChangeError> {
        let (Ok(whole), true) = (&at_once.hit_rate, plan.changes().len() > 1) else {
            return Ok(None);
        };
        let mut steps = Vec::with_capacity(plan.changes().len());
        let mut misses_in_steps = 0.0_f64;
        let mut baseline = self.clone();
        for (place, change) in safest_order(plan.changes()) {
            let forecast = match change.apply(&baseline.spec) {
                Ok(after) => baseline.forecast_of(&after, HandOver::Cold),
                // In another order a change may not fit, or not change anything.
                Err(_) => return Ok(None),
            };
            let Ok(hit_rate) = &forecast.hit_rate else {
                return Ok(None);
            };
            misses_in_steps = misses_in_steps.max(hit_rate.backend.misses_at_worst);
            steps.push(Step {
                change: place,
                what: change.to_string(),
                moved: forecast.movement.moved.fraction,
                lowest: hit_rate.lowest,
                wait: hit_rate.back_in,
            });
            let popularity = baseline
                .model
                .as_ref()
                .ok()
                .map(|model| model.popularity.clone());
            baseline = Self::new(
                &forecast.after,
                &forecast.load_after(),
                popularity,
                baseline.interval,
            );
        }
        let lowest = steps.iter().map(|step| step.lowest);
        Ok(Some(Advice {
            lowest_at_once: whole.lowest,
            lowest_in_steps: lowest.fold(f64::INFINITY, f64::min),
            misses_at_once: whole.backend.misses_at_worst,
            misses_in_steps,
            takes: steps.iter().map(|step| step.wait).sum(),
            steps,
        }))
    }
}

/// Servers come before weights change, and leave last; another ring comes at the very end, where it
/// meets the final list.
fn safest_order(changes: &[Change]) -> Vec<(usize, &Change)> {
    let mut order: Vec<(usize, &Change)> = changes.iter().enumerate().collect();
    order.sort_by_key(|(place, change)| {
        let rank = match change {
            Change::Add { .. } => 0,
            Change::Weight { .. } => 1,
            Change::Remove { .. } => 2,
            Change::Points { .. } => 3,
            Change::Ring { .. } => 4,
        };
        (rank, *place)
    });
    order
}
