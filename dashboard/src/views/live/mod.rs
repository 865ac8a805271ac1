//! The screen "Live": what is asked for as it happens, once somebody wants to see it.

mod begin;
mod events;
mod tops;

use egui::{Role, Ui};

use super::{Action, ViewContext};
use crate::format::{ago, compact_with, count};
use crate::model::{LiveDigest, LiveFilter, LiveKind, WatchStage};
use crate::published::{Ask, Command};
use crate::theme::{GAP_LARGE, Theme};
use crate::widgets::{
    Split, Tone, badge, card_with, columns, ghost_button, named, place, pressed, rows,
    search_field, segmented,
};

/// Width of what comes most, in points.
const TOPS: f32 = 390.0;

/// Height of the line that says how the watch stands, in points.
const STATE: f32 = 88.0;

/// Samples that can be chosen.
const SAMPLES: [(u32, &str); 4] = [
    (1, "All"),
    (10, "1 in 10"),
    (100, "1 in 100"),
    (1000, "1 in 1000"),
];

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct LiveView {
    begin: begin::Begin,
    filter: LiveFilter,
    text: String,
    tops: tops::Tops,
}

impl LiveView {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let Some(live) = cx.published.asked.live.clone() else {
            if let Some(options) = self.begin.ui(ui, cx, &self.filter) {
                actions.push(ask(Ask::Watch(options)));
            }
            return actions;
        };
        let parts = rows(
            ui.max_rect(),
            GAP_LARGE,
            &[Split::Exact(STATE), Split::Share(1.0)],
        );
        let below = columns(
            parts[1],
            GAP_LARGE,
            &[Split::Share(1.0), Split::Exact(TOPS)],
        );
        let before = self.filter.clone();
        place(ui, parts[0], |ui| self.state(ui, cx, &live, &mut actions));
        place(ui, below[0], |ui| events::ui(ui, cx, &live, &mut actions));
        place(ui, below[1], |ui| self.tops.ui(ui, &live, &mut actions));
        if self.filter != before {
            actions.push(ask(Ask::Filter(self.filter.clone())));
        }
        actions
    }

    /// How the watch stands, and what is listed of it.
    fn state(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        live: &LiveDigest,
        actions: &mut Vec<Action>,
    ) {
        let title = format!(
            "{} events in {}",
            count(Some(live.counts.all())),
            ago(live.watched_for)
        );
        card_with(
            ui,
            ui.max_rect(),
            &title,
            |ui| {
                if ghost_button(ui, "Stop watching").clicked() {
                    actions.push(ask(Ask::EndWatch));
                }
                let word = if live.is_paused {
                    "Go on"
                } else {
                    "Hold the list"
                };
                if ghost_button(ui, word).clicked() {
                    actions.push(ask(Ask::PauseWatch(!live.is_paused)));
                }
                nodes_state(ui, cx, live);
                dropped(ui, live);
            },
            |ui| {
                ui.horizontal(|ui| self.controls(ui, cx, live));
            },
        );
    }

    fn controls(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, live: &LiveDigest) {
        let theme = Theme::of(ui);
        for kind in LiveKind::ALL {
            let seen = live.counts.of(kind);
            let is_on = self.filter.kinds.contains(&kind);
            if seen == 0 {
                continue;
            }
            let color = if is_on {
                kind_tone(kind).color(theme)
            } else {
                theme.text_faint
            };
            let text = theme
                .soft(format!("{} {}", kind.label(), count(Some(seen))))
                .color(color);
            let shown = ui.selectable_label(is_on, text);
            let verb = if is_on { "hide" } else { "show" };
            if named(shown, Role::Button, format!("{verb} {}", kind.label())).clicked() {
                if is_on {
                    self.filter.kinds.retain(|known| *known != kind);
                } else {
                    self.filter.kinds.push(kind);
                }
            }
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            segmented(ui, &mut self.filter.one_in, &SAMPLES);
            let focus = pressed(ui, egui::Key::Slash);
            let field = search_field(ui, &mut self.text, "Filter by key", 140.0);
            if focus {
                field.request_focus();
            }
            self.filter.contains = self.text.trim().as_bytes().to_vec();
            let selected = cx.desk.selected.clone();
            let is_one = self.filter.node.is_some();
            if let Some(node) = selected.or_else(|| self.filter.node.clone()) {
                let label = cx
                    .snapshot
                    .nodes
                    .iter()
                    .position(|known| known.name == node);
                let label = label.map_or(&*node, |index| cx.label(index));
                let mut only = is_one && self.filter.node.as_ref() == Some(&node);
                if ui
                    .checkbox(&mut only, theme.soft(format!("only {label}")))
                    .changed()
                {
                    self.filter.node = only.then(|| node.clone());
                }
            }
        });
    }
}

/// Which nodes are watched, and which are not, with why.
fn nodes_state(ui: &mut Ui, cx: &ViewContext<'_>, live: &LiveDigest) {
    let watching = live
        .nodes
        .iter()
        .filter(|node| node.stage == WatchStage::Watching)
        .count();
    let failed: Vec<_> = live
        .nodes
        .iter()
        .filter_map(|node| match &node.stage {
            WatchStage::Failed(trouble) => Some((&node.name, trouble)),
            _ => None,
        })
        .collect();
    let word = format!("{watching} of {} nodes", live.nodes.len());
    let tone = match (watching, failed.len()) {
        (_, 0) => Tone::Ok,
        (0, _) => Tone::Bad,
        _ => Tone::Warn,
    };
    badge(ui, &word, tone).on_hover_ui(|ui| {
        let theme = Theme::of(ui);
        for (node, trouble) in &failed {
            ui.label(theme.soft(format!("{node}: {trouble}")));
        }
    });
    if let Some((node, trouble)) = failed.first() {
        let theme = Theme::of(ui);
        let index = cx
            .snapshot
            .nodes
            .iter()
            .position(|known| known.name == **node);
        let label = index.map_or(&***node, |index| cx.label(index));
        let color = tone.color(theme);
        let text = theme.soft(format!("{label}: {trouble}")).color(color);
        ui.add(egui::Label::new(text).truncate());
    }
}

/// What the servers left out.
fn dropped(ui: &mut Ui, live: &LiveDigest) {
    let theme = Theme::of(ui);
    let dropped = live.counts.skipped;
    let seconds = live.watched_for.as_secs_f64().max(1.0);
    let color = if dropped > 0 {
        theme.warn
    } else {
        theme.text_faint
    };
    let text = if dropped > 0 {
        let rate = compact_with(Some(dropped as f64 / seconds), "/s");
        format!("servers dropped {} ({rate})", count(Some(dropped)))
    } else {
        "servers dropped 0".to_owned()
    };
    ui.label(theme.soft(text).color(color)).on_hover_text(
        "A server that logs more than is read fast enough leaves events out, and says how many. \
         Counts are then too low, but shares still compare.",
    );
}

/// What to think of an event.
const fn kind_tone(kind: LiveKind) -> Tone {
    match kind {
        LiveKind::Hit | LiveKind::Stored => Tone::Accent,
        LiveKind::Evicted | LiveKind::NotStored => Tone::Warn,
        LiveKind::Miss | LiveKind::Deleted | LiveKind::External => Tone::Neutral,
    }
}

fn ask(ask: Ask) -> Action {
    Action::Command(Command::Ask(ask))
}
