//! The measured curve beside the predicted one, after a change was really made.

use serde::Serialize;

use super::hit_rate::HitForecast;

/// How well a prediction did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// How many measured points there are.
    pub points: usize,
    /// How far the measured hit rate is from the predicted one, in the mean.
    pub mean_error: f64,
    /// The share of measured points that lie inside the band.
    pub inside_band: f64,
    /// The lowest that was measured.
    pub lowest_measured: f64,
    /// How much lower the lowest is than what was predicted; less than 0 if it is higher.
    pub dip_error: f64,
}

impl Verdict {
    /// Judges a prediction by what was measured: pairs of seconds after the change and hit rate. `None`
    /// before anything was.
    #[must_use]
    pub fn of(
        predicted: &HitForecast,
        measured: impl IntoIterator<Item = (f64, f64)>,
    ) -> Option<Self> {
        let (mut points, mut errors, mut inside) = (0_usize, 0.0, 0_usize);
        let mut lowest = f64::INFINITY;
        for (seconds, hit_rate) in measured {
            let (expected, low, high) = predicted.at(seconds);
            points += 1;
            errors += (hit_rate - expected).abs();
            inside += usize::from((low..=high).contains(&hit_rate));
            lowest = lowest.min(hit_rate);
        }
        (points > 0).then(|| Self {
            points,
            mean_error: errors / points as f64,
            inside_band: inside as f64 / points as f64,
            lowest_measured: lowest,
            dip_error: predicted.lowest - lowest,
        })
    }
}

impl HitForecast {
    /// The predicted hit rate so many seconds after the change, and the band around it.
    #[must_use]
    pub fn at(&self, seconds: f64) -> (f64, f64, f64) {
        let next = self.curve.partition_point(|point| point.seconds < seconds);
        let (Some(before), Some(after)) = (
            next.checked_sub(1)
                .or(Some(0))
                .and_then(|at| self.curve.get(at)),
            self.curve.get(next).or(self.curve.last()),
        ) else {
            return (self.steady, self.steady, self.steady);
        };
        let span = after.seconds - before.seconds;
        let part = if span > 0.0 {
            ((seconds - before.seconds) / span).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let between = |one: f64, other: f64| (other - one).mul_add(part, one);
        (
            between(before.hit_rate, after.hit_rate),
            between(before.low, after.low),
            between(before.high, after.high),
        )
    }
}
