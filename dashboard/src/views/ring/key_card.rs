//! One key: its way to its node, step by step.

use egui::{Role, ScrollArea, TextEdit, Ui};

use super::super::{Action, ViewContext};
use super::RingView;
use crate::model::placement::Probe;
use crate::theme::{GAP_SMALL, Theme};
use crate::widgets::{Empty, card, empty, named};

/// The name of the field.
const FIELD: &str = "Key to look up";

impl RingView {
    pub(super) fn key_card(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        actions: &mut Vec<Action>,
    ) {
        card(
            ui,
            ui.max_rect(),
            "Why this node?",
            "from key to node, step by step",
            |ui| {
                let theme = Theme::of(ui);
                let mut key = cx.desk.probe.clone();
                let field = TextEdit::singleline(&mut key)
                    .hint_text(theme.faint("a key, such as user:42"))
                    .font(crate::theme::mono(crate::theme::BODY))
                    .desired_width(f32::INFINITY);
                let response = named(ui.add(field), Role::TextInput, FIELD);
                if response.changed() {
                    actions.push(Action::Probe(key));
                }
                match &self.probe {
                    None => {
                        let what = Empty {
                            title: "No key yet",
                            text: "Type one to see which node holds it, and why.",
                        };
                        empty(ui, ui.available_rect_before_wrap(), what);
                    }
                    Some((_, Err(reason))) => {
                        ui.label(theme.body(reason).color(theme.warn));
                    }
                    Some((_, Ok(probe))) => {
                        ScrollArea::vertical()
                            .auto_shrink(false)
                            .show(ui, |ui| steps(ui, cx, probe));
                    }
                }
            },
        );
    }
}

fn steps(ui: &mut Ui, cx: &ViewContext<'_>, probe: &Probe) {
    let theme = Theme::of(ui);
    ui.spacing_mut().item_spacing.y = GAP_SMALL / 2.0;
    ui.spacing_mut().interact_size.y = 16.0;
    for (number, step) in (1..).zip(&probe.steps) {
        let is_last = number == probe.steps.len();
        ui.horizontal(|ui| {
            ui.label(theme.faint(format!("{number}")));
            ui.label(theme.soft(step.title));
            let color = if is_last { theme.accent } else { theme.text };
            ui.add(egui::Label::new(theme.mono(&step.value).color(color)).truncate());
        });
        ui.horizontal(|ui| {
            ui.add_space(14.0);
            ui.add(egui::Label::new(theme.faint(&step.detail)).wrap());
        });
    }
    if !probe.next.is_empty() {
        ui.add_space(GAP_SMALL);
        let names: Vec<&str> = probe.next.iter().map(|node| cx.label(*node)).collect();
        ui.add(
            egui::Label::new(theme.soft(format!("If it is down, then {}", names.join(", then "))))
                .wrap(),
        );
    }
}
