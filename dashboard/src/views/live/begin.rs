//! Before a watch: what it shows, what it costs, and what of it is wanted.

use std::sync::Arc;

use egui::{Grid, Label, Rect, Ui, pos2};
use memlens::WatchTopic;

use super::super::advice::primary_button;
use super::super::{Condition, ViewContext};
use crate::model::{LiveFilter, LiveOptions};
use crate::theme::{GAP, GAP_LARGE, Theme, semi_bold};
use crate::widgets::{Empty, card, empty, place, segmented, skeleton};

/// Width of the text, in points.
const WIDTH: f32 = 580.0;

/// Where the text begins, as a share of the height.
const FROM_TOP: f32 = 0.12;

/// What is to be watched.
#[derive(Debug)]
pub(super) struct Begin {
    reads: bool,
    writes: bool,
    evictions: bool,
    deletions: bool,
    only_selected: bool,
}

impl Default for Begin {
    fn default() -> Self {
        Self {
            reads: true,
            writes: true,
            evictions: true,
            deletions: false,
            only_selected: false,
        }
    }
}

impl Begin {
    /// Draws the card. Returns what to watch, once that was decided.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        filter: &LiveFilter,
    ) -> Option<LiveOptions> {
        let nodes = &cx.snapshot.nodes;
        card(
            ui,
            ui.max_rect(),
            "Live",
            "nothing is watched until you say so",
            |ui| {
                let room = ui.available_rect_before_wrap();
                let condition = cx.condition();
                if condition == Condition::Connecting {
                    skeleton(ui, room, 6);
                    return None;
                }
                if !nodes.iter().any(|node| node.state.is_answering()) {
                    let text = condition.text();
                    let what = Empty {
                        title: condition.title().unwrap_or("No node to watch"),
                        text: &text,
                    };
                    empty(ui, room, what);
                    return None;
                }
                let is_started = place(ui, middle(room), |ui| {
                    explain(ui);
                    ui.add_space(GAP_LARGE);
                    self.options(ui, cx);
                    ui.add_space(GAP_LARGE);
                    let is_wanted = !self.topics().is_empty();
                    primary_button(ui, "Watch", is_wanted)
                });
                is_started.then(|| LiveOptions {
                    nodes: self.nodes(cx),
                    topics: self.topics(),
                    filter: filter.clone(),
                })
            },
        )
    }

    fn options(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let theme = Theme::of(ui);
        Grid::new("watch options")
            .num_columns(2)
            .spacing([24.0, GAP])
            .show(ui, |ui| {
                ui.label(theme.soft("What"));
                ui.horizontal(|ui| {
                    ui.checkbox(&mut self.reads, "Reads");
                    ui.checkbox(&mut self.writes, "Writes");
                    ui.checkbox(&mut self.evictions, "Evictions");
                    let deletions = ui.checkbox(&mut self.deletions, "Deletions");
                    deletions.on_hover_text("needs memcached 1.6.20 or newer");
                });
                ui.end_row();
                ui.label(theme.soft("Nodes"));
                let all = format!(
                    "All that answer ({} of {})",
                    self.answering(cx).count(),
                    cx.snapshot.nodes.len()
                );
                match cx.selected() {
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
            });
    }

    fn answering<'a>(&self, cx: &ViewContext<'a>) -> impl Iterator<Item = Arc<str>> + use<'a> {
        let nodes = cx.snapshot.nodes.iter();
        nodes
            .filter(|node| node.state.is_answering())
            .map(|node| node.name.clone())
    }

    fn nodes(&self, cx: &ViewContext<'_>) -> Vec<Arc<str>> {
        match cx.selected().filter(|_| self.only_selected) {
            Some(node) => cx
                .snapshot
                .nodes
                .get(node)
                .map(|node| node.name.clone())
                .into_iter()
                .collect(),
            None => self.answering(cx).collect(),
        }
    }

    fn topics(&self) -> Vec<WatchTopic> {
        let topics = [
            (self.reads, WatchTopic::Fetchers),
            (self.writes, WatchTopic::Mutations),
            (self.evictions, WatchTopic::Evictions),
            (self.deletions, WatchTopic::Deletions),
        ];
        topics
            .into_iter()
            .filter(|(wanted, _)| *wanted)
            .map(|(_, topic)| topic)
            .collect()
    }
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
    let title = egui::RichText::new("What is asked for, as it happens").font(semi_bold(17.0));
    ui.label(title.color(theme.text));
    ui.add_space(GAP);
    for text in [
        "A watch shows every read, write and eviction as it happens: which keys are hot, which are \
         missed again and again, what is evicted before it was read.",
        "The server writes a line for each event. On a busy node that costs it some CPU, and what is \
         not read fast enough it leaves out, and counts. It changes nothing.",
        "Keys are shown as they are. Deletions, counters and touches look a key up first, and show \
         as reads.",
    ] {
        ui.add(Label::new(theme.body(text).color(theme.text_soft)).wrap());
    }
}
