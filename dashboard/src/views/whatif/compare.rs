//! The same change under other ways of dealing out keys.

use egui::{Align2, Rect, Role, Sense, Ui, pos2, vec2};

use super::super::ViewContext;
use super::WhatIfView;
use super::figures::duration;
use crate::format::UNKNOWN;
use crate::model::whatif::Comparison;
use crate::theme::{BODY, SMALL, Theme, mono, regular};
use crate::widgets::{Empty, Split, card, columns, empty, named, paint_text};

/// Height of a row, in points.
const ROW: f32 = 24.0;

const COLUMNS: [Split; 4] = [
    Split::Share(1.7),
    Split::Share(1.0),
    Split::Share(1.0),
    Split::Share(1.0),
];

impl WhatIfView {
    pub(super) fn compare_card(&self, ui: &mut Ui, _cx: &ViewContext<'_>) {
        let compared = self
            .computed
            .as_ref()
            .and_then(|computed| computed.compared.as_deref())
            .unwrap_or(&[]);
        card(
            ui,
            ui.max_rect(),
            "The same change under",
            "keys that move and what it costs",
            |ui| {
                let room = ui.available_rect_before_wrap();
                if compared.is_empty() {
                    let what = Empty {
                        title: "Nothing to compare",
                        text: "Plan to add, remove or reweight a server.",
                    };
                    empty(ui, room, what);
                    return;
                }
                let line = |row: usize| {
                    let top = room.top() + row as f32 * ROW;
                    Rect::from_min_size(pos2(room.left(), top), vec2(room.width(), ROW))
                };
                heads(ui, line(0));
                for (row, comparison) in compared.iter().enumerate() {
                    draw(ui, line(row + 1), comparison);
                }
            },
        );
    }
}

fn heads(ui: &Ui, rect: Rect) {
    let theme = Theme::of(ui);
    let titles = ["", "moves", "lowest", "back in"];
    for (title, place) in titles.into_iter().zip(columns(rect, 8.0, &COLUMNS)) {
        paint_text(
            ui,
            place,
            Align2::RIGHT_CENTER,
            title,
            regular(SMALL),
            theme.text_faint,
        );
    }
    ui.painter().hline(
        rect.x_range(),
        rect.bottom(),
        egui::Stroke::new(1.0, theme.line),
    );
}

fn draw(ui: &Ui, rect: Rect, comparison: &Comparison) {
    let theme = Theme::of(ui);
    let places = columns(rect, 8.0, &COLUMNS);
    let approximate = if comparison.is_sampled { "≈ " } else { "" };
    let lowest = comparison.lowest;
    let cells = [
        comparison.method.to_owned(),
        format!("{approximate}{:.1} %", comparison.moved * 100.0),
        lowest.map_or_else(
            || UNKNOWN.to_owned(),
            |rate| format!("{:.1} %", rate * 100.0),
        ),
        lowest.map_or_else(|| UNKNOWN.to_owned(), |_| duration(comparison.back_in)),
    ];
    let color = if comparison.is_current {
        theme.accent
    } else {
        theme.text
    };
    let name = if comparison.is_current {
        format!("{} (today)", cells[0])
    } else {
        cells[0].clone()
    };
    paint_text(
        ui,
        places[0],
        Align2::LEFT_CENTER,
        &name,
        regular(BODY),
        color,
    );
    for (cell, place) in cells.iter().zip(&places).skip(1) {
        paint_text(
            ui,
            *place,
            Align2::RIGHT_CENTER,
            cell,
            mono(SMALL + 0.5),
            color,
        );
    }
    let response = ui.interact(
        rect,
        ui.scope_id().with(("compared", comparison.method)),
        Sense::hover(),
    );
    let spoken = format!(
        "{name}: moves {}, lowest {}, back in {}",
        cells[1], cells[2], cells[3]
    );
    let response = named(response, Role::Label, spoken);
    if let Some(note) = comparison.note {
        response.on_hover_text(note);
    }
}
