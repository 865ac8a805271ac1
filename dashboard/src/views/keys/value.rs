//! One key: what its node knows of it, and its value once that is asked for.

use std::sync::Arc;

use egui::{Grid, Label, ScrollArea, Ui};
use memlens::TimeToLive;

use super::super::{Action, ViewContext};
use super::ask;
use crate::format::{UNKNOWN, ago, count};
use crate::model::wording::{bytes, foreign};
use crate::model::{KeyFacts, KeyScan, ValueForm};
use crate::published::{Ask, KeyAnswer, KeyQuestion, Write, WriteCommand};
use crate::theme::{GAP, Theme};
use crate::widgets::{Empty, card_with, empty, ghost_button, link_button, segmented};

/// How much of the key is shown.
const LONGEST_KEY: usize = 250;

/// How the value is shown.
#[derive(Debug, Default)]
pub(super) struct ValuePanel {
    form: Option<ValueForm>,
    /// The value that was laid out, and its text: done once, not at each frame.
    shown: Option<(Arc<KeyAnswer>, ValueForm, Option<String>)>,
}

/// Asks a node for a key.
pub(super) fn question(node: &Arc<str>, key: &Arc<[u8]>, with_value: bool) -> Action {
    ask(Ask::Key(KeyQuestion {
        node: node.clone(),
        key: key.clone(),
        with_value,
    }))
}

impl ValuePanel {
    /// Another key was chosen: its value is not shown.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Draws the panel as a card. Returns whether it was closed.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        scan: &KeyScan,
        node: &Arc<str>,
        key: &Arc<[u8]>,
        actions: &mut Vec<Action>,
    ) -> bool {
        let mut closed = false;
        let mut beside = Vec::new();
        let answer = cx
            .published
            .asked
            .key
            .clone()
            .filter(|answer| answer.question.node == *node && answer.question.key == *key);
        card_with(
            ui,
            ui.max_rect(),
            "Key",
            |ui| {
                closed = ghost_button(ui, "Close").clicked();
                if link_button(ui, "On the ring").clicked() {
                    beside.push(Action::Probe(String::from_utf8_lossy(key).into_owned()));
                }
                if cx.desk.may_write && link_button(ui, "Delete…").clicked() {
                    beside.push(Action::ProposeWrite(WriteCommand {
                        node: node.clone(),
                        write: Write::Delete(key.to_vec()),
                    }));
                }
            },
            |ui| {
                let theme = Theme::of(ui);
                ui.add(Label::new(theme.mono(foreign(key, LONGEST_KEY))).wrap());
                self.placement(ui, cx, scan, node, key);
                ui.add_space(GAP);
                let Some(answer) = &answer else {
                    ui.label(theme.soft("asking…"));
                    return;
                };
                match &answer.answer {
                    None => {
                        ui.label(theme.soft("asking…"));
                    }
                    Some(Err(trouble)) => {
                        let text = theme.soft(format!("✗ {trouble}")).color(theme.bad);
                        ui.add(Label::new(text).wrap());
                    }
                    Some(Ok(None)) => {
                        let what = Empty {
                            title: "Not there any more",
                            text: "It expired, or was evicted or deleted, since the scan.",
                        };
                        empty(ui, ui.available_rect_before_wrap(), what);
                    }
                    Some(Ok(Some(_))) => self.facts(ui, answer, actions),
                }
            },
        );
        actions.append(&mut beside);
        closed
    }

    /// Where the key lies, and where the ring would have it.
    fn placement(
        &self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        scan: &KeyScan,
        node: &Arc<str>,
        key: &[u8],
    ) {
        let theme = Theme::of(ui);
        let owner = cx.cluster.ring().node_for(key);
        let owner_name = cx.cluster.node_names().get(owner);
        let text = if owner_name == Some(node) {
            format!("on {node}, where the ring has it")
        } else {
            format!("on {node}, but the ring has it on {}", cx.label(owner))
        };
        let color = if owner_name == Some(node) {
            theme.text_soft
        } else {
            theme.warn
        };
        ui.add(Label::new(theme.soft(text).color(color)).wrap());
        if !scan.is_over() {
            ui.label(theme.faint("the scan goes on"));
        }
    }

    fn facts(&mut self, ui: &mut Ui, answer: &Arc<KeyAnswer>, actions: &mut Vec<Action>) {
        let Some(Ok(Some(facts))) = &answer.answer else {
            return;
        };
        figures(ui, facts);
        ui.add_space(GAP);
        let theme = Theme::of(ui);
        let Some(value) = &facts.value else {
            ui.horizontal(|ui| {
                ui.label(theme.soft("The value is hidden."));
                if ui.button("Show value").clicked() {
                    actions.push(question(&answer.question.node, &answer.question.key, true));
                }
            });
            let note = "Fetched by mg with the flag u: the item keeps its place in the LRU, but the \
                        server counts a read.";
            ui.add(Label::new(theme.faint(note)).wrap());
            return;
        };
        let mut form = self.form.unwrap_or_else(|| ValueForm::suited_to(value));
        ui.horizontal(|ui| {
            let choices = ValueForm::ALL.map(|form| (form, form.label()));
            if segmented(ui, &mut form, &choices) {
                self.form = Some(form);
            }
            if ghost_button(ui, "Hide").clicked() {
                actions.push(question(&answer.question.node, &answer.question.key, false));
            }
        });
        let is_shown = self
            .shown
            .as_ref()
            .is_some_and(|(known, in_form, _)| Arc::ptr_eq(known, answer) && *in_form == form);
        if !is_shown {
            self.shown = Some((Arc::clone(answer), form, form.show(value)));
        }
        let Some((_, _, text)) = &self.shown else {
            return;
        };
        let text = text.as_deref().unwrap_or("This value is no JSON.");
        ScrollArea::both()
            .id_salt("value")
            .auto_shrink(false)
            .show(ui, |ui| {
                ui.add(Label::new(theme.mono(text)).selectable(true).extend());
            });
    }
}

fn figures(ui: &mut Ui, facts: &KeyFacts) {
    let theme = Theme::of(ui);
    let time = |time: Option<std::time::Duration>| time.map_or(UNKNOWN.to_owned(), ago);
    let rows = [
        ("Length", facts.size.map_or(UNKNOWN.to_owned(), bytes)),
        (
            "Expires in",
            match facts.time_to_live {
                Some(TimeToLive::Unlimited) => "never".to_owned(),
                Some(TimeToLive::Left(left)) => ago(left),
                None => UNKNOWN.to_owned(),
            },
        ),
        ("Last used", time(facts.last_access)),
        (
            "Read before",
            facts
                .was_hit_before
                .map_or(UNKNOWN, |hit| if hit { "yes" } else { "no" })
                .to_owned(),
        ),
        ("Client flags", count(facts.client_flags.map(u64::from))),
    ];
    Grid::new("key facts")
        .num_columns(2)
        .spacing([18.0, 4.0])
        .show(ui, |ui| {
            for (name, value) in rows {
                ui.label(theme.soft(name));
                ui.label(theme.mono(value));
                ui.end_row();
            }
        });
}
