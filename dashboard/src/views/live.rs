//! The screen "Live".

use egui::Ui;

use super::{Action, ViewContext};

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct LiveView {}

impl LiveView {
    pub(super) fn ui(&mut self, _ui: &mut Ui, _cx: &ViewContext<'_>) -> Vec<Action> {
        Vec::new()
    }
}
