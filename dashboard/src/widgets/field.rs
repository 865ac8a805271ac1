//! Choosing among a few, and typing to find.

use egui::{Response, TextEdit, Ui};

use crate::theme::Theme;

/// A row of choices of which one holds. Returns whether it changed.
pub fn segmented<T: Copy + PartialEq>(ui: &mut Ui, current: &mut T, choices: &[(T, &str)]) -> bool {
    let theme = Theme::of(ui);
    let before = *current;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        // Beside a title things are added from the right to the left; they read from the left.
        let is_reversed = ui.layout().prefer_right_to_left();
        for place in 0..choices.len() {
            let place = match is_reversed {
                true => choices.len() - 1 - place,
                false => place,
            };
            let (choice, name) = &choices[place];
            let is_chosen = *current == *choice;
            let color = if is_chosen {
                theme.accent
            } else {
                theme.text_soft
            };
            let text = theme.soft(*name).color(color);
            if ui.selectable_label(is_chosen, text).clicked() {
                *current = *choice;
            }
        }
    });
    before != *current
}

/// A field to find something by typing.
pub fn search_field(ui: &mut Ui, text: &mut String, hint: &str, width: f32) -> Response {
    let theme = Theme::of(ui);
    let field = TextEdit::singleline(text)
        .hint_text(theme.faint(hint))
        .desired_width(width);
    let response = ui.add(field);
    super::named(response, egui::Role::TextInput, hint)
}
