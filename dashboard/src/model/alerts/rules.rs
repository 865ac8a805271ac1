//! The built-in rules and their thresholds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::attention::Severity;

/// What a rule watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A node has not answered for so many polls.
    NodeDown,
    /// A node refuses connections.
    Refusing,
    /// A class refuses to store for want of memory.
    OutOfMemory,
    /// The cluster's hit rate fell so far below its median of the last hour.
    HitRateFell,
    /// A node evicts items that were used so few seconds ago.
    EvictsYoung,
    /// A node's process uses so much of its threads.
    CpuHigh,
    /// A node gets so many times its share of the requests.
    Skew,
    /// What is known of a node is older than so many intervals, though it is not down.
    Stale,
}

/// What a threshold counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleUnit {
    /// Polls without an answer.
    Polls,
    /// Events per second.
    PerSecond,
    /// Percentage points.
    Points,
    /// Seconds.
    Seconds,
    /// Percent.
    Percent,
    /// Times.
    Times,
}

impl RuleUnit {
    /// As it stands behind a number.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Polls => "polls",
            Self::PerSecond => "/s",
            Self::Points => "points",
            Self::Seconds => "s",
            Self::Percent => "%",
            Self::Times => "×",
        }
    }
}

/// What a rule is called, what it means, and its built-in threshold.
struct About {
    name: &'static str,
    meaning: &'static str,
    unit: RuleUnit,
    severity: Severity,
    threshold: f64,
    hold_seconds: u64,
    range: (f64, f64),
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 8] = [
        Self::NodeDown,
        Self::Refusing,
        Self::OutOfMemory,
        Self::HitRateFell,
        Self::EvictsYoung,
        Self::CpuHigh,
        Self::Skew,
        Self::Stale,
    ];

    const fn about(self) -> About {
        match self {
            Self::NodeDown => About {
                name: "node down",
                meaning: "polls in a row without an answer",
                unit: RuleUnit::Polls,
                severity: Severity::Critical,
                threshold: 3.0,
                hold_seconds: 0,
                range: (1.0, 1000.0),
            },
            Self::Refusing => About {
                name: "connections refused",
                meaning: "Δrejected_connections + Δlisten_disabled_num, or accepting_conns = 0",
                unit: RuleUnit::PerSecond,
                severity: Severity::Critical,
                threshold: 0.0,
                hold_seconds: 0,
                range: (0.0, 1e9),
            },
            Self::OutOfMemory => About {
                name: "out of memory",
                meaning: "Δoutofmemory of a slab class: stores that were refused",
                unit: RuleUnit::PerSecond,
                severity: Severity::Critical,
                threshold: 0.0,
                hold_seconds: 0,
                range: (0.0, 1e9),
            },
            Self::HitRateFell => About {
                name: "hit rate fell",
                meaning: "the cluster's hit rate below its median of the last hour",
                unit: RuleUnit::Points,
                severity: Severity::Warning,
                threshold: 5.0,
                hold_seconds: 120,
                range: (0.1, 100.0),
            },
            Self::EvictsYoung => About {
                name: "evicts young items",
                meaning: "evictions while the tail age is below",
                unit: RuleUnit::Seconds,
                severity: Severity::Warning,
                threshold: 60.0,
                hold_seconds: 60,
                range: (1.0, 1e7),
            },
            Self::CpuHigh => About {
                name: "CPU high",
                meaning: "Δ(rusage_user + rusage_system) / time / threads",
                unit: RuleUnit::Percent,
                severity: Severity::Warning,
                threshold: 90.0,
                hold_seconds: 60,
                range: (1.0, 1000.0),
            },
            Self::Skew => About {
                name: "skew",
                meaning: "requests of a node, in multiples of its share of the ring",
                unit: RuleUnit::Times,
                severity: Severity::Warning,
                threshold: 2.0,
                hold_seconds: 300,
                range: (1.0, 1000.0),
            },
            Self::Stale => About {
                name: "figures old",
                meaning: "intervals since the last answer of a node that is not down",
                unit: RuleUnit::Polls,
                severity: Severity::Notice,
                threshold: 3.0,
                hold_seconds: 0,
                range: (1.0, 1000.0),
            },
        }
    }

    /// Its short name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// What it compares with its threshold.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.about().meaning
    }

    /// How it compares with its threshold, as it stands before a number.
    #[must_use]
    pub const fn comparison(self) -> &'static str {
        match self {
            Self::NodeDown => "≥ ",
            Self::EvictsYoung => "< ",
            _ => "> ",
        }
    }

    /// What its threshold counts.
    #[must_use]
    pub const fn unit(self) -> RuleUnit {
        self.about().unit
    }

    /// How much it matters.
    #[must_use]
    pub const fn severity(self) -> Severity {
        self.about().severity
    }

    /// The thresholds that make sense.
    #[must_use]
    pub const fn range(self) -> (f64, f64) {
        self.about().range
    }
}

/// A rule with its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AlertRule {
    /// What it watches.
    pub rule: Rule,
    /// Whether it is watched at all.
    pub enabled: bool,
    /// The threshold, in the rule's unit.
    pub threshold: f64,
    /// For how long it must be met before it fires.
    pub hold: Duration,
}

impl AlertRule {
    /// The rule as it is built in.
    #[must_use]
    pub const fn built_in(rule: Rule) -> Self {
        let about = rule.about();
        Self {
            rule,
            enabled: true,
            threshold: about.threshold,
            hold: Duration::from_secs(about.hold_seconds),
        }
    }

    /// Whether it is as built in.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        *self == Self::built_in(self.rule)
    }
}

/// All rules, each once, in the order of [`Rule::ALL`].
///
/// Rules that were saved by another version are read as far as they are known; what is missing or
/// makes no sense is as built in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<SavedRule>")]
pub struct Rules(Vec<AlertRule>);

/// A rule as it may have been saved: with names that this version does not know.
#[derive(Debug, Deserialize)]
struct SavedRule {
    rule: String,
    enabled: bool,
    threshold: f64,
    hold: Duration,
}

impl From<Vec<SavedRule>> for Rules {
    fn from(saved: Vec<SavedRule>) -> Self {
        let mut rules = Self::default();
        for rule in &mut rules.0 {
            let Some(saved) = saved
                .iter()
                .find(|saved| saved.rule == rule.rule.saved_name())
            else {
                continue;
            };
            let (least, most) = rule.rule.range();
            if (least..=most).contains(&saved.threshold) {
                rule.threshold = saved.threshold;
            }
            rule.enabled = saved.enabled;
            rule.hold = saved.hold;
        }
        rules
    }
}

impl Rule {
    /// The name under which serde writes it.
    const fn saved_name(self) -> &'static str {
        match self {
            Self::NodeDown => "node_down",
            Self::Refusing => "refusing",
            Self::OutOfMemory => "out_of_memory",
            Self::HitRateFell => "hit_rate_fell",
            Self::EvictsYoung => "evicts_young",
            Self::CpuHigh => "cpu_high",
            Self::Skew => "skew",
            Self::Stale => "stale",
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self(Rule::ALL.map(AlertRule::built_in).to_vec())
    }
}

impl Rules {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[AlertRule] {
        &self.0
    }

    /// All of them, to be changed.
    pub fn all_mut(&mut self) -> &mut [AlertRule] {
        &mut self.0
    }

    pub(super) fn enabled(&self) -> impl Iterator<Item = &AlertRule> {
        self.0.iter().filter(|rule| rule.enabled)
    }

    pub(super) fn is_enabled(&self, rule: Rule) -> bool {
        self.enabled().any(|candidate| candidate.rule == rule)
    }
}
