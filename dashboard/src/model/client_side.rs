//! The cluster as an application's own client sees it, where that can be asked.

use std::sync::Arc;
use std::time::Duration;

use memlens::ring::Ring;

use super::deltas::ratio;
use super::history::{History, Measurement, Series};

/// What a client has counted since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientCounts {
    /// Keys that it found.
    pub hits: u64,
    /// Keys that it was told are missing.
    pub misses: u64,
    /// Keys that it was not told about: the read failed, so the application goes without.
    pub failures: u64,
}

/// A client of the cluster, in an application of which memlens is told.
#[derive(Debug, Clone)]
pub struct ClientSide {
    /// Its servers, and how it finds keys.
    pub ring: Arc<Ring>,
    /// Of the keys that it asked for since the look before, the share that it got. A read that failed
    /// is none: to the application it is as good as a miss.
    pub hit_rate: Option<f64>,
    /// Reads that failed, per second.
    pub failures_per_second: Option<f64>,
    /// The hit rate over time.
    pub history: History,
    counts: ClientCounts,
    at: Duration,
}

impl ClientSide {
    /// A client that was looked at for the first time.
    #[must_use]
    pub fn new(ring: Arc<Ring>, counts: ClientCounts, at: Duration) -> Self {
        Self {
            ring,
            hit_rate: None,
            failures_per_second: None,
            history: History::default(),
            counts,
            at,
        }
    }

    /// Takes in another look. A client that counts less than before is another one, and is compared
    /// from the next look on.
    pub fn look(&mut self, ring: Arc<Ring>, counts: ClientCounts, at: Duration) {
        let before = std::mem::replace(&mut self.counts, counts);
        let seconds = at.saturating_sub(self.at).as_secs_f64();
        self.ring = ring;
        self.at = at;
        let since = |read: fn(&ClientCounts) -> u64| read(&counts).checked_sub(read(&before));
        let compared = since(|it| it.hits)
            .zip(since(|it| it.misses))
            .zip(since(|it| it.failures));
        let Some(((hits, misses), failures)) = compared else {
            (self.hit_rate, self.failures_per_second) = (None, None);
            return;
        };
        let lookups = hits + misses + failures;
        self.hit_rate = ratio(hits, lookups);
        self.failures_per_second = (seconds > 0.0).then(|| failures as f64 / seconds);
        let mut measurement = Measurement::default();
        measurement.set_weighted(Series::HitRate, self.hit_rate, lookups as f64);
        self.history.add(at, &measurement);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use memlens::ring::{Member, Profile, Ring};

    use super::{ClientCounts, ClientSide};

    #[test]
    fn a_read_that_fails_is_no_hit() {
        let ring = Ring::new(vec![Member::tcp("a", 1)], Profile::default());
        let ring = Arc::new(ring.unwrap());
        let counts = |hits, misses, failures| ClientCounts {
            hits,
            misses,
            failures,
        };
        let second = Duration::from_secs;
        let mut client = ClientSide::new(ring.clone(), counts(100, 0, 0), second(1));
        assert_eq!(client.hit_rate, None);
        client.look(ring.clone(), counts(180, 10, 10), second(3));
        assert_eq!(client.hit_rate, Some(0.8));
        assert_eq!(client.failures_per_second, Some(5.0));
        // Another client counts from 0.
        client.look(ring, counts(50, 0, 0), second(4));
        assert_eq!(client.hit_rate, None);
    }
}
