//! Before a watch: what it shows, what it costs, and what of it is wanted.

use std::sync::Arc;

use egui::{Grid, Label, Ui, vec2};
use memlens::WatchTopic;

use super::super::ViewContext;
use super::super::advice::primary_button;
use crate::model::{LiveFilter, LiveOptions, NodeState};
use crate::theme::{GAP, GAP_LARGE, Theme};
use crate::widgets::{Empty, card, empty, segmented, skeleton};

/// Width of the text, in points.
const WIDTH: f32 = 560.0;

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
                if nodes.iter().all(|node| node.state == NodeState::Connecting) {
                    skeleton(ui, room, 6);
                    return None;
                }
                if !nodes.iter().any(|node| node.state.is_answering()) {
                    let what = Empty {
                        title: "No node to watch",
                        text: "None answers, or all want a login.",
                    };
                    empty(ui, room, what);
                    return None;
                }
                let size = vec2(WIDTH.min(room.width()), room.height());
                let shown = ui.allocate_ui(size, |ui| {
                    explain(ui);
                    ui.add_space(GAP_LARGE);
                    self.options(ui, cx);
                    ui.add_space(GAP_LARGE);
                    let is_wanted = !self.topics().is_empty();
                    primary_button(ui, "Watch", is_wanted)
                });
                shown.inner.then(|| LiveOptions {
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
                    ui.checkbox(&mut self.reads, "reads");
                    ui.checkbox(&mut self.writes, "writes");
                    ui.checkbox(&mut self.evictions, "evictions");
                    let deletions = ui.checkbox(&mut self.deletions, "deletions");
                    deletions.on_hover_text("needs memcached 1.6.20 or newer");
                });
                ui.end_row();
                ui.label(theme.soft("Nodes"));
                let all = format!("all that answer ({})", self.answering(cx).count());
                match cx.selected() {
                    Some(node) => {
                        let only = format!("only {}", cx.label(node));
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

fn explain(ui: &mut Ui) {
    let theme = Theme::of(ui);
    for text in [
        "A watch shows every read, write and eviction as it happens: which keys are hot, which are \
         missed again and again, what is evicted before it was read.",
        "The server writes a line for each event. On a busy node that costs it some CPU, and what is \
         not read fast enough it leaves out, and counts. It changes nothing.",
        "Keys are shown as they are. Deletions, counters and touches look a key up first, and show \
         as reads.",
    ] {
        ui.add(Label::new(theme.body(text)).wrap());
    }
}
