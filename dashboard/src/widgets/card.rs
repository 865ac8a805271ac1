//! The surface that things of one kind lie on.

use egui::{Align, Button, Frame, Layout, Margin, Rect, Response, Stroke, Ui, Vec2};

use super::place;
use crate::theme::{CARD_PADDING, CARD_RADIUS, Theme};

/// A card that fills `rect`, with a title and, at its right, what the figures in it mean.
pub fn card<R>(
    ui: &mut Ui,
    rect: Rect,
    title: &str,
    hint: &str,
    draw: impl FnOnce(&mut Ui) -> R,
) -> R {
    card_with(
        ui,
        rect,
        title,
        |ui| {
            let theme = Theme::of(ui);
            ui.label(theme.faint(hint));
        },
        draw,
    )
}

/// A card whose title has something else at its right, such as buttons. They are added from the
/// right to the left.
pub fn card_with<R>(
    ui: &mut Ui,
    rect: Rect,
    title: &str,
    beside: impl FnOnce(&mut Ui),
    draw: impl FnOnce(&mut Ui) -> R,
) -> R {
    let theme = Theme::of(ui);
    let frame = Frame::new()
        .fill(theme.panel)
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(CARD_RADIUS)
        .inner_margin(Margin::same(CARD_PADDING as i8));
    place(ui, rect, |ui| {
        let shown = frame.show(ui, |ui| {
            // A window may be lower than its cards need.
            let size = rect.shrink(CARD_PADDING + 1.0).size();
            ui.set_min_size(size.max(Vec2::ZERO));
            if !title.is_empty() {
                ui.horizontal(|ui| {
                    ui.label(theme.title(title));
                    ui.with_layout(Layout::right_to_left(Align::Center), beside);
                });
            }
            draw(ui)
        });
        shown.inner
    })
}

/// A button that is no more than its text until the pointer is over it.
pub fn link_button(ui: &mut Ui, text: &str) -> Response {
    let theme = Theme::of(ui);
    let text = theme.soft(text).color(theme.accent);
    ui.add(Button::new(text).frame_when_inactive(false))
}

/// A button beside a title.
pub fn ghost_button(ui: &mut Ui, text: &str) -> Response {
    let theme = Theme::of(ui);
    ui.add(Button::new(theme.soft(text)).min_size(egui::vec2(0.0, 24.0)))
}
