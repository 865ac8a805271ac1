//! A figure to be read from afar, with what it was before and what to think of it.

use egui::{Align2, Rect, Response, Role, Sense, Ui, pos2, vec2};

use super::{Tone, card, named, paint_text, sparkline};
use crate::theme::{CARD_PADDING, FIGURE, SMALL, Theme, regular, semi_bold};

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
}

/// Draws a figure as a card in `rect`; a click on it can lead to where there is more.
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
    paint_text(
        ui,
        line(0.0, 14.0),
        Align2::LEFT_CENTER,
        figure.title,
        regular(SMALL),
        theme.text_soft,
    );
    let value = paint_text(
        ui,
        line(16.0, 28.0),
        Align2::LEFT_CENTER,
        figure.value,
        semi_bold(FIGURE),
        theme.text,
    );
    let after_value = Rect::from_min_max(
        pos2(value.right() + 5.0, value.top() + 6.0),
        pos2(inner.right(), value.bottom()),
    );
    let unit = paint_text(
        ui,
        after_value,
        Align2::LEFT_CENTER,
        figure.unit,
        regular(SMALL),
        theme.text_soft,
    );
    let note = paint_text(
        ui,
        line(inner.height() - 14.0, 14.0),
        Align2::LEFT_CENTER,
        figure.note,
        regular(SMALL),
        figure.tone.color(theme),
    );
    let chart_left = unit.right().max(note.right()) + 12.0;
    let chart = Rect::from_min_max(
        pos2(chart_left.max(inner.center().x), inner.top() + 18.0),
        pos2(inner.right(), inner.bottom() - 4.0),
    );
    if chart.width() > 24.0 {
        sparkline(ui, chart, figure.trend, theme.accent);
    }
    let id = ui.scope_id().with(("figure", figure.title));
    let response = ui.interact(rect, id, Sense::click());
    let name = format!(
        "{}: {} {}, {}",
        figure.title, figure.value, figure.unit, figure.note
    );
    named(response, Role::Button, name).on_hover_text(figure.help)
}
