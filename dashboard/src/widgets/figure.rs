//! A figure to be read from afar, with what it was before and what to think of it.

use egui::{Align2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

use super::{Tone, card, named, paint_text, sparkline};
use crate::theme::{CARD_PADDING, CARD_RADIUS, FIGURE, SMALL, Theme, regular, semi_bold};

/// What a figure card shows.
#[derive(Debug, Clone, Copy)]
pub struct Figure<'a> {
    /// What it is.
    pub title: &'a str,
    /// The figure, or "–".
    pub value: &'a str,
    /// Its unit.
    pub unit: &'a str,
    /// What else is to be known about it.
    pub note: &'a str,
    /// Whether the note says something good or bad.
    pub tone: Tone,
    /// How the figure went, oldest first.
    pub trend: &'a [Option<f32>],
    /// How it is computed.
    pub help: &'a str,
    /// Whether a click leads to where there is more.
    pub leads_on: bool,
}

/// Draws a figure as a card in `rect`.
pub fn figure_card(ui: &mut Ui, rect: Rect, figure: &Figure<'_>) -> Response {
    let theme = Theme::of(ui);
    card(ui, rect, "", "", |_| ());
    let inner = rect.shrink(CARD_PADDING);
    let line = |top: f32, height: f32| {
        Rect::from_min_size(
            pos2(inner.left(), inner.top() + top),
            vec2(inner.width(), height),
        )
    };
    let small = |rect: Rect, align: Align2, text: &str, color| {
        paint_text(ui, rect, align, text, regular(SMALL), color)
    };
    let left = Align2::LEFT_CENTER;
    small(line(0.0, 14.0), left, figure.title, theme.text_soft);
    let value = line(17.0, 28.0);
    let value = paint_text(ui, value, left, figure.value, semi_bold(FIGURE), theme.text);
    let after_value = Rect::from_min_max(
        pos2(value.right() + 5.0, value.top() + 6.0),
        pos2(inner.right(), value.bottom()),
    );
    let unit = small(after_value, left, figure.unit, theme.text_soft);
    let note = line(inner.height() - 14.0, 14.0);
    small(note, left, figure.note, figure.tone.color(theme));
    // Beside the figure and above the note: all cards of a row have it at the same place.
    let chart = Rect::from_min_max(
        pos2(
            (unit.right() + 10.0).max(inner.left() + inner.width() * 0.54),
            inner.top() + 18.0,
        ),
        pos2(inner.right(), inner.top() + 42.0),
    );
    if chart.width() > 24.0 {
        sparkline(ui, chart, figure.trend, theme.accent);
    }
    reach(ui, rect, figure)
}

/// Makes the card something that can be pointed at, and clicked if it leads on.
fn reach(ui: &Ui, rect: Rect, figure: &Figure<'_>) -> Response {
    let theme = Theme::of(ui);
    let (sense, role) = match figure.leads_on {
        true => (Sense::click(), Role::Button),
        false => (Sense::hover(), Role::Label),
    };
    let response = ui.interact(rect, ui.scope_id().with(("figure", figure.title)), sense);
    let edge = match figure.leads_on {
        true if response.has_focus() => Some(theme.accent),
        true if response.hovered() => Some(theme.track),
        _ => None,
    };
    if let Some(color) = edge {
        let stroke = Stroke::new(1.0, color);
        ui.painter()
            .rect_stroke(rect, CARD_RADIUS, stroke, StrokeKind::Inside);
    }
    let mut name = format!("{}: {} {}", figure.title, figure.value, figure.unit);
    if !figure.note.is_empty() {
        name.push_str(&format!(", {}", figure.note));
    }
    named(response, role, name).on_hover_text(figure.help)
}
