//! The line at the bottom: how fresh figures are, what they cost, and what may be done.

use std::time::Duration;

use egui::{Align, Layout, Ui};

use crate::format::{clock, compact_with, latency};
use crate::published::PollCost;
use crate::theme::Theme;
use crate::views::ViewContext;

pub(super) fn ui(ui: &mut Ui, cx: &ViewContext<'_>) {
    let theme = Theme::of(ui);
    let cost = cx.published.cost;
    ui.horizontal_centered(|ui| {
        ui.add_space(4.0);
        ui.label(theme.faint(format!("watching for {}", clock(cx.snapshot.at))));
        let mut text = format!(
            "polling costs {}, {}",
            compact_with(Some(cost.requests_per_second), "requests/s"),
            compact_with(Some(cost.bytes_per_second), "B/s"),
        );
        if let Some(cores) = cost.cores {
            text.push_str(&format!(", {:.1} % of a core here", cores * 100.0));
        }
        ui.label(theme.faint("·"));
        ui.label(theme.faint(text)).on_hover_text(late(&cost));
        if let Some(slowest) = slowest(cx) {
            ui.label(theme.faint("·"));
            let (figure, unit) = latency(Some(slowest));
            ui.label(theme.faint(format!("slowest answer {figure} {unit}")));
        }
        // What was asked for on top of the polls goes on while other screens are looked at.
        let asked = &cx.published.asked;
        if let Some(live) = &asked.live {
            let nodes = live.nodes.len();
            ui.label(theme.faint("·"));
            ui.label(
                theme
                    .faint(format!("live watch of {nodes} nodes"))
                    .color(theme.accent),
            );
        }
        if asked.scan.as_ref().is_some_and(|scan| !scan.is_over()) {
            ui.label(theme.faint("·"));
            ui.label(theme.faint("scanning keys").color(theme.accent));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(4.0);
            ui.label(theme.faint("? shows all keys"));
            ui.label(theme.faint("·"));
            let (text, color) = if cx.desk.may_write {
                ("writes allowed", theme.warn)
            } else {
                ("read-only", theme.text_faint)
            };
            ui.label(theme.faint(text).color(color));
        });
    });
}

fn late(cost: &PollCost) -> String {
    let (figure, unit) = latency(Some(cost.late));
    format!(
        "What memlens itself costs: requests to the servers, bytes from them, and processor time of the \
         thread that polls. The latest poll of the last interval came {figure} {unit} after its time."
    )
}

fn slowest(cx: &ViewContext<'_>) -> Option<Duration> {
    cx.snapshot
        .nodes
        .iter()
        .filter_map(|node| node.round_trip)
        .max()
}
