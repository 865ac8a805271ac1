//! Durations counted in buckets, by any number of threads at once.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Each power of two is cut into this many buckets (a power of two itself), which bounds the error
/// of a percentile: a sixteenth, 6.25 %.
const PARTS: u64 = 16;
const PART_BITS: u32 = PARTS.trailing_zeros();

/// Durations are counted in units of 2^6 = 64 ns.
const UNIT_BITS: u32 = 6;

/// The longest duration told apart: 2^36 ns, 69 s. The last bucket holds all longer ones.
const LONGEST_BITS: u32 = 36;

const BUCKETS: usize = ((LONGEST_BITS - UNIT_BITS - PART_BITS + 1) as usize) * PARTS as usize;

/// Log-linear, like HdrHistogram: linear inside each power of two.
const fn bucket_of(nanoseconds: u64) -> usize {
    let units = nanoseconds >> UNIT_BITS;
    if units < PARTS {
        return units as usize;
    }
    let shift = units.ilog2() - PART_BITS;
    let index = (shift as u64 * PARTS + (units >> shift)) as usize;
    if index < BUCKETS { index } else { BUCKETS - 1 }
}

/// The first duration, in nanoseconds, that is too long for the bucket.
const fn end_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < PARTS {
        return (bucket + 1) << UNIT_BITS;
    }
    let shift = bucket / PARTS - 1;
    (bucket % PARTS + PARTS + 1) << (shift + UNIT_BITS as u64)
}

pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
    longest: AtomicU64,
}

impl Histogram {
    pub(super) fn record(&self, duration: Duration) {
        let whole = duration.as_secs().saturating_mul(1_000_000_000);
        let nanoseconds = whole.saturating_add(u64::from(duration.subsec_nanos()));
        self.buckets[bucket_of(nanoseconds)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(nanoseconds, Ordering::Relaxed);
        // Nearly always it is no longer than the longest: a load costs less than a `fetch_max`.
        if nanoseconds > self.longest.load(Ordering::Relaxed) {
            self.longest.fetch_max(nanoseconds, Ordering::Relaxed);
        }
    }

    pub(super) fn snapshot(&self) -> Latency {
        Latency {
            buckets: self
                .buckets
                .iter()
                .map(|it| it.load(Ordering::Relaxed))
                .collect(),
            sum: self.sum.load(Ordering::Relaxed),
            longest: self.longest.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets
            .iter()
            .map(|it| it.load(Ordering::Relaxed))
            .sum()
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
            sum: AtomicU64::new(0),
            longest: AtomicU64::new(0),
        }
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}

/// How long operations took, as counted so far.
///
/// Durations are counted in buckets, sixteen for each power of two, so a percentile is at most
/// 6.25 % (above 1 µs) too high. Those of 69 s and more share the last bucket.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Latency {
    buckets: Vec<u64>,
    sum: u64,
    longest: u64,
}

impl Latency {
    /// How many operations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The mean duration; zero where nothing was counted.
    #[must_use]
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.sum.checked_div(self.count()).unwrap_or(0))
    }

    /// The longest duration.
    #[must_use]
    pub fn longest(&self) -> Duration {
        Duration::from_nanos(self.longest)
    }

    /// The duration that `percent` of all operations kept to: 50.0 is the median, 99.9 all but one
    /// in a thousand. Zero where nothing was counted; percentages outside of 0 to 100 count as the
    /// nearer of the two.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Duration {
        let count = self.count();
        let rank = (count as f64 * percent.clamp(0.0, 100.0) / 100.0).ceil() as u64;
        let mut left = rank.max(1);
        for (index, bucket) in self.buckets.iter().enumerate() {
            if *bucket >= left {
                let is_last = index == BUCKETS - 1;
                let end = if is_last { u64::MAX } else { end_of(index) };
                return Duration::from_nanos(end.min(self.longest));
            }
            left -= bucket;
        }
        Duration::ZERO
    }

    /// Adds what `other` has counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.buckets
            .resize(self.buckets.len().max(other.buckets.len()), 0);
        for (mine, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += more;
        }
        self.sum += other.sum;
        self.longest = self.longest.max(other.longest);
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latency")
            .field("count", &self.count())
            .field("mean", &self.mean())
            .field("median", &self.percentile(50.0))
            .field("p99", &self.percentile(99.0))
            .field("longest", &self.longest())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_meet_without_gaps() {
        for bucket in 0..BUCKETS - 1 {
            assert_eq!(bucket_of(end_of(bucket) - 1), bucket);
            assert_eq!(bucket_of(end_of(bucket)), bucket + 1);
        }
        assert_eq!(end_of(BUCKETS - 1), 1 << LONGEST_BITS);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    proptest! {
        #[test]
        fn percentiles_are_close_above_the_true_ones(
            mut nanoseconds in prop::collection::vec(1_000_u64..60_000_000_000, 1..200),
            percent in 0.0..=100.0_f64,
        ) {
            let histogram = Histogram::default();
            for value in &nanoseconds {
                histogram.record(Duration::from_nanos(*value));
            }
            nanoseconds.sort_unstable();
            let rank = (nanoseconds.len() as f64 * percent / 100.0).ceil().max(1.0) as usize;
            let exact = nanoseconds[rank - 1];
            let told = histogram.snapshot().percentile(percent).as_nanos() as u64;
            prop_assert!(told >= exact && told as f64 <= exact as f64 * 1.0625 + 64.0);
        }
    }

    #[test]
    fn snapshots_add_up() {
        let (first, second) = (Histogram::default(), Histogram::default());
        first.record(Duration::from_micros(10));
        second.record(Duration::from_millis(1));
        second.record(Duration::from_secs(3600));
        let mut all = Latency::default();
        assert_eq!(
            (all.percentile(99.0), all.mean()),
            (Duration::ZERO, Duration::ZERO)
        );
        all.add(&first.snapshot());
        all.add(&second.snapshot());
        assert_eq!(all.count(), 3);
        assert_eq!(all.longest(), Duration::from_secs(3600));
        assert_eq!(all.percentile(100.0), Duration::from_secs(3600));
    }
}
