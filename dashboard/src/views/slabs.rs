//! The screen "Slabs".

use egui::Ui;

use super::{Action, ViewContext};

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct SlabsView {}

impl SlabsView {
    pub(super) fn ui(&mut self, _ui: &mut Ui, _cx: &ViewContext<'_>) -> Vec<Action> {
        Vec::new()
    }
}
