//! Rules that compare nodes with each other.

use std::sync::Arc;

use super::{Advice, AdviceKind, JUDGED_OVER, Known, Remedy, Severity, Subject, recent};
use crate::model::history::Series;
use crate::model::monitor::Snapshot;
use crate::model::node::NodeSnapshot;
use crate::model::ring_shares::{MORE_POINTS, RingShares};
use crate::model::settings_diff::{SettingsDiff, most_common};
use crate::model::wording::{foreign, percent, rate};

/// How many times its share of the requests a node may get before it is a finding.
const SKEWED: f64 = 1.5;

/// Requests per second on the whole cluster below which nothing is said about their distribution.
const FEWEST_REQUESTS: f64 = 100.0;

/// How far above its fair share of the keys a node may be before it is a finding. 160 points a node
/// come to about 1.1 to 1.3, growing with the number of nodes.
const IMBALANCED: f64 = 1.25;

/// Nodes and settings named in a text; the rest is counted.
const NAMED: usize = 3;

/// How much is shown of a setting's value.
const LONGEST_VALUE: usize = 24;

/// Finds in what the nodes differ that should be alike.
pub(super) fn find(known: &Known<'_>, found: &mut Vec<Advice>) {
    if let Some(ring) = known.ring.filter(|ring| ring.len() > 1) {
        for node in &known.snapshot.nodes {
            found.extend(skewed(known, ring, node));
        }
        found.extend(imbalance(known, ring));
    }
    found.extend(version_drift(known));
    found.extend(settings_drift(known));
}

pub(super) fn advice(
    known: &Known<'_>,
    subject: Subject,
    kind: AdviceKind,
    severity: Severity,
) -> Advice {
    Advice {
        kind,
        severity,
        subject,
        title: String::new(),
        evidence: String::new(),
        formula: "",
        remedy: Remedy::default(),
        weight: 0.0,
        since: known.snapshot.at,
    }
}

/// How many times its share of the cluster's requests a node gets, over the last moments: its
/// requests ÷ (its share of the ring · the cluster's requests). `None` for a node that does not
/// answer, and while the cluster gets too few requests to tell.
#[must_use]
pub fn skew(snapshot: &Snapshot, ring: &RingShares, node: &NodeSnapshot) -> Option<f64> {
    // The cluster's first sums lack the nodes that were not compared yet.
    if snapshot.at < JUDGED_OVER * 2 {
        return None;
    }
    let all = recent(&snapshot.history, Series::Operations, snapshot.at)?;
    let own = recent(&node.history, Series::Operations, snapshot.at)?;
    let share = ring.share(&node.name).filter(|share| *share > 0.0)?;
    (all >= FEWEST_REQUESTS && node.state.is_answering()).then(|| own / (share * all))
}

fn skewed(known: &Known<'_>, ring: &RingShares, node: &NodeSnapshot) -> Option<Advice> {
    let skew = skew(known.snapshot, ring, node).filter(|skew| *skew > SKEWED)?;
    let share = ring.share(&node.name)?;
    let own = recent(&node.history, Series::Operations, known.snapshot.at)?;
    Some(Advice {
        title: format!("{} takes {skew:.1}× its share", node.name),
        evidence: format!(
            "{} of requests with {} of the ring",
            rate(own),
            percent(share)
        ),
        formula: "node's requests/s ÷ (its share of the ring · the cluster's requests/s)",
        remedy: Remedy::new(
            "A few hot keys may lie there. The Live view counts which keys are read most; keep \
             those in the application, or spread copies of them over several keys.",
        ),
        weight: skew,
        ..advice(
            known,
            Subject::Node(node.name.clone()),
            AdviceKind::Skew,
            Severity::Warning,
        )
    })
}

fn imbalance(known: &Known<'_>, ring: &RingShares) -> Option<Advice> {
    let imbalance = ring.imbalance();
    if imbalance <= IMBALANCED {
        return None;
    }
    let (name, share, fair) = ring.fullest()?;
    let better = ring
        .imbalance_with_more_points
        .filter(|better| *better < imbalance - 0.02);
    let text = better.map_or_else(
        || "A rendezvous distribution divides evenly.".to_owned(),
        |better| {
            format!(
                "{MORE_POINTS} points a node would bring it to {better:.2}×. All clients have to \
                 change together, and most keys move: try it in What-if first."
            )
        },
    );
    Some(Advice {
        title: format!("Ring imbalance {imbalance:.2}×"),
        evidence: format!(
            "{name} holds {} where {} would be fair",
            percent(share),
            percent(fair)
        ),
        formula: "largest (share of the hash space ÷ fair share)",
        remedy: Remedy::new(text),
        weight: imbalance,
        ..advice(
            known,
            Subject::Cluster,
            AdviceKind::Imbalance,
            Severity::Notice,
        )
    })
}

fn version_drift(known: &Known<'_>) -> Option<Advice> {
    let versions: Vec<(&Arc<str>, &str)> = known
        .snapshot
        .nodes
        .iter()
        .filter_map(|node| Some((&node.name, node.current()?.version.as_deref()?)))
        .collect();
    let majority = most_common(versions.iter().map(|(_, version)| *version));
    let others: Vec<_> = versions
        .iter()
        .filter(|(_, version)| *version != majority)
        .collect();
    if others.is_empty() {
        return None;
    }
    let named = others.iter().take(NAMED).map(|(name, version)| {
        format!("{name} runs {}", foreign(version.as_bytes(), LONGEST_VALUE))
    });
    Some(Advice {
        title: "Servers run different versions".to_owned(),
        evidence: format!(
            "{} of {} run {}; {}{}",
            versions.len() - others.len(),
            versions.len(),
            foreign(majority.as_bytes(), LONGEST_VALUE),
            named.collect::<Vec<_>>().join(", "),
            and_more(others.len())
        ),
        formula: "version of stats, against the most common one",
        remedy: Remedy::new(
            "Bring them to the same version: memory overhead, meta commands and counters differ \
             between versions.",
        ),
        weight: others.len() as f64,
        ..advice(
            known,
            Subject::Cluster,
            AdviceKind::VersionDrift,
            Severity::Notice,
        )
    })
}

fn settings_drift(known: &Known<'_>) -> Option<Advice> {
    let diff = SettingsDiff::of(known.snapshot);
    let drifts: Vec<_> = diff.drifts().collect();
    if drifts.is_empty() {
        return None;
    }
    let named = drifts.iter().take(NAMED).map(|row| {
        let (node, value) = &row.differing[0];
        let name = known
            .snapshot
            .nodes
            .get(*node)
            .map_or("", |node| &*node.name);
        let shown = |text: &str| foreign(text.as_bytes(), LONGEST_VALUE);
        format!(
            "{} = {} on {name}, {} elsewhere",
            shown(&row.name),
            value.as_deref().map_or_else(|| "missing".to_owned(), shown),
            shown(&row.majority),
        )
    });
    let nodes: std::collections::BTreeSet<usize> = drifts
        .iter()
        .flat_map(|row| row.differing.iter().map(|(node, _)| *node))
        .collect();
    Some(Advice {
        title: "Servers are set differently".to_owned(),
        evidence: format!(
            "{}{} · {} of {} nodes differ",
            named.collect::<Vec<_>>().join("; "),
            and_more(drifts.len()),
            nodes.len(),
            diff.compared
        ),
        formula: "stats settings, each against the most common value; addresses and files left out",
        remedy: Remedy::new(
            "Start them with the same options, unless they differ on purpose. The Nodes view lists \
             what differs.",
        ),
        weight: drifts.len() as f64,
        ..advice(
            known,
            Subject::Cluster,
            AdviceKind::SettingsDrift,
            Severity::Notice,
        )
    })
}

fn and_more(all: usize) -> String {
    match all.saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}
