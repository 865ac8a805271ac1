//! A snapshot for programs: JSON with one meaning per name, `null` for what is not known.

use std::time::Duration;

use serde::Serialize;

use crate::model::{Deltas, NodeSnapshot, NodeState, Snapshot, Totals};

/// How the cluster is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Every node is up.
    Up,
    /// Some node is not.
    Degraded,
    /// None is.
    Down,
}

impl Health {
    /// The health of the nodes of a snapshot.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let up = snapshot
            .nodes
            .iter()
            .filter(|node| node.state == NodeState::Up)
            .count();
        match up {
            0 => Self::Down,
            _ if up < snapshot.nodes.len() => Self::Degraded,
            _ => Self::Up,
        }
    }

    /// The exit status that tells it to a script.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Up => 0,
            Self::Degraded => 3,
            Self::Down => 4,
        }
    }
}

/// A snapshot as it is printed.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    health: Health,
    elapsed_seconds: f64,
    interval_seconds: f64,
    cluster: ClusterReport,
    nodes: Vec<NodeReport<'a>>,
}

#[derive(Debug, Serialize)]
struct ClusterReport {
    nodes: usize,
    answering: usize,
    evicted: Option<u64>,
    #[serde(flatten)]
    rates: Rates,
    #[serde(flatten)]
    gauges: Gauges,
}

#[derive(Debug, Serialize)]
struct NodeReport<'a> {
    name: &'a str,
    state: &'static str,
    reason: Option<String>,
    seconds_since_last_answer: Option<f64>,
    round_trip_seconds: Option<f64>,
    version: Option<&'a str>,
    pid: Option<u64>,
    uptime_seconds: Option<u64>,
    evicted: Option<u64>,
    #[serde(flatten)]
    rates: Rates,
    #[serde(flatten)]
    gauges: Gauges,
    memory: Option<MemoryReport>,
    tail_age_seconds: Option<u64>,
}

#[derive(Debug, Default, Serialize)]
struct Rates {
    hit_rate: Option<f64>,
    operations_per_second: Option<f64>,
    gets_per_second: Option<f64>,
    sets_per_second: Option<f64>,
    evictions_per_second: Option<f64>,
    bytes_read_per_second: Option<f64>,
    bytes_written_per_second: Option<f64>,
    cpu_cores: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Gauges {
    items: Option<u64>,
    connections: Option<u64>,
    stored_bytes: Option<u64>,
    allocated_bytes: Option<u64>,
    limit_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct MemoryReport {
    used_chunk_bytes: u64,
    waste_in_chunk_bytes: Option<u64>,
    free_chunk_bytes: u64,
    padding_bytes: u64,
    page_pool_bytes: u64,
    adds_up: Option<bool>,
}

impl<'a> Report<'a> {
    /// What a snapshot says.
    #[must_use]
    pub fn of(snapshot: &'a Snapshot) -> Self {
        Self {
            health: Health::of(snapshot),
            elapsed_seconds: snapshot.at.as_secs_f64(),
            interval_seconds: snapshot.interval.as_secs_f64(),
            cluster: ClusterReport::of(&snapshot.totals),
            nodes: snapshot
                .nodes
                .iter()
                .map(|node| NodeReport::of(snapshot, node))
                .collect(),
        }
    }
}

impl ClusterReport {
    fn of(totals: &Totals) -> Self {
        Self {
            nodes: totals.nodes,
            answering: totals.answering,
            evicted: totals.evictions,
            rates: Rates {
                hit_rate: totals.hit_rate,
                operations_per_second: totals.operations_per_second,
                gets_per_second: totals.gets_per_second,
                sets_per_second: totals.sets_per_second,
                evictions_per_second: totals.evictions_per_second,
                bytes_read_per_second: totals.bytes_read_per_second,
                bytes_written_per_second: totals.bytes_written_per_second,
                cpu_cores: totals.cpu_cores,
            },
            gauges: Gauges {
                items: totals.items,
                connections: totals.connections,
                stored_bytes: totals.stored_bytes,
                allocated_bytes: totals.allocated_bytes,
                limit_bytes: totals.limit_bytes,
            },
        }
    }
}

impl<'a> NodeReport<'a> {
    fn of(snapshot: &Snapshot, node: &'a NodeSnapshot) -> Self {
        let (state, reason) = state(&node.state);
        let general = node.current();
        let memory = node.memory.filter(|_| general.is_some());
        Self {
            name: &node.name,
            state,
            reason,
            seconds_since_last_answer: snapshot.silence(node).as_ref().map(Duration::as_secs_f64),
            round_trip_seconds: node.round_trip.as_ref().map(Duration::as_secs_f64),
            version: general.and_then(|general| general.version.as_deref()),
            pid: general.and_then(|general| general.pid),
            uptime_seconds: general.and_then(|general| general.uptime),
            evicted: general.and_then(|general| general.evictions),
            rates: node.deltas.as_ref().map(Rates::of).unwrap_or_default(),
            gauges: Gauges {
                items: general.and_then(|general| general.curr_items),
                connections: general.and_then(|general| general.curr_connections),
                stored_bytes: general.and_then(|general| general.bytes),
                allocated_bytes: memory.and_then(|memory| memory.allocated),
                limit_bytes: general.and_then(|general| general.limit_maxbytes),
            },
            memory: memory.map(|memory| MemoryReport {
                used_chunk_bytes: memory.used_chunks,
                waste_in_chunk_bytes: memory.waste_in_chunks,
                free_chunk_bytes: memory.free_chunks,
                padding_bytes: memory.padding,
                page_pool_bytes: memory.page_pool,
                adds_up: memory.adds_up(),
            }),
            tail_age_seconds: node.tail_age,
        }
    }
}

impl Rates {
    fn of(deltas: &Deltas) -> Self {
        Self {
            hit_rate: deltas.hit_rate(),
            operations_per_second: deltas.operations_per_second(),
            gets_per_second: deltas.per_second(deltas.cmd_get),
            sets_per_second: deltas.per_second(deltas.cmd_set),
            evictions_per_second: deltas.per_second(deltas.evictions),
            bytes_read_per_second: deltas.per_second(deltas.bytes_read),
            bytes_written_per_second: deltas.per_second(deltas.bytes_written),
            cpu_cores: deltas.cpu_cores(),
        }
    }
}

fn state(state: &NodeState) -> (&'static str, Option<String>) {
    match state {
        NodeState::Connecting => ("connecting", None),
        NodeState::Up => ("up", None),
        NodeState::Stale => ("stale", None),
        NodeState::Down(failure) => ("down", Some(failure.to_string())),
        NodeState::Unauthenticated => ("unauthenticated", None),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{Health, Report};
    use crate::model::{Failure, Monitor, Observation, Snapshot};
    use memlens::stats::General;

    fn snapshot(second_node: Option<Observation>) -> Snapshot {
        let second = Duration::from_secs(1);
        let mut monitor = Monitor::new(["a:1", "b:2"].map(Arc::from), second);
        for (at, hits) in [(second, "0"), (second * 2, "75")] {
            let pairs = [
                ("pid", "9"),
                ("get_hits", hits),
                ("get_misses", hits),
                ("bytes", "5"),
            ];
            let general = Arc::new(General::parse(pairs));
            monitor.observe(
                0,
                at,
                Observation::General {
                    general,
                    round_trip: None,
                },
            );
        }
        if let Some(observation) = second_node {
            monitor.observe(1, second, observation);
        }
        monitor.publish(second * 2)
    }

    #[test]
    fn unknown_is_null_and_known_is_a_number() {
        let snapshot = snapshot(Some(Observation::Failed(Failure::Refused)));
        let report: Value = serde_json::to_value(Report::of(&snapshot)).unwrap();
        assert_eq!(report["health"], "degraded");
        assert_eq!(report["cluster"]["hit_rate"], json!(0.5));
        assert_eq!(report["cluster"]["answering"], json!(1));
        let [first, second] = &report["nodes"].as_array().unwrap()[..] else {
            panic!()
        };
        assert_eq!(
            (&first["state"], &first["hit_rate"]),
            (&json!("up"), &json!(0.5))
        );
        assert_eq!(
            (&first["stored_bytes"], &first["items"]),
            (&json!(5), &Value::Null)
        );
        assert_eq!(
            (&second["state"], &second["reason"]),
            (&json!("down"), &json!("refused"))
        );
        assert_eq!(second["hit_rate"], Value::Null);
        assert!(second.as_object().unwrap().contains_key("stored_bytes"));
    }

    #[test]
    fn health_becomes_the_exit_status() {
        let degraded = Health::of(&snapshot(None));
        assert_eq!((degraded, degraded.exit_status()), (Health::Degraded, 3));
        let nobody = Monitor::new(["a".into()], Duration::from_secs(1)).publish(Duration::ZERO);
        assert_eq!(
            (Health::of(&nobody), Health::Down.exit_status()),
            (Health::Down, 4)
        );
        assert_eq!(Health::Up.exit_status(), 0);
    }
}
