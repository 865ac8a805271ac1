//! A state in one word, never by colour alone.

use egui::{Align2, Color32, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, vec2};

use super::text::{named, paint_text};
use crate::theme::{SMALL, Theme, mix, regular};

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    Neutral,
    /// Selected, or data.
    Accent,
    /// As it should be.
    Ok,
    /// Worth a look.
    Warn,
    /// Broken.
    Bad,
    /// In a simulation: leaves.
    Leaves,
    /// In a simulation: arrives.
    Arrives,
}

impl Tone {
    /// The colour of text in this tone.
    #[must_use]
    pub const fn color(self, theme: &Theme) -> Color32 {
        match self {
            Self::Neutral => theme.text_soft,
            Self::Accent => theme.accent,
            Self::Ok => theme.ok,
            Self::Warn => theme.warn,
            Self::Bad => theme.bad,
            Self::Leaves => theme.leaves,
            Self::Arrives => theme.arrives,
        }
    }
}

/// A word in a frame of its tone.
pub fn badge(ui: &mut Ui, text: &str, tone: Tone) -> Response {
    let theme = Theme::of(ui);
    let color = tone.color(theme);
    let galley = super::elided(ui, text, regular(SMALL), color, f32::INFINITY);
    let size = galley.size() + vec2(12.0, 4.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter();
    painter.rect(
        rect,
        4.0,
        mix(theme.panel, color, 0.10),
        Stroke::new(1.0, mix(theme.panel, color, 0.45)),
        StrokeKind::Inside,
    );
    painter.galley(rect.min + vec2(6.0, 2.0), galley, color);
    named(response, Role::Label, text)
}

/// A dot in front of a word.
pub fn dot(ui: &mut Ui, text: &str, tone: Tone) -> Response {
    let theme = Theme::of(ui);
    let galley = super::elided(ui, text, regular(SMALL), theme.text, f32::INFINITY);
    let size = vec2(galley.size().x + 14.0, galley.size().y);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let centre = rect.left_center() + vec2(4.0, 0.0);
    ui.painter().circle_filled(centre, 3.5, tone.color(theme));
    let text_rect = Rect::from_min_max(rect.min + vec2(14.0, 0.0), rect.max);
    paint_text(
        ui,
        text_rect,
        Align2::LEFT_CENTER,
        text,
        regular(SMALL),
        theme.text,
    );
    named(response, Role::Label, text)
}
