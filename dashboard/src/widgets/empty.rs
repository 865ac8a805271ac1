//! What stands where there is nothing to show yet, or nothing any more.

use egui::{Align2, Rect, Role, Sense, Ui, pos2, vec2};

use super::{named, paint_text};
use crate::theme::{BODY, Theme, regular, semi_bold};

/// Why there is nothing, and what to do about it.
#[derive(Debug, Clone, Copy)]
pub struct Empty<'a> {
    /// In a few words.
    pub title: &'a str,
    /// What to do, or what it means.
    pub text: &'a str,
}

/// Says in the middle of `rect` why it is empty.
pub fn empty(ui: &Ui, rect: Rect, what: Empty<'_>) {
    let theme = Theme::of(ui);
    let centre = rect.center();
    let line = |y: f32| {
        Rect::from_center_size(
            pos2(centre.x, centre.y + y),
            vec2(rect.width() - 24.0, 18.0),
        )
    };
    paint_text(
        ui,
        line(-12.0),
        Align2::CENTER_CENTER,
        what.title,
        semi_bold(14.0),
        theme.text,
    );
    paint_text(
        ui,
        line(12.0),
        Align2::CENTER_CENTER,
        what.text,
        regular(BODY),
        theme.text_soft,
    );
    let id = ui.scope_id().with(("empty", what.title));
    let response = ui.interact(rect, id, Sense::hover());
    named(
        response,
        Role::Label,
        format!("{}: {}", what.title, what.text),
    );
}

/// Grey shapes where figures will be, while the first answers are awaited.
pub fn skeleton(ui: &Ui, rect: Rect, lines: usize) {
    let theme = Theme::of(ui);
    for line in 0..lines {
        let top = rect.top() + 8.0 + line as f32 * 28.0;
        if top + 14.0 > rect.bottom() {
            break;
        }
        // Of different lengths, as text would be.
        let share = 0.9 - 0.12 * (line % 4) as f32;
        let size = vec2(rect.width() * share, 14.0);
        let place = Rect::from_min_size(pos2(rect.left(), top), size);
        ui.painter().rect_filled(place, 4.0, theme.raised);
    }
    let response = ui.interact(rect, ui.scope_id().with("skeleton"), Sense::hover());
    named(response, Role::Label, "waiting for the first answers");
}
