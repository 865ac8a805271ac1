//! Alerts: rules with thresholds, what they watch, and what they have said.
//!
//! [`Alerts::update`] takes one snapshot after the other. A rule that is met is *pending* until it
//! has been met for as long as the rule demands, then *firing*, until it has not been met for a
//! while. What fired is kept as an [`AlertEpisode`].

mod rules;
mod watch;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::attention::{Severity, Subject};
use super::monitor::Snapshot;
use super::ring_shares::RingShares;

pub use rules::{AlertRule, Rule, RuleUnit, Rules};

/// How long a firing alert must not be met before it is over. Without it, one that is met at every
/// other poll would be told of again and again.
const OVER_AFTER: Duration = Duration::from_secs(10);

/// Episodes kept; the oldest are forgotten.
const EPISODES_KEPT: usize = 500;

/// How an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertState {
    /// Met, but not for long enough.
    Pending,
    /// Met for long enough.
    Firing,
}

/// A rule that is met.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// The rule.
    pub rule: Rule,
    /// What it is met by.
    pub subject: Subject,
    /// How it stands.
    pub state: AlertState,
    /// Since when it has been met, on the watch's clock.
    pub since: Duration,
    /// The figure that meets it, in the rule's unit.
    pub value: f64,
    /// The figure in words.
    pub text: String,
    last_met: Duration,
}

/// A time for which an alert fired.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertEpisode {
    /// The rule.
    pub rule: Rule,
    /// What met it.
    pub subject: Subject,
    /// When it began to fire.
    pub fired: Duration,
    /// When it was over. `None` while it fires.
    pub over: Option<Duration>,
    /// What it said when it began to fire.
    pub text: String,
}

/// Something that somebody should be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The rule.
    pub rule: Rule,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// Whether it began to fire; otherwise it is over.
    pub fires: bool,
    /// What it says.
    pub text: String,
}

/// The alerts of a cluster over time.
#[derive(Debug, Clone, Default)]
pub struct Alerts {
    rules: Rules,
    active: BTreeMap<(Rule, Subject), Alert>,
    episodes: VecDeque<AlertEpisode>,
}

impl Alerts {
    /// Alerts by these rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// The rules.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Goes on by other rules. What was met by the old ones is judged anew at the next update.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// What is met now: the firing ones first, of those the most severe.
    #[must_use]
    pub fn active(&self) -> Vec<&Alert> {
        let mut alerts: Vec<&Alert> = self.active.values().collect();
        alerts.sort_by(|one, other| {
            let by_state = other.state.cmp(&one.state);
            let by_severity = other.rule.severity().cmp(&one.rule.severity());
            by_state.then(by_severity).then(one.since.cmp(&other.since))
        });
        alerts
    }

    /// How many are firing.
    #[must_use]
    pub fn firing(&self) -> usize {
        let alerts = self.active.values();
        alerts
            .filter(|alert| alert.state == AlertState::Firing)
            .count()
    }

    /// What fired, the oldest first; those still firing included.
    pub fn episodes(&self) -> impl DoubleEndedIterator<Item = &AlertEpisode> {
        self.episodes.iter()
    }

    /// Judges a snapshot, and tells what changed.
    pub fn update(&mut self, snapshot: &Snapshot, ring: Option<&RingShares>) -> Vec<Transition> {
        let now = snapshot.at;
        let mut changes = Vec::new();
        for rule in self.rules.enabled() {
            for met in watch::met(rule, snapshot, ring) {
                let key = (rule.rule, met.subject.clone());
                let alert = self.active.entry(key).or_insert_with(|| Alert {
                    rule: rule.rule,
                    subject: met.subject,
                    state: AlertState::Pending,
                    since: now,
                    value: met.value,
                    text: String::new(),
                    last_met: now,
                });
                alert.value = met.value;
                alert.text = met.text;
                alert.last_met = now;
                let long_enough = now.saturating_sub(alert.since) >= rule.hold;
                if alert.state == AlertState::Pending && long_enough {
                    alert.state = AlertState::Firing;
                    changes.push(Transition::of(alert, true));
                }
            }
        }
        self.end_those_not_met(now, &mut changes);
        for change in &changes {
            self.note(now, change);
        }
        changes
    }

    fn end_those_not_met(&mut self, now: Duration, changes: &mut Vec<Transition>) {
        let rules = &self.rules;
        self.active.retain(|(rule, _), alert| {
            let unmet_for = now.saturating_sub(alert.last_met);
            let is_over = match alert.state {
                AlertState::Pending => !unmet_for.is_zero(),
                AlertState::Firing => unmet_for > OVER_AFTER,
            };
            let ends = is_over || !rules.is_enabled(*rule);
            if ends && alert.state == AlertState::Firing {
                changes.push(Transition::of(alert, false));
            }
            !ends
        });
    }

    fn note(&mut self, now: Duration, change: &Transition) {
        if !change.fires {
            let open = self.episodes.iter_mut().rev().find(|episode| {
                episode.over.is_none()
                    && episode.rule == change.rule
                    && episode.subject == change.subject
            });
            if let Some(episode) = open {
                episode.over = Some(now);
            }
            return;
        }
        if self.episodes.len() == EPISODES_KEPT {
            self.episodes.pop_front();
        }
        self.episodes.push_back(AlertEpisode {
            rule: change.rule,
            subject: change.subject.clone(),
            fired: now,
            over: None,
            text: change.text.clone(),
        });
    }

    /// A copy to publish beside a snapshot.
    #[must_use]
    pub fn published(&self) -> Arc<Self> {
        Arc::new(self.clone())
    }
}

impl Transition {
    fn of(alert: &Alert, fires: bool) -> Self {
        Self {
            rule: alert.rule,
            severity: alert.rule.severity(),
            subject: alert.subject.clone(),
            fires,
            text: alert.text.clone(),
        }
    }
}
