//! The screen "What-if".

use egui::Ui;

use super::{Action, ViewContext};

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct WhatIfView {}

impl WhatIfView {
    pub(super) fn ui(&mut self, _ui: &mut Ui, _cx: &ViewContext<'_>) -> Vec<Action> {
        Vec::new()
    }

    /// Puts the removal of a node on the plan.
    pub(super) fn simulate_removal(&mut self, _node: &std::sync::Arc<str>) {}
}
