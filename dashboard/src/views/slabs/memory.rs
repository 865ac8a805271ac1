//! Each node's memory as a bar: data, and everything that is no data.

use egui::{Align2, Color32, Rect, Role, ScrollArea, Sense, Stroke, Ui, pos2, vec2};

use super::super::{Action, ViewContext, state_text};
use crate::model::wording::{bytes, percent};
use crate::model::{MemoryBar, MemoryPart, NodeSnapshot};
use crate::theme::{GAP, SMALL, Theme, mix, mono, regular};
use crate::widgets::{Part, card_with, named, paint_text, stacked_bar};

/// Height of a node's bar with its text, in points.
const ROW: f32 = 22.0;

/// The parts of a bar in the order in which they stand.
const PARTS: [MemoryPart; 5] = [
    MemoryPart::Data,
    MemoryPart::WasteInChunks,
    MemoryPart::FreeChunks,
    MemoryPart::Padding,
    MemoryPart::PagePool,
];

pub(super) fn ui(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    only: Option<usize>,
    actions: &mut Vec<Action>,
) {
    let nodes = &cx.snapshot.nodes;
    let title = match only {
        Some(node) => format!("Memory of {}", cx.label(node)),
        None => "Memory of each node".to_owned(),
    };
    card_with(ui, ui.max_rect(), &title, legend, |ui| {
        if let Some((index, node)) = only.and_then(|index| Some((index, nodes.get(index)?))) {
            draw_row(ui, cx, index, node, actions);
            if let Some(bar) = MemoryBar::of(node).filter(|bar| bar.full > 0) {
                ui.add_space(GAP);
                in_figures(ui, &bar);
            }
            return;
        }
        // The rows in sight are found by their height and the space between them.
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical()
            .id_salt("memory")
            .auto_shrink(false)
            .show_rows(ui, ROW, nodes.len(), |ui, visible| {
                for index in visible {
                    if let Some(node) = nodes.get(index) {
                        draw_row(ui, cx, index, node, actions);
                    }
                }
            });
    });
}

/// The colour of a part. Only data has the accent; the rest is what is not data, ever fainter.
fn color(theme: &Theme, part: MemoryPart) -> Color32 {
    match part {
        MemoryPart::Data => theme.accent,
        MemoryPart::WasteInChunks => mix(theme.panel, theme.accent, 0.48),
        MemoryPart::FreeChunks => mix(theme.panel, theme.text_soft, 0.62),
        MemoryPart::Padding => mix(theme.panel, theme.text_soft, 0.38),
        MemoryPart::PagePool => mix(theme.panel, theme.text_soft, 0.22),
        MemoryPart::NotAllocated => theme.track,
    }
}

/// What the colours mean, from the right to the left.
fn legend(ui: &mut Ui) {
    let theme = Theme::of(ui);
    ui.spacing_mut().item_spacing.x = 6.0;
    ui.label(theme.faint("limit"));
    let (rect, _) = ui.allocate_exact_size(vec2(3.0, 12.0), Sense::hover());
    ui.painter().vline(
        rect.center().x,
        rect.y_range(),
        Stroke::new(1.5, theme.text),
    );
    for part in PARTS.into_iter().rev() {
        ui.add_space(6.0);
        ui.label(theme.faint(part.label()));
        let (rect, _) = ui.allocate_exact_size(vec2(9.0, 9.0), Sense::hover());
        ui.painter().rect_filled(rect, 2.0, color(theme, part));
    }
}

fn draw_row(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    index: usize,
    node: &NodeSnapshot,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let response = ui.interact(rect, ui.scope_id().with(("memory", index)), Sense::click());
    let is_selected = cx.desk.selected.as_ref() == Some(&node.name);
    if is_selected {
        ui.painter().rect_filled(rect, 4.0, theme.accent_soft);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4.0, theme.raised);
    }
    let inner = rect.shrink2(vec2(6.0, 0.0));
    let label = Rect::from_min_size(inner.min, vec2(96.0, ROW));
    paint_text(
        ui,
        label,
        Align2::LEFT_CENTER,
        cx.label(index),
        mono(SMALL),
        theme.text,
    );
    let text_width = 168.0;
    let bar = MemoryBar::of(node).filter(|bar| bar.full > 0);
    let (text, color) = match &bar {
        Some(bar) if node.state.is_answering() => (text_of(bar), theme.text_soft),
        _ => (state_text(node), theme.text_faint),
    };
    let text_rect = Rect::from_min_max(pos2(inner.right() - text_width, inner.top()), inner.max);
    paint_text(
        ui,
        text_rect,
        Align2::RIGHT_CENTER,
        &text,
        regular(SMALL),
        color,
    );
    if let Some(bar) = &bar {
        let track = Rect::from_center_size(
            pos2((label.right() + text_rect.left()) / 2.0, rect.center().y),
            vec2((text_rect.left() - label.right() - 20.0).max(20.0), 10.0),
        );
        paint_bar(ui, track, bar, node.state.is_answering());
    }
    let name = named(
        response,
        Role::Button,
        row_name(cx, index, node, bar.as_ref()),
    );
    let name = name.on_hover_ui(|ui| {
        if let Some(bar) = &bar {
            in_figures(ui, bar);
        }
    });
    if name.clicked() {
        let node = (!is_selected).then(|| node.name.clone());
        actions.push(Action::Select(node));
    }
}

fn paint_bar(ui: &Ui, rect: Rect, bar: &MemoryBar, is_current: bool) {
    let theme = Theme::of(ui);
    let fade = if is_current { 1.0 } else { 0.4 };
    let parts = PARTS.map(|part| Part {
        share: bar.bytes(part) as f32 / bar.full as f32,
        color: mix(theme.panel, color(theme, part), fade),
    });
    stacked_bar(ui, rect, &parts);
    if let Some(mark) = bar.limit_mark() {
        let x = rect.left() + rect.width() * (mark as f32).min(1.0);
        let stroke = Stroke::new(1.5, theme.text);
        ui.painter().vline(x, rect.expand(2.5).y_range(), stroke);
    }
}

/// Allocated against the limit: over 100 % is possible, and true.
fn text_of(bar: &MemoryBar) -> String {
    match bar.limit {
        Some(limit) if limit > 0 => {
            let share = percent(bar.allocated as f64 / limit as f64);
            format!("{} of {} · {share}", bytes(bar.allocated), bytes(limit))
        }
        _ => bytes(bar.allocated),
    }
}

fn row_name(
    cx: &ViewContext<'_>,
    index: usize,
    node: &NodeSnapshot,
    bar: Option<&MemoryBar>,
) -> String {
    let label = cx.label(index);
    let Some(bar) = bar else {
        return format!("memory of {label}: {}", state_text(node));
    };
    let parts = PARTS.map(|part| {
        let share = bar.bytes(part) as f64 / bar.full as f64;
        format!("{} {}", part.label(), percent(share))
    });
    format!(
        "memory of {label}: allocated {}, {}",
        text_of(bar),
        parts.join(", ")
    )
}

/// The parts of a bar with their bytes and shares.
fn in_figures(ui: &mut Ui, bar: &MemoryBar) {
    let theme = Theme::of(ui);
    ui.spacing_mut().interact_size.y = 15.0;
    egui::Grid::new("memory parts")
        .num_columns(3)
        .spacing([14.0, 4.0])
        .show(ui, |ui| {
            for (part, size) in &bar.parts {
                ui.label(theme.soft(part.label()));
                ui.label(theme.mono(bytes(*size)));
                ui.label(theme.mono(percent(*size as f64 / bar.full as f64)));
                ui.end_row();
            }
            for (what, size) in [
                ("allocated", Some(bar.allocated)),
                ("limit (-m)", bar.limit),
                ("stored (bytes)", bar.stored),
            ] {
                ui.label(theme.soft(what));
                ui.label(theme.mono(size.map_or_else(|| "–".to_owned(), bytes)));
                ui.end_row();
            }
        });
    if bar.stored > bar.limit {
        ui.label(theme.faint("more is stored than the limit: the rest lies in external storage"));
    }
}
