//! The plan: its changes as chips, a form for one more, and how to go about it.

use egui::{Button, ScrollArea, Ui};

use super::super::{Action, Export, ViewContext};
use super::WhatIfView;
use super::tracking::{Underway, demo_commands};
use crate::model::whatif::{Change, ClusterSpec, PlanReport, plan_as_text};
use crate::published::Command;
use crate::theme::{GAP_SMALL, Theme};
use crate::widgets::{Tone, badge, card_with, ghost_button};

/// What was done with the plan's buttons.
#[derive(Default)]
struct Clicks {
    undo: bool,
    redo: bool,
    clear: bool,
    text: bool,
    json: bool,
    carry_out: bool,
}

impl WhatIfView {
    pub(super) fn plan_card(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        spec: &ClusterSpec,
        actions: &mut Vec<Action>,
    ) {
        let mut clicks = Clicks::default();
        let has_plan = !self.plan.is_empty();
        let (can_undo, can_redo) = (self.plan.can_undo(), self.plan.can_redo());
        let in_demo = cx.published.demo.is_some();
        let beside = |ui: &mut Ui| {
            if has_plan {
                clicks.json = ghost_button(ui, "Export JSON").clicked();
                clicks.text = ghost_button(ui, "Export text").clicked();
                clicks.clear = ghost_button(ui, "Clear").clicked();
            }
            if can_redo {
                clicks.redo = ghost_button(ui, "Redo").clicked();
            }
            if can_undo {
                clicks.undo = ghost_button(ui, "Undo").clicked();
            }
            if has_plan && in_demo {
                clicks.carry_out = ghost_button(ui, "Do it in the demo").clicked();
            }
            badge(ui, "simulation: nothing is sent", Tone::Neutral);
        };
        card_with(ui, ui.max_rect(), "Plan", beside, |ui| {
            ui.spacing_mut().item_spacing.y = GAP_SMALL + 2.0;
            self.chips(ui, spec);
            let after = self
                .computed
                .as_ref()
                .map_or(spec, |computed| &computed.forecast.after);
            let selected = cx.desk.selected.as_deref();
            match self.editor.ui(ui, after, selected) {
                Some(Ok(change)) => self.add(change),
                Some(Err(error)) => self.refusal = Some(error.to_string()),
                None => {}
            }
            self.advice_line(ui);
        });
        self.act_on(&clicks, cx, actions);
    }

    fn act_on(&mut self, clicks: &Clicks, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
        if clicks.undo {
            self.plan.undo();
        }
        if clicks.redo {
            self.plan.redo();
        }
        if clicks.clear {
            self.plan.clear();
        }
        if clicks.text {
            actions.extend(self.export("memlens-plan.txt", plan_as_text));
        }
        if clicks.json {
            // It holds numbers and text, which cannot fail to be written.
            let json =
                |report: &PlanReport<'_>| serde_json::to_string_pretty(report).unwrap_or_default();
            actions.extend(self.export("memlens-plan.json", json));
        }
        if clicks.carry_out {
            self.carry_out(cx, actions);
        }
    }

    /// Each change as a chip that a click takes out again.
    fn chips(&mut self, ui: &mut Ui, spec: &ClusterSpec) {
        let theme = Theme::of(ui);
        let mut out = None;
        ScrollArea::horizontal().id_salt("chips").show(ui, |ui| {
            ui.horizontal(|ui| {
                if self.plan.is_empty() {
                    let hint =
                        "Nothing planned. Choose a change below, or press W on a selected node.";
                    ui.label(theme.soft(hint));
                }
                for (place, change) in self.plan.changes().iter().enumerate() {
                    let color = match change {
                        Change::Remove { .. } => theme.leaves,
                        Change::Add { .. } => theme.arrives,
                        _ => theme.text,
                    };
                    let text = theme.soft(format!("{change}  ×")).color(color);
                    let chip = Button::new(text).stroke(egui::Stroke::new(1.0, color));
                    if ui.add(chip).on_hover_text("click to take it out").clicked() {
                        out = Some(place);
                    }
                }
            });
        });
        if let Some(place) = out {
            let taken = self.plan.remove(spec, place);
            self.refusal = taken.err().map(|error| error.to_string());
        }
    }

    /// Why the last change was refused, or how to carry out a plan of several.
    fn advice_line(&self, ui: &mut Ui) {
        let theme = Theme::of(ui);
        if let Some(refusal) = &self.refusal {
            ui.add(egui::Label::new(theme.soft(refusal).color(theme.warn)).truncate());
            return;
        }
        let computed = self.computed.as_ref();
        let Some(advice) = computed.and_then(|computed| computed.advice.as_ref()?.as_ref()) else {
            return;
        };
        let steps: Vec<&str> = advice.steps.iter().map(|step| step.what.as_str()).collect();
        let wait = super::figures::duration(
            advice
                .steps
                .iter()
                .filter_map(|step| step.wait)
                .reduce(f64::max),
        );
        let text = format!(
            "Safer: {}, each after the one before is back (up to {wait}): lowest {:.1} % instead of {:.1} %",
            steps.join(", then "),
            advice.lowest_in_steps * 100.0,
            advice.lowest_at_once * 100.0
        );
        ui.add(egui::Label::new(theme.soft(text)).truncate());
    }

    fn export(&self, file: &str, write: impl Fn(&PlanReport<'_>) -> String) -> Option<Action> {
        let computed = self.computed.as_ref()?;
        let report = PlanReport::new(
            &computed.baseline,
            &self.plan,
            &computed.forecast,
            computed.compared.as_deref().unwrap_or(&[]),
            computed.advice.as_ref().and_then(Option::as_ref),
        );
        Some(Action::Export(Export::text(file, &write(&report))))
    }

    /// Asks the demo for the changes.
    fn carry_out(&mut self, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
        let Some(computed) = &self.computed else {
            return;
        };
        match demo_commands(computed.baseline.spec(), &computed.forecast.after) {
            Ok(commands) => {
                self.underway = Some(Underway::of(computed, Some(cx.snapshot.at)));
                let commands = commands.into_iter().map(Command::Demo);
                actions.extend(commands.map(Action::Command));
            }
            Err(reason) => self.refusal = Some(reason.to_owned()),
        }
    }
}
