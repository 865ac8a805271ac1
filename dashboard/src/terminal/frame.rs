//! One picture of the live table.

use super::columns::Table;
use super::figures::Figures;
use super::marks::lately;
use super::style::{Span, Style, Tone, write_line};
use crate::format::{clock, count, fine_rate, percent, whole_rate};
use crate::load::LoadReport;
use crate::model::{NodeSnapshot, NodeState, Snapshot};

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// What is being watched, in a few words.
    pub title: &'a str,
    /// The cluster.
    pub snapshot: &'a Snapshot,
    /// How our own load is doing, while there is one.
    pub load: Option<LoadReport>,
    /// How to end; empty where there is nobody to tell.
    pub hint: &'a str,
}

/// The room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub columns: usize,
    /// Rows; `None` when there is no end to them.
    pub rows: Option<usize>,
}

/// Lines above the nodes: title, cluster, load, a blank one and the table's heading.
const LINES_ABOVE: usize = 5;

/// Lines below the nodes: rule, cluster, and the hint after a blank one.
const LINES_BELOW: usize = 4;

/// The frame as text: lines of at most the width given, each with a line feed at its end.
#[must_use]
pub fn render(frame: &Frame<'_>, size: Size, style: Style) -> String {
    let snapshot = frame.snapshot;
    let marks = lately(snapshot);
    let below = LINES_BELOW + marks.len();
    let room = size
        .rows
        .map(|rows| rows.saturating_sub(LINES_ABOVE + below).max(1));
    let (shown, hidden) = nodes_in(snapshot, room);

    let mut lines: Vec<_> = shown
        .iter()
        .map(|node| Figures::of_node(snapshot, node))
        .collect();
    lines.push(Figures::of_cluster(snapshot));
    let table = Table::fitting(&lines, size.columns);

    let mut text = String::new();
    let mut write = |spans: &[Span]| write_line(&mut text, spans, size.columns, style);
    write(&title(frame));
    write(&cluster(snapshot));
    if let Some(load) = &frame.load {
        write(&load_line(load));
    }
    write(&[]);
    write(&table.heading());
    let (cluster, nodes) = lines.split_last().unzip();
    for line in nodes.into_iter().flatten() {
        write(&table.line(line));
    }
    if hidden > 0 {
        write(&[Span::new(format!("and {hidden} more"), Tone::Faint)]);
    }
    write(&[Span::new(
        "─".repeat(table.width().min(size.columns)),
        Tone::Faint,
    )]);
    if let Some(cluster) = cluster {
        write(&table.line(cluster));
    }
    if !(marks.is_empty() && frame.hint.is_empty()) {
        write(&[]);
    }
    for mark in &marks {
        write(&[Span::new(mark, Tone::Warning)]);
    }
    if !frame.hint.is_empty() {
        write(&[Span::new(frame.hint, Tone::Faint)]);
    }
    text
}

fn title(frame: &Frame<'_>) -> Vec<Span> {
    let interval = humantime::format_duration(frame.snapshot.interval);
    vec![
        Span::new("memlens", Tone::Strong),
        Span::normal("  "),
        Span::normal(frame.title),
        Span::new(
            format!("  {}  polled every {interval}", clock(frame.snapshot.at)),
            Tone::Faint,
        ),
    ]
}

fn cluster(snapshot: &Snapshot) -> Vec<Span> {
    let totals = &snapshot.totals;
    vec![
        Span::new("hit rate ", Tone::Faint),
        Span::new(percent(totals.hit_rate), Tone::Strong),
        Span::new("   ops/s ", Tone::Faint),
        Span::new(whole_rate(totals.operations_per_second), Tone::Strong),
        Span::new("   evictions/s ", Tone::Faint),
        Span::new(fine_rate(totals.evictions_per_second), Tone::Strong),
        Span::new("   items ", Tone::Faint),
        Span::new(count(totals.items), Tone::Strong),
    ]
}

fn load_line(load: &LoadReport) -> Vec<Span> {
    let tone = if load.failed > 0 {
        Tone::Bad
    } else {
        Tone::Normal
    };
    vec![
        Span::new("load ", Tone::Faint),
        Span::normal(format!("{} ops/s", whole_rate(load.sent_per_second))),
        Span::new(
            format!(" of {} wanted   ", count(Some(load.wanted_per_second))),
            Tone::Faint,
        ),
        Span::new(format!("{} failed", count(Some(load.failed))), tone),
    ]
}

/// The nodes there is room for, and how many are left out. When some must be, those in trouble come
/// first.
fn nodes_in(snapshot: &Snapshot, room: Option<usize>) -> (Vec<&NodeSnapshot>, usize) {
    let mut nodes: Vec<_> = snapshot.nodes.iter().map(AsRef::as_ref).collect();
    let Some(room) = room.filter(|room| *room < nodes.len()) else {
        return (nodes, 0);
    };
    nodes.sort_by_key(|node| calm(&node.state));
    let kept = room.saturating_sub(1).max(1);
    let hidden = nodes.len() - kept;
    nodes.truncate(kept);
    (nodes, hidden)
}

/// How little a node in this state needs attention.
const fn calm(state: &NodeState) -> u8 {
    match state {
        NodeState::Down(_) => 0,
        NodeState::Unauthenticated => 1,
        NodeState::Stale => 2,
        NodeState::Connecting => 3,
        NodeState::Up => 4,
    }
}
