//! What a plan comes to, in four figures.

use egui::Ui;

use super::WhatIfView;
use crate::format::{UNKNOWN, compact, percent_figure};
use crate::model::whatif::HitForecast;
use crate::theme::GAP_LARGE;
use crate::widgets::{Figure, Split, Tone, columns, figure_card};

const LOWEST: &str = "The mean over the first poll after the change, or a later moment if that is lower. \
    Keys that move miss once; popular ones are back within the second. ± is the band at its widest: the \
    errors of the model, keys too rare to be seen, and chance by the size of the sample.";
const BACK: &str = "Until 99 % of the new steady state are reached. After that the next step of a \
    plan is safe.";
const STEADY: &str = "When all that is read has found its place again, and a server that came has filled \
    up: what all of them have room for. Reached when the curve stays within half a point of it.";
const BACKEND: &str = "Misses per second beyond those of now, at the lowest point: what the database \
    behind the cache has to bear.";

impl WhatIfView {
    pub(super) fn figures(&self, ui: &mut Ui) {
        let forecast = self
            .computed
            .as_ref()
            .and_then(|computed| computed.forecast.hit_rate.as_ref().ok());
        let places = columns(ui.max_rect(), GAP_LARGE, &[Split::Share(1.0); 4]);
        let is_plan = !self.plan.is_empty();
        let forecast = forecast.filter(|_| is_plan);
        let trend: Vec<Option<f32>> = forecast.map_or_else(Vec::new, |forecast| {
            forecast
                .curve
                .iter()
                .map(|point| Some(point.hit_rate as f32))
                .collect()
        });
        let figures = [
            lowest(forecast),
            back(forecast),
            steady(forecast),
            backend(forecast),
        ];
        let titles = [
            "Lowest hit rate",
            "Back to 99 %",
            "New steady state",
            "Back end, at worst",
        ];
        let help = [LOWEST, BACK, STEADY, BACKEND];
        for (place, (value, unit, note, tone)) in figures.into_iter().enumerate() {
            let figure = Figure {
                title: titles[place],
                value: &value,
                unit: &unit,
                note: &note,
                tone,
                trend: if place == 0 { &trend } else { &[] },
                help: help[place],
                leads_on: false,
            };
            figure_card(ui, places[place], &figure);
        }
    }
}

type Words = (String, String, String, Tone);

fn unknown() -> Words {
    (
        UNKNOWN.to_owned(),
        String::new(),
        String::new(),
        Tone::Neutral,
    )
}

fn lowest(forecast: Option<&HitForecast>) -> Words {
    forecast.map_or_else(unknown, |forecast| {
        let note = format!(
            "from {:.1} %, ±{:.1}",
            forecast.before * 100.0,
            forecast.uncertainty * 100.0
        );
        let tone = tone(forecast.lowest - forecast.before);
        (
            percent_figure(Some(forecast.lowest)),
            "%".to_owned(),
            note,
            tone,
        )
    })
}

fn back(forecast: Option<&HitForecast>) -> Words {
    forecast.map_or_else(unknown, |forecast| {
        let (value, unit) = parts(forecast.back_in);
        let warm = format!("warm: lowest {:.1} %", forecast.lowest_warm * 100.0);
        (value, unit.to_owned(), warm, Tone::Neutral)
    })
}

fn steady(forecast: Option<&HitForecast>) -> Words {
    forecast.map_or_else(unknown, |forecast| {
        let change = forecast.steady - forecast.before;
        let points = (change * 1_000.0).round() / 10.0;
        let by = if points == 0.0 {
            "as now".to_owned()
        } else {
            format!("{points:+.1} points").replace('-', "−")
        };
        let note = format!("{by}, after {}", duration(forecast.steady_in));
        (
            percent_figure(Some(forecast.steady)),
            "%".to_owned(),
            note,
            tone(change),
        )
    })
}

fn backend(forecast: Option<&HitForecast>) -> Words {
    forecast.map_or_else(unknown, |forecast| {
        let backend = &forecast.backend;
        let (value, prefix) = compact(Some(backend.worst_increase().max(0.0)));
        let (all, all_prefix) = compact(Some(backend.extra_misses.max(0.0)));
        let note = format!("{all}{all_prefix} extra in all");
        (
            format!("+{value}"),
            format!("{prefix} misses/s"),
            note,
            Tone::Neutral,
        )
    })
}

/// A point less is worth a look.
fn tone(change: f64) -> Tone {
    if change < -0.01 {
        Tone::Leaves
    } else {
        Tone::Neutral
    }
}

/// A time in a figure and its unit.
pub(super) fn parts(seconds: Option<f64>) -> (String, &'static str) {
    match seconds {
        None => (">30".to_owned(), "days"),
        Some(seconds) if seconds < 0.95 => ("<1".to_owned(), "s"),
        Some(seconds) if seconds < 120.0 => (format!("{seconds:.0}"), "s"),
        Some(seconds) if seconds < 7_200.0 => (format!("{:.0}", seconds / 60.0), "min"),
        Some(seconds) if seconds < 172_800.0 => (format!("{:.0}", seconds / 3_600.0), "h"),
        Some(seconds) => (format!("{:.0}", seconds / 86_400.0), "days"),
    }
}

/// A time in words.
pub(super) fn duration(seconds: Option<f64>) -> String {
    let (value, unit) = parts(seconds);
    format!("{value} {unit}")
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn times_have_the_unit_that_suits_them() {
        let told = |seconds| duration(Some(seconds));
        assert_eq!(told(0.2), "<1 s");
        assert_eq!(told(8.4), "8 s");
        assert_eq!(told(300.0), "5 min");
        assert_eq!(told(10_000.0), "3 h");
        assert_eq!(duration(None), ">30 days");
    }
}
