//! Keys that are pressed beside fields and dialogs.

use egui::{Key, Modifiers, Ui};

/// Whether somebody types into a field, or a dialog waits for an answer: keys are meant for those.
#[must_use]
pub fn is_typing(ui: &Ui) -> bool {
    ui.text_edit_focused() || ui.memory(|memory| memory.top_modal_layer().is_some())
}

/// Whether a key was pressed that nobody typed into a field or a dialog. Only the first who asks is
/// told.
#[must_use]
pub fn pressed(ui: &Ui, key: Key) -> bool {
    !is_typing(ui) && ui.input_mut(|input| input.consume_key(Modifiers::NONE, key))
}

/// As [`pressed`], unless some control has the focus: then arrows lead from control to control, and
/// Enter and Space press it.
#[must_use]
pub fn pressed_beside_controls(ui: &Ui, key: Key) -> bool {
    ui.memory(|memory| memory.focused().is_none()) && pressed(ui, key)
}
