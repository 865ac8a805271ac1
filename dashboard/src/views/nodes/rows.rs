//! What a row of the table says about a node.

use egui::{Color32, Rect, pos2, vec2};

use super::super::{ViewContext, state_text, state_tone, state_word};
use crate::format::{UNKNOWN, ago, bytes, compact_with, count, latency, percent_figure};
use crate::model::{Deltas, NodeSnapshot, NodeState};
use crate::theme::Theme;
use crate::widgets::{Column, Part, Split, Tone, stacked_bar};

pub(super) struct Row<'a> {
    pub(super) node: &'a NodeSnapshot,
    pub(super) share: Option<f64>,
    silence: Option<std::time::Duration>,
}

impl<'a> Row<'a> {
    pub(super) fn all(cx: &ViewContext<'a>) -> impl Iterator<Item = Self> {
        (0..cx.snapshot.nodes.len()).map(|node| Self::of(cx, node))
    }

    /// The node with this index.
    pub(super) fn of(cx: &ViewContext<'a>, index: usize) -> Self {
        let node = &cx.snapshot.nodes[index];
        Self {
            node,
            share: cx.cluster.share(index),
            silence: cx.snapshot.silence(node),
        }
    }

    /// Whether the name, the state or the version contains `filter`.
    pub(super) fn contains(&self, filter: &str) -> bool {
        let version = self.version().to_lowercase();
        let name = self.node.name.to_lowercase();
        name.contains(filter) || version.contains(filter) || self.state().contains(filter)
    }

    fn version(&self) -> String {
        let general = self.node.general.as_ref();
        general
            .and_then(|general| general.version.as_deref())
            .unwrap_or(UNKNOWN)
            .to_owned()
    }

    /// The state, with the age of what is shown where it is old.
    fn state(&self) -> String {
        match (&self.node.state, self.silence) {
            (NodeState::Stale, Some(silence)) => format!("stale, {} old", ago(silence)),
            (NodeState::Down(_), _) => state_text(self.node),
            (state, _) => state_word(state).to_owned(),
        }
    }

    fn rate(&self, counter: fn(&Deltas) -> Option<u64>) -> Option<f64> {
        self.node.rate(|deltas| deltas.per_second(counter(deltas)))
    }

    fn connections(&self) -> Option<u64> {
        self.node.current()?.curr_connections
    }

    fn uptime(&self) -> Option<u64> {
        self.node.current()?.uptime
    }

    /// Stored, allocated and the limit, in bytes.
    fn memory(&self) -> Option<(u64, u64, u64)> {
        let general = self.node.general.as_ref()?;
        let stored = general.bytes?;
        let allocated = self
            .node
            .memory
            .and_then(|memory| memory.allocated)
            .unwrap_or(stored);
        Some((stored, allocated, general.limit_maxbytes?))
    }
}

pub(super) fn node_columns<'a>(theme: &'a Theme) -> Vec<Column<'a, Row<'a>>> {
    let tone = move |row: &Row<'_>| match state_tone(&row.node.state) {
        Tone::Ok | Tone::Neutral => theme.text,
        tone => tone.color(theme),
    };
    let per_second = |value| compact_with(value, "");
    vec![
        Column::text("Node", Split::Share(1.6), |row: &Row<'_>| {
            row.node.name.to_string()
        })
        .by_text(|row| row.node.name.to_string()),
        Column::text("State", Split::Share(1.3), Row::state)
            .by_text(Row::state)
            .colored(tone),
        Column::number("Hit %", 46.0, |row: &Row<'_>| {
            percent_figure(row.node.rate(Deltas::hit_rate))
        })
        .by_number(|row| row.node.rate(Deltas::hit_rate)),
        Column::number("Get/s", 54.0, move |row: &Row<'_>| {
            per_second(row.rate(|it| it.cmd_get))
        })
        .by_number(|row| row.rate(|it| it.cmd_get)),
        Column::number("Set/s", 54.0, move |row: &Row<'_>| {
            per_second(row.rate(|it| it.cmd_set))
        })
        .by_number(|row| row.rate(|it| it.cmd_set)),
        Column::number("Evict/s", 54.0, move |row: &Row<'_>| {
            per_second(row.rate(|it| it.evictions))
        })
        .by_number(|row| row.rate(|it| it.evictions))
        .colored(move |row| match row.rate(|it| it.evictions) {
            Some(rate) if rate > 0.0 => theme.warn,
            _ => theme.text,
        }),
        Column::text("Memory", Split::Share(1.3), memory_text)
            .by_number(|row| {
                row.memory()
                    .map(|(stored, _, limit)| stored as f64 / limit.max(1) as f64)
            })
            .painted(paint_memory),
        Column::number("Share %", 54.0, |row: &Row<'_>| percent_figure(row.share))
            .by_number(|row| row.share),
        Column::number("Conns", 46.0, |row: &Row<'_>| count(row.connections()))
            .by_number(|row| row.connections().map(|count| count as f64)),
        Column::number("CPU", 40.0, |row: &Row<'_>| {
            row.node
                .rate(Deltas::cpu_cores)
                .map_or(UNKNOWN.to_owned(), |cores| format!("{cores:.2}"))
        })
        .by_number(|row| row.node.rate(Deltas::cpu_cores)),
        Column::number("Answer", 60.0, |row: &Row<'_>| {
            let (figure, unit) = latency(row.node.round_trip);
            if unit.is_empty() {
                figure
            } else {
                format!("{figure} {unit}")
            }
        })
        .by_number(|row| row.node.round_trip.map(|time| time.as_secs_f64())),
        Column::number("Up for", 52.0, |row: &Row<'_>| {
            row.uptime().map_or(UNKNOWN.to_owned(), |seconds| {
                ago(std::time::Duration::from_secs(seconds))
            })
        })
        .by_number(|row| row.uptime().map(|seconds| seconds as f64)),
        Column::number("Version", 52.0, Row::version).by_text(Row::version),
    ]
}

fn memory_text(row: &Row<'_>) -> String {
    row.memory()
        .map_or(UNKNOWN.to_owned(), |(stored, allocated, limit)| {
            format!(
                "{} stored, {} allocated of {}",
                bytes(Some(stored)),
                bytes(Some(allocated)),
                bytes(Some(limit))
            )
        })
}

/// Stored and allocated as shares of whatever is most; a tick stands at the limit.
fn paint_memory(ui: &egui::Ui, rect: Rect, row: &Row<'_>) {
    let theme = Theme::of(ui);
    let Some((stored, allocated, limit)) = row.memory() else {
        let unknown = egui::Align2::LEFT_CENTER;
        let font = crate::theme::mono(crate::theme::SMALL);
        crate::widgets::paint_text(ui, rect, unknown, UNKNOWN, font, theme.text);
        return;
    };
    let most = stored.max(allocated).max(limit).max(1) as f32;
    let percent = format!("{:.0} %", stored as f32 / limit.max(1) as f32 * 100.0);
    let text = Rect::from_min_max(pos2(rect.right() - 42.0, rect.top()), rect.max);
    let font = crate::theme::mono(crate::theme::SMALL + 0.5);
    crate::widgets::paint_text(
        ui,
        text,
        egui::Align2::RIGHT_CENTER,
        &percent,
        font,
        theme.text,
    );
    let size = vec2((rect.width() - 50.0).max(10.0), 7.0);
    let bar = Rect::from_center_size(pos2(rect.left() + size.x / 2.0, rect.center().y), size);
    let is_answering = row.node.state.is_answering();
    let color = if is_answering {
        theme.accent
    } else {
        theme.text_faint
    };
    let parts = [
        Part {
            share: stored as f32 / most,
            color,
        },
        Part {
            share: allocated.saturating_sub(stored) as f32 / most,
            color: dimmed(color, theme),
        },
    ];
    stacked_bar(ui, bar, &parts);
    let tick = bar.left() + bar.width() * limit as f32 / most;
    if tick < bar.right() - 1.0 {
        let line = egui::Stroke::new(1.5, theme.text);
        ui.painter().vline(tick, bar.expand(2.0).y_range(), line);
    }
}

fn dimmed(color: Color32, theme: &Theme) -> Color32 {
    crate::theme::mix(theme.panel, color, 0.45)
}
