//! Shares as lengths.

use egui::{Color32, Rect, Ui, pos2};

use crate::theme::Theme;

/// A part of a stacked bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Its share of the bar, 0 to 1.
    pub share: f32,
    /// Its colour.
    pub color: Color32,
}

/// Paints a bar filled by `share`; more than all is shown as full.
pub fn bar(ui: &Ui, rect: Rect, share: f32, color: Color32) {
    stacked_bar(ui, rect, &[Part { share, color }]);
}

/// Paints parts after each other, over the empty track. What does not fit is cut off.
pub fn stacked_bar(ui: &Ui, rect: Rect, parts: &[Part]) {
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let radius = rect.height() / 2.0;
    painter.rect_filled(rect, radius.min(2.0), Theme::of(ui).track);
    let mut left = rect.left();
    for part in parts {
        let share = if part.share.is_finite() {
            part.share.max(0.0)
        } else {
            0.0
        };
        let right = (left + share * rect.width()).min(rect.right());
        if right > left {
            let filled = Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom()));
            painter.rect_filled(filled, radius.min(2.0), part.color);
        }
        left = right;
    }
}
