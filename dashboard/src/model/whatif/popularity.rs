//! Which keys are read how often: counted where they could be watched, estimated where not.
//!
//! A sample of reads counts the popular keys well and the others badly: of a key seen once nobody can
//! say how often it is read, and most keys may not have been seen at all. So only keys that came often
//! enough are taken at their word. The rest share the reads that the sample gives to rare keys, by
//! Zipf's law. Its exponent and the number of keys are those that best explain both how many keys
//! came once, twice and so on, and the measured hit rate, which depends on keys too rare to be seen.

use super::che::{Keys, Lifetime, gather, reads};
use super::inputs::PopularitySource;
use super::load::ClusterLoad;
use super::sample::{FetchSample, Seen};
use super::zipf::{Band, ZipfTail, fewest_keys};

/// A key that came so often is taken at its word: its rate is known to a third.
const COUNTED_FROM: u32 = 10;

/// So many keys are looked up in both rings one by one, the most popular ones.
const MOST_NAMED: usize = 2048;

/// The fewest reads that make a sample.
const FEWEST_READS: u64 = 1000;

/// With a rate of so many reads per window, a key is practically always there; a miss then means that
/// its item ended by itself.
const ALWAYS_THERE: f64 = 8.0;

/// Zipf's exponent where nothing tells it.
const ASSUMED_EXPONENT: f64 = 0.9;

/// How many keys there may be for each that is stored.
const MOST_KEYS_PER_ITEM: f64 = 1e5;

/// Which keys are read how often.
#[derive(Clone, Debug)]
pub struct Popularity {
    pub(super) named: Vec<NamedKey>,
    /// Keys without a name, spread over the servers as the hash space is.
    pub(super) rest: Vec<Rest>,
    /// The same if there are half as many or twice as many keys in the tail: both explain the sample
    /// as well, and tell how much depends on what cannot be seen.
    pub(super) rest_if: [Vec<Rest>; 2],
    pub(super) lifetime: Lifetime,
    pub(super) source: PopularitySource,
    pub(super) keys: f64,
    pub(super) exponent: f64,
}

/// A key that came often.
#[derive(Clone, Debug)]
pub(super) struct NamedKey {
    pub(super) key: Box<[u8]>,
    /// Share of all reads.
    pub(super) share: f64,
    pub(super) bytes: f64,
}

/// Keys that are alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    pub(super) keys: f64,
    /// Share of all reads that goes to one of them.
    pub(super) share: f64,
    pub(super) bytes: f64,
}

impl Popularity {
    /// From watched reads, with what they do not tell taken from the servers' figures. `None` while
    /// there are too few of either.
    #[must_use]
    pub fn from_sample(sample: &FetchSample, load: &ClusterLoad) -> Option<Self> {
        if sample.reads() < FEWEST_READS {
            return None;
        }
        let target = Target::of(load)?;
        let counted = Counted::of(sample, target.bytes_per_item);
        let source = PopularitySource::Sample {
            reads: sample.reads(),
            seconds: sample.seconds(),
            distinct_keys: sample.distinct(),
            unseen_share: sample.unseen_share(),
        };
        let first = counted.fit(&target, Lifetime::default());
        let lifetime = counted.lifetime(sample, &target, &first);
        let fitted = counted.fit(&target, lifetime);
        Some(counted.into_popularity(&target, fitted, source))
    }

    /// From the servers' figures alone. `None` while they do not tell reads, hit rate and items.
    #[must_use]
    pub fn from_figures(load: &ClusterLoad) -> Option<Self> {
        let target = Target::of(load)?;
        let counted = Counted::nothing(target.bytes_per_item);
        let with_tail_age = target.is_evicting && load.tail_age().is_some_and(|age| age > 0.0);
        let exponents: Vec<f64> = match load.tail_age() {
            Some(_) if with_tail_age => (4..=14).map(|tenth| f64::from(tenth) / 10.0).collect(),
            _ => vec![ASSUMED_EXPONENT],
        };
        let age = load.tail_age().unwrap_or(1.0);
        let fits = exponents
            .into_iter()
            .map(|exponent| counted.fit_with_exponent(&target, exponent));
        let distance = |fit: &Fit| (fit.window / age).ln().abs();
        let best = fits.min_by(|one, other| distance(one).total_cmp(&distance(other)))?;
        Some(counted.into_popularity(&target, best, PopularitySource::Figures { with_tail_age }))
    }

    /// All keys at `reads` per second, those with a name first.
    pub(super) fn rest_at(rest: &[Rest], reads: f64) -> Vec<Keys> {
        rest.iter().map(|rest| rest.at(reads)).collect()
    }
}

impl Rest {
    fn of(band: Band, bytes: f64) -> Self {
        Self {
            keys: band.keys,
            share: band.share,
            bytes,
        }
    }

    pub(super) fn at(self, reads: f64) -> Keys {
        Keys {
            number: self.keys,
            rate: self.share * reads,
            bytes: self.bytes,
        }
    }
}

/// The figures that a fit has to meet.
struct Target {
    reads: f64,
    hit_rate: f64,
    stored_bytes: f64,
    items: f64,
    bytes_per_item: f64,
    is_evicting: bool,
}

impl Target {
    fn of(load: &ClusterLoad) -> Option<Self> {
        let (reads, items, stored_bytes) =
            (load.reads_per_second(), load.items(), load.stored_bytes());
        if reads <= 0.0 || items < 1.0 || stored_bytes <= 0.0 {
            return None;
        }
        Some(Self {
            reads,
            hit_rate: load.hit_rate()?,
            stored_bytes,
            items,
            bytes_per_item: stored_bytes / items,
            is_evicting: load.is_evicting(),
        })
    }
}

/// What a sample says for sure, and what is left for the tail.
struct Counted {
    /// Most popular first.
    named: Vec<NamedKey>,
    named_misses: Vec<u32>,
    /// Popular keys beyond those with a name.
    middle: Vec<Rest>,
    /// Reads of rare keys, and of how many different ones.
    tail_reads: f64,
    tail_distinct: f64,
    /// How many of them came once, twice and so on.
    tail_counts: Vec<f64>,
    /// Bytes of a rare item: what one has in the mean of all that is stored. The sizes of those that
    /// were found would mislead, since small items live longer.
    tail_bytes: f64,
    reads: f64,
}

/// A tail that meets the target.
#[derive(Clone, Copy)]
struct Fit {
    tail: Option<ZipfTail>,
    lifetime: Lifetime,
    window: f64,
}

impl Counted {
    fn nothing(bytes_per_item: f64) -> Self {
        Self {
            named: Vec::new(),
            named_misses: Vec::new(),
            middle: Vec::new(),
            tail_reads: 1.0,
            tail_distinct: 1.0,
            tail_counts: Vec::new(),
            tail_bytes: bytes_per_item,
            reads: 1.0,
        }
    }

    fn of(sample: &FetchSample, bytes_per_item: f64) -> Self {
        let all = sample.reads() as f64;
        let mut popular: Vec<(&[u8], Seen)> = Vec::new();
        let mut counted = Self::nothing(bytes_per_item);
        (counted.tail_reads, counted.tail_distinct, counted.reads) = (0.0, 0.0, all);
        counted.tail_counts = vec![0.0; COUNTED_FROM as usize - 1];
        for (key, seen) in sample.keys() {
            if seen.reads >= COUNTED_FROM {
                popular.push((key, seen));
                continue;
            }
            counted.tail_reads += f64::from(seen.reads);
            counted.tail_distinct += 1.0;
            counted.tail_counts[seen.reads as usize - 1] += 1.0;
        }
        // By key among equals, so that the same sample gives the same result.
        popular.sort_by(|(a, seen_a), (b, seen_b)| (seen_b.reads, a).cmp(&(seen_a.reads, b)));
        let beyond = popular.split_off(popular.len().min(MOST_NAMED));
        let bytes_of = |seen: &Seen| seen.bytes.map_or(bytes_per_item, f64::from);
        for (key, seen) in popular {
            counted.named_misses.push(seen.misses);
            counted.named.push(NamedKey {
                key: key.into(),
                share: f64::from(seen.reads) / all,
                bytes: bytes_of(&seen),
            });
        }
        for group in
            beyond.chunk_by(|(_, one), (_, other)| one.reads.ilog2() == other.reads.ilog2())
        {
            let keys = group.len() as f64;
            let reads: f64 = group.iter().map(|(_, seen)| f64::from(seen.reads)).sum();
            let bytes: f64 = group.iter().map(|(_, seen)| bytes_of(seen)).sum();
            counted.middle.push(Rest {
                keys,
                share: reads / keys / all,
                bytes: bytes / keys,
            });
        }
        counted
    }

    /// How many keys come before the tail.
    fn before_tail(&self) -> f64 {
        let middle: f64 = self.middle.iter().map(|rest| rest.keys).sum();
        self.named.len() as f64 + middle
    }

    fn tail(&self, keys: f64, exponent: f64) -> ZipfTail {
        ZipfTail {
            after: self.before_tail(),
            keys,
            exponent,
            mass: self.tail_reads / self.reads,
        }
    }

    /// All keys at the target's rate, the tail as given.
    fn keys(&self, target: &Target, tail: Option<&ZipfTail>) -> Vec<Keys> {
        let named = self.named.iter().map(|key| Keys {
            number: 1.0,
            rate: key.share * target.reads,
            bytes: key.bytes,
        });
        let mut keys = gather(named);
        keys.extend(Popularity::rest_at(&self.middle, target.reads));
        for band in tail.iter().flat_map(|tail| tail.bands()) {
            keys.push(Rest::of(band, self.tail_bytes).at(target.reads));
        }
        keys
    }

    /// The tail with so many keys that explains how many different ones were seen.
    fn tail_of(&self, keys: f64) -> ZipfTail {
        self.tail(keys, 0.0)
            .with_exponent_for(self.tail_distinct, self.reads)
    }

    fn fit(&self, target: &Target, lifetime: Lifetime) -> Fit {
        if self.tail_reads < 1.0 {
            return self.settle(target, None, lifetime);
        }
        let most = target.items.max(self.tail_distinct) * MOST_KEYS_PER_ITEM;
        let fewest = fewest_keys(self.tail_distinct, self.tail_reads).min(most);
        let stored = (target.items - self.before_tail()).max(fewest);
        if !target.is_evicting {
            // All that was ever read is still there.
            return self.settle(target, Some(self.tail_of(stored)), lifetime);
        }
        let keys = likeliest(fewest, most, |keys| {
            let tail = self.tail_of(keys);
            self.surprise_at_counts(&tail) + self.surprise_at_hit_rate(target, lifetime, &tail)
        });
        self.settle(target, Some(self.tail_of(keys)), lifetime)
    }

    /// How little the tail explains how many keys came once, twice and so on: the negative logarithm of
    /// the likelihood, if those numbers were Poisson's. They scatter more than that, because real
    /// popularity follows a law only roughly.
    fn surprise_at_counts(&self, tail: &ZipfTail) -> f64 {
        let expected = tail.expected_counts(self.reads, self.tail_counts.len());
        let surprise = |(expected, counted): (&f64, &f64)| {
            let expected = expected.max(1e-3);
            expected - counted * expected.ln()
        };
        let sum: f64 = expected.iter().zip(&self.tail_counts).map(surprise).sum();
        sum / OVERDISPERSION
    }

    /// How far the hit rate of the model is from the measured one, on the same scale.
    fn surprise_at_hit_rate(&self, target: &Target, lifetime: Lifetime, tail: &ZipfTail) -> f64 {
        let keys = self.keys(target, Some(tail));
        let window = lifetime.window(&keys, target.stored_bytes, 1.0);
        let hit_rate = lifetime.hits(&keys, window) / reads(&keys);
        ((hit_rate - target.hit_rate) / HIT_RATE_SCATTER).powi(2) / 2.0
    }

    fn fit_with_exponent(&self, target: &Target, exponent: f64) -> Fit {
        let lifetime = Lifetime::default();
        let tail = if target.is_evicting {
            let most = target.items * MOST_KEYS_PER_ITEM;
            self.tail_for_hit_rate(target, lifetime, target.items, most, |keys| {
                self.tail(keys, exponent)
            })
        } else {
            self.tail(target.items, exponent)
        };
        self.settle(target, Some(tail), lifetime)
    }

    /// The more keys there are, the fewer of the reads find theirs.
    fn tail_for_hit_rate(
        &self,
        target: &Target,
        lifetime: Lifetime,
        fewest: f64,
        most: f64,
        tail_of: impl Fn(f64) -> ZipfTail,
    ) -> ZipfTail {
        let (mut low, mut high) = (fewest.ln(), most.ln());
        let mut window = 1.0;
        for _ in 0..24 {
            let middle = f64::midpoint(low, high);
            let keys = self.keys(target, Some(&tail_of(middle.exp())));
            window = lifetime.window(&keys, target.stored_bytes, window);
            if lifetime.hits(&keys, window) / reads(&keys) > target.hit_rate {
                low = middle;
            } else {
                high = middle;
            }
        }
        tail_of(f64::midpoint(low, high).exp())
    }

    /// Finds the window, and blames items that end by themselves for misses that nothing else explains.
    fn settle(&self, target: &Target, tail: Option<ZipfTail>, lifetime: Lifetime) -> Fit {
        let keys = self.keys(target, tail.as_ref());
        let state = |lifetime: Lifetime| {
            let window = match target.is_evicting {
                true => lifetime.window(&keys, target.stored_bytes, 1.0),
                false => f64::INFINITY,
            };
            (window, lifetime.hits(&keys, window) / reads(&keys))
        };
        let (window, hit_rate) = state(lifetime);
        if hit_rate <= target.hit_rate + UNEXPLAINED || target.is_evicting && window.is_finite() {
            return Fit {
                tail,
                lifetime,
                window,
            };
        }
        let (mut low, mut high) = (1e-9_f64.ln(), 1e3_f64.ln());
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            let guess = Lifetime {
                ends: middle.exp(),
                ..lifetime
            };
            if state(guess).1 > target.hit_rate {
                low = middle;
            } else {
                high = middle;
            }
        }
        let lifetime = Lifetime {
            ends: f64::midpoint(low, high).exp(),
            ..lifetime
        };
        Fit {
            tail,
            lifetime,
            window: state(lifetime).0,
        }
    }

    /// How often items end by themselves, from the misses of keys that would otherwise always be
    /// there: least squares over misses = α · reads + ν · seconds, neither of them negative. Counts
    /// scatter as much as they are large, so each key weighs the less the more it was read.
    fn lifetime(&self, sample: &FetchSample, target: &Target, fit: &Fit) -> Lifetime {
        // What was watched may be a part of all reads.
        let seconds = self.reads / target.reads;
        let always_there = self.named.iter().zip(&self.named_misses);
        let (mut keys, mut reads, mut misses) = (0.0, 0.0, 0.0);
        let (mut per_read, mut misses_per_read) = (0.0, 0.0);
        for (key, missed) in always_there {
            if key.share * target.reads * fit.window < ALWAYS_THERE {
                continue;
            }
            let (key_reads, missed) = (key.share * self.reads, f64::from(*missed));
            keys += 1.0;
            reads += key_reads;
            misses += missed;
            per_read += 1.0 / key_reads;
            misses_per_read += missed / key_reads;
        }
        if keys < 1.0 || sample.seconds() <= 0.0 {
            return Lifetime::default();
        }
        let determinant = reads * per_read - keys * keys;
        let ends = (reads * misses_per_read - keys * misses) / determinant / seconds;
        let of_reads = (misses * per_read - keys * misses_per_read) / determinant;
        match (ends > 0.0, of_reads > 0.0) {
            (true, true) => Lifetime {
                ends,
                ends_per_read: of_reads,
            },
            (true, false) => Lifetime {
                ends: misses / (keys * seconds),
                ends_per_read: 0.0,
            },
            _ => Lifetime {
                ends: 0.0,
                ends_per_read: misses / reads,
            },
        }
    }

    fn into_popularity(self, target: &Target, fit: Fit, source: PopularitySource) -> Popularity {
        let rest = |tail: Option<ZipfTail>| -> Vec<Rest> {
            let bands = tail.iter().flat_map(ZipfTail::bands);
            let tail = bands.map(|band| Rest::of(band, self.tail_bytes));
            self.middle.iter().copied().chain(tail).collect()
        };
        let other = |factor: f64| {
            fit.tail.map(|tail| match source {
                PopularitySource::Sample { .. } => {
                    let fewest = fewest_keys(self.tail_distinct, self.tail_reads);
                    self.tail_of((tail.keys * factor).max(fewest.min(tail.keys)))
                }
                PopularitySource::Figures { .. } => ZipfTail {
                    keys: (tail.keys * factor).max(target.items),
                    ..tail
                },
            })
        };
        Popularity {
            rest: rest(fit.tail),
            rest_if: [rest(other(0.5)), rest(other(2.0))],
            lifetime: fit.lifetime,
            source,
            keys: self.before_tail() + fit.tail.map_or(0.0, |tail| tail.keys),
            exponent: fit.tail.map_or(0.0, |tail| tail.exponent),
            named: self.named,
        }
    }
}

/// How many times as much as Poisson's the numbers of keys that came once, twice and so on scatter.
const OVERDISPERSION: f64 = 4.0;

/// How far a measured hit rate is from a model that knows all but the tail, as a standard deviation:
/// the mean error of the approximation in simulation.
const HIT_RATE_SCATTER: f64 = 0.003;

/// The number of keys from `fewest` to `most` with the least surprise: the best of a coarse grid of
/// equal ratios, then of finer ones around it.
fn likeliest(fewest: f64, most: f64, surprise: impl Fn(f64) -> f64) -> f64 {
    const STEPS: usize = 24;
    let (mut low, mut high) = (fewest.ln(), most.ln());
    for _ in 0..3 {
        let step = (high - low) / STEPS as f64;
        let candidates = (0..=STEPS).map(|at| step.mul_add(at as f64, low));
        let judged = candidates.map(|keys| (surprise(keys.exp()), keys));
        let best = judged.min_by(|one, other| one.0.total_cmp(&other.0));
        let best = best.map_or(low, |(_, keys)| keys);
        (low, high) = ((best - step).max(low), (best + step).min(high));
    }
    f64::midpoint(low, high).exp()
}

/// Misses below this share need no explanation.
const UNEXPLAINED: f64 = 1e-4;
