//! What on the cluster needs attention, ranked: each with its evidence, the formula behind it, and
//! what to do. Nothing here is ever done by memlens itself.
//!
//! [`findings`] is a pure function of what is [`Known`] at one moment. [`Attention`] remembers
//! between moments, so that the list stands still: a finding stays a little longer than its cause,
//! and knows since when it has been there.

mod classes;
mod client;
mod cluster;
mod nodes;
mod remedy;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use memlens::ring::Ring;
use memlens::stats::Sizes;

use super::client_side::ClientSide;
use super::history::{History, Series, Tier};
use super::monitor::Snapshot;
use super::ring_shares::RingShares;

pub use cluster::skew;
pub use remedy::Remedy;

/// How long a condition that comes and goes stays listed after it was last seen.
const KEEP_CONDITION: Duration = Duration::from_secs(15);

/// How long an event stays listed.
const KEEP_EVENT: Duration = Duration::from_secs(5 * 60);

/// Over how long rates are averaged before they are judged, so that one busy second is no finding.
const JUDGED_OVER: Duration = Duration::from_secs(15);

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Notice,
    /// Something gets worse, or is wasted.
    Warning,
    /// Something is lost now.
    Critical,
}

impl Severity {
    /// In a word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What a finding or an alert is about. Nodes go by name, since indexes change with the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// All of it.
    Cluster,
    /// One node.
    Node(Arc<str>),
    /// One slab class of one node.
    Class {
        /// The node.
        node: Arc<str>,
        /// The class's number there.
        class: u32,
    },
}

impl Subject {
    /// The node that it is about, or is on.
    #[must_use]
    pub const fn node(&self) -> Option<&Arc<str>> {
        match self {
            Self::Cluster => None,
            Self::Node(node) | Self::Class { node, .. } => Some(node),
        }
    }
}

/// The rules, by what they find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdviceKind {
    /// A node does not answer.
    NotAnswering,
    /// A node wants a login.
    LoginRequired,
    /// What is shown of a node is old.
    Stale,
    /// A node refuses connections.
    Refusing,
    /// A node refuses to store for want of memory.
    OutOfMemory,
    /// A node was started anew, and so was emptied.
    Restarted,
    /// A node was flushed.
    Flushed,
    /// A class evicts what is young while other classes have pages to spare.
    Starvation,
    /// There are so many classes that a page for each fills the memory.
    TooManyClasses,
    /// Items are evicted before they would expire.
    EvictedBeforeExpiry,
    /// Most of what is evicted was never read.
    EvictedUnread,
    /// Chunks are much larger than what lies in them.
    Waste,
    /// A node gets more requests than its share of the keys.
    Skew,
    /// A node holds more keys than its fair share.
    Imbalance,
    /// A client finds keys by other servers, or in another way, than it is shown here.
    ClientRing,
    /// A client gets less than the servers say they found.
    ClientMisses,
    /// Servers run different versions.
    VersionDrift,
    /// Servers are set differently.
    SettingsDrift,
}

impl AdviceKind {
    /// In a word or two, as a tag.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotAnswering => "down",
            Self::LoginRequired => "login",
            Self::Stale => "stale",
            Self::Refusing => "refusing",
            Self::OutOfMemory => "out of memory",
            Self::Restarted => "restarted",
            Self::Flushed => "flushed",
            Self::Starvation => "starving",
            Self::TooManyClasses => "classes",
            Self::EvictedBeforeExpiry => "short-lived",
            Self::EvictedUnread => "unread",
            Self::Waste => "waste",
            Self::Skew => "skew",
            Self::Imbalance => "imbalance",
            Self::ClientRing => "client's ring",
            Self::ClientMisses => "client misses",
            Self::VersionDrift => "versions",
            Self::SettingsDrift => "settings",
        }
    }

    /// How long it stays listed after it was last seen.
    const fn kept(self) -> Duration {
        match self {
            Self::Refusing | Self::OutOfMemory => KEEP_EVENT,
            Self::NotAnswering | Self::LoginRequired | Self::Stale => Duration::ZERO,
            _ => KEEP_CONDITION,
        }
    }
}

/// One thing that needs attention.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// Which rule found it.
    pub kind: AdviceKind,
    /// How much it matters.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// What is the matter, in a few words.
    pub title: String,
    /// The figures that show it.
    pub evidence: String,
    /// How the figures are computed, in the names of `stats`.
    pub formula: &'static str,
    /// What to do about it.
    pub remedy: Remedy,
    /// Order among those as severe: the larger the worse.
    pub weight: f64,
    /// Since when it has been found, on the watch's clock.
    pub since: Duration,
}

/// All that the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The cluster now.
    pub snapshot: &'a Snapshot,
    /// What the ring gives each node, when the ring is known.
    pub ring: Option<&'a RingShares>,
    /// The ring that is shown, with its servers.
    pub cluster_ring: Option<&'a Ring>,
    /// What an application's client says, when one can be asked.
    pub client: Option<&'a ClientSide>,
    /// The usual time to live of what the application stores, when a scan or a watch has shown it.
    pub usual_time_to_live: Option<Duration>,
    /// The nodes' item sizes, of those that were asked for `stats sizes`.
    pub sizes: &'a BTreeMap<Arc<str>, Arc<Sizes>>,
}

/// What needs attention at one moment, the worst first.
#[must_use]
pub fn findings(known: &Known<'_>) -> Vec<Advice> {
    let mut found = Vec::new();
    for node in &known.snapshot.nodes {
        nodes::find(known.snapshot, node, &mut found);
        if node.state.is_answering() {
            classes::find(known, node, &mut found);
        }
    }
    cluster::find(known, &mut found);
    client::find(known, &mut found);
    rank(&mut found);
    found
}

fn rank(advice: &mut [Advice]) {
    advice.sort_by(|one, other| {
        let worst_first = other.severity.cmp(&one.severity);
        let by_kind = || one.kind.cmp(&other.kind);
        let heaviest_first = || other.weight.total_cmp(&one.weight);
        let by_subject = || one.subject.cmp(&other.subject);
        worst_first
            .then_with(by_kind)
            .then_with(heaviest_first)
            .then_with(by_subject)
    });
}

/// The mean of a series over the last moments, weighted as its points are. `None` without points.
fn recent(history: &History, series: Series, now: Duration) -> Option<f64> {
    let from = now.saturating_sub(JUDGED_OVER);
    let (mut sum, mut count) = (0.0, 0_u32);
    for point in history.points(Tier::Seconds, series) {
        if point.at >= from {
            sum += f64::from(point.value);
            count += 1;
        }
    }
    (count > 0).then(|| sum / f64::from(count))
}

/// The list of what needs attention, over time.
#[derive(Debug, Default)]
pub struct Attention {
    listed: BTreeMap<(AdviceKind, Subject), Listed>,
}

#[derive(Debug)]
struct Listed {
    advice: Advice,
    last_seen: Duration,
}

impl Attention {
    /// Takes in what is known now, and gives the list: the worst first.
    pub fn update(&mut self, known: &Known<'_>) -> Arc<[Advice]> {
        let now = known.snapshot.at;
        for mut advice in findings(known) {
            let key = (advice.kind, advice.subject.clone());
            if let Some(earlier) = self.listed.get(&key) {
                advice.since = earlier.advice.since;
            }
            let listed = Listed {
                advice,
                last_seen: now,
            };
            self.listed.insert(key, listed);
        }
        let nodes = &known.snapshot.nodes;
        self.listed.retain(|(kind, subject), listed| {
            let exists = subject
                .node()
                .is_none_or(|name| nodes.iter().any(|node| node.name == *name));
            exists && now.saturating_sub(listed.last_seen) <= kind.kept()
        });
        let mut list: Vec<_> = self
            .listed
            .values()
            .map(|listed| listed.advice.clone())
            .collect();
        rank(&mut list);
        list.into()
    }
}
