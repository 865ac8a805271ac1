//! A line above every screen when there is nothing new to show on any, and what to do about it.

use egui::{Align, Align2, Frame, Layout, Margin, Role, Sense, Stroke, Ui, vec2};

use crate::published::Command;
use crate::theme::{BODY, CARD_RADIUS, Theme, mix, regular};
use crate::views::{Action, Condition, View, ViewContext};
use crate::widgets::{Tone, ghost_button, named, paint_text};

/// Height of the line with the space below it, in points.
pub(super) const HEIGHT: f32 = 46.0;

/// What there is to say.
pub(super) struct Banner {
    text: String,
    tone: Tone,
    button: Option<(&'static str, Action)>,
}

impl Banner {
    /// The line for the cluster as it is; `None` while there are new figures.
    pub(super) fn of(cx: &ViewContext<'_>) -> Option<Self> {
        if cx.published.is_paused {
            return Some(Self {
                text: "Paused: nothing is asked, and figures stay as they were. Space goes on, R asks once."
                    .to_owned(),
                tone: Tone::Warn,
                button: Some(("Go on", Action::Command(Command::Pause(false)))),
            });
        }
        let condition = cx.condition();
        let text = format!("{}. {}", condition.title()?, condition.text());
        let settings = ("Settings", Action::Open(View::Settings));
        let (tone, button) = match condition {
            Condition::Connecting => (Tone::Neutral, None),
            Condition::LoginWanted => (Tone::Warn, Some(settings)),
            Condition::NoAnswer(_) => (Tone::Bad, Some(settings)),
            _ => (Tone::Warn, None),
        };
        Some(Self { text, tone, button })
    }

    pub(super) fn ui(self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let theme = Theme::of(ui);
        let color = self.tone.color(theme);
        Frame::new()
            .fill(mix(theme.panel, color, 0.08))
            .stroke(Stroke::new(1.0, mix(theme.panel, color, 0.45)))
            .corner_radius(CARD_RADIUS)
            .inner_margin(Margin::symmetric(12, 4))
            .show(ui, |ui| {
                ui.set_min_width(ui.available_width());
                ui.horizontal(|ui| {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        if let Some((name, action)) = self.button
                            && ghost_button(ui, name).clicked()
                        {
                            actions.push(action);
                        }
                        let size = vec2(ui.available_width(), 24.0);
                        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
                        let font = regular(BODY);
                        let left = Align2::LEFT_CENTER;
                        paint_text(ui, rect, left, &self.text, font, theme.text);
                        named(response, Role::Status, &self.text).on_hover_text(&self.text);
                    });
                });
            });
    }
}
