//! Six figures about the whole cluster.

use std::time::Duration;

use egui::Ui;

use super::super::{Action, View, ViewContext};
use crate::format::{bytes, compact, count, latency, percent_figure};
use crate::model::{Deltas, History, NodeSnapshot, Series, Snapshot, Tier};
use crate::theme::GAP_LARGE;
use crate::widgets::{Figure, Split, Tone, columns, figure_card};

/// Points of a small line.
const TREND: Duration = Duration::from_secs(120);

/// How much time makes a change worth telling.
const SOONEST: Duration = Duration::from_secs(60);

/// What a change is measured against.
const BEFORE: Duration = Duration::from_secs(3600);

pub(super) fn ui(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let cards = columns(ui.max_rect(), GAP_LARGE, &[Split::Share(1.0); 6]);
    let snapshot = cx.snapshot;
    let totals = &snapshot.totals;
    let trend = |series| trend(&snapshot.history, series, snapshot.at);
    let answering = partial(snapshot);

    let (note, tone) = hit_rate_note(snapshot);
    let hits = trend(Series::HitRate);
    let hit_rate = Figure {
        title: "Hit rate",
        value: &percent_figure(totals.hit_rate),
        unit: "%",
        note: answering.as_deref().unwrap_or(&note),
        tone: if answering.is_some() {
            Tone::Warn
        } else {
            tone
        },
        trend: &hits,
        help: "Σ Δget_hits / Σ Δ(get_hits + get_misses) of all nodes, between the last two polls",
        leads_on: true,
    };
    let (operations, prefix) = compact(totals.operations_per_second);
    let shares = request_shares(snapshot);
    let requests_trend = trend(Series::Operations);
    let requests = Figure {
        title: "Requests",
        value: &operations,
        unit: &format!("{prefix}/s"),
        note: &shares,
        tone: Tone::Neutral,
        trend: &requests_trend,
        help: "gets, sets, touches, deletes, increments, decrements and meta debugs, none counted twice",
        leads_on: true,
    };
    let (evictions, prefix) = compact(totals.evictions_per_second);
    let (evictions_note, evictions_tone) = evictions_note(snapshot);
    let evictions_trend = trend(Series::Evictions);
    let evictions = Figure {
        title: "Evictions",
        value: &evictions,
        unit: &format!("{prefix}/s"),
        note: &evictions_note,
        tone: evictions_tone,
        trend: &evictions_trend,
        help: "live items thrown out for want of memory: Δevictions",
        leads_on: true,
    };
    let stored = totals.stored_bytes.zip(totals.limit_bytes);
    let stored_share = stored.filter(|(_, limit)| *limit > 0);
    let stored_share = stored_share.map(|(stored, limit)| stored as f64 / limit as f64);
    let memory_value =
        stored_share.map_or_else(|| "–".to_owned(), |share| format!("{:.0}", share * 100.0));
    let memory_trend = trend(Series::StoredBytes);
    let memory_note = memory_note(snapshot);
    let memory = Figure {
        title: "Memory",
        value: &memory_value,
        unit: "%",
        note: &memory_note,
        tone: Tone::Neutral,
        trend: &memory_trend,
        help: "bytes / limit_maxbytes. A node may evict long before 100 %: see Slabs",
        leads_on: true,
    };
    let (connections, prefix) = compact(totals.connections.map(|count| count as f64));
    let (refused, refused_tone) = refused_note(snapshot);
    let connections_trend = trend(Series::Connections);
    let connections = Figure {
        title: "Connections",
        value: &connections,
        unit: prefix,
        note: &refused,
        tone: refused_tone,
        trend: &connections_trend,
        help: "curr_connections of all nodes, ours included",
        leads_on: true,
    };
    let slowest = snapshot
        .nodes
        .iter()
        .zip(0..)
        .max_by_key(|(node, _)| node.round_trip);
    let slowest = slowest.filter(|(node, _)| node.round_trip.is_some());
    let (time, unit) = latency(slowest.and_then(|(node, _)| node.round_trip));
    let slow_trend = slowest.map_or_else(Vec::new, |(node, _)| {
        self::trend(&node.history, Series::RoundTrip, snapshot.at)
    });
    let slowest_card = Figure {
        title: "Slowest node",
        value: &time,
        unit,
        note: slowest.map_or("", |(_, index)| cx.label(index)),
        tone: Tone::Neutral,
        trend: &slow_trend,
        help: "round trip of a request that is no work (mn), asked at every poll",
        leads_on: true,
    };

    let figures = [
        (hit_rate, View::Nodes),
        (requests, View::Nodes),
        (evictions, View::Slabs),
        (memory, View::Slabs),
        (connections, View::Nodes),
        (slowest_card, View::Nodes),
    ];
    for ((figure, view), rect) in figures.into_iter().zip(cards) {
        if figure_card(ui, rect, &figure).clicked() {
            actions.push(Action::Open(view));
        }
    }
}

/// The last two minutes, second by second; what is missing is a gap.
pub(super) fn trend(history: &History, series: Series, now: Duration) -> Vec<Option<f32>> {
    let from = now.saturating_sub(TREND).as_secs();
    let seconds = (now.as_secs() + 1).saturating_sub(from) as usize;
    let mut values = vec![None; seconds];
    for point in history.points(Tier::Seconds, series) {
        if let Some(place) = point.at.as_secs().checked_sub(from)
            && let Some(value) = values.get_mut(place as usize)
        {
            *value = Some(point.value);
        }
    }
    // Polls that are slower than a second leave seconds out; the line goes on over them.
    let mut last = None;
    let mut silent = 0;
    for value in &mut values {
        match value {
            Some(_) => (last, silent) = (*value, 0),
            None if silent < 3 => {
                silent += 1;
                *value = last;
            }
            None => {}
        }
    }
    values
}

fn partial(snapshot: &Snapshot) -> Option<String> {
    let totals = &snapshot.totals;
    (totals.answering < totals.nodes)
        .then(|| format!("{} of {} nodes", totals.answering, totals.nodes))
}

fn hit_rate_note(snapshot: &Snapshot) -> (String, Tone) {
    let then = snapshot.at.saturating_sub(BEFORE);
    let mut earlier = snapshot.history.points(Tier::TenSeconds, Series::HitRate);
    let first = earlier.find(|point| point.at >= then);
    let Some((now, before)) = snapshot.totals.hit_rate.zip(first) else {
        return (String::new(), Tone::Neutral);
    };
    let points = (now - f64::from(before.value)) * 100.0;
    let since = snapshot.at.saturating_sub(before.at);
    if since < SOONEST {
        return (String::new(), Tone::Neutral);
    }
    let since = if since >= BEFORE - Duration::from_secs(20) {
        "1 h".to_owned()
    } else {
        crate::format::ago(since)
    };
    let (arrow, tone) = match points {
        0.05.. => ("▲", Tone::Ok),
        ..=-0.05 => ("▼", Tone::Warn),
        _ => ("=", Tone::Neutral),
    };
    (format!("{arrow} {:.1} pp in {since}", points.abs()), tone)
}

fn request_shares(snapshot: &Snapshot) -> String {
    let totals = &snapshot.totals;
    let all = totals.operations_per_second.filter(|all| *all > 0.0);
    let share = |part: Option<f64>| part.zip(all).map(|(part, all)| part / all * 100.0);
    match (share(totals.gets_per_second), share(totals.sets_per_second)) {
        (Some(gets), Some(sets)) => format!("{gets:.0} % get · {sets:.0} % set"),
        _ => String::new(),
    }
}

fn evictions_note(snapshot: &Snapshot) -> (String, Tone) {
    let (mut classes, mut nodes) = (0, 0);
    for node in &snapshot.nodes {
        let rates = node.class_rates.values();
        let evicting = rates
            .filter(|class| class.evictions_per_second.is_some_and(|rate| rate > 0.0))
            .count();
        classes += evicting;
        nodes += usize::from(evicting > 0);
    }
    let ever = snapshot.totals.evictions;
    match (classes, ever) {
        (0, Some(0)) => ("none ever".to_owned(), Tone::Ok),
        (0, None) => (String::new(), Tone::Neutral),
        (0, _) => (format!("{} since start", count(ever)), Tone::Neutral),
        _ => (
            format!(
                "{} on {}",
                counted(classes, "class", "classes"),
                counted(nodes, "node", "nodes")
            ),
            Tone::Warn,
        ),
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What the share is of, and what of it holds nothing.
fn memory_note(snapshot: &Snapshot) -> String {
    if snapshot.totals.limit_bytes.is_none() {
        return String::new();
    }
    let limit = format!("of {}", bytes(snapshot.totals.limit_bytes));
    match waste_note(snapshot) {
        Some(waste) => format!("{limit} · {waste}"),
        None => limit,
    }
}

fn waste_note(snapshot: &Snapshot) -> Option<String> {
    let memories = snapshot.nodes.iter().filter_map(|node| node.memory);
    let (mut waste, mut allocated) = (0, 0);
    for memory in memories {
        waste += memory.waste_in_chunks.unwrap_or(0);
        allocated += memory.allocated.unwrap_or(0);
    }
    (allocated > 0).then(|| format!("{:.0} % waste", waste as f64 / allocated as f64 * 100.0))
}

fn refused_note(snapshot: &Snapshot) -> (String, Tone) {
    let refused = |node: &std::sync::Arc<NodeSnapshot>| {
        node.rate(|deltas: &Deltas| deltas.rejected_connections.map(|count| count as f64))
    };
    let known: Vec<f64> = snapshot.nodes.iter().filter_map(refused).collect();
    match known.iter().sum::<f64>() {
        _ if known.is_empty() => (String::new(), Tone::Neutral),
        0.0 => ("none refused".to_owned(), Tone::Neutral),
        refused => (format!("{refused:.0} refused"), Tone::Bad),
    }
}
