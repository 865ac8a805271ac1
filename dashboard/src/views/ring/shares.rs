//! What each node has, beside what would be fair.

use egui::{Align2, Key, Rect, Role, Sense, Stroke, Ui, pos2, vec2};
use memlens::ring::Accuracy;

use super::super::{Action, Export, ViewContext};
use super::RingView;
use crate::model::wording::csv_cell;
use crate::theme::{GAP_SMALL, Theme, mix, mono};
use crate::widgets::{card_with, ghost_button, named, paint_text, pressed};

/// The widest bar, in points.
const WIDEST: f32 = 136.0;
/// Bars at least this wide have their node's name below them.
const LABELLED: f32 = 34.0;

impl RingView {
    pub(super) fn shares_card(&self, ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
        let Some(facts) = &self.facts else { return };
        let accuracy = match facts.accuracy {
            Accuracy::Exact => "exact",
            Accuracy::Ideal => "ideal",
            Accuracy::Sampled { .. } => "sampled",
        };
        let keys = match self.key_list.keys {
            0 => String::new(),
            keys => format!("   dot = of {keys} pasted keys"),
        };
        let hint = format!("{accuracy} · line = fair share{keys}");
        let mut export = pressed(ui, Key::E);
        let beside = |ui: &mut Ui| {
            export |= ghost_button(ui, "Export CSV").clicked();
            let theme = Theme::of(ui);
            ui.label(theme.faint(hint));
        };
        card_with(ui, ui.max_rect(), "Shares", beside, |ui| {
            let room = ui.available_rect_before_wrap();
            self.bars(ui, cx, room, actions);
        });
        if export {
            let text = self.shares_csv(cx);
            actions.push(Action::Export(Export::text("memlens-ring.csv", &text)));
        }
    }

    /// What each node has of the ring, as comma-separated values.
    fn shares_csv(&self, cx: &ViewContext<'_>) -> String {
        let mut text = "Node,Share %,Fair %,Points,Pasted keys\r\n".to_owned();
        let Some(facts) = &self.facts else {
            return text;
        };
        for node in &facts.by_share {
            let name = cx
                .cluster
                .node_names()
                .get(*node)
                .map_or("", |name| &**name);
            let count = |count: Option<u64>| count.map_or_else(String::new, |it| it.to_string());
            let pasted = self.key_list.per_node.get(*node).copied();
            let pasted = pasted.and_then(|keys| u64::try_from(keys).ok());
            text.push_str(&format!(
                "{},{:.4},{:.4},{},{}\r\n",
                csv_cell(name),
                facts.shares[*node] * 100.0,
                facts.fair[*node] * 100.0,
                count(facts.points.get(*node).copied()),
                count(pasted),
            ));
        }
        text
    }

    fn bars(&self, ui: &Ui, cx: &ViewContext<'_>, room: Rect, actions: &mut Vec<Action>) {
        let Some(facts) = &self.facts else { return };
        let theme = Theme::of(ui);
        let count = facts.by_share.len() as f32;
        let step = (room.width() / count).min(WIDEST);
        let with_labels = step >= LABELLED;
        let bottom = room.bottom() - if with_labels { 16.0 } else { 0.0 };
        let of_list = |node: usize| self.key_list.share(node).unwrap_or(0.0);
        let largest = (0..facts.shares.len())
            .map(|node| facts.shares[node].max(facts.fair[node]).max(of_list(node)))
            .fold(f64::MIN_POSITIVE, f64::max);
        let y = |share: f64| bottom - (bottom - room.top()) * (share / largest) as f32;
        let focus = self.focus(cx);
        for (place, node) in facts.by_share.iter().enumerate() {
            let left = room.left() + step * place as f32;
            let gap = (step * 0.18).clamp(0.5, GAP_SMALL);
            let (share, fair) = (facts.shares[*node], facts.fair[*node]);
            let column =
                Rect::from_min_max(pos2(left, room.top()), pos2(left + step, room.bottom()));
            let bar =
                Rect::from_min_max(pos2(left + gap, y(share)), pos2(left + step - gap, bottom));
            let response = ui.interact(column, ui.scope_id().with(("share", node)), Sense::click());
            let color = if focus == Some(*node) {
                theme.accent
            } else if response.hovered() || response.has_focus() {
                theme.text_faint
            } else {
                mix(theme.raised, theme.track, 0.95)
            };
            ui.painter().rect_filled(bar, 2.0, color);
            let line = Stroke::new(1.5, theme.text_soft);
            ui.painter().hline(bar.x_range(), y(fair), line);
            if self.key_list.keys > 0 {
                let centre = pos2(bar.center().x, y(of_list(*node)));
                ui.painter().circle_filled(centre, 3.0, theme.panel);
                ui.painter().circle_filled(centre, 2.0, theme.text);
            }
            if with_labels {
                let below = Rect::from_min_size(pos2(left, bottom + 3.0), vec2(step, 13.0));
                paint_text(
                    ui,
                    below,
                    Align2::CENTER_CENTER,
                    cx.label(*node),
                    mono(10.0),
                    theme.text_soft,
                );
            }
            let name = format!(
                "{} holds {:.2} % of the ring, fair {:.2} %",
                cx.label(*node),
                share * 100.0,
                fair * 100.0
            );
            let response = named(response, Role::Button, &name).on_hover_text(name);
            if response.clicked() {
                let selected = cx.selected() == Some(*node);
                let chosen = cx.cluster.node_names().get(*node).filter(|_| !selected);
                actions.push(Action::Select(chosen.cloned()));
            }
        }
    }
}
