//! The figures of one line of the table, be it a node or the cluster.

use std::time::Duration;

use super::style::{Span, Tone};
use crate::format::ago;
use crate::model::{NodeSnapshot, NodeState, Snapshot};

/// What one line shows.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) name: Span,
    pub(super) state: Span,
    /// Whether the figures are old: a node that does not answer just now.
    pub(super) old: bool,
    pub(super) hit_rate: Option<f64>,
    pub(super) operations_per_second: Option<f64>,
    pub(super) gets_per_second: Option<f64>,
    pub(super) sets_per_second: Option<f64>,
    pub(super) stored_bytes: Option<u64>,
    pub(super) allocated_bytes: Option<u64>,
    pub(super) limit_bytes: Option<u64>,
    pub(super) items: Option<u64>,
    pub(super) evictions_per_second: Option<f64>,
    pub(super) evictions: Option<u64>,
    pub(super) connections: Option<u64>,
}

impl Figures {
    pub(super) fn of_node(snapshot: &Snapshot, node: &NodeSnapshot) -> Self {
        let general = node.current();
        Self {
            name: Span::normal(&node.name),
            state: state(&node.state, snapshot.silence(node)),
            old: node.state == NodeState::Stale,
            hit_rate: node.rate(crate::model::Deltas::hit_rate),
            operations_per_second: node.rate(crate::model::Deltas::operations_per_second),
            gets_per_second: node.rate(|deltas| deltas.per_second(deltas.cmd_get)),
            sets_per_second: node.rate(|deltas| deltas.per_second(deltas.cmd_set)),
            stored_bytes: general.and_then(|general| general.bytes),
            allocated_bytes: general.and(node.memory).and_then(|memory| memory.allocated),
            limit_bytes: general.and_then(|general| general.limit_maxbytes),
            items: general.and_then(|general| general.curr_items),
            evictions_per_second: node.rate(|deltas| deltas.per_second(deltas.evictions)),
            evictions: general.and_then(|general| general.evictions),
            connections: general.and_then(|general| general.curr_connections),
        }
    }

    pub(super) fn of_cluster(snapshot: &Snapshot) -> Self {
        let totals = &snapshot.totals;
        let up = snapshot
            .nodes
            .iter()
            .filter(|node| node.state == NodeState::Up)
            .count();
        let tone = if up == totals.nodes {
            Tone::Good
        } else {
            Tone::Warning
        };
        Self {
            name: Span::new("cluster", Tone::Strong),
            state: Span::new(format!("{up} of {} up", totals.nodes), tone),
            old: false,
            hit_rate: totals.hit_rate,
            operations_per_second: totals.operations_per_second,
            gets_per_second: totals.gets_per_second,
            sets_per_second: totals.sets_per_second,
            stored_bytes: totals.stored_bytes,
            allocated_bytes: totals.allocated_bytes,
            limit_bytes: totals.limit_bytes,
            items: totals.items,
            evictions_per_second: totals.evictions_per_second,
            evictions: totals.evictions,
            connections: totals.connections,
        }
    }

    /// Stored bytes as a share of the limit. More than 1 with external storage.
    pub(super) fn share_of_limit(&self) -> Option<f64> {
        let limit = self.limit_bytes.filter(|limit| *limit > 0)?;
        Some(self.stored_bytes? as f64 / limit as f64)
    }
}

fn state(state: &NodeState, silence: Option<Duration>) -> Span {
    match state {
        NodeState::Connecting => Span::new("connecting", Tone::Faint),
        NodeState::Up => Span::new("up", Tone::Good),
        NodeState::Stale => {
            let silence = silence.map(ago).unwrap_or_default();
            Span::new(format!("stale {silence}"), Tone::Warning)
        }
        NodeState::Down(failure) => Span::new(format!("down: {failure}"), Tone::Bad),
        NodeState::Unauthenticated => Span::new("login required", Tone::Warning),
    }
}
