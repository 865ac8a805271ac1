//! What the keys of a scan have in common.

use std::collections::BTreeMap;
use std::time::Duration;

use super::table::ScannedKey;

/// Different original lives that are counted; more are unlikely to tell more.
const MOST_LIVES: usize = 4096;

/// Upper ends of the buckets of what is left to live, in seconds, and their names. Before them
/// comes what never expires.
pub const TTL_BUCKETS: [(u64, &str); 5] = [
    (60, "under 1 min"),
    (3_600, "under 1 h"),
    (86_400, "under 1 d"),
    (604_800, "under 1 week"),
    (u64::MAX, "longer"),
];

/// Keys that have about as long to live.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TtlBucket {
    /// How many.
    pub keys: u64,
    /// What they take, in bytes.
    pub bytes: u64,
}

/// Sizes and times of the keys that came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySummary {
    /// All keys.
    pub all: TtlBucket,
    /// Those that were never read.
    pub unread: TtlBucket,
    /// Those that never expire.
    pub never: TtlBucket,
    /// The others, by what is left of their life: as [`TTL_BUCKETS`].
    pub by_time_to_live: [TtlBucket; TTL_BUCKETS.len()],
    lives: Lives,
}

impl KeySummary {
    /// Counts a key.
    pub fn add(&mut self, key: &ScannedKey<'_>) {
        self.all.add(key.size);
        if !key.is_fetched {
            self.unread.add(key.size);
        }
        match key.time_to_live {
            None => self.never.add(key.size),
            Some(left) => {
                let bucket = TTL_BUCKETS.partition_point(|(end, _)| *end <= left);
                self.by_time_to_live[bucket.min(TTL_BUCKETS.len() - 1)].add(key.size);
            }
        }
        if let Some(life) = key.original_time_to_live() {
            self.lives.add(life);
        }
    }

    /// The usual time to live: the median of what keys were stored with, of those that expire and
    /// whose life can be told. `None` under a few.
    #[must_use]
    pub fn usual_time_to_live(&self) -> Option<Duration> {
        self.lives.median()
    }
}

impl TtlBucket {
    fn add(&mut self, bytes: u64) {
        self.keys += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Times to live, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::model) struct Lives {
    counts: BTreeMap<u64, u64>,
    counted: u64,
}

impl Lives {
    pub(in crate::model) fn add(&mut self, seconds: u64) {
        if self.counts.len() >= MOST_LIVES && !self.counts.contains_key(&seconds) {
            return;
        }
        *self.counts.entry(seconds).or_default() += 1;
        self.counted += 1;
    }

    pub(in crate::model) fn median(&self) -> Option<Duration> {
        if self.counted < crate::model::FEWEST_FOR_RATIO {
            return None;
        }
        let mut left = self.counted / 2;
        for (seconds, count) in &self.counts {
            if left < *count {
                return Some(Duration::from_secs(*seconds));
            }
            left -= count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{KeySummary, Lives};
    use crate::model::keys::ScannedKey;

    #[test]
    fn keys_fall_into_the_bucket_of_what_they_have_left() {
        let mut summary = KeySummary::default();
        for time_to_live in [None, Some(0), Some(59), Some(60), Some(700_000)] {
            summary.add(&ScannedKey {
                key: b"k",
                node: 0,
                class: 1,
                size: 100,
                time_to_live,
                idle: 0,
                is_fetched: time_to_live.is_none(),
            });
        }
        assert_eq!((summary.all.keys, summary.all.bytes), (5, 500));
        assert_eq!((summary.never.keys, summary.unread.keys), (1, 4));
        let buckets = summary.by_time_to_live.map(|bucket| bucket.keys);
        assert_eq!(buckets, [2, 1, 0, 0, 1]);
        assert_eq!(summary.usual_time_to_live(), None);
    }

    #[test]
    fn the_usual_life_is_the_median() {
        let mut lives = Lives::default();
        for life in [300; 15].into_iter().chain([3600; 5]) {
            lives.add(life);
        }
        assert_eq!(lives.median(), Some(Duration::from_secs(300)));
    }
}
