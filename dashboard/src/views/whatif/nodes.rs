//! What a plan would do to every server.

use egui::{Rect, Ui, pos2, vec2};

use super::super::{Action, Export, ViewContext};
use super::WhatIfView;
use super::figures::duration;
use crate::format::{UNKNOWN, compact_with, percent_figure};
use crate::model::whatif::{NodeFate, NodeForecast};
use crate::theme::Theme;
use crate::widgets::{Column, Split, card_with, csv, ghost_button, pressed, table};

impl WhatIfView {
    pub(super) fn nodes_card(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        actions: &mut Vec<Action>,
    ) {
        let Some(computed) = &self.computed else {
            return;
        };
        let theme = Theme::of(ui);
        let mut rows: Vec<&NodeForecast> = computed.forecast.nodes.iter().collect();
        rows.sort_by(|one, other| change(other).abs().total_cmp(&change(one).abs()));
        let most = rows.first().map_or(0.0, |row| change(row).abs());
        let has_plan = !self.plan.is_empty();
        let columns = node_columns(theme, cx, most, has_plan);
        let title = format!("Per node · {}", rows.len());
        let mut export = pressed(ui, egui::Key::E);
        let state = &mut self.table;
        state.follows_arrows = true;
        let beside = |ui: &mut Ui| {
            export |= ghost_button(ui, "Export CSV").clicked();
            let hint = if has_plan {
                "now → after the plan · largest change first"
            } else {
                "as it is now; a plan adds what comes after it"
            };
            ui.label(theme.faint(hint));
        };
        card_with(ui, ui.max_rect(), &title, beside, |ui| {
            let clicks = table(ui, "what-if nodes", state, &columns, &rows, |row| {
                cx.desk.selected.as_deref() == Some(row.name.as_str())
            });
            let clicked = clicks.clicked.and_then(|index| rows.get(index));
            let names = cx.cluster.node_names();
            let name = clicked.and_then(|row| names.iter().find(|name| ***name == *row.name));
            if let Some(name) = name {
                actions.push(Action::Select(Some(name.clone())));
            }
        });
        if export {
            let text = csv(&self.table, &columns, &rows);
            actions.push(Action::Export(Export::text(
                "memlens-plan-nodes.csv",
                &text,
            )));
        }
    }
}

/// How much more of the ring the server has afterwards.
fn change(row: &NodeForecast) -> f64 {
    row.share_after.unwrap_or(0.0) - row.share_before.unwrap_or(0.0)
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(
        || UNKNOWN.to_owned(),
        |share| format!("{:.2}", share * 100.0),
    )
}

fn memory(bytes: Option<f64>, limit: Option<f64>) -> String {
    let filled = bytes.zip(limit).filter(|(_, limit)| *limit > 0.0);
    filled.map_or_else(
        || UNKNOWN.to_owned(),
        |(bytes, limit)| format!("{:.0}", bytes / limit * 100.0),
    )
}

/// The node's label with a sign for what becomes of it; a node that comes has no label yet.
fn name(cx: &ViewContext<'_>, row: &NodeForecast) -> String {
    let names = cx.cluster.node_names();
    let known = names.iter().position(|name| **name == *row.name);
    let label = known.map_or(row.name.as_str(), |node| cx.label(node));
    match row.fate {
        NodeFate::Stays => label.to_owned(),
        NodeFate::Added => format!("+ {label}"),
        NodeFate::Removed => format!("− {label}"),
    }
}

fn node_columns<'a>(
    theme: &'a Theme,
    cx: &'a ViewContext<'_>,
    most: f64,
    has_plan: bool,
) -> Vec<Column<'a, &'a NodeForecast>> {
    // Without a plan there is no afterwards; what the model makes of now is no change.
    let before_after = move |before: String, after: String| match has_plan {
        true => before_after(&before, after),
        false => before,
    };
    let fate = move |row: &&NodeForecast| match row.fate {
        NodeFate::Stays => theme.text,
        NodeFate::Added => theme.arrives,
        NodeFate::Removed => theme.leaves,
    };
    vec![
        Column::text("Node", Split::Share(1.0), |row: &&NodeForecast| {
            name(cx, row)
        })
        .by_text(|row| row.name.clone())
        .colored(fate),
        Column::number("Share %", 104.0, move |row: &&NodeForecast| {
            before_after(share(row.share_before), share(row.share_after))
        })
        .by_number(|row| row.share_after)
        .colored(fate),
        Column::text("Change", Split::Exact(44.0), |row: &&NodeForecast| {
            format!("{:+.2} %", change(row) * 100.0).replace('-', "−")
        })
        .by_number(|row| Some(change(row)))
        .painted(move |ui, rect, row| change_bar(ui, rect, change(row), most)),
        Column::number("Requests/s", 108.0, move |row: &&NodeForecast| {
            let rate = |rate| compact_with(rate, "");
            before_after(rate(row.operations_before), rate(row.operations_after))
        })
        .by_number(|row| row.operations_after),
        Column::number("Memory %", 64.0, move |row: &&NodeForecast| {
            let filled = |bytes| memory(bytes, row.limit);
            before_after(filled(row.stored_before), filled(row.stored_after))
        })
        .by_number(|row| row.stored_after),
        Column::number("Hit %", 80.0, move |row: &&NodeForecast| {
            let rates = [row.hit_rate_before, row.hit_rate_after].map(percent_figure);
            let [before, after] = rates;
            before_after(before, after)
        })
        .by_number(|row| row.hit_rate_after),
        Column::number("Tail age", 58.0, |row: &&NodeForecast| {
            row.tail_age_after
                .map_or_else(|| UNKNOWN.to_owned(), |age| duration(Some(age)))
        })
        .by_number(|row| row.tail_age_after),
    ]
}

/// `1.51 → 1.59`; a dash where there is no such time.
fn before_after(before: &str, after: String) -> String {
    // What stays as it is has no arrow: a table of changes shows where they are.
    if before == after {
        return after;
    }
    format!("{before} → {after}")
}

/// A bar from the middle: to the right for what arrives, to the left for what leaves.
fn change_bar(ui: &Ui, rect: Rect, change: f64, most: f64) {
    let theme = Theme::of(ui);
    let middle = rect.center();
    let track = Rect::from_center_size(middle, vec2(rect.width(), 6.0));
    ui.painter().rect_filled(track, 2.0, theme.raised);
    let length = if most > 0.0 {
        (change / most) as f32 * rect.width() / 2.0
    } else {
        0.0
    };
    let (left, right) = (middle.x + length.min(0.0), middle.x + length.max(0.0));
    let bar = Rect::from_min_max(pos2(left, track.top()), pos2(right, track.bottom()));
    let color = if change < 0.0 {
        theme.leaves
    } else {
        theme.arrives
    };
    ui.painter().rect_filled(bar, 2.0, color);
    ui.painter().vline(
        middle.x,
        track.y_range(),
        egui::Stroke::new(1.0, theme.text_faint),
    );
}
