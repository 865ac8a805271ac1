//! What a plan would do: to every server, to the hit rate, to whoever computes what is missing.

use super::baseline::{Baseline, Shift};
use super::cluster::ClusterSpec;
use super::hit_rate::{HitForecast, NoHitRate, hit_forecast};
use super::load::{ClusterLoad, NodeLoad};
use super::movement::Movement;
use super::nodes::{NodeFate, NodeForecast, Rows, rows};
use super::transient::HandOver;

/// What a plan would do.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// The cluster after the plan.
    pub after: ClusterSpec,
    /// What moves.
    pub movement: Movement,
    /// Every server, those of the list before first, then those that come.
    pub nodes: Vec<NodeForecast>,
    /// The hit rate, where it can be predicted.
    pub hit_rate: Result<HitForecast, NoHitRate>,
}

impl Forecast {
    pub(super) fn new(baseline: &Baseline, after: &ClusterSpec, hand_over: HandOver) -> Self {
        let movement = Movement::between(baseline.spec.ring(), after.ring());
        let model = baseline.model.as_ref().map_err(|reason| *reason);
        let owners_after = model.map(|model| model.owners_in(after.ring()));
        let owners = model.ok().zip(owners_after.as_ref().ok());
        let hit_rate = match owners {
            Some((model, owners_after)) => {
                let shift = Shift {
                    movement: &movement,
                    owners_before: model.owners(),
                    owners_after,
                };
                Ok(hit_forecast(baseline, model, &shift, hand_over))
            }
            None => Err(model.err().unwrap_or(NoHitRate::NoFigures)),
        };
        let mut nodes = rows(
            baseline,
            after,
            &movement,
            owners.map(|(m, o)| (&**m, &o[..])),
        );
        if let (Ok(hit_rate), Some((model, owners_after))) = (&hit_rate, owners) {
            let rows = Rows {
                baseline,
                model,
                movement: &movement,
                owners_after,
            };
            rows.fill_hit_rates(&mut nodes, hit_rate.steady);
        }
        Self {
            after: after.clone(),
            movement,
            nodes,
            hit_rate,
        }
    }

    /// What the servers would measure after it, as far as it is predicted.
    #[must_use]
    pub fn load_after(&self) -> ClusterLoad {
        let staying = self
            .nodes
            .iter()
            .filter(|node| node.fate != NodeFate::Removed);
        let load = |node: &NodeForecast| NodeLoad {
            name: node.name.clone(),
            operations_per_second: node.operations_after,
            reads_per_second: node.reads_after,
            hit_rate: node.hit_rate_after,
            items: None,
            stored_bytes: node.stored_after,
            allocated_bytes: None,
            limit_bytes: node.limit,
            is_evicting: node.tail_age_after.is_some(),
            tail_age: node.tail_age_after,
        };
        ClusterLoad {
            nodes: staying.map(load).collect(),
        }
    }
}
