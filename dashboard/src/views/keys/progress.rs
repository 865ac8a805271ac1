//! How a scan goes on, what failed, and what the keys have in common.

use egui::{ProgressBar, Rect, Role, Sense, Ui, pos2, vec2};

use super::super::{Action, ViewContext};
use super::ask;
use crate::format::{ago, count};
use crate::model::wording::{bytes, percent};
use crate::model::{KeyScan, KeySummary, ScanStage, TTL_BUCKETS};
use crate::published::Ask;
use crate::theme::{Theme, mix};
use crate::widgets::{Part, Tone, badge, card_with, ghost_button, named, stacked_bar};

pub(super) fn ui(ui: &mut Ui, cx: &ViewContext<'_>, scan: &KeyScan, actions: &mut Vec<Action>) {
    card_with(
        ui,
        ui.max_rect(),
        &title(scan),
        |ui| {
            let theme = Theme::of(ui);
            if scan.is_over() {
                if ghost_button(ui, "New scan").clicked() {
                    actions.push(ask(Ask::ForgetScan));
                }
            } else if ghost_button(ui, "Stop").clicked() {
                actions.push(ask(Ask::StopScan));
            }
            state(ui, cx, scan);
            if !scan.is_over() {
                let bar = ProgressBar::new(scan.progress() as f32)
                    .desired_width(220.0)
                    .desired_height(6.0)
                    .fill(theme.accent);
                let name = format!("scan {}", percent(scan.progress()));
                named(ui.add(bar), Role::ProgressIndicator, name);
            }
        },
        |ui| summary(ui, &scan.summary),
    );
}

fn title(scan: &KeyScan) -> String {
    let keys = count(Some(scan.table.len() as u64));
    let taken = bytes(scan.summary.all.bytes);
    format!("{keys} keys · {taken}")
}

/// What became of the nodes' scans, where it is worth a word.
fn state(ui: &mut Ui, cx: &ViewContext<'_>, scan: &KeyScan) {
    let of = |wanted: fn(&ScanStage) -> bool| {
        scan.nodes.iter().filter(|node| wanted(&node.stage)).count()
    };
    let failed = of(|stage| matches!(stage, ScanStage::Failed(_)));
    if failed > 0 {
        let word = format!("{failed} of {} failed", scan.nodes.len());
        badge(ui, &word, Tone::Bad).on_hover_ui(|ui| {
            let theme = Theme::of(ui);
            for (node, trouble) in scan.failures() {
                ui.label(theme.soft(format!("{node}: {trouble}")));
            }
        });
        if let Some((node, trouble)) = scan.failures().next() {
            let theme = Theme::of(ui);
            let index = cx
                .snapshot
                .nodes
                .iter()
                .position(|known| known.name == *node);
            let label = index.map_or(&**node, |index| cx.label(index));
            ui.label(theme.soft(format!("{label}: {trouble}")).color(theme.bad));
        }
    }
    if of(|stage| *stage == ScanStage::Capped) > 0 {
        badge(ui, "limit reached", Tone::Warn).on_hover_text(
            "There are more keys: raise the limit, or scan one node. Sizes and counts are of what \
             was read.",
        );
    }
    if of(|stage| *stage == ScanStage::Stopped) > 0 {
        badge(ui, "stopped", Tone::Neutral);
    }
}

/// A bar of what is left of the keys' lives, by bytes, and what else there is to say.
fn summary(ui: &mut Ui, summary: &KeySummary) {
    let theme = Theme::of(ui);
    let all = summary.all.bytes.max(1) as f64;
    let buckets = TTL_BUCKETS.iter().zip(summary.by_time_to_live);
    let mut parts: Vec<(&str, f64)> = buckets
        .map(|((_, name), bucket)| (*name, bucket.bytes as f64 / all))
        .collect();
    parts.push(("never expires", summary.never.bytes as f64 / all));
    let shades = [0.30, 0.44, 0.58, 0.72, 0.86, 1.0];
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::hover());
    let bar = Rect::from_min_size(pos2(rect.left(), rect.top() + 4.0), vec2(rect.width(), 7.0));
    let drawn: Vec<Part> = parts
        .iter()
        .zip(shades)
        .map(|((_, share), shade)| Part {
            share: *share as f32,
            color: mix(theme.panel, theme.accent, shade),
        })
        .collect();
    stacked_bar(ui, bar, &drawn);
    let present = parts.iter().filter(|(_, share)| *share > 0.0);
    let lives: Vec<_> = present
        .map(|(name, share)| format!("{name} {}", percent(*share)))
        .collect();
    let mut text = format!("left to live, by bytes: {}", lives.join(" · "));
    if let Some(usual) = summary.usual_time_to_live() {
        text.push_str(&format!("   ·   usually stored for {}", ago(usual)));
    }
    let unread = summary.unread.keys as f64 / summary.all.keys.max(1) as f64;
    text.push_str(&format!("   ·   never read {} of keys", percent(unread)));
    let line = Rect::from_min_max(pos2(rect.left(), bar.bottom() + 3.0), rect.max);
    let font = crate::theme::regular(crate::theme::SMALL);
    crate::widgets::paint_text(
        ui,
        line,
        egui::Align2::LEFT_CENTER,
        &text,
        font,
        theme.text_soft,
    );
    named(response, Role::Label, text);
}
