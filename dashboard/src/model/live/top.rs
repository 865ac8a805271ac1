//! The keys that come most often, in bounded memory.

use std::collections::HashMap;

/// One of the most frequent keys.
#[derive(Clone, PartialEq, Eq)]
pub struct TopKey {
    /// The key.
    pub key: Box<[u8]>,
    /// How often it was counted.
    pub count: u64,
    /// How often it may have come beyond that, before it was counted.
    pub missed_at_most: u64,
}

/// Leaves out the key.
impl std::fmt::Debug for TopKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TopKey")
            .field("key_len", &self.key.len())
            .field("count", &self.count)
            .field("missed_at_most", &self.missed_at_most)
            .finish()
    }
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    count: u64,
    missed_at_most: u64,
}

impl Counted {
    const fn at_most(self) -> u64 {
        self.count + self.missed_at_most
    }
}

/// Counts how often keys come, with room for a fixed number of them.
///
/// When there is no room left, the rarer half is forgotten, and with it a known number of times:
/// whoever comes anew may have come as often before. So every count is right to within a bound that
/// is told with it, and a key that came more often than the bound is never missing. (The idea of
/// Space-Saving, Metwally, Agrawal and El Abbadi 2005, with its evictions done in batches.)
#[derive(Debug, Clone)]
pub struct TopKeys {
    counts: HashMap<Box<[u8]>, Counted>,
    kept: usize,
    forgotten_at_most: u64,
    total: u64,
}

impl TopKeys {
    /// Room for the `kept` most frequent keys, and for as many rare ones.
    #[must_use]
    pub fn new(kept: usize) -> Self {
        Self {
            counts: HashMap::new(),
            kept: kept.max(1),
            forgotten_at_most: 0,
            total: 0,
        }
    }

    /// Counts a key.
    pub fn add(&mut self, key: &[u8]) {
        self.total += 1;
        if let Some(counted) = self.counts.get_mut(key) {
            counted.count += 1;
            return;
        }
        if self.counts.len() >= self.kept * 2 {
            self.forget_the_rare();
        }
        let counted = Counted {
            count: 1,
            missed_at_most: self.forgotten_at_most,
        };
        self.counts.insert(key.into(), counted);
    }

    fn forget_the_rare(&mut self) {
        let mut counts: Vec<u64> = self
            .counts
            .values()
            .map(|counted| counted.at_most())
            .collect();
        let (_, limit, _) = counts.select_nth_unstable_by(self.kept, |one, other| other.cmp(one));
        let limit = *limit;
        self.counts.retain(|_, counted| counted.at_most() > limit);
        self.forgotten_at_most = limit;
    }

    /// The most frequent keys, at most `most` of them.
    #[must_use]
    pub fn top(&self, most: usize) -> Vec<TopKey> {
        let keys = self.counts.iter().map(|(key, counted)| (&**key, counted));
        let mut keys: Vec<(&[u8], &Counted)> = keys.collect();
        let order = |one: &(&[u8], &Counted), other: &(&[u8], &Counted)| {
            let most_first = other.1.count.cmp(&one.1.count);
            most_first.then_with(|| one.0.cmp(other.0))
        };
        if keys.len() > most {
            keys.select_nth_unstable_by(most, order);
            keys.truncate(most);
        }
        keys.sort_unstable_by(order);
        let keys = keys.into_iter().map(|(key, counted)| TopKey {
            key: key.into(),
            count: counted.count,
            missed_at_most: counted.missed_at_most,
        });
        keys.collect()
    }

    /// How many were counted, of all keys together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }
}

/// Reads of the keys with a common prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixReads {
    /// The first segment of the keys, delimiter included; empty for keys without one.
    pub prefix: Box<[u8]>,
    /// Reads that found their key.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
}

impl PrefixReads {
    /// Share of the reads that hit. `None` under a few.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        crate::model::ratio(self.hits, self.hits + self.misses)
    }
}

#[cfg(test)]
mod tests {
    use super::TopKeys;

    #[test]
    fn few_keys_are_counted_exactly() {
        let mut top = TopKeys::new(4);
        for key in ["a", "b", "a", "c", "a", "b"] {
            top.add(key.as_bytes());
        }
        let found: Vec<_> = top
            .top(2)
            .into_iter()
            .map(|key| (key.key, key.count))
            .collect();
        assert_eq!(found, [(b"a"[..].into(), 3), (b"b"[..].into(), 2)]);
        assert_eq!(top.total(), 6);
        assert!(top.top(9).iter().all(|key| key.missed_at_most == 0));
    }

    /// A stream in which key k comes about 1/k of the time, beside many that come once.
    #[test]
    fn the_frequent_are_never_missing_and_counts_keep_within_their_bound() {
        let mut top = TopKeys::new(50);
        let mut truth = std::collections::HashMap::new();
        for round in 1..=2000_u32 {
            for key in 1..=100_u32 {
                if round % key == 0 {
                    top.add(&key.to_be_bytes());
                    *truth.entry(key).or_insert(0_u64) += 1;
                }
            }
            top.add(&(round + 1_000_000).to_be_bytes());
        }
        assert!(top.counts.len() <= 100);
        let listed = top.top(50);
        let bound = top.forgotten_at_most;
        for (key, count) in &truth {
            let found = listed.iter().find(|top| *top.key == key.to_be_bytes());
            match found {
                Some(top) => {
                    assert!(top.count <= *count && *count <= top.count + top.missed_at_most);
                }
                None => assert!(
                    *count <= bound.max(2000 / 50),
                    "key {key} came {count} times"
                ),
            }
        }
        assert_eq!(*listed[0].key, 1_u32.to_be_bytes());
        assert_eq!(listed[0].count, 2000);
    }
}
