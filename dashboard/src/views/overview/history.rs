//! How the hit rate went: the cluster's line, the span of its nodes, and what happened when.

use std::sync::Arc;
use std::time::Duration;

use egui::Ui;

use super::super::{Action, Condition, TimeWindow, ViewContext, event_marks};
use crate::format::ago;
use crate::model::{History, Series, Snapshot, Tier};
use crate::theme::Theme;
use crate::widgets::{Chart, Empty, Line, card_with, empty, segmented};

/// What the chart shows. Many nodes have many points, so it is computed once for each snapshot.
#[derive(Debug, Default)]
pub(super) struct HitRateHistory {
    of: Option<(Arc<Snapshot>, TimeWindow)>,
    cluster: Vec<[f64; 2]>,
    client: Vec<[f64; 2]>,
    band: Vec<[f64; 3]>,
}

impl HitRateHistory {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
        let window = cx.desk.window;
        let title = format!("Hit rate, last {}", window.title());
        self.refresh(cx);
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
                let legend = if self.client.is_empty() {
                    "line = cluster   band = lowest to highest node"
                } else {
                    "line = cluster   dashed = as the client sees it   band = lowest to highest node"
                };
                ui.label(theme.faint(legend));
            },
            |ui| self.chart(ui, cx),
        );
    }

    fn refresh(&mut self, cx: &ViewContext<'_>) {
        let window = cx.desk.window;
        let is_current = |(known, shown): &(Arc<Snapshot>, TimeWindow)| {
            std::ptr::eq(&raw const **known, cx.snapshot) && *shown == window
        };
        if self.of.as_ref().is_some_and(is_current) {
            return;
        }
        self.of = cx.published.snapshot.clone().map(|now| (now, window));
        let (at, tier) = (cx.snapshot.at, window.tier());
        let since = at.saturating_sub(window.length());
        self.cluster = line(&cx.snapshot.history, tier, since, at);
        let client = cx.published.client.as_ref();
        self.client = client.map_or_else(Vec::new, |client| line(&client.history, tier, since, at));
        self.band = band(cx.snapshot, tier, since);
    }

    fn chart(&self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let theme = Theme::of(ui);
        let (snapshot, window) = (cx.snapshot, cx.desk.window);
        if self.cluster.is_empty() {
            let room = ui.available_rect_before_wrap();
            let condition = cx.condition();
            let text = condition.text();
            let what = match condition.title() {
                Some(title) if condition != Condition::Connecting => Empty { title, text: &text },
                _ => Empty {
                    title: "No hit rate yet",
                    text: "It needs two polls of a node, and 20 keys read between them.",
                },
            };
            empty(ui, room, what);
            return;
        }
        let named = |name: &str, color, points: &[[f64; 2]], is_dashed| Line {
            name: name.to_owned(),
            color,
            points: points.to_vec(),
            is_dashed,
        };
        let mut lines = vec![named("hit rate", theme.accent, &self.cluster, false)];
        if !self.client.is_empty() {
            let client = named("as the client sees it", theme.text_soft, &self.client, true);
            lines.insert(0, client);
        }
        Chart {
            name: "Hit rate",
            x: [-shown(window.length(), snapshot.at).as_secs_f64(), 0.0],
            y: [f64::INFINITY, f64::NEG_INFINITY],
            longest_step: longest_step(window.tier(), snapshot.interval),
            lines,
            band: self.band.clone(),
            marks: event_marks(snapshot, window.length(), theme, |node| cx.label(node)),
            level: None,
            unit: 1.0,
            format: &|value| format!("{value:.1} %"),
            time: &time,
            group: None,
        }
        .show(ui);
    }
}

/// A hit rate in percent, in seconds before `now`.
fn line(history: &History, tier: Tier, since: Duration, now: Duration) -> Vec<[f64; 2]> {
    let points = history.points(tier, Series::HitRate);
    points
        .filter(|point| point.at >= since)
        .map(|point| {
            let x = point.at.as_secs_f64() - now.as_secs_f64();
            [x, f64::from(point.value) * 100.0]
        })
        .collect()
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
        let seconds = (-x).round() as u64;
        match seconds {
            // Half minutes are told apart.
            120..7_200 if !seconds.is_multiple_of(60) => {
                format!("−{}:{:02} min", seconds / 60, seconds % 60)
            }
            _ => format!("−{}", ago(Duration::from_secs(seconds))),
        }
    }
}

/// The lowest and the highest node of each moment.
fn band(snapshot: &Snapshot, tier: Tier, since: Duration) -> Vec<[f64; 3]> {
    if snapshot.nodes.len() < 2 {
        return Vec::new();
    }
    let step = tier.step().as_secs();
    let slot = |seconds: u64| u32::try_from(seconds).unwrap_or(u32::MAX);
    let first = slot(since.as_secs().div_ceil(step));
    let last = slot(snapshot.at.as_secs() / step);
    let slots = (last + 1).saturating_sub(first) as usize;
    let mut span = vec![(f32::INFINITY, f32::NEG_INFINITY); slots];
    for node in &snapshot.nodes {
        for (slot, value) in node.history.slots(tier, Series::HitRate, first) {
            if let Some((low, high)) = span.get_mut((slot - first) as usize) {
                (*low, *high) = (low.min(value), high.max(value));
            }
        }
    }
    let known = span
        .into_iter()
        .zip(first..)
        .filter(|((low, high), _)| low <= high);
    let percent = |value: f32| f64::from(value) * 100.0;
    known
        .map(|((low, high), slot)| {
            let x = (u64::from(slot) * step) as f64 - snapshot.at.as_secs_f64();
            [x, percent(low), percent(high)]
        })
        .collect()
}
