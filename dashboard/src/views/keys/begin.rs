//! Before a scan: what it does, what it costs, and how much of it is wanted.

use std::sync::Arc;

use egui::{DragValue, Grid, Label, Rect, Role, Ui, pos2};

use super::super::advice::primary_button;
use super::super::{Action, Condition, ViewContext};
use super::ask;
use crate::model::ScanOptions;
use crate::published::Ask;
use crate::theme::{GAP, GAP_LARGE, Theme, semi_bold};
use crate::widgets::{Empty, card, empty, named, place, segmented, skeleton};

/// Width of the text, in points.
const WIDTH: f32 = 580.0;

/// Where the text begins, as a share of the height.
const FROM_TOP: f32 = 0.12;

/// What is to be scanned.
#[derive(Debug)]
pub(super) struct Begin {
    only_selected: bool,
    limit: u64,
    keys_per_second: u32,
}

impl Default for Begin {
    fn default() -> Self {
        Self {
            only_selected: false,
            limit: ScanOptions::USUAL_LIMIT,
            keys_per_second: ScanOptions::USUAL_RATE,
        }
    }
}

impl Begin {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
        let nodes = &cx.snapshot.nodes;
        card(
            ui,
            ui.max_rect(),
            "Keys",
            "nothing is scanned until you say so",
            |ui| {
                let room = ui.available_rect_before_wrap();
                let condition = cx.condition();
                if condition == Condition::Connecting {
                    skeleton(ui, room, 6);
                    return;
                }
                if !nodes.iter().any(|node| node.state.is_answering()) {
                    let text = condition.text();
                    let what = Empty {
                        title: condition.title().unwrap_or("No node to scan"),
                        text: &text,
                    };
                    empty(ui, room, what);
                    return;
                }
                place(ui, middle(room), |ui| {
                    explain(ui);
                    ui.add_space(GAP_LARGE);
                    self.options(ui, cx);
                    ui.add_space(GAP_LARGE);
                    self.start(ui, cx, actions);
                });
            },
        );
    }

    fn options(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let theme = Theme::of(ui);
        let selected = cx.selected();
        Grid::new("scan options")
            .num_columns(2)
            .spacing([24.0, GAP])
            .show(ui, |ui| {
                ui.label(theme.soft("Nodes"));
                let answering = answering(cx).count();
                let all = format!(
                    "All that answer ({answering} of {})",
                    cx.snapshot.nodes.len()
                );
                match selected {
                    Some(node) => {
                        let only = format!("Only {}", cx.label(node));
                        segmented(ui, &mut self.only_selected, &[(false, &all), (true, &only)]);
                    }
                    None => {
                        self.only_selected = false;
                        ui.label(theme.body(all));
                    }
                }
                ui.end_row();
                ui.label(theme.soft("At most"));
                ui.horizontal(|ui| {
                    let limit = DragValue::new(&mut self.limit)
                        .range(1_000..=ScanOptions::HIGHEST_LIMIT)
                        .speed(1_000.0);
                    named(ui.add(limit), Role::SpinButton, "most keys to read");
                    ui.label(theme.soft("keys, an equal part from each node"));
                });
                ui.end_row();
                ui.label(theme.soft("No faster than"));
                ui.horizontal(|ui| {
                    let rate = DragValue::new(&mut self.keys_per_second)
                        .range(100..=1_000_000)
                        .speed(100.0);
                    named(ui.add(rate), Role::SpinButton, "most keys per second");
                    ui.label(theme.soft("keys per second, of all nodes together"));
                });
                ui.end_row();
            });
    }

    fn start(&self, ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
        let nodes: Vec<Arc<str>> = match cx.selected().filter(|_| self.only_selected) {
            Some(node) => cx
                .snapshot
                .nodes
                .get(node)
                .map(|node| node.name.clone())
                .into_iter()
                .collect(),
            None => answering(cx).collect(),
        };
        if primary_button(ui, "Scan keys", true) {
            actions.push(ask(Ask::Scan(ScanOptions {
                nodes,
                limit: self.limit,
                keys_per_second: self.keys_per_second,
            })));
        }
    }
}

fn answering<'a>(cx: &ViewContext<'a>) -> impl Iterator<Item = Arc<str>> + 'a {
    let nodes = cx.snapshot.nodes.iter();
    nodes
        .filter(|node| node.state.is_answering())
        .map(|node| node.name.clone())
}

/// Where text, choices and button stand.
fn middle(room: Rect) -> Rect {
    let width = WIDTH.min(room.width());
    let left = room.center().x - width / 2.0;
    let top = room.top() + room.height() * FROM_TOP;
    Rect::from_min_max(pos2(left, top), pos2(left + width, room.bottom()))
}

fn explain(ui: &mut Ui) {
    let theme = Theme::of(ui);
    let title = egui::RichText::new("What is stored").font(semi_bold(17.0));
    ui.label(title.color(theme.text));
    ui.add_space(GAP);
    for text in [
        "A scan lists what the nodes hold: every key with its size, what is left of its life, and \
         when it was used last. It reads only, by lru_crawler metadump, on a connection of its own.",
        "The server walks through its memory in a thread beside those that serve, so requests go on. \
         Meanwhile its crawler frees no expired items, and refuses a second scan.",
        "Values are not read. A value is only fetched when you ask for that key's.",
    ] {
        ui.add(Label::new(theme.body(text).color(theme.text_soft)).wrap());
    }
}
