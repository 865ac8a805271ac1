//! Judges each snapshot once: what needs attention, and which thresholds are passed.

use std::sync::Arc;
use std::time::Duration;

use super::on_demand::OnDemand;
use crate::model::{
    Advice, Alerts, Attention, ClientSide, Cluster, Known, Rules, Severity, Snapshot, Subject,
    Transition,
};

/// What is remembered from snapshot to snapshot.
#[derive(Debug, Default)]
pub(super) struct Judge {
    attention: Attention,
    alerts: Alerts,
    judged: Option<Duration>,
    advice: Arc<[Advice]>,
    published: Arc<Alerts>,
}

impl Judge {
    /// Takes in a snapshot, unless it is the last one again, and tells which alerts began or
    /// ended.
    pub(super) fn look(
        &mut self,
        cluster: &Cluster,
        snapshot: &Snapshot,
        client: Option<&ClientSide>,
        on_demand: &OnDemand,
    ) -> Vec<Transition> {
        if self.judged == Some(snapshot.at) {
            return Vec::new();
        }
        self.judged = Some(snapshot.at);
        let ring = cluster.ring_shares();
        self.advice = self.attention.update(&Known {
            snapshot,
            ring: Some(ring),
            cluster_ring: Some(cluster.ring()),
            client,
            usual_time_to_live: on_demand.usual_time_to_live(),
            sizes: &on_demand.known_sizes(),
        });
        let changes = self.alerts.update(snapshot, Some(ring));
        self.published = self.alerts.published();
        changes
    }

    /// Watches other thresholds from now on.
    pub(super) fn set_rules(&mut self, rules: Rules) {
        self.alerts.set_rules(rules);
        self.published = self.alerts.published();
    }

    /// Another cluster comes: nothing that was found holds for it. The thresholds stay.
    pub(super) fn forget(&mut self) {
        let rules = self.alerts.rules().clone();
        *self = Self::default();
        self.set_rules(rules);
    }

    pub(super) fn advice(&self) -> Arc<[Advice]> {
        Arc::clone(&self.advice)
    }

    pub(super) fn alerts(&self) -> Arc<Alerts> {
        Arc::clone(&self.published)
    }
}

/// An alert in a sentence, and whether it is bad news.
pub(super) fn told(change: &Transition) -> (bool, String) {
    let place = match &change.subject {
        Subject::Cluster => String::new(),
        Subject::Node(node) => format!("{node}: "),
        Subject::Class { node, class } => format!("{node}, class {class}: "),
    };
    let name = change.rule.name();
    if change.fires {
        let is_bad = change.severity == Severity::Critical;
        (is_bad, format!("{place}{name}: {}", change.text))
    } else {
        (false, format!("{place}{name} is over"))
    }
}
