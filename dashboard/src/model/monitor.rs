//! All nodes: observations in, snapshots out.

use std::sync::Arc;
use std::time::Duration;

use super::cluster::Totals;
use super::history::History;
use super::node::{NodeRecord, NodeSnapshot, Observation};

/// The cluster at one moment. Immutable, and cheap to clone and to keep.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The moment, since the watch began.
    pub at: Duration,
    /// How often every node is polled.
    pub interval: Duration,
    /// The nodes, in the order they were configured.
    pub nodes: Vec<Arc<NodeSnapshot>>,
    /// The nodes added up.
    pub totals: Totals,
    /// The totals over time.
    pub history: History,
}

impl Snapshot {
    /// How long ago the node last answered.
    #[must_use]
    pub fn silence(&self, node: &NodeSnapshot) -> Option<Duration> {
        Some(self.at.saturating_sub(node.last_answer?))
    }
}

/// Collects what is learned about the nodes.
#[derive(Debug)]
pub struct Monitor {
    interval: Duration,
    nodes: Vec<NodeRecord>,
    history: History,
}

impl Monitor {
    /// A monitor of the nodes with these names, each to be polled every `interval`.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = Arc<str>>, interval: Duration) -> Self {
        let nodes = names.into_iter().map(NodeRecord::new).collect();
        Self {
            interval,
            nodes,
            history: History::default(),
        }
    }

    /// Takes in what was learned about the node with the index `node` at the moment `at`.
    /// Moments of one node never go back. An index without a node is ignored.
    pub fn observe(&mut self, node: usize, at: Duration, observation: Observation) {
        if let Some(record) = self.nodes.get_mut(node) {
            record.observe(at, self.interval, observation);
        }
    }

    /// The cluster at `now`. The totals are also put into the cluster's history, so this is called
    /// once per interval.
    pub fn publish(&mut self, now: Duration) -> Snapshot {
        let interval = self.interval;
        let nodes: Vec<_> = self
            .nodes
            .iter_mut()
            .map(|record| record.at(now, interval))
            .collect();
        let totals = Totals::of(&nodes);
        self.history.add(now, &totals.measure());
        Snapshot {
            at: now,
            interval,
            nodes,
            totals,
            history: self.history.clone(),
        }
    }
}
