//! Short messages that go away by themselves.

use egui::{Align2, Area, Frame, Id, Margin, Order, Stroke, Ui, vec2};

use crate::published::Notice;
use crate::theme::{CARD_RADIUS, Theme};

/// How long a message stays, in seconds. Failures stay longer: there is more to read.
const SHOWN_FOR: f64 = 4.0;
const FAILURE_SHOWN_FOR: f64 = 12.0;

#[derive(Debug)]
struct Toast {
    text: String,
    is_error: bool,
    until: f64,
}

#[derive(Debug, Default)]
pub(super) struct Toasts {
    shown: Vec<Toast>,
    next_notice: u64,
}

impl Toasts {
    /// Shows the notices that were not shown yet.
    pub(super) fn take(&mut self, notices: &[Notice], now: f64) {
        for notice in notices
            .iter()
            .filter(|notice| notice.number >= self.next_notice)
        {
            self.shown.push(Toast {
                text: notice.text.clone(),
                is_error: notice.is_error,
                until: now
                    + if notice.is_error {
                        FAILURE_SHOWN_FOR
                    } else {
                        SHOWN_FOR
                    },
            });
        }
        if let Some(newest) = notices.last() {
            self.next_notice = self.next_notice.max(newest.number + 1);
        }
    }

    pub(super) fn say(&mut self, text: &str, now: f64) {
        self.shown.push(Toast {
            text: text.to_owned(),
            is_error: false,
            until: now + SHOWN_FOR,
        });
    }

    pub(super) fn ui(&mut self, ui: &Ui) {
        let now = ui.input(|input| input.time);
        self.shown.retain(|toast| toast.until > now);
        let Some(next_end) = self.shown.iter().map(|toast| toast.until).reduce(f64::min) else {
            return;
        };
        let theme = Theme::of(ui);
        Area::new(Id::unique("toasts"))
            .order(Order::Foreground)
            .anchor(Align2::RIGHT_BOTTOM, vec2(-16.0, -40.0))
            .interactable(false)
            .show(ui.ctx(), |ui| {
                for toast in &self.shown {
                    let (mark, color) = if toast.is_error {
                        ("✗", theme.bad)
                    } else {
                        ("✓", theme.ok)
                    };
                    Frame::new()
                        .fill(theme.raised)
                        .stroke(Stroke::new(1.0, color))
                        .corner_radius(CARD_RADIUS)
                        .inner_margin(Margin::symmetric(12, 8))
                        .show(ui, |ui| {
                            ui.set_max_width(420.0);
                            ui.horizontal_wrapped(|ui| {
                                ui.label(theme.strong(mark).color(color));
                                ui.label(theme.body(&toast.text));
                            });
                        });
                }
            });
        let wait = std::time::Duration::from_secs_f64((next_end - now).max(0.0));
        ui.request_repaint_after(wait);
    }
}
