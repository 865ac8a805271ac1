//! What an application with a cache asks for.
//!
//! Keys are drawn by Zipf's law, as popularity in real caches is: a few keys get most of the reads.
//! Values have log-normal sizes, different for each kind of item; nine of ten commands read.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, LogNormal, Zipf};

/// Every key begins with this, so that nothing else in a server is touched.
pub const KEY_PREFIX: &str = "memlens-load:";

/// The largest value, in bytes: well under the smallest item limit of a server by default (1 MiB).
pub(super) const LARGEST_VALUE: usize = 128 * 1024;

/// Exponent of Zipf's law. Around 1 is what studies of web caches find.
const ZIPF_EXPONENT: f64 = 0.99;

/// Of a hundred commands, how many read. The rest is divided below.
const READS: u32 = 90;
const STORES: u32 = 6;
const TOUCHES: u32 = 2;
const INCREMENTS: u32 = 1;

/// Kinds repeat in the key numbers with this period.
const PERIOD: u64 = 20;

/// A kind of item, with sizes and expiry of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user's record: small, kept until it is evicted.
    User,
    /// A session: expires after half an hour.
    Session,
    /// A rendered page: large, expires after five minutes.
    Page,
    /// A list of news: expires after a minute.
    Feed,
    /// A counter in decimal digits.
    Counter,
}

impl Kind {
    const fn of(number: u64) -> Self {
        match number % PERIOD {
            0..8 => Self::User,
            8..13 => Self::Session,
            13..16 => Self::Page,
            16..19 => Self::Feed,
            _ => Self::Counter,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Session => "session",
            Self::Page => "page",
            Self::Feed => "feed",
            Self::Counter => "counter",
        }
    }

    /// Median size in bytes, and the standard deviation of the size's logarithm.
    const fn size(self) -> (f64, f64) {
        match self {
            Self::User => (350.0, 0.5),
            Self::Session => (600.0, 0.6),
            Self::Page => (4000.0, 0.8),
            Self::Feed => (1500.0, 0.7),
            Self::Counter => (1.0, 0.0),
        }
    }

    /// How long an item lives; `None` is until it is evicted.
    #[must_use]
    pub const fn lifetime(self) -> Option<Duration> {
        match self {
            Self::User | Self::Counter => None,
            Self::Session => Some(Duration::from_secs(1800)),
            Self::Page => Some(Duration::from_secs(300)),
            Self::Feed => Some(Duration::from_secs(60)),
        }
    }
}

/// An item that the application caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its number: its rank by popularity, from 0.
    pub number: u64,
    /// What it is.
    pub kind: Kind,
    /// Bytes of its value. Always the same for the same item and seed.
    pub size: usize,
}

impl Item {
    /// The key it is cached under.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{KEY_PREFIX}{}:{}", self.kind.name(), self.number)
    }
}

/// What the application does with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Reads it; computes and stores it when it is missing.
    Read,
    /// Stores it, because it changed.
    Store,
    /// Removes it, because it is gone or out of date.
    Delete,
    /// Prolongs its life.
    Touch,
    /// Counts it up. Comes with counters only.
    Increment,
}

/// What shapes a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkloadSettings {
    /// How many items there are, at least 1.
    pub items: u64,
    /// The same seed gives the same items and the same order of actions.
    pub seed: u64,
}

/// An endless series of actions. Several tasks take one each, told apart by their number.
#[derive(Debug)]
pub struct Workload {
    settings: WorkloadSettings,
    popularity: Option<Zipf<f64>>,
    random: StdRng,
}

impl Workload {
    /// The series of the task with the number `task`.
    #[must_use]
    pub fn new(settings: WorkloadSettings, task: u64) -> Self {
        let popularity = Zipf::new(settings.items as f64, ZIPF_EXPONENT).ok();
        let random = StdRng::seed_from_u64(mix(settings.seed, task));
        Self {
            settings,
            popularity,
            random,
        }
    }

    /// What comes next.
    pub fn next_action(&mut self) -> (Action, Item) {
        let rank = self
            .popularity
            .map_or(1.0, |zipf| zipf.sample(&mut self.random));
        let number = (rank as u64).saturating_sub(1);
        let action = match self.random.random_range(0..100) {
            0..READS => Action::Read,
            READS.. if number % PERIOD == PERIOD - 1 => Action::Increment,
            draw if draw < READS + STORES => Action::Store,
            draw if draw < READS + STORES + TOUCHES => Action::Touch,
            draw if draw < READS + STORES + TOUCHES + INCREMENTS => Action::Increment,
            _ => Action::Delete,
        };
        let number = match action {
            Action::Increment => number / PERIOD * PERIOD + PERIOD - 1,
            _ => number,
        };
        (action, self.item(number))
    }

    fn item(&self, number: u64) -> Item {
        let kind = Kind::of(number);
        let (median, deviation) = kind.size();
        let mut random = StdRng::seed_from_u64(mix(self.settings.seed, !number));
        let size = LogNormal::new(median.ln(), deviation)
            .map_or(median, |distribution| distribution.sample(&mut random));
        Item {
            number,
            kind,
            size: (size as usize).clamp(1, LARGEST_VALUE),
        }
    }
}

/// One seed out of two numbers, far from the seeds of their neighbours (the finaliser of
/// SplitMix64).
const fn mix(seed: u64, number: u64) -> u64 {
    let mut mixed = seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{Action, Item, Kind, LARGEST_VALUE, Workload, WorkloadSettings, ZIPF_EXPONENT};

    const SETTINGS: WorkloadSettings = WorkloadSettings {
        items: 10_000,
        seed: 7,
    };

    fn draw(task: u64, count: usize) -> Vec<(Action, Item)> {
        let mut workload = Workload::new(SETTINGS, task);
        (0..count).map(|_| workload.next_action()).collect()
    }

    #[test]
    fn the_same_seed_repeats_and_tasks_differ() {
        assert_eq!(draw(3, 500), draw(3, 500));
        assert_ne!(draw(3, 500), draw(4, 500));
    }

    #[test]
    fn nine_of_ten_commands_read() {
        let drawn = draw(0, 50_000);
        let share = |action| {
            drawn.iter().filter(|(drawn, _)| *drawn == action).count() as f64 / drawn.len() as f64
        };
        assert!((share(Action::Read) - 0.90).abs() < 0.01);
        for rare in [
            Action::Store,
            Action::Delete,
            Action::Touch,
            Action::Increment,
        ] {
            assert!(share(rare) > 0.005, "{rare:?}: {}", share(rare));
        }
    }

    #[test]
    fn popularity_follows_zipfs_law() {
        let drawn = draw(0, 200_000);
        let reads: Vec<_> = drawn
            .iter()
            .filter(|(action, _)| *action == Action::Read)
            .collect();
        let weights: f64 = (1..=SETTINGS.items)
            .map(|n| (n as f64).powf(-ZIPF_EXPONENT))
            .sum();
        for number in [0, 1, 9] {
            let expected = ((number + 1) as f64).powf(-ZIPF_EXPONENT) / weights;
            let found = reads
                .iter()
                .filter(|(_, item)| item.number == number)
                .count() as f64
                / reads.len() as f64;
            assert!(
                (found / expected - 1.0).abs() < 0.1,
                "{number}: {found} of {expected}"
            );
        }
        assert!(
            drawn
                .iter()
                .all(|(_, item)| item.number < SETTINGS.items + super::PERIOD)
        );
    }

    #[test]
    fn an_item_is_always_the_same() {
        let mut sizes = HashMap::new();
        for (_, item) in draw(0, 20_000).into_iter().chain(draw(1, 20_000)) {
            let size = *sizes.entry(item.key()).or_insert(item.size);
            assert_eq!(size, item.size);
            assert!((1..=LARGEST_VALUE).contains(&size));
        }
    }

    #[test]
    fn only_counters_are_counted_up_and_keys_are_legal() {
        for (action, item) in draw(0, 20_000) {
            assert!(action != Action::Increment || item.kind == Kind::Counter);
            let key = item.key();
            assert!(key.starts_with(super::KEY_PREFIX) && key.len() <= 250);
            assert!(key.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn pages_are_larger_than_users() {
        let drawn = draw(0, 50_000);
        let mean = |kind| {
            let sizes: Vec<_> = drawn
                .iter()
                .filter(|(_, item)| item.kind == kind)
                .map(|(_, i)| i.size)
                .collect();
            sizes.iter().sum::<usize>() / sizes.len()
        };
        assert!(mean(Kind::Page) > 5 * mean(Kind::User));
        assert_eq!(mean(Kind::Counter), 1);
    }
}
