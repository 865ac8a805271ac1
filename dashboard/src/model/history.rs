//! What was measured over the last day, thinning out with age.
//!
//! Three tiers: one row a second for 15 minutes, one per 10 seconds for 6 hours, one a minute for
//! 24 hours. Every measurement goes into all three at once; a row is the weighted mean of what fell
//! into its slot. A hit rate is weighted by the reads behind it, so that a row of a minute is the
//! hit rate of that minute and not the mean of 60 hit rates.
//!
//! Cloning is cheap, which is what lets every published snapshot carry its history: rows live in
//! shared blocks, and adding a row copies only the newest block, and only while a snapshot still
//! holds it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// What is kept over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Series {
    /// Share of reads that hit, 0 to 1.
    HitRate,
    /// Operations per second.
    Operations,
    /// Keys read per second.
    Gets,
    /// Items offered for storing per second.
    Sets,
    /// Live items thrown out per second.
    Evictions,
    /// Bytes of the stored items.
    StoredBytes,
    /// Items stored.
    Items,
    /// Open connections.
    Connections,
    /// CPU cores kept busy.
    CpuCores,
    /// Bytes received per second.
    BytesRead,
    /// Bytes sent per second.
    BytesWritten,
    /// Round trip of a request that is no work, in seconds.
    RoundTrip,
}

/// How many series there are.
const SERIES: usize = Series::RoundTrip as usize + 1;

/// Rows in a shared block: what one more row may have to copy.
const BLOCK_ROWS: usize = 32;

/// How far back to look, and so how fine the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// A row a second, for 15 minutes.
    Seconds,
    /// A row per 10 seconds, for 6 hours.
    TenSeconds,
    /// A row a minute, for 24 hours.
    Minutes,
}

impl Tier {
    const ALL: [Self; 3] = [Self::Seconds, Self::TenSeconds, Self::Minutes];

    /// The time one row stands for.
    #[must_use]
    pub const fn step(self) -> Duration {
        Duration::from_secs(match self {
            Self::Seconds => 1,
            Self::TenSeconds => 10,
            Self::Minutes => 60,
        })
    }

    /// How many rows are kept.
    #[must_use]
    pub const fn rows(self) -> u32 {
        match self {
            Self::Seconds => 15 * 60,
            Self::TenSeconds => 6 * 360,
            Self::Minutes => 24 * 60,
        }
    }
}

/// The measurements of one moment. A series without a value stays a gap.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measurement {
    values: [Option<(f64, f64)>; SERIES],
}

impl Measurement {
    /// Sets a series, when there is a value.
    pub fn set(&mut self, series: Series, value: Option<f64>) {
        self.set_weighted(series, value, 1.0);
    }

    /// Sets a series with the weight it has in a mean over time.
    pub fn set_weighted(&mut self, series: Series, value: Option<f64>, weight: f64) {
        self.values[series as usize] = value.map(|value| (value, weight));
    }
}

/// One point of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When, since the watch began: the beginning of the row's slot.
    pub at: Duration,
    /// The mean over the slot.
    pub value: f32,
}

/// What was measured of one node, or of the cluster.
#[derive(Debug, Clone)]
pub struct History {
    tiers: [Rows; 3],
}

impl Default for History {
    fn default() -> Self {
        Self {
            tiers: Tier::ALL.map(Rows::new),
        }
    }
}

impl History {
    /// Adds what was measured at `at`, which never goes back.
    pub fn add(&mut self, at: Duration, measurement: &Measurement) {
        for rows in &mut self.tiers {
            rows.add(at, measurement);
        }
    }

    /// The points of a series, oldest first. Where the node was not answering there are none; two
    /// points farther apart than the poll interval and the tier's step have a gap between them.
    pub fn points(&self, tier: Tier, series: Series) -> impl Iterator<Item = Point> {
        let rows = &self.tiers[tier as usize];
        let step = tier.step();
        rows.iter().filter_map(move |row| {
            let value = row.values[series as usize];
            (!value.is_nan()).then(|| Point {
                at: step * row.slot,
                value,
            })
        })
    }

    /// The same from the slot `first` on, by the numbers of their slots: for whoever looks at the
    /// histories of all nodes at once. A slot begins at its number times the tier's [step](Tier::step).
    pub fn slots(
        &self,
        tier: Tier,
        series: Series,
        first: u32,
    ) -> impl Iterator<Item = (u32, f32)> {
        let blocks = self.tiers[tier as usize].blocks.iter();
        let recent = blocks.filter(move |block| block.last().is_some_and(|row| row.slot >= first));
        let rows = recent.flat_map(|block| block.iter());
        rows.filter(move |row| row.slot >= first)
            .map(move |row| (row.slot, row.values[series as usize]))
            .filter(|(_, value)| !value.is_nan())
    }
}

#[derive(Debug, Clone)]
struct Row {
    slot: u32,
    values: [f32; SERIES],
}

/// The rows of one tier, and the weights of its newest row.
#[derive(Debug, Clone)]
struct Rows {
    tier: Tier,
    blocks: VecDeque<Arc<Vec<Row>>>,
    newest_weights: [f64; SERIES],
}

impl Rows {
    fn new(tier: Tier) -> Self {
        Self {
            tier,
            blocks: VecDeque::new(),
            newest_weights: [0.0; SERIES],
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Row> {
        let oldest = self.newest_slot().saturating_sub(self.tier.rows() - 1);
        let rows = self.blocks.iter().flat_map(|block| block.iter());
        rows.skip_while(move |row| row.slot < oldest)
    }

    fn newest_slot(&self) -> u32 {
        self.blocks
            .back()
            .and_then(|block| block.last())
            .map_or(0, |row| row.slot)
    }

    fn add(&mut self, at: Duration, measurement: &Measurement) {
        let slot = u32::try_from(at.as_secs() / self.tier.step().as_secs()).unwrap_or(u32::MAX);
        if self.blocks.is_empty() || slot > self.newest_slot() {
            self.begin_row(slot);
        }
        let Some(block) = self.blocks.back_mut() else {
            return;
        };
        let Some(row) = Arc::make_mut(block).last_mut() else {
            return;
        };
        let places = row.values.iter_mut().zip(&mut self.newest_weights);
        for ((mean, weight), new) in places.zip(measurement.values) {
            let Some((value, new_weight)) = new else {
                continue;
            };
            *weight += new_weight;
            if mean.is_nan() {
                *mean = value as f32;
            } else if *weight > 0.0 {
                *mean += ((value - f64::from(*mean)) * new_weight / *weight) as f32;
            }
        }
    }

    fn begin_row(&mut self, slot: u32) {
        let row = Row {
            slot,
            values: [f32::NAN; SERIES],
        };
        match self.blocks.back_mut() {
            Some(block) if block.len() < BLOCK_ROWS => Arc::make_mut(block).push(row),
            _ => {
                let mut block = Vec::with_capacity(BLOCK_ROWS);
                block.push(row);
                self.blocks.push_back(Arc::new(block));
            }
        }
        self.newest_weights = [0.0; SERIES];
        let oldest = slot.saturating_sub(self.tier.rows() - 1);
        while self
            .blocks
            .front()
            .is_some_and(|block| block.last().is_none_or(|r| r.slot < oldest))
        {
            self.blocks.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BLOCK_ROWS, History, Measurement, Point, Series, Tier};

    fn ops(value: f64) -> Measurement {
        let mut measurement = Measurement::default();
        measurement.set(Series::Operations, Some(value));
        measurement
    }

    fn points(history: &History, tier: Tier, series: Series) -> Vec<Point> {
        history.points(tier, series).collect()
    }

    fn point(seconds: u64, value: f32) -> Point {
        Point {
            at: Duration::from_secs(seconds),
            value,
        }
    }

    #[test]
    fn a_hit_rate_is_weighted_by_its_reads() {
        let mut history = History::default();
        for (second, rate, reads) in [(0, 0.5, 900.0), (1, 1.0, 100.0)] {
            let mut measurement = Measurement::default();
            measurement.set_weighted(Series::HitRate, Some(rate), reads);
            history.add(Duration::from_secs(second), &measurement);
        }
        assert_eq!(
            points(&history, Tier::Seconds, Series::HitRate),
            [point(0, 0.5), point(1, 1.0)]
        );
        assert_eq!(
            points(&history, Tier::TenSeconds, Series::HitRate),
            [point(0, 0.55)]
        );
    }

    #[test]
    fn slots_are_the_points_from_a_moment_on() {
        let mut history = History::default();
        for second in (0..200).filter(|second| second % 7 != 3) {
            history.add(Duration::from_secs(second), &ops(second as f64));
        }
        for first in [0, 31, 32, 150, 199, 300] {
            let slots = history.slots(Tier::Seconds, Series::Operations, first);
            let since = Duration::from_secs(u64::from(first));
            let points = history.points(Tier::Seconds, Series::Operations);
            let expected: Vec<_> = points.filter(|point| point.at >= since).collect();
            let found: Vec<_> = slots
                .map(|(slot, value)| point(u64::from(slot), value))
                .collect();
            assert_eq!(found, expected, "{first}");
        }
        let gets = history.slots(Tier::Seconds, Series::Gets, 0);
        assert_eq!(gets.count(), 0);
    }

    #[test]
    fn what_was_not_measured_leaves_a_gap() {
        let mut history = History::default();
        history.add(Duration::from_secs(1), &ops(1.0));
        history.add(Duration::from_secs(2), &Measurement::default());
        history.add(Duration::from_secs(7), &ops(7.0));
        let found = points(&history, Tier::Seconds, Series::Operations);
        assert_eq!(found, [point(1, 1.0), point(7, 7.0)]);
        assert!(points(&history, Tier::Minutes, Series::HitRate).is_empty());
    }

    #[test]
    fn polls_faster_than_a_second_share_a_row() {
        let mut history = History::default();
        for (millis, value) in [(1000, 10.0), (1250, 20.0), (1999, 60.0), (2000, 5.0)] {
            history.add(Duration::from_millis(millis), &ops(value));
        }
        let found = points(&history, Tier::Seconds, Series::Operations);
        assert_eq!(found, [point(1, 30.0), point(2, 5.0)]);
    }

    #[test]
    fn every_tier_keeps_as_long_as_it_says_and_no_longer() {
        let mut history = History::default();
        let day_and_more = 25 * 3600;
        for second in 0..day_and_more {
            history.add(Duration::from_secs(second), &ops(second as f64));
        }
        for tier in Tier::ALL {
            let found = points(&history, tier, Series::Operations);
            assert_eq!(found.len() as u32, tier.rows());
            let newest = found.last().unwrap().at;
            assert_eq!(newest - found[0].at, tier.step() * (tier.rows() - 1));
            let kept: usize = history.tiers[tier as usize]
                .blocks
                .iter()
                .map(|b| b.len())
                .sum();
            assert!(kept < tier.rows() as usize + BLOCK_ROWS);
        }
    }

    #[test]
    fn a_clone_keeps_what_it_saw() {
        let mut history = History::default();
        history.add(Duration::from_secs(1), &ops(1.0));
        let published = history.clone();
        history.add(Duration::from_millis(1500), &ops(3.0));
        assert_eq!(
            points(&published, Tier::Seconds, Series::Operations),
            [point(1, 1.0)]
        );
        assert_eq!(
            points(&history, Tier::Seconds, Series::Operations),
            [point(1, 2.0)]
        );
    }
}
