//! All nodes: observations in, snapshots out.

use std::sync::Arc;
use std::time::Duration;

use super::cluster::Totals;
use super::history::History;
use super::node::{NodeRecord, NodeSnapshot, Observation};

/// Changes kept; older ones are forgotten.
const CHANGES_KEPT: usize = 64;

/// Somebody changed the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When, since the watch began.
    pub at: Duration,
    /// What was changed, in a few words.
    pub text: Arc<str>,
}

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
    /// What somebody changed, oldest first.
    pub changes: Vec<Change>,
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
    changes: Vec<Change>,
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
            changes: Vec::new(),
        }
    }

    /// Goes on with the nodes of these names, in this order. What is known of those that stay is
    /// kept.
    pub fn set_nodes(&mut self, names: impl IntoIterator<Item = Arc<str>>) {
        let mut known = std::mem::take(&mut self.nodes);
        self.nodes = names
            .into_iter()
            .map(|name| {
                let place = known.iter().position(|record| *record.name() == name);
                place.map_or_else(|| NodeRecord::new(name), |place| known.swap_remove(place))
            })
            .collect();
    }

    /// From now on the nodes are polled every `interval`.
    pub const fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    /// Notes that somebody changed the cluster at `at`.
    pub fn note_change(&mut self, at: Duration, text: impl Into<Arc<str>>) {
        if self.changes.len() == CHANGES_KEPT {
            self.changes.remove(0);
        }
        let text = text.into();
        self.changes.push(Change { at, text });
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
            changes: self.changes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::Monitor;
    use crate::model::{Failure, NodeState, Observation};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn nodes_that_stay_keep_what_is_known_of_them() {
        let mut monitor = Monitor::new(["a", "b"].map(Arc::from), SECOND);
        monitor.observe(1, SECOND, Observation::Failed(Failure::Refused));
        monitor.set_nodes(["b", "c"].map(Arc::from));
        monitor.note_change(SECOND, "removed a, added c");
        let snapshot = monitor.publish(SECOND);
        let states: Vec<_> = snapshot
            .nodes
            .iter()
            .map(|node| (&*node.name, &node.state))
            .collect();
        assert_eq!(
            states,
            [
                ("b", &NodeState::Down(Failure::Refused)),
                ("c", &NodeState::Connecting)
            ]
        );
        assert_eq!(&*snapshot.changes[0].text, "removed a, added c");
    }
}
