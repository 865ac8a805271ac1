//! Reads that were watched: which keys, how often, found or not.

use std::collections::HashMap;

/// The most different keys that are kept: some 60 MB of typical keys. Whoever watches stops then.
const MOST_KEYS: usize = 500_000;

/// What is allocated for an item beside key and value: header, cas and suffix of memcached 1.6 on
/// 64-bit machines (`sizeof(item)` 48, cas 8, two line ends and a terminating byte).
const ITEM_OVERHEAD: f64 = 59.0;

/// Reads watched over some time, by key. Kept in memory only; no key of it is ever exported.
#[derive(Clone, Debug, Default)]
pub struct FetchSample {
    keys: HashMap<Box<[u8]>, Seen>,
    reads: u64,
    misses: u64,
    seconds: f64,
}

/// What was seen of one key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) reads: u32,
    pub(super) misses: u32,
    /// Bytes of the item, with its overhead, if some read told.
    pub(super) bytes: Option<f32>,
}

impl FetchSample {
    /// Takes note of a read. `value_bytes` is the length of what was found, where it is known. False
    /// if the sample is full: then it should end, for leaving out only new keys would bend it.
    pub fn add(&mut self, key: &[u8], was_found: bool, value_bytes: Option<u64>) -> bool {
        if self.keys.len() >= MOST_KEYS {
            return false;
        }
        let seen = match self.keys.get_mut(key) {
            Some(seen) => seen,
            None => self.keys.entry(key.into()).or_default(),
        };
        seen.reads = seen.reads.saturating_add(1);
        seen.misses = seen.misses.saturating_add(u32::from(!was_found));
        if let Some(bytes) = value_bytes.filter(|_| was_found) {
            seen.bytes = Some((bytes as f64 + key.len() as f64 + ITEM_OVERHEAD) as f32);
        }
        self.reads += 1;
        self.misses += u64::from(!was_found);
        true
    }

    /// Sets over how many seconds the reads were watched.
    pub const fn set_seconds(&mut self, seconds: f64) {
        self.seconds = seconds;
    }

    /// Reads in it.
    #[must_use]
    pub const fn reads(&self) -> u64 {
        self.reads
    }

    /// Different keys in it.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.keys.len()
    }

    /// Over how many seconds the reads were watched.
    #[must_use]
    pub const fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Share of the watched reads that were found.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        (self.reads > 0).then(|| 1.0 - self.misses as f64 / self.reads as f64)
    }

    /// Good and Turing's estimate of how many of the next reads are of keys that were not seen: as
    /// many as were seen exactly once (Good, 1953).
    #[must_use]
    pub fn unseen_share(&self) -> f64 {
        let once = self.keys.values().filter(|seen| seen.reads == 1).count();
        if self.reads == 0 {
            return 1.0;
        }
        once as f64 / self.reads as f64
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (&[u8], Seen)> {
        self.keys.iter().map(|(key, seen)| (key.as_ref(), *seen))
    }
}
