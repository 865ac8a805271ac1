//! A plan that was carried out: what was measured beside what was predicted.

use std::time::Duration;

use egui::Ui;

use super::super::ViewContext;
use super::compute::Computed;
use super::curve::chart;
use crate::model::whatif::{HitForecast, Verdict};
use crate::model::{Series, Tier};
use crate::theme::Theme;

/// A prediction whose change was made.
#[derive(Debug)]
pub(super) struct Tracked {
    what: String,
    forecast: HitForecast,
    /// When it was made, since the watch began.
    since: Duration,
}

impl Tracked {
    /// Begins with the prediction that was made last. `None` if it had no hit rate.
    pub(super) fn begin(computed: &Computed, cx: &ViewContext<'_>) -> Option<Self> {
        let forecast = computed.forecast.hit_rate.as_ref().ok()?.clone();
        let noted = cx.snapshot.changes.last().map(|change| change.at);
        Some(Self {
            what: computed.what(),
            forecast,
            since: noted.unwrap_or(cx.snapshot.at),
        })
    }

    pub(super) fn ui(&self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let theme = Theme::of(ui);
        let measured = self.measured(cx);
        let verdict = Verdict::of(&self.forecast, measured.iter().copied());
        let text = match verdict {
            None => format!("{}: waiting for the first measured second", self.what),
            Some(verdict) => format!(
                "{}: lowest {:.1} % measured, {:.1} % predicted; {:.1} points apart in the mean, {:.0} % of \
                 seconds within the band",
                self.what,
                verdict.lowest_measured * 100.0,
                self.forecast.lowest * 100.0,
                verdict.mean_error * 100.0,
                verdict.inside_band * 100.0
            ),
        };
        ui.add(egui::Label::new(theme.soft(text)).truncate());
        chart(
            ui,
            &self.forecast,
            &measured,
            "Predicted and measured hit rate",
        );
    }

    /// Seconds after the change and hit rate.
    fn measured(&self, cx: &ViewContext<'_>) -> Vec<(f64, f64)> {
        let since = self.since.as_secs_f64();
        let interval = cx.snapshot.interval.as_secs_f64();
        cx.snapshot
            .history
            .points(Tier::Seconds, Series::HitRate)
            .map(|point| {
                (
                    point.at.as_secs_f64() - since - interval / 2.0,
                    f64::from(point.value),
                )
            })
            .filter(|(seconds, _)| *seconds > 0.0)
            .collect()
    }
}
