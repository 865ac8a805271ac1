//! The hit rate after the change: predicted with a band, and measured once it was made.

use egui::Ui;

use super::super::{Action, ViewContext};
use super::WhatIfView;
use super::figures::duration;
use crate::model::whatif::{HitForecast, PopularitySource, ReadStage};
use crate::published::Command;
use crate::theme::Theme;
use crate::widgets::{Chart, ChartMark, Empty, Line, card_with, empty, ghost_button};

/// Seconds over which reads are watched.
const WATCH_SECONDS: u64 = 20;

impl WhatIfView {
    pub(super) fn curve_card(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        actions: &mut Vec<Action>,
    ) {
        let title = match &self.tracked {
            Some(_) => "Hit rate: predicted and measured",
            None => "Hit rate after the change (model)",
        };
        let is_watching = cx
            .published
            .reads
            .as_ref()
            .is_some_and(|reads| reads.is_running());
        let mut close = false;
        let is_tracked = self.tracked.is_some();
        let beside = |ui: &mut Ui| {
            if is_tracked {
                close = ghost_button(ui, "Close").clicked();
            } else if is_watching {
                if ghost_button(ui, "Stop watching").clicked() {
                    actions.push(Action::Command(Command::StopWatchingReads));
                }
            } else if ghost_button(ui, &format!("Watch reads for {WATCH_SECONDS} s"))
                .on_hover_text(WATCH)
                .clicked()
            {
                let seconds = std::time::Duration::from_secs(WATCH_SECONDS);
                actions.push(Action::Command(Command::WatchReads(seconds)));
            }
        };
        card_with(ui, ui.max_rect(), title, beside, |ui| {
            if let Some(tracked) = &self.tracked {
                tracked.ui(ui, cx);
                return;
            }
            self.predicted(ui, cx);
        });
        if close {
            self.tracked = None;
        }
    }

    fn predicted(&self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let Some(computed) = &self.computed else {
            return;
        };
        let room = ui.available_rect_before_wrap();
        match &computed.forecast.hit_rate {
            Err(reason) => {
                let text = reason.to_string();
                let what = Empty {
                    title: "No hit rate to predict yet",
                    text: &text,
                };
                empty(ui, room, what);
            }
            Ok(forecast) => {
                source_line(ui, cx, forecast);
                if self.plan.is_empty() {
                    let what = Empty {
                        title: "Nothing planned",
                        text: "Put a change on the plan to see what it does to the hit rate.",
                    };
                    empty(ui, ui.available_rect_before_wrap(), what);
                } else {
                    chart(ui, forecast, &[], "Predicted hit rate");
                }
            }
        }
    }
}

const WATCH: &str = "Watches which keys are read, on all nodes (watch fetchers mutations). It costs the \
    servers some time for every read, which is why it is asked for. Keys stay in this program's memory.";

/// What the model is computed from.
fn source_line(ui: &mut Ui, cx: &ViewContext<'_>, forecast: &HitForecast) {
    let theme = Theme::of(ui);
    let inputs = &forecast.inputs;
    let text = match cx
        .published
        .reads
        .as_ref()
        .map(|reads| (&reads.stage, reads))
    {
        Some((ReadStage::Watching { left }, reads)) => {
            format!(
                "watching reads: {} so far, {} s left",
                reads.reads,
                left.as_secs()
            )
        }
        Some((ReadStage::Failed(reason), _)) => {
            format!("reads cannot be watched: {reason}. {inputs}")
        }
        _ => inputs.to_string(),
    };
    let is_guess = matches!(inputs.popularity, PopularitySource::Figures { .. });
    let color = if is_guess {
        theme.text_soft
    } else {
        theme.text_faint
    };
    let legend = "line = predicted · band = its error · dashed = the hit rate now";
    ui.add(egui::Label::new(theme.faint(text).color(color)).truncate())
        .on_hover_text(format!("{inputs}. {legend}"));
}

/// The predicted curve, and measured points as seconds after the change and hit rate.
pub(super) fn chart(ui: &mut Ui, forecast: &HitForecast, measured: &[(f64, f64)], name: &str) {
    let theme = Theme::of(ui);
    let percent = |rate: f64| rate * 100.0;
    let last = measured.last().map_or(0.0, |point| point.0);
    let horizon = forecast
        .curve
        .last()
        .map_or(30.0, |point| point.seconds)
        .max(last);
    let mut lines = vec![Line {
        name: "predicted".to_owned(),
        color: theme.accent,
        points: forecast
            .curve
            .iter()
            .map(|point| [point.seconds, percent(point.hit_rate)])
            .collect(),
        is_dashed: !measured.is_empty(),
    }];
    if !measured.is_empty() {
        lines.push(Line {
            name: "measured".to_owned(),
            color: theme.text,
            points: measured
                .iter()
                .map(|(seconds, rate)| [*seconds, percent(*rate)])
                .collect(),
            is_dashed: false,
        });
    }
    let band = forecast.curve.iter();
    let band = band.map(|point| [point.seconds, percent(point.low), percent(point.high)]);
    let back = forecast.back_in.filter(|back| *back > horizon / 100.0);
    let marks = back.map(|back| ChartMark {
        x: back,
        text: format!("99 % after {}", duration(Some(back))),
        color: theme.text_faint,
    });
    Chart {
        name,
        x: [0.0, horizon],
        y: [f64::INFINITY, f64::NEG_INFINITY],
        longest_step: f64::INFINITY,
        lines,
        band: band.collect(),
        marks: marks.into_iter().collect(),
        level: Some((percent(forecast.before), "now")),
        unit: 1.0,
        format: &|value| format!("{value:.1} %"),
        time: &|seconds| format!("+{}", duration(Some(seconds))),
        group: None,
    }
    .show(ui);
}
