//! Judges each snapshot once: what needs attention, and which thresholds are passed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Advice, Alerts, Attention, Cluster, Known, Rules, Snapshot};

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
    /// Takes in a snapshot, unless it is the last one again.
    pub(super) fn look(&mut self, cluster: &Cluster, snapshot: &Snapshot) {
        if self.judged == Some(snapshot.at) {
            return;
        }
        self.judged = Some(snapshot.at);
        let ring = cluster.ring_shares();
        self.advice = self.attention.update(&Known {
            snapshot,
            ring: Some(ring),
            usual_time_to_live: None,
            sizes: &BTreeMap::new(),
        });
        self.alerts.update(snapshot, Some(ring));
        self.published = self.alerts.published();
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
