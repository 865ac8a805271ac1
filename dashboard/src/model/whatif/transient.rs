//! The hit rate after a change, from the first moment on.
//!
//! The servers after the change fall into groups whose members are alike: new ones, those that keep
//! all their keys, those that give or get some and throw out items, and those that have room. Each
//! group is one large cache that holds keys that stay, keys that arrive (none of which is there at
//! first) and, for a while, keys that have left. What is there at time t is what was read within the
//! window T(t), and T(t) is what makes all of that fill the memory:
//!
//! ```text
//! keys that stay     1 − e^(−λ·T)              read before or after the change
//! keys that arrive   1 − e^(−λ·min(t, T))      read since the change
//! keys that left     1 − e^(−λ·max(T − t, 0))  read before the change, and not thrown out yet
//! ```
//!
//! At t = 0 that is the state before, without the arriving keys; for large t it is the new steady
//! state.

use std::cell::Cell;

use serde::Serialize;

use super::che::{Keys, Lifetime, fill, reads};

/// A point of the predicted curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Seconds after the change.
    pub seconds: f64,
    /// The hit rate, 0 to 1.
    pub hit_rate: f64,
    /// The lower end of the band.
    pub low: f64,
    /// The upper end of the band.
    pub high: f64,
}

/// Servers that are alike, as one cache.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) stay: Vec<Keys>,
    pub(super) arrive: Vec<Keys>,
    pub(super) leave: Vec<Keys>,
    /// Bytes it can hold.
    pub(super) capacity: f64,
    /// Whether it threw out items before the change; else all that was ever read is still there.
    pub(super) was_full: bool,
}

/// How keys that arrive are found at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandOver {
    /// Not at all.
    Cold,
    /// Where they were before, if the client asks there after a miss.
    Warm,
}

/// A group with its state before the change.
#[derive(Debug)]
pub(super) struct Running<'g> {
    group: &'g Group,
    lifetime: Lifetime,
    window_before: f64,
    reads: f64,
    /// The window that was found last: the next one is seldom far from it.
    last_window: Cell<f64>,
}

impl<'g> Running<'g> {
    pub(super) fn new(group: &'g Group, lifetime: Lifetime) -> Self {
        let before = |window: f64| {
            lifetime.bytes(&group.stay, window) + lifetime.bytes(&group.leave, window)
        };
        let window_before = if group.was_full {
            fill(group.capacity, 1.0, before)
        } else {
            f64::INFINITY
        };
        Self {
            group,
            lifetime,
            window_before,
            reads: reads(&group.stay) + reads(&group.arrive),
            last_window: Cell::new(window_before),
        }
    }

    /// Reads per second before the change, and how many of them hit.
    pub(super) fn before(&self) -> (f64, f64) {
        let hits = |keys| self.lifetime.hits(keys, self.window_before);
        (
            hits(&self.group.stay) + hits(&self.group.leave),
            reads(&self.group.stay) + reads(&self.group.leave),
        )
    }

    /// The window so long after the change.
    fn window(&self, seconds: f64) -> f64 {
        let group = self.group;
        if group.arrive.is_empty() && group.leave.is_empty() {
            return self.window_before;
        }
        let window = fill(group.capacity, self.last_window.get(), |window| {
            let left = (window - seconds).max(0.0);
            self.lifetime.bytes(&group.stay, window)
                + self.lifetime.bytes(&group.arrive, window.min(seconds))
                + if left > 0.0 {
                    self.lifetime.bytes(&group.leave, left)
                } else {
                    0.0
                }
        });
        if window.is_finite() {
            self.last_window.set(window);
        }
        window
    }

    /// Reads per second so long after the change, and how many of them hit. `before` is how the old
    /// owners of arriving keys hold them.
    pub(super) fn after(&self, seconds: f64, hand_over: HandOver, old_window: f64) -> (f64, f64) {
        let window = self.window(seconds);
        let since = match hand_over {
            HandOver::Cold => window.min(seconds),
            HandOver::Warm => window.min(seconds).max(old_window),
        };
        let hits = self.lifetime.hits(&self.group.stay, window)
            + self.lifetime.hits(&self.group.arrive, since);
        (hits, self.reads)
    }

    /// The window of the new steady state.
    pub(super) fn steady_window(&self) -> f64 {
        self.window(f64::INFINITY)
    }
}

/// All groups together.
#[derive(Debug)]
pub(super) struct Transient<'g> {
    groups: Vec<Running<'g>>,
    /// What the model says for before.
    before: f64,
    /// The window with which the old owners hold keys that move.
    old_window: f64,
}

impl<'g> Transient<'g> {
    /// `gone` holds the keys of servers that leave.
    pub(super) fn new(groups: &'g [Group], gone: &'g Group, lifetime: Lifetime) -> Self {
        let gone = Running::new(gone, lifetime);
        let running: Vec<Running<'g>> = groups
            .iter()
            .map(|group| Running::new(group, lifetime))
            .collect();
        let all = running.iter().chain([&gone]);
        let (hits, reads) = all
            .map(Running::before)
            .fold((0.0, 0.0), |sum, group| (sum.0 + group.0, sum.1 + group.1));
        let giving = running.iter().chain([&gone]);
        let giving = giving.filter(|group| !group.group.leave.is_empty());
        let (weighted, weight) = giving.fold((0.0, 0.0), |(sum, weight), group| {
            let leaving = super::che::reads(&group.group.leave);
            (
                sum + leaving * group.window_before.min(1e12),
                weight + leaving,
            )
        });
        Self {
            groups: running,
            before: if reads > 0.0 { hits / reads } else { 0.0 },
            old_window: if weight > 0.0 { weighted / weight } else { 0.0 },
        }
    }

    /// What the model says the hit rate is before the change.
    pub(super) const fn before(&self) -> f64 {
        self.before
    }

    /// The hit rate so long after the change.
    pub(super) fn at(&self, seconds: f64, hand_over: HandOver) -> f64 {
        let (hits, reads) = self
            .groups
            .iter()
            .map(|group| group.after(seconds, hand_over, self.old_window))
            .fold((0.0, 0.0), |sum, group| (sum.0 + group.0, sum.1 + group.1));
        if reads > 0.0 { hits / reads } else { 0.0 }
    }

    /// The longest finite window of the new steady state.
    pub(super) fn longest_window(&self) -> f64 {
        self.groups
            .iter()
            .map(Running::steady_window)
            .filter(|window| window.is_finite())
            .fold(0.0, f64::max)
    }
}
