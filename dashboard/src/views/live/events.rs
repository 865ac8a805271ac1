//! The newest events, the newest first.

use egui::{Align2, Key, Rect, Role, ScrollArea, Sense, Ui, vec2};

use super::super::{Action, Export, ViewContext};
use super::kind_tone;
use crate::format::{UNKNOWN, ago};
use crate::model::wording::{bytes, csv_cell, foreign};
use crate::model::{LiveDigest, LiveEvent, LiveKind};
use crate::theme::{ROW_HEIGHT, SMALL, Theme, mono, regular};
use crate::widgets::{
    Empty, Split, card_with, columns, empty, ghost_button, named, paint_text, pressed,
};

/// How much of a key is shown.
const LONGEST_KEY: usize = 100;

const COLUMNS: [(&str, Split); 7] = [
    ("Time (UTC)", Split::Exact(80.0)),
    ("Node", Split::Exact(72.0)),
    ("Event", Split::Exact(48.0)),
    ("Key", Split::Share(1.0)),
    ("Size", Split::Exact(62.0)),
    ("Expires in", Split::Exact(58.0)),
    ("", Split::Exact(118.0)),
];

pub(super) fn ui(ui: &mut Ui, cx: &ViewContext<'_>, live: &LiveDigest, actions: &mut Vec<Action>) {
    let mut export = pressed(ui, Key::E);
    let beside = |ui: &mut Ui| {
        let theme = Theme::of(ui);
        export |= ghost_button(ui, "Export CSV").clicked();
        ui.label(theme.faint(hint(live)));
    };
    card_with(ui, ui.max_rect(), "Events", beside, |ui| {
        head(ui);
        if live.events.is_empty() {
            let text = if live.counts.all() == 0 {
                "Nothing has happened so far."
            } else {
                "Nothing of what happens passes the filter."
            };
            let what = Empty {
                title: "No events",
                text,
            };
            empty(ui, ui.available_rect_before_wrap(), what);
            return;
        }
        let count = live.events.len();
        // The rows in sight are found by their height and the space between them.
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical()
            .id_salt("events")
            .auto_shrink(false)
            .show_rows(ui, ROW_HEIGHT, count, |ui, visible| {
                for place in visible {
                    draw(ui, cx, place, &live.events[count - 1 - place]);
                }
            });
    });
    if export {
        let text = csv(cx, live);
        actions.push(Action::Export(Export::text("memlens-events.csv", &text)));
    }
}

/// The listed events as comma-separated values, the newest first.
fn csv(cx: &ViewContext<'_>, live: &LiveDigest) -> String {
    let mut text = "Time (UTC),Node,Event,Key,Size,Expires in,More\r\n".to_owned();
    for event in live.events.iter().rev() {
        let cells = cells(cx, event).map(|cell| csv_cell(&cell));
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn hint(live: &LiveDigest) -> String {
    let newest = format!("the newest {}", live.events.len());
    if live.is_paused {
        format!("held · {newest} · counting goes on")
    } else if live.counts.sampled_out > 0 {
        format!("{newest} · a sample, 1 in {}", live.filter.one_in)
    } else {
        newest
    }
}

fn places(rect: Rect) -> Vec<Rect> {
    let inner = Rect::from_min_max(rect.min + vec2(6.0, 0.0), rect.max - vec2(10.0, 0.0));
    columns(inner, 10.0, &COLUMNS.map(|(_, width)| width))
}

fn head(ui: &mut Ui) {
    let theme = Theme::of(ui);
    let size = vec2(ui.available_width(), ROW_HEIGHT);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    for ((index, (title, _)), place) in COLUMNS.iter().enumerate().zip(places(rect)) {
        paint_text(
            ui,
            place,
            align(index),
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

fn align(column: usize) -> Align2 {
    if (4..=5).contains(&column) {
        Align2::RIGHT_CENTER
    } else {
        Align2::LEFT_CENTER
    }
}

fn draw(ui: &mut Ui, cx: &ViewContext<'_>, place: usize, event: &LiveEvent) {
    let theme = Theme::of(ui);
    let size = vec2(ui.available_width(), ROW_HEIGHT);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let response = ui.interact(rect, ui.scope_id().with(("event", place)), Sense::hover());
    if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, theme.raised);
    }
    let cells = cells(cx, event);
    for ((column, cell), place) in cells.iter().enumerate().zip(places(rect)) {
        let (font, color) = match column {
            2 => (regular(SMALL + 0.5), kind_tone(event.kind).color(theme)),
            3 => (mono(SMALL + 0.5), theme.text),
            6 => (regular(SMALL), theme.text_faint),
            _ => (mono(SMALL), theme.text_soft),
        };
        paint_text(ui, place, align(column), cell, font, color);
    }
    named(response, Role::Label, cells.join(", "));
}

fn cells(cx: &ViewContext<'_>, event: &LiveEvent) -> [String; 7] {
    let index = cx
        .snapshot
        .nodes
        .iter()
        .position(|node| node.name == event.node);
    [
        event.time_of_day().unwrap_or_else(|| UNKNOWN.to_owned()),
        index
            .map_or(&*event.node, |index| cx.label(index))
            .to_owned(),
        event.kind.label().to_owned(),
        foreign(&event.key, LONGEST_KEY),
        event
            .size
            .filter(|size| *size > 0)
            .map_or_else(String::new, bytes),
        event.time_to_live.map_or_else(String::new, ago),
        more(event),
    ]
}

/// What else there is to say of an event.
fn more(event: &LiveEvent) -> String {
    let mut parts: Vec<String> = Vec::new();
    match (event.kind, event.is_fetched) {
        (LiveKind::Evicted, Some(false)) => parts.push("never read".to_owned()),
        (LiveKind::Evicted, Some(true)) => parts.push("was read".to_owned()),
        _ => {}
    }
    if let Some(status) = &event.status {
        parts.push(foreign(status.as_bytes(), 20));
    }
    if let Some(command) = event.command.as_deref().filter(|command| *command != "set") {
        parts.push(foreign(command.as_bytes(), 12));
    }
    let class = event.slab_class.filter(|_| event.kind == LiveKind::Evicted);
    if let Some(class) = class {
        parts.push(format!("class {class}"));
    }
    parts.join(" · ")
}
