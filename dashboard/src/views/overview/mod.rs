//! The screen "Overview": the cluster in ten seconds.

mod attention;
mod figures;
mod history;
mod tiles;

use egui::Ui;

pub(super) use history::{longest_step, shown, time};

use history::HitRateHistory;

use super::{Action, ViewContext};
use crate::theme::GAP_LARGE;
use crate::widgets::{Split, columns, place, rows};

/// Height of the figures at the top, in points.
const FIGURES: f32 = 92.0;

/// Width of the nodes against that of what needs attention.
const NODES_TO_ATTENTION: f32 = 1.5;

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct OverviewView {
    history: HitRateHistory,
}

impl OverviewView {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let parts = rows(
            ui.max_rect(),
            GAP_LARGE,
            &[Split::Exact(FIGURES), Split::Share(5.0), Split::Share(5.0)],
        );
        let middle = columns(
            parts[1],
            GAP_LARGE,
            &[Split::Share(NODES_TO_ATTENTION), Split::Share(1.0)],
        );
        place(ui, parts[0], |ui| figures::ui(ui, cx, &mut actions));
        place(ui, middle[0], |ui| tiles::ui(ui, cx, &mut actions));
        place(ui, middle[1], |ui| attention::ui(ui, cx, &mut actions));
        place(ui, parts[2], |ui| self.history.ui(ui, cx, &mut actions));
        actions
    }
}
