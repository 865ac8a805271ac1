//! The selected node: what the ring gives it, and what it does with it.

use std::time::Duration;

use egui::{Align, Button, Layout, Ui};

use super::super::{Action, View, ViewContext, state_text, state_tone};
use super::RingView;
use crate::format::{UNKNOWN, ago, bytes, compact_with, percent_figure};
use crate::model::{Deltas, NodeSnapshot};
use crate::theme::{GAP_SMALL, Theme};
use crate::widgets::{Empty, card_with, dot, empty};

/// How many heirs of a node are told.
const HEIRS: usize = 4;

impl RingView {
    pub(super) fn node_card(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        actions: &mut Vec<Action>,
    ) {
        let focus = self.focus(cx);
        let Some((index, node)) =
            focus.and_then(|index| Some((index, cx.snapshot.nodes.get(index)?)))
        else {
            card_with(
                ui,
                ui.max_rect(),
                "Node",
                |_| (),
                |ui| {
                    let what = Empty {
                        title: "No node selected",
                        text: "Click an arc or a bar, or press N.",
                    };
                    empty(ui, ui.available_rect_before_wrap(), what);
                },
            );
            return;
        };
        let title = node.name.to_string();
        let beside = |ui: &mut Ui| {
            dot(ui, &state_text(node), state_tone(&node.state));
        };
        card_with(ui, ui.max_rect(), &title, beside, |ui| {
            ui.spacing_mut().item_spacing.y = GAP_SMALL;
            ui.spacing_mut().interact_size.y = 18.0;
            self.of_ring(ui, index);
            self.of_server(ui, cx, index, node);
            self.heirs(ui, cx, index);
            ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
                // A line lower than its buttons would let them hang out of the card.
                ui.spacing_mut().interact_size.y = 24.0;
                ui.horizontal(|ui| {
                    let theme = Theme::of(ui);
                    if ui.add(Button::new(theme.body("What if removed"))).clicked() {
                        actions.push(Action::SimulateRemoval(node.name.clone()));
                    }
                    if ui.add(Button::new(theme.body("Open in Nodes"))).clicked() {
                        actions.push(Action::Select(Some(node.name.clone())));
                        actions.push(Action::Open(View::Nodes));
                    }
                });
            });
        });
    }

    fn of_ring(&self, ui: &mut Ui, node: usize) {
        let Some(facts) = &self.facts else { return };
        let (share, fair) = (facts.shares[node], facts.fair[node]);
        let text = format!(
            "{:.2} %  (fair {:.2} %, {:.2}×)",
            share * 100.0,
            fair * 100.0,
            share / fair
        );
        fact(ui, "Share", &text);
        if let Some(points) = facts.points.get(node) {
            fact(ui, "Points", &points.to_string());
        }
    }

    fn of_server(&self, ui: &mut Ui, cx: &ViewContext<'_>, index: usize, node: &NodeSnapshot) {
        let operations = node.rate(Deltas::operations_per_second);
        let all = cx
            .snapshot
            .totals
            .operations_per_second
            .filter(|all| *all > 0.0);
        let share = self.facts.as_ref().map(|facts| facts.shares[index]);
        let skew = operations
            .zip(all)
            .zip(share)
            .map(|((own, all), share)| own / all / share);
        let mut text = compact_with(operations, "/s");
        if let Some(skew) = skew.filter(|skew| skew.is_finite()) {
            text.push_str(&format!("  ({skew:.1}× its share)"));
        }
        fact(ui, "Requests", &text);
        let hit_rate = percent_figure(node.rate(Deltas::hit_rate));
        let unit = if hit_rate == UNKNOWN { "" } else { " %" };
        fact(ui, "Hit rate", &format!("{hit_rate}{unit}"));
        let general = node.current();
        let (stored, limit) = (
            general.and_then(|g| g.bytes),
            general.and_then(|g| g.limit_maxbytes),
        );
        fact(
            ui,
            "Memory",
            &match stored {
                Some(_) => format!("{} of {}", bytes(stored), bytes(limit)),
                None => UNKNOWN.to_owned(),
            },
        );
        let age = node.tail_age.map_or_else(
            || "nothing is evicted".to_owned(),
            |age| ago(Duration::from_secs(age)),
        );
        let age = if general.is_some() {
            age
        } else {
            UNKNOWN.to_owned()
        };
        fact(ui, "Tail age", &age);
    }

    fn heirs(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, node: usize) {
        let Some(facts) = &mut self.facts else { return };
        let heirs = facts.successors(node);
        if heirs.is_empty() {
            return;
        }
        let first = heirs.iter().take(HEIRS);
        let mut named: Vec<String> = first
            .map(|(node, part)| format!("{} {:.0} %", cx.label(*node), part * 100.0))
            .collect();
        if heirs.len() > HEIRS {
            named.push(format!("{} more", heirs.len() - HEIRS));
        }
        fact(ui, "If it leaves", &format!("to {}", named.join(", ")));
    }
}

/// A line of what is known.
pub(super) fn fact(ui: &mut Ui, title: &str, value: &str) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(egui::vec2(72.0, 16.0), egui::Sense::hover());
        let font = crate::theme::regular(crate::theme::SMALL);
        crate::widgets::paint_text(
            ui,
            rect,
            egui::Align2::LEFT_CENTER,
            title,
            font,
            theme.text_faint,
        );
        ui.add(egui::Label::new(theme.body(value)).wrap());
    });
}
