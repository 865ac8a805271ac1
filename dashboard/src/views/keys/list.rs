//! The keys in a list of any length: only those in sight are looked at.

use std::sync::Arc;

use egui::{Align2, Rect, Role, ScrollArea, Sense, Ui, pos2, vec2};

use super::super::{Action, Export, ViewContext};
use crate::format::{ago, count};
use crate::model::wording::{bytes, csv_cell, foreign};
use crate::model::{KeyColumn, KeyQuery, KeyRow, KeyScan};
use crate::theme::{ROW_HEIGHT, SMALL, Theme, mono, regular};
use crate::widgets::{
    Empty, Split, card_with, columns, empty, ghost_button, moved_by_arrows, named, paint_text,
    pressed, scroll_to_row, search_field,
};

/// How much of a key is shown.
const LONGEST_KEY: usize = 120;

/// Most keys in an exported file.
const MOST_EXPORTED: usize = 100_000;

/// The columns: title, what they sort by, and width.
const COLUMNS: [(&str, KeyColumn, Split); 6] = [
    ("Key", KeyColumn::Key, Split::Share(1.0)),
    ("Size", KeyColumn::Size, Split::Exact(72.0)),
    ("Expires in", KeyColumn::TimeToLive, Split::Exact(74.0)),
    ("Idle", KeyColumn::Idle, Split::Exact(58.0)),
    ("Read", KeyColumn::Fetched, Split::Exact(44.0)),
    ("Node", KeyColumn::Node, Split::Exact(92.0)),
];

/// Draws the list as a card. Returns the key that was clicked, with its node.
pub(super) fn ui(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    scan: &KeyScan,
    filter: &mut String,
    query: &mut KeyQuery,
    chosen: Option<&(Arc<str>, Arc<[u8]>)>,
    actions: &mut Vec<Action>,
) -> Option<(Arc<str>, Arc<[u8]>)> {
    let mut export = pressed(ui, egui::Key::E);
    let focus = pressed(ui, egui::Key::Slash);
    let picked = card_with(
        ui,
        ui.max_rect(),
        &title(scan, query),
        |ui| {
            export |= ghost_button(ui, "Export CSV").clicked();
            let field = search_field(ui, filter, "Filter keys", 170.0);
            if focus {
                field.request_focus();
            }
        },
        |ui| {
            head(ui, query);
            if scan.selected.is_empty() {
                let what = Empty {
                    title: "No such key",
                    text: "No key that came in has this prefix and contains this.",
                };
                empty(ui, ui.available_rect_before_wrap(), what);
                return None;
            }
            rows(ui, cx, scan, chosen)
        },
    );
    query.contains = filter.trim().as_bytes().to_vec();
    if export {
        actions.push(Action::Export(Export::text("memlens-keys.csv", &csv(scan))));
    }
    picked
}

fn title(scan: &KeyScan, query: &KeyQuery) -> String {
    let listed = count(Some(scan.selected.len() as u64));
    if query.prefix.is_empty() {
        format!("Keys · {listed}")
    } else {
        format!("Keys · {listed} in {}", foreign(&query.prefix, 30))
    }
}

/// Below this width only the first three columns are shown, in points.
const ROOM_FOR_ALL: f32 = 520.0;

/// The places of the columns that there is room for.
fn places(rect: Rect) -> Vec<Rect> {
    let shown = if rect.width() < ROOM_FOR_ALL {
        3
    } else {
        COLUMNS.len()
    };
    let inner = Rect::from_min_max(rect.min + vec2(6.0, 0.0), rect.max - vec2(10.0, 0.0));
    columns(inner, 12.0, &COLUMNS.map(|(_, _, width)| width)[..shown])
}

fn align(column: usize) -> Align2 {
    if (1..=3).contains(&column) {
        Align2::RIGHT_CENTER
    } else {
        Align2::LEFT_CENTER
    }
}

fn head(ui: &mut Ui, query: &mut KeyQuery) {
    let theme = Theme::of(ui);
    let size = vec2(ui.available_width(), ROW_HEIGHT);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    for ((index, (title, column, _)), place) in COLUMNS.iter().enumerate().zip(places(rect)) {
        let is_sorted = query.sort == *column;
        let arrow = match (is_sorted, query.descending) {
            (true, true) => " ↓",
            (true, false) => " ↑",
            _ => "",
        };
        let color = if is_sorted {
            theme.text
        } else {
            theme.text_faint
        };
        let text = format!("{title}{arrow}");
        paint_text(ui, place, align(index), &text, regular(SMALL), color);
        let response = ui.interact(
            place,
            ui.scope_id().with(("sort keys", index)),
            Sense::click(),
        );
        if named(response, Role::Button, format!("sort by {title}")).clicked() {
            // Figures from the largest on, words from the first letter on.
            let first = !matches!(column, KeyColumn::Key | KeyColumn::Node);
            query.descending = if is_sorted { !query.descending } else { first };
            query.sort = *column;
        }
    }
    ui.painter().hline(
        rect.x_range(),
        rect.bottom(),
        egui::Stroke::new(1.0, theme.line),
    );
}

fn rows(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    scan: &KeyScan,
    chosen: Option<&(Arc<str>, Arc<[u8]>)>,
) -> Option<(Arc<str>, Arc<[u8]>)> {
    let mut clicked = None;
    let at = || {
        let chosen = chosen?;
        let is_it = |index: &u32| {
            let row = scan.table.row(*index as usize);
            row.is_some_and(|row| is_row_of(scan, &row, chosen))
        };
        scan.selected.iter().position(is_it)
    };
    let moved = moved_by_arrows(ui, scan.selected.len(), at);
    // The rows in sight are found by their height and the space between them.
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical()
        .id_salt("keys")
        .auto_shrink(false)
        .show_rows(ui, ROW_HEIGHT, scan.selected.len(), |ui, visible| {
            scroll_to_row(ui, visible.start, moved);
            for place in visible {
                let index = scan.selected[place];
                let Some(row) = scan.table.row(index as usize) else {
                    continue;
                };
                let Some(node) = scan.nodes.get(usize::from(row.node)) else {
                    continue;
                };
                let is_chosen = chosen.is_some_and(|chosen| is_row_of(scan, &row, chosen));
                if draw(ui, cx, index, &row, &node.name, is_chosen) {
                    clicked = Some((node.name.clone(), row.key.into()));
                }
            }
        });
    let by_arrows = moved.and_then(|place| {
        let row = scan.table.row(*scan.selected.get(place)? as usize)?;
        let node = scan.nodes.get(usize::from(row.node))?;
        Some((node.name.clone(), row.key.into()))
    });
    clicked.or(by_arrows)
}

/// Whether a row is that of this key on this node.
fn is_row_of(scan: &KeyScan, row: &KeyRow<'_>, (name, key): &(Arc<str>, Arc<[u8]>)) -> bool {
    let node = scan.nodes.get(usize::from(row.node));
    node.is_some_and(|node| node.name == *name) && key[..] == *row.key
}

fn draw(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    index: u32,
    row: &KeyRow<'_>,
    node: &str,
    is_chosen: bool,
) -> bool {
    let theme = Theme::of(ui);
    let size = vec2(ui.available_width(), ROW_HEIGHT);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let response = ui.interact(rect, ui.scope_id().with(("key", index)), Sense::click());
    if is_chosen {
        ui.painter().rect_filled(rect, 4.0, theme.accent_soft);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4.0, theme.raised);
    }
    let cells = cells(cx, row, node);
    for ((column, cell), place) in cells.iter().enumerate().zip(places(rect)) {
        let place = Rect::from_min_max(place.min, pos2(place.right(), place.bottom()));
        let color = if column == 0 {
            theme.text
        } else {
            theme.text_soft
        };
        paint_text(ui, place, align(column), cell, mono(SMALL + 0.5), color);
    }
    named(response, Role::Row, cells.join(", ")).clicked()
}

fn cells(cx: &ViewContext<'_>, row: &KeyRow<'_>, node: &str) -> [String; 6] {
    let seconds = |seconds: u64| ago(std::time::Duration::from_secs(seconds));
    let index = cx
        .snapshot
        .nodes
        .iter()
        .position(|known| *known.name == *node);
    [
        foreign(row.key, LONGEST_KEY),
        bytes(row.size),
        match row.time_to_live {
            None => "never".to_owned(),
            Some(0) => "expired".to_owned(),
            Some(left) => seconds(left),
        },
        seconds(row.idle),
        if row.is_fetched { "yes" } else { "no" }.to_owned(),
        index.map_or(node, |index| cx.label(index)).to_owned(),
    ]
}

/// The listed keys as comma-separated values: figures in seconds and bytes, an empty cell for never.
fn csv(scan: &KeyScan) -> String {
    let mut text = "Key,Size in bytes,Expires in seconds,Idle seconds,Read,Node\r\n".to_owned();
    for index in scan.selected.iter().take(MOST_EXPORTED) {
        let Some(row) = scan.table.row(*index as usize) else {
            continue;
        };
        let node = scan
            .nodes
            .get(usize::from(row.node))
            .map_or("", |node| &*node.name);
        let left = row
            .time_to_live
            .map_or_else(String::new, |left| left.to_string());
        let key = csv_cell(&foreign(row.key, usize::MAX));
        let read = if row.is_fetched { "yes" } else { "no" };
        let line = format!(
            "{key},{},{left},{},{read},{}\r\n",
            row.size,
            row.idle,
            csv_cell(node)
        );
        text.push_str(&line);
    }
    text
}
