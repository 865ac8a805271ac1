//! The screens' names at the left.

use egui::{Align2, Rect, Role, Sense, Ui, vec2};

use crate::theme::{BODY, GAP, Theme, mono, regular, semi_bold};
use crate::views::View;
use crate::widgets::{named, paint_text};

/// Height of an entry, in points.
const HEIGHT: f32 = 30.0;

/// Draws the names. Returns the screen whose name was clicked.
pub(super) fn ui(ui: &mut Ui, current: View) -> Option<View> {
    let theme = Theme::of(ui);
    let mut clicked = None;
    ui.add_space(GAP);
    ui.spacing_mut().item_spacing.y = 2.0;
    for (view, number) in View::ALL.into_iter().zip(1..) {
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
        let response = ui.interact(rect, ui.scope_id().with(view), Sense::click());
        let is_current = view == current;
        if is_current || response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, 6.0, theme.raised);
        }
        if is_current {
            let mark = Rect::from_min_size(rect.min + vec2(-1.0, 7.0), vec2(3.0, HEIGHT - 14.0));
            ui.painter().rect_filled(mark, 1.5, theme.accent);
        }
        let (font, color) = if is_current {
            (semi_bold(BODY), theme.text)
        } else {
            (regular(BODY), theme.text_soft)
        };
        let inner = rect.shrink2(vec2(12.0, 0.0));
        paint_text(ui, inner, Align2::LEFT_CENTER, view.title(), font, color);
        let key = number.to_string();
        paint_text(
            ui,
            inner,
            Align2::RIGHT_CENTER,
            &key,
            mono(10.0),
            theme.text_faint,
        );
        if named(response, Role::Button, view.title()).clicked() {
            clicked = Some(view);
        }
    }
    clicked
}
