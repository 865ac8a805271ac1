//! The screen "Keys": what is stored, once somebody asks for it. A scan is never begun by itself.

mod begin;
mod list;
mod progress;
mod tree;
mod value;

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::Ui;

use super::{Action, ViewContext};
use crate::model::{KeyQuery, KeyScan};
use crate::published::{Ask, Command};
use crate::theme::GAP_LARGE;
use crate::widgets::{Split, columns, place, pressed, rows};

/// Width of the prefixes, in points.
const TREE: f32 = 300.0;

/// Their width where a third card stands beside them.
const NARROW_TREE: f32 = 236.0;

/// Width of what is said of one key, in points.
const VALUE: f32 = 370.0;

/// Width from which there is room for three cards, in points.
const ROOM_FOR_THREE: f32 = 1240.0;

/// Height of the progress, in points.
const PROGRESS: f32 = 98.0;

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct KeysView {
    begin: begin::Begin,
    /// Prefixes whose longer prefixes are shown.
    expanded: BTreeSet<usize>,
    /// What is typed into the filter.
    filter: String,
    /// The query that was asked last.
    query: KeyQuery,
    /// The key that was chosen: its node and itself.
    chosen: Option<(Arc<str>, Arc<[u8]>)>,
    value: value::ValuePanel,
}

impl KeysView {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let Some(scan) = cx.published.asked.scan.clone() else {
            self.expanded.clear();
            self.chosen = None;
            self.query = KeyQuery::default();
            self.filter.clear();
            self.begin.ui(ui, cx, &mut actions);
            return actions;
        };
        let parts = rows(
            ui.max_rect(),
            GAP_LARGE,
            &[Split::Exact(PROGRESS), Split::Share(1.0)],
        );
        let is_narrow = self.chosen.is_some() && ui.max_rect().width() < ROOM_FOR_THREE;
        let tree = if is_narrow { NARROW_TREE } else { TREE };
        let mut widths = vec![Split::Exact(tree), Split::Share(1.0)];
        if self.chosen.is_some() {
            widths.push(Split::Exact(VALUE));
        }
        let below = columns(parts[1], GAP_LARGE, &widths);
        place(ui, parts[0], |ui| progress::ui(ui, cx, &scan, &mut actions));
        let before = self.query.clone();
        place(ui, below[0], |ui| {
            tree::ui(ui, &scan, &mut self.expanded, &mut self.query.prefix);
        });
        place(ui, below[1], |ui| self.list(ui, cx, &scan, &mut actions));
        if let (Some(rect), Some((node, key))) = (below.get(2), self.chosen.clone()) {
            let closed = place(ui, *rect, |ui| {
                self.value.ui(ui, cx, &scan, &node, &key, &mut actions)
            });
            let is_left = !cx.desk.was_typing && pressed(ui, egui::Key::Escape);
            if closed || is_left {
                self.chosen = None;
                actions.push(ask(Ask::ForgetKey));
            }
        }
        if self.query != before {
            actions.push(ask(Ask::Select(self.query.clone())));
        }
        actions
    }

    fn list(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        scan: &KeyScan,
        actions: &mut Vec<Action>,
    ) {
        let chosen = list::ui(
            ui,
            cx,
            scan,
            &mut self.filter,
            &mut self.query,
            self.chosen.as_ref(),
            actions,
        );
        if let Some((node, key)) = chosen {
            self.value.forget();
            actions.push(value::question(&node, &key, false));
            self.chosen = Some((node, key));
        }
    }
}

fn ask(ask: Ask) -> Action {
    Action::Command(Command::Ask(ask))
}
