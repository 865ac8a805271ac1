//! What happened, as marks on a chart.

use std::time::Duration;

use crate::model::{MarkKind, NodeSnapshot, Snapshot};
use crate::theme::Theme;
use crate::widgets::ChartMark;

/// Marks on a chart at most: with more, none could be read.
const MOST_MARKS: usize = 6;

/// What happened to the cluster and its nodes within the last `window`, the newest of it. `label`
/// names a node.
#[must_use]
pub fn event_marks<'a>(
    snapshot: &Snapshot,
    window: Duration,
    theme: &Theme,
    label: impl Fn(usize) -> &'a str,
) -> Vec<ChartMark> {
    let mut events: Vec<(Duration, String, egui::Color32)> = snapshot
        .changes
        .iter()
        .map(|change| (change.at, change.text.to_string(), theme.accent))
        .collect();
    for (node, index) in snapshot.nodes.iter().zip(0..) {
        events.extend(node_events(node, theme, label(index)));
    }
    let oldest = snapshot.at.saturating_sub(window);
    events.retain(|(at, ..)| *at >= oldest);
    events.sort_by_key(|(at, ..)| *at);
    let first = events.len().saturating_sub(MOST_MARKS);
    let newest = events.drain(first..);
    newest
        .map(|(at, text, color)| ChartMark {
            x: at.as_secs_f64() - snapshot.at.as_secs_f64(),
            text,
            color,
        })
        .collect()
}

fn node_events<'a>(
    node: &'a NodeSnapshot,
    theme: &'a Theme,
    label: &'a str,
) -> impl Iterator<Item = (Duration, String, egui::Color32)> + 'a {
    node.marks.iter().map(move |mark| {
        let (what, color) = match mark.kind {
            MarkKind::Restarted => ("restarted", theme.warn),
            MarkKind::CountersReset => ("counters reset", theme.text_soft),
            MarkKind::Flushed => ("flushed", theme.warn),
            MarkKind::WentDown => ("down", theme.bad),
            MarkKind::CameBack => ("back", theme.ok),
        };
        (mark.at, format!("{label} {what}"), color)
    })
}
