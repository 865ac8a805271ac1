//! The hit rate after a change, on top of what is measured now.

use std::fmt;

use serde::Serialize;

use super::baseline::{Baseline, Groups, Model, Shift};
use super::che::Lifetime;
use super::inputs::Inputs;
use super::transient::{CurvePoint, HandOver, Transient};

/// Points of the curve.
const CURVE_POINTS: usize = 64;

/// The hit rate counts as back when it has come so near to the new steady state.
pub const RECOVERED: f64 = 0.99;

/// Who waits longer than this for a recovery does not wait.
const LONGEST_RECOVERY: f64 = 30.0 * 24.0 * 3600.0;

/// Half the width of the band in steady state, and what is added to it at the bottom of the dip, in
/// hit rate: the largest errors that the approximation had in simulations with known popularity
/// (`cargo test -p memlens-dashboard whatif`).
const STEADY_ERROR: f64 = 0.005;
const DIP_ERROR: f64 = 0.01;

/// The new steady state counts as reached when the curve stays as near to it as the model can tell.
const SETTLED: f64 = STEADY_ERROR;

/// Standard deviations that the band leaves for chance, on either side: nineteen of twenty fall within.
const BY_CHANCE: f64 = 2.0;

/// What a plan would cost whoever computes what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Backend {
    /// Misses per second now.
    pub misses_before: f64,
    /// Misses per second at the bottom of the dip.
    pub misses_at_worst: f64,
    /// Misses per second in the new steady state.
    pub misses_steady: f64,
    /// Misses beyond those of the new steady state, all together, until the hit rate is back.
    pub extra_misses: f64,
}

impl Backend {
    /// More misses per second than now, at worst.
    #[must_use]
    pub fn worst_increase(&self) -> f64 {
        self.misses_at_worst - self.misses_before
    }
}

/// The hit rate that is predicted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HitForecast {
    /// Now, as measured.
    pub before: f64,
    /// At the very moment of the change, if nothing that moves is found: a worst case that no measured
    /// second shows, because popular keys come back within it.
    pub instant: f64,
    /// The lowest that a measured interval will show.
    pub lowest: f64,
    /// The new steady state.
    pub steady: f64,
    /// How long until 99 % of the new steady state are reached, in seconds. `None` if not within 30
    /// days.
    pub back_in: Option<f64>,
    /// How long until the new steady state is reached, in seconds: until the curve stays within half a
    /// point of it. Servers that come have to fill up first, and servers that stay to throw out what
    /// nobody asks them for any more. `None` if not within 30 days.
    pub steady_in: Option<f64>,
    /// The curve from the change on.
    pub curve: Vec<CurvePoint>,
    /// The lowest with a warm hand-over, where clients fetch what is missing from the former owner.
    pub lowest_warm: f64,
    /// Half the width of the band at its widest, in hit rate.
    pub uncertainty: f64,
    /// What of that is chance at the lowest point: the sample of reads has a size, and so has what is
    /// read in one measured interval. Two standard errors of both together.
    pub by_chance: f64,
    /// What it costs whoever computes what is missing.
    pub backend: Backend,
    /// What all this was computed from.
    pub inputs: Inputs,
}

/// Why there is no hit rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoHitRate {
    /// No reads were measured yet.
    NothingRead,
    /// The servers do not tell enough yet.
    NoFigures,
}

impl fmt::Display for NoHitRate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NothingRead => "no reads were measured yet, so there is no hit rate to predict",
            Self::NoFigures => "items and memory of the servers are not known yet",
        })
    }
}

/// The hit rate of a change, as a measured curve would show it: the model's change on top of what is
/// measured now.
fn anchored(transient: &Transient<'_>, measured: f64, seconds: f64, hand_over: HandOver) -> f64 {
    (measured + transient.at(seconds, hand_over) - transient.before()).clamp(0.0, 1.0)
}

/// How far the curve may be off because rare keys are not known: computed at few moments, for it
/// changes slowly, and taken from there for those between.
struct Spread(Vec<(f64, f64)>);

impl Spread {
    /// Between two moments at which it is computed.
    const STRIDE: usize = 7;

    /// `at` gives the hit rate of a model so many seconds after the change.
    fn of<'t>(
        main: &Transient<'t>,
        others: &[Transient<'t>; 2],
        times: &[f64],
        at: impl Fn(&Transient<'t>, f64) -> f64,
    ) -> Self {
        let at = |seconds: &f64| {
            let of = |transient| at(transient, *seconds);
            let expected = of(main);
            let differences = others.each_ref().map(|other| of(other) - expected);
            (
                differences.iter().copied().fold(0.0, f64::min).abs(),
                differences.iter().copied().fold(0.0, f64::max),
            )
        };
        Self(times.iter().step_by(Self::STRIDE).map(at).collect())
    }

    fn at(&self, place: usize) -> (f64, f64) {
        let (before, part) = (place / Self::STRIDE, place % Self::STRIDE);
        let part = part as f64 / Self::STRIDE as f64;
        let Some(one) = self.0.get(before) else {
            return (0.0, 0.0);
        };
        let other = self.0.get(before + 1).unwrap_or(one);
        let between = |one: f64, other: f64| (other - one).mul_add(part, one);
        (between(one.0, other.0), between(one.1, other.1))
    }
}

/// What is shown of a change under one way of dealing out keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Milestones {
    pub(super) lowest: f64,
    pub(super) steady: f64,
    pub(super) back_in: Option<f64>,
}

impl Milestones {
    pub(super) fn of(
        transient: &Transient<'_>,
        measured: f64,
        interval: f64,
        hand_over: HandOver,
    ) -> Self {
        let at = |seconds: f64| anchored(transient, measured, seconds, hand_over);
        let steady = at(f64::INFINITY);
        Self {
            lowest: lowest(interval, steady, &at),
            steady,
            back_in: back_in(steady, interval, &at),
        }
    }
}

/// Two standard errors of a hit rate, where `sample` reads were watched (if they were) and `measured`
/// reads make one measured point: each read finds its key or not.
fn by_chance(hit_rate: f64, sample: Option<f64>, measured: f64) -> f64 {
    let variance = hit_rate * (1.0 - hit_rate);
    let of = |reads: f64| variance / reads.max(1.0);
    BY_CHANCE * (sample.map_or(0.0, of) + of(measured)).max(0.0).sqrt()
}

/// When the curve has come near to the steady state for good.
fn steady_in(steady: f64, interval: f64, at: &impl Fn(f64) -> f64) -> Option<f64> {
    let is_near = |seconds: f64| (at(seconds) - steady).abs() <= SETTLED;
    first_for_good(interval, is_near)
}

/// The mean over the first interval, or what comes later if that is lower.
fn lowest(interval: f64, steady: f64, at: &impl Fn(f64) -> f64) -> f64 {
    // Gauss and Legendre's five points.
    const POINTS: [(f64, f64); 5] = [
        (0.046_910_077_030_668, 0.118_463_442_528_095),
        (0.230_765_344_947_158, 0.239_314_335_249_683),
        (0.5, 0.284_444_444_444_444),
        (0.769_234_655_052_841, 0.239_314_335_249_683),
        (0.953_089_922_969_332, 0.118_463_442_528_095),
    ];
    let first: f64 = POINTS
        .iter()
        .map(|(place, weight)| weight * at(place * interval))
        .sum();
    let later = (1..=12).map(|doubling| at(interval * 2_f64.powi(doubling)));
    later.fold(first.min(steady), f64::min)
}

/// When 99 % of the steady state are reached for good.
fn back_in(steady: f64, interval: f64, at: &impl Fn(f64) -> f64) -> Option<f64> {
    let goal = steady * RECOVERED;
    first_for_good(interval, |seconds| at(seconds) >= goal)
}

/// From when on something holds that holds in the end, as far as powers of four can tell. `None` if it
/// does not even hold after the longest time that somebody would wait.
fn first_for_good(interval: f64, holds: impl Fn(f64) -> bool) -> Option<f64> {
    let mut late = LONGEST_RECOVERY;
    if !holds(late) {
        return None;
    }
    let mut early = late;
    while early > interval / 64.0 && holds(early) {
        late = early;
        early /= 4.0;
    }
    if early <= interval / 64.0 {
        return Some(0.0);
    }
    for _ in 0..8 {
        let middle = (early * late).sqrt();
        if holds(middle) {
            late = middle;
        } else {
            early = middle;
        }
    }
    Some(late)
}

/// The hit rate of a change.
pub(super) fn hit_forecast(
    baseline: &Baseline,
    model: &Model,
    shift: &Shift<'_>,
    hand_over: HandOver,
) -> HitForecast {
    let guesses = [0, 1, 2].map(|guess| baseline.groups(model, shift, guess));
    let [main, fewer, more] = &guesses;
    let lifetime = model.lifetime();
    let main = transient(main, lifetime);
    let others = [fewer, more].map(|groups| transient(groups, lifetime));
    let measured = model.hit_rate;
    let milestones = Milestones::of(&main, measured, baseline.interval, hand_over);
    let anchored =
        |transient: &Transient<'_>, seconds| anchored(transient, measured, seconds, hand_over);
    let at = |seconds| anchored(&main, seconds);
    let chance = |hit_rate| {
        let measured = model.reads * baseline.interval;
        by_chance(hit_rate, model.popularity.source.sample_size(), measured)
    };
    let warm = |seconds| self::anchored(&main, measured, seconds, HandOver::Warm);
    let instant = at(0.0);
    let depth = (milestones.steady - instant).max(1e-9);
    let horizon = horizon(&milestones, baseline.interval, main.longest_window());
    let times: Vec<f64> = times(horizon, baseline.interval).collect();
    let spread = Spread::of(&main, &others, &times, anchored);
    let curve: Vec<CurvePoint> = times
        .into_iter()
        .enumerate()
        .map(|(place, seconds)| {
            let hit_rate = at(seconds);
            let missing = ((milestones.steady - hit_rate) / depth).clamp(0.0, 1.0);
            let error = DIP_ERROR.mul_add(missing, STEADY_ERROR) + chance(hit_rate);
            let (below, above) = spread.at(place);
            CurvePoint {
                seconds,
                hit_rate,
                low: (hit_rate - below - error).max(0.0),
                high: (hit_rate + above + error).min(1.0),
            }
        })
        .collect();
    let width = |point: &CurvePoint| (point.high - point.hit_rate).max(point.hit_rate - point.low);
    HitForecast {
        before: measured,
        instant,
        lowest: milestones.lowest,
        steady: milestones.steady,
        back_in: milestones.back_in,
        steady_in: steady_in(milestones.steady, baseline.interval, &at),
        lowest_warm: lowest(baseline.interval, milestones.steady, &warm),
        uncertainty: curve.iter().map(width).fold(0.0, f64::max),
        by_chance: chance(milestones.lowest),
        backend: backend(model, measured, &milestones, &curve),
        inputs: inputs(model, main.before()),
        curve,
    }
}

fn transient(groups: &Groups, lifetime: Lifetime) -> Transient<'_> {
    Transient::new(&groups.groups, &groups.gone, lifetime)
}

/// How far the curve goes: until what is to be seen is over.
fn horizon(milestones: &Milestones, interval: f64, window: f64) -> f64 {
    let least = interval * 30.0;
    let back = milestones.back_in.unwrap_or(LONGEST_RECOVERY);
    (back * 4.0)
        .max(window.min(back * 16.0))
        .clamp(least, LONGEST_RECOVERY)
}

/// Moments that lie closer to each other at the beginning, where more happens.
fn times(horizon: f64, interval: f64) -> impl Iterator<Item = f64> {
    let first = interval / 4.0;
    let last = (CURVE_POINTS - 1) as f64;
    // Between even steps and even ratios.
    let power = (horizon / first).ln() / last.ln();
    (0..CURVE_POINTS).map(move |point| first * (point as f64).powf(power.max(1.0)))
}

fn backend(model: &Model, before: f64, milestones: &Milestones, curve: &[CurvePoint]) -> Backend {
    let misses = |hit_rate: f64| model.reads * (1.0 - hit_rate);
    let until = milestones.back_in.unwrap_or(LONGEST_RECOVERY);
    let missing = |point: &CurvePoint| (milestones.steady - point.hit_rate).max(0.0);
    let area: f64 = curve
        .windows(2)
        .filter(|pair| pair[0].seconds < until)
        .map(|pair| {
            let seconds = pair[1].seconds - pair[0].seconds;
            f64::midpoint(missing(&pair[0]), missing(&pair[1])) * seconds
        })
        .sum();
    Backend {
        misses_before: misses(before),
        misses_at_worst: misses(milestones.lowest),
        misses_steady: misses(milestones.steady),
        extra_misses: area * model.reads,
    }
}

fn inputs(model: &Model, modelled: f64) -> Inputs {
    let popularity = &model.popularity;
    Inputs {
        popularity: popularity.source.clone(),
        keys: popularity.keys,
        exponent: popularity.exponent,
        counted_keys: popularity.named.len(),
        ends_per_second: popularity.lifetime.ends,
        ends_per_read: popularity.lifetime.ends_per_read,
        reads_per_second: model.reads,
        hit_rate_measured: model.hit_rate,
        hit_rate_modelled: modelled,
    }
}
