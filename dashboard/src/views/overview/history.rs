//! How the hit rate went: the cluster's line, the span of its nodes, and what happened when.

use std::collections::BTreeMap;
use std::time::Duration;

use egui::Ui;

use super::super::{Action, TimeWindow, ViewContext, event_marks};
use crate::format::ago;
use crate::model::{Series, Tier};
use crate::theme::Theme;
use crate::widgets::{Chart, Empty, Line, card_with, empty, segmented};

pub(super) fn ui(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let window = cx.desk.window;
    let title = format!("Hit rate, last {}", window.title());
    card_with(
        ui,
        ui.max_rect(),
        &title,
        |ui| {
            let theme = Theme::of(ui);
            let mut chosen = window;
            let choices = TimeWindow::ALL.map(|window| (window, window.title()));
            if segmented(ui, &mut chosen, &choices) {
                actions.push(Action::SetWindow(chosen));
            }
            ui.label(theme.faint("line = cluster   band = lowest to highest node"));
        },
        |ui| chart(ui, cx),
    );
}

fn chart(ui: &mut Ui, cx: &ViewContext<'_>) {
    let theme = Theme::of(ui);
    let snapshot = cx.snapshot;
    let (window, tier) = (cx.desk.window.length(), cx.desk.window.tier());
    let since = snapshot.at.saturating_sub(window);
    let x = |at: Duration| at.as_secs_f64() - snapshot.at.as_secs_f64();
    let line: Vec<_> = snapshot
        .history
        .points(tier, Series::HitRate)
        .filter(|point| point.at >= since)
        .map(|point| [x(point.at), f64::from(point.value) * 100.0])
        .collect();
    if line.is_empty() {
        let room = ui.available_rect_before_wrap();
        let what = Empty {
            title: "No hit rate yet",
            text: "It needs two polls of a node, and 20 keys read between them.",
        };
        empty(ui, room, what);
        return;
    }
    let marks = event_marks(snapshot, window, theme, |node| cx.label(node));
    let line = Line {
        name: "hit rate".to_owned(),
        color: theme.accent,
        points: line,
        is_dashed: false,
    };
    Chart {
        name: "Hit rate",
        x: [-shown(window, snapshot.at).as_secs_f64(), 0.0],
        y: [f64::INFINITY, f64::NEG_INFINITY],
        longest_step: longest_step(tier, snapshot.interval),
        lines: vec![line],
        band: band(cx, tier, since),
        marks,
        level: None,
        unit: 1.0,
        format: &|value| format!("{value:.1} %"),
        time: &time,
        group: None,
    }
    .show(ui);
}

/// As much of the window as there is something to show in: an hour with one minute at its end would
/// show neither.
pub(in crate::views) fn shown(window: Duration, watched: Duration) -> Duration {
    /// Less would stretch a few points over the whole chart.
    const LEAST: Duration = Duration::from_secs(60);
    let steps = watched.as_secs().div_ceil(LEAST.as_secs()).max(1);
    window.min(LEAST * u32::try_from(steps).unwrap_or(u32::MAX))
}

/// How far apart two points may be that belong together.
pub(in crate::views) fn longest_step(tier: Tier, interval: Duration) -> f64 {
    // One poll may be late by an interval without anything being amiss.
    (tier.step().max(interval) * 2).as_secs_f64() + 0.5
}

/// A moment in the past, in words.
pub(in crate::views) fn time(x: f64) -> String {
    if x > -0.5 {
        "now".to_owned()
    } else {
        format!("−{}", ago(Duration::from_secs_f64(-x)))
    }
}

/// The lowest and the highest node of each moment.
fn band(cx: &ViewContext<'_>, tier: Tier, since: Duration) -> Vec<[f64; 3]> {
    if cx.snapshot.nodes.len() < 2 {
        return Vec::new();
    }
    let mut span: BTreeMap<Duration, (f32, f32)> = BTreeMap::new();
    for node in &cx.snapshot.nodes {
        let points = node.history.points(tier, Series::HitRate);
        for point in points.filter(|point| point.at >= since) {
            let entry = span.entry(point.at).or_insert((point.value, point.value));
            *entry = (entry.0.min(point.value), entry.1.max(point.value));
        }
    }
    let now = cx.snapshot.at.as_secs_f64();
    span.into_iter()
        .map(|(at, (low, high))| {
            [
                at.as_secs_f64() - now,
                f64::from(low) * 100.0,
                f64::from(high) * 100.0,
            ]
        })
        .collect()
}
