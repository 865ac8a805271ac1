//! Which rules a snapshot meets.

use std::time::Duration;

use super::rules::{AlertRule, Rule};
use crate::model::attention::{Subject, skew};
use crate::model::history::{Series, Tier};
use crate::model::monitor::Snapshot;
use crate::model::node::NodeSnapshot;
use crate::model::ring_shares::RingShares;
use crate::model::slab_class::ClassDetail;
use crate::model::state::NodeState;
use crate::model::wording::{lasting, percent, rate};

/// How far back the usual hit rate is looked for.
const USUAL_OVER: Duration = Duration::from_secs(3600);

/// Measurements needed before there is a usual hit rate: five minutes of them.
const FEWEST_FOR_USUAL: usize = 30;

/// What meets a rule.
pub(super) struct Met {
    pub(super) subject: Subject,
    pub(super) value: f64,
    pub(super) text: String,
}

/// All that meets a rule now. What is not known meets none.
pub(super) fn met(rule: &AlertRule, snapshot: &Snapshot, ring: Option<&RingShares>) -> Vec<Met> {
    if rule.rule == Rule::HitRateFell {
        return hit_rate_fell(snapshot, rule.threshold)
            .into_iter()
            .collect();
    }
    let nodes = snapshot.nodes.iter();
    nodes
        .filter_map(|node| of_node(rule, snapshot, ring, node))
        .collect()
}

fn of_node(
    rule: &AlertRule,
    snapshot: &Snapshot,
    ring: Option<&RingShares>,
    node: &NodeSnapshot,
) -> Option<Met> {
    let threshold = rule.threshold;
    let of = |value: f64, text: String| Met {
        subject: Subject::Node(node.name.clone()),
        value,
        text,
    };
    match rule.rule {
        Rule::HitRateFell => None,
        Rule::NodeDown => {
            let polls = polls_without_answer(snapshot, node)?;
            let why = match &node.state {
                NodeState::Down(failure) => failure.to_string(),
                NodeState::Unauthenticated => "login required".to_owned(),
                NodeState::Stale => "no answer".to_owned(),
                NodeState::Connecting | NodeState::Up => return None,
            };
            (polls >= threshold).then(|| of(polls, format!("{why}, {polls:.0} polls unanswered")))
        }
        Rule::Stale => {
            let polls = polls_without_answer(snapshot, node)?;
            let is_stale = node.state == NodeState::Stale && polls > threshold;
            is_stale.then(|| of(polls, format!("figures are {polls:.0} intervals old")))
        }
        Rule::Refusing => {
            let deltas = node.deltas.as_ref()?;
            let rejected = deltas
                .per_second(deltas.rejected_connections)
                .unwrap_or(0.0);
            let disabled = deltas.per_second(deltas.listen_disabled_num).unwrap_or(0.0);
            let refused = rejected + disabled;
            if node.current()?.accepting_conns == Some(false) {
                return Some(of(refused, "accepts no connections".to_owned()));
            }
            (refused > threshold).then(|| of(refused, format!("{} refused", rate(refused))))
        }
        Rule::OutOfMemory => {
            let worst = ClassDetail::all(node)
                .filter_map(|class| Some((class.class, class.rates?.out_of_memory_per_second?)))
                .filter(|(_, refused)| node.state.is_answering() && *refused > threshold)
                .max_by(|one, other| one.1.total_cmp(&other.1))?;
            let text = format!("{} stores refused in class {}", rate(worst.1), worst.0);
            Some(Met {
                subject: Subject::Class {
                    node: node.name.clone(),
                    class: worst.0,
                },
                ..of(worst.1, text)
            })
        }
        Rule::EvictsYoung => {
            let age = node.tail_age.filter(|_| node.state.is_answering())?;
            let text = || {
                format!(
                    "evicts what was used {} ago",
                    lasting(Duration::from_secs(age))
                )
            };
            ((age as f64) < threshold).then(|| of(age as f64, text()))
        }
        Rule::CpuHigh => {
            let threads = node.current()?.threads.filter(|threads| *threads > 0)?;
            let cores = node.rate(super::super::Deltas::cpu_cores)?;
            let share = cores / threads as f64;
            let text = || format!("{cores:.1} cores, {} of its threads", percent(share));
            (share * 100.0 > threshold).then(|| of(share * 100.0, text()))
        }
        Rule::Skew => {
            let skew = skew(snapshot, ring?, node)?;
            (skew > threshold).then(|| of(skew, format!("{skew:.1}× its share of requests")))
        }
    }
}

/// How many polls of the node came to nothing in a row, by the time since its last answer. `None`
/// while it is up.
fn polls_without_answer(snapshot: &Snapshot, node: &NodeSnapshot) -> Option<f64> {
    if matches!(node.state, NodeState::Up | NodeState::Connecting) {
        return None;
    }
    let silence = snapshot.silence(node).unwrap_or(snapshot.at);
    let interval = snapshot.interval.as_secs_f64();
    // Polls come a little late at times; half an interval decides which one is meant.
    (interval > 0.0).then(|| (silence.as_secs_f64() / interval + 0.5).floor())
}

fn hit_rate_fell(snapshot: &Snapshot, points: f64) -> Option<Met> {
    let now = snapshot.totals.hit_rate?;
    let usual = usual_hit_rate(snapshot)?;
    let fallen = (usual - now) * 100.0;
    (fallen > points).then(|| Met {
        subject: Subject::Cluster,
        value: fallen,
        text: format!("{} against {} usually", percent(now), percent(usual)),
    })
}

/// The median hit rate of the last hour.
fn usual_hit_rate(snapshot: &Snapshot) -> Option<f64> {
    let from = snapshot.at.saturating_sub(USUAL_OVER);
    let points = snapshot.history.points(Tier::TenSeconds, Series::HitRate);
    let mut rates: Vec<f32> = points
        .filter(|point| point.at >= from)
        .map(|point| point.value)
        .collect();
    if rates.len() < FEWEST_FOR_USUAL {
        return None;
    }
    let middle = rates.len() / 2;
    Some(f64::from(
        *rates.select_nth_unstable_by(middle, f32::total_cmp).1,
    ))
}
