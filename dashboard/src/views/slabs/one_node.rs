//! The classes of one node, with all figures beside each other.

use egui::{Align2, Rect, Ui};

use super::super::ViewContext;
use super::Chosen;
use super::heat::{short_text, text_on};
use crate::format::{UNKNOWN, count};
use crate::model::wording::bytes;
use crate::model::{ClassDetail, ClassMatrix, ClassMetric, NodeSnapshot};
use crate::theme::{SMALL, Theme, mono};
use crate::widgets::{Column, Empty, Split, TableState, csv, empty, paint_text, table};

/// A class, and the largest value of each metric among the node's classes.
struct Row<'a> {
    class: ClassDetail<'a>,
    largest: [f64; ClassMetric::ALL.len()],
}

/// Draws the classes as a table. Returns the class that was clicked, and the table as
/// comma-separated values if `export` says so.
pub(super) fn ui(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    matrix: &ClassMatrix,
    chosen: Chosen,
    state: &mut TableState,
    export: bool,
) -> (Option<Chosen>, Option<String>) {
    let Some(node) = cx.snapshot.nodes.get(chosen.node) else {
        return (None, None);
    };
    let rows = rows(node);
    if rows.is_empty() {
        let text = super::super::state_text(node);
        let what = Empty {
            title: "No slab classes of this node",
            text: &text,
        };
        empty(ui, ui.available_rect_before_wrap(), what);
        return (None, None);
    }
    let columns = columns();
    state.follows_arrows = true;
    let size = matrix.chunk_sizes.get(chosen.row).copied();
    let clicks = table(ui, "classes", state, &columns, &rows, |row| {
        Some(row.class.chunk_size()) == size
    });
    let clicked = clicks.clicked.and_then(|index| rows.get(index));
    let picked = clicked.and_then(|row| {
        let size = row.class.chunk_size();
        let row = matrix.chunk_sizes.iter().position(|chunk| *chunk == size)?;
        Some(Chosen {
            node: chosen.node,
            row,
        })
    });
    (picked, export.then(|| csv(state, &columns, &rows)))
}

fn rows(node: &NodeSnapshot) -> Vec<Row<'_>> {
    let classes: Vec<_> = ClassDetail::all(node).collect();
    let largest = ClassMetric::ALL.map(|metric| {
        let values = classes.iter().filter_map(|class| metric.of(class));
        values.fold(0.0, f64::max)
    });
    classes
        .into_iter()
        .map(|class| Row { class, largest })
        .collect()
}

fn columns<'a>() -> Vec<Column<'a, Row<'a>>> {
    let mut columns = vec![
        Column::number("Class", 44.0, |row: &Row<'_>| row.class.class.to_string())
            .by_number(|row| Some(f64::from(row.class.class))),
        Column::number("Chunk", 72.0, |row: &Row<'_>| bytes(row.class.chunk_size()))
            .by_number(|row| Some(row.class.chunk_size() as f64)),
        Column::number("Pages", 48.0, |row: &Row<'_>| {
            count(row.class.slab.total_pages)
        })
        .by_number(|row| row.class.slab.total_pages.map(|pages| pages as f64)),
    ];
    for (place, metric) in ClassMetric::ALL.into_iter().enumerate() {
        let column = Column::text(
            super::title(metric),
            Split::Share(1.0),
            move |row: &Row<'_>| text(row, metric),
        )
        .by_number(move |row| metric.of(&row.class))
        .at_the_right()
        .painted(move |ui, rect, row| cell(ui, rect, row, metric, row.largest[place]));
        columns.push(column);
    }
    columns
}

fn text(row: &Row<'_>, metric: ClassMetric) -> String {
    metric
        .of(&row.class)
        .map_or_else(|| UNKNOWN.to_owned(), |value| short_text(metric, value))
}

/// A figure on a shade that compares it with the other classes.
fn cell(ui: &Ui, rect: Rect, row: &Row<'_>, metric: ClassMetric, largest: f64) {
    let theme = Theme::of(ui);
    let value = metric.of(&row.class).unwrap_or(0.0).max(0.0);
    let shade = if largest > 0.0 {
        (value / largest) as f32
    } else {
        0.0
    };
    let cell = rect.shrink2(egui::vec2(0.0, 1.5));
    ui.painter().rect_filled(cell, 2.0, theme.heat(shade));
    let room = cell.shrink2(egui::vec2(6.0, 0.0));
    let color = text_on(theme, shade);
    let font = mono(SMALL);
    paint_text(
        ui,
        room,
        Align2::RIGHT_CENTER,
        &text(row, metric),
        font,
        color,
    );
}
