//! Rules about one node as a whole.

use std::time::Duration;

use super::remedy::send;
use super::{Advice, AdviceKind, KEEP_EVENT, Remedy, Severity, Subject};
use crate::model::monitor::Snapshot;
use crate::model::node::{MarkKind, NodeSnapshot};
use crate::model::state::NodeState;
use crate::model::wording::{bytes, lasting};

/// Finds what is the matter with a node.
pub(super) fn find(snapshot: &Snapshot, node: &NodeSnapshot, found: &mut Vec<Advice>) {
    found.extend(not_answering(snapshot, node));
    found.extend(refusing(snapshot, node));
    for (mark, kind) in [
        (MarkKind::Restarted, AdviceKind::Restarted),
        (MarkKind::Flushed, AdviceKind::Flushed),
    ] {
        found.extend(emptied(snapshot, node, mark, kind));
    }
}

fn advice(
    snapshot: &Snapshot,
    node: &NodeSnapshot,
    kind: AdviceKind,
    severity: Severity,
) -> Advice {
    Advice {
        kind,
        severity,
        subject: Subject::Node(node.name.clone()),
        title: String::new(),
        evidence: String::new(),
        formula: "",
        remedy: Remedy::default(),
        weight: 0.0,
        since: snapshot.at,
    }
}

fn not_answering(snapshot: &Snapshot, node: &NodeSnapshot) -> Option<Advice> {
    let name = &node.name;
    let silence = snapshot.silence(node);
    let last_heard = silence.map_or_else(
        || "not heard of yet".to_owned(),
        |silence| format!("last answer {} ago", lasting(silence)),
    );
    let stored = node.general.as_ref().and_then(|general| general.bytes);
    let base = |kind, severity| advice(snapshot, node, kind, severity);
    match &node.state {
        NodeState::Down(failure) => Some(Advice {
            title: format!("{name} is not answering"),
            evidence: match stored {
                Some(stored) => format!("{failure} · {last_heard} · held {}", bytes(stored)),
                None => format!("{failure} · {last_heard}"),
            },
            formula: "three polls failed in a row, or the connection was refused",
            remedy: Remedy::with(
                "Is the process running, and does its port answer from here?",
                send("version", name),
            ),
            weight: silence.unwrap_or(snapshot.at).as_secs_f64(),
            ..base(AdviceKind::NotAnswering, Severity::Critical)
        }),
        NodeState::Unauthenticated => Some(Advice {
            title: format!("{name} wants a login"),
            evidence: "it answers every command with CLIENT_ERROR unauthenticated".to_owned(),
            formula: "the answer to stats",
            remedy: Remedy::new(
                "It was started with -Y or -S. Its figures cannot be read without a login.",
            ),
            ..base(AdviceKind::LoginRequired, Severity::Warning)
        }),
        NodeState::Stale => Some(Advice {
            title: format!("{name} is slow to answer"),
            evidence: format!("{last_heard} · what is shown of it is old"),
            formula: "a poll failed, or nothing came for three intervals",
            remedy: Remedy::with(
                "Does it answer from here at all, and how soon?",
                format!("time {}", send("mn", name)),
            ),
            weight: silence.map_or(0.0, |silence| silence.as_secs_f64()),
            ..base(AdviceKind::Stale, Severity::Warning)
        }),
        NodeState::Connecting | NodeState::Up => None,
    }
}

fn refusing(snapshot: &Snapshot, node: &NodeSnapshot) -> Option<Advice> {
    let general = node.current()?;
    let moved = |counter: Option<u64>| counter.unwrap_or(0);
    let deltas = node.deltas.as_ref();
    let rejected = moved(deltas.and_then(|deltas| deltas.rejected_connections));
    let disabled = moved(deltas.and_then(|deltas| deltas.listen_disabled_num));
    let deaf = general.accepting_conns == Some(false);
    if rejected == 0 && disabled == 0 && !deaf {
        return None;
    }
    let open = general.curr_connections.unwrap_or(0);
    let most = general.max_connections.unwrap_or(0);
    let mut evidence = format!("{open} connections open of {most}");
    if rejected > 0 {
        evidence.push_str(&format!(" · {rejected} refused since the last poll"));
    }
    if disabled > 0 {
        evidence.push_str(&format!(" · stopped listening {disabled} times"));
    }
    let severity = if deaf {
        Severity::Critical
    } else {
        Severity::Warning
    };
    Some(Advice {
        title: if deaf {
            format!("{} accepts no connections", node.name)
        } else {
            format!("{} refuses connections", node.name)
        },
        evidence,
        formula: "Δrejected_connections, Δlisten_disabled_num or accepting_conns = 0. The server \
                  refuses below max_connections, since it keeps descriptors for itself",
        remedy: Remedy::new(format!(
            "Start it with a higher limit (-c {}), or find out who opens so many connections: \
             stats conns lists them.",
            most.max(512) * 2
        )),
        weight: (rejected + disabled) as f64,
        ..advice(snapshot, node, AdviceKind::Refusing, severity)
    })
}

/// A restart or a flush that happened a short while ago: the node's items are gone.
fn emptied(
    snapshot: &Snapshot,
    node: &NodeSnapshot,
    mark: MarkKind,
    kind: AdviceKind,
) -> Option<Advice> {
    let happened = node
        .marks
        .iter()
        .rev()
        .find(|candidate| candidate.kind == mark)?;
    let ago = snapshot.at.saturating_sub(happened.at);
    if ago > KEEP_EVENT || !node.state.is_answering() {
        return None;
    }
    let items = node.current().and_then(|general| general.curr_items);
    let now_holds = items.map_or_else(String::new, |items| format!(" · holds {items} items now"));
    let (title, formula, text) = if mark == MarkKind::Restarted {
        (
            format!("{} was restarted", node.name),
            "pid changed, or uptime fell",
            "It began empty: expect misses until it is warm. If nobody restarted it, look for an \
             out-of-memory kill in the system's log.",
        )
    } else {
        (
            format!("{} was flushed", node.name),
            "Δcmd_flush > 0",
            "Somebody sent flush_all. The option -F forbids it.",
        )
    };
    Some(Advice {
        title,
        evidence: format!("{} ago{now_holds}", lasting(ago)),
        formula,
        remedy: Remedy::new(text),
        weight: (KEEP_EVENT.saturating_sub(ago)).as_secs_f64(),
        since: happened.at.min(snapshot.at).max(Duration::ZERO),
        ..advice(snapshot, node, kind, Severity::Notice)
    })
}
