//! The law by which the popularity of keys falls with their rank, where they cannot be counted.

/// In how many bands ranks are divided. More change no hit rate by a hundredth of a point.
const BANDS: usize = 40;

/// Keys of neighbouring ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Band {
    /// How many keys; parts of a key are fine.
    pub(super) keys: f64,
    /// Share of all reads that goes to one of them.
    pub(super) share: f64,
}

/// Ranks `first` to `first + keys`, read in proportion to rank^−exponent, with `mass` of all reads
/// together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ZipfTail {
    /// How many keys have a lower rank.
    pub(super) after: f64,
    /// How many keys it has.
    pub(super) keys: f64,
    /// How fast reads fall with the rank.
    pub(super) exponent: f64,
    /// Share of all reads that goes to it.
    pub(super) mass: f64,
}

impl ZipfTail {
    /// The ranks in bands of equal ratio.
    pub(super) fn bands(&self) -> Vec<Band> {
        let (first, last) = (self.after + 0.5, self.after + self.keys + 0.5);
        let ratio = (last / first).powf(1.0 / BANDS as f64);
        let whole = integral(first, last, self.exponent);
        let mut bands = Vec::with_capacity(BANDS);
        let mut start = first;
        for band in 1..=BANDS {
            let end = first * ratio.powi(band as i32);
            let keys = end - start;
            if keys > 0.0 && whole > 0.0 {
                let mass = self.mass * integral(start, end, self.exponent) / whole;
                bands.push(Band {
                    keys,
                    share: mass / keys,
                });
            }
            start = end;
        }
        bands
    }

    /// How many of its keys are among `reads` reads at random.
    pub(super) fn distinct_among(&self, reads: f64) -> f64 {
        self.bands()
            .iter()
            .map(|band| -band.keys * (-band.share * reads).exp_m1())
            .sum()
    }

    /// How many of its keys come once, twice and so on among `reads` reads.
    pub(super) fn expected_counts(&self, reads: f64, up_to: usize) -> Vec<f64> {
        let mut expected = vec![0.0; up_to];
        for band in self.bands() {
            let mean = band.share * reads;
            let mut keys = band.keys * (-mean).exp();
            for (expected, times) in expected.iter_mut().zip(1..) {
                keys *= mean / f64::from(times);
                *expected += keys;
            }
        }
        expected
    }

    /// The exponent with which `distinct` of the keys are among `reads` reads: the steeper, the fewer.
    pub(super) fn with_exponent_for(self, distinct: f64, reads: f64) -> Self {
        let at = |exponent| Self { exponent, ..self };
        let (mut low, mut high) = (0.0, STEEPEST);
        for _ in 0..30 {
            let middle = f64::midpoint(low, high);
            if at(middle).distinct_among(reads) > distinct {
                low = middle;
            } else {
                high = middle;
            }
        }
        at(f64::midpoint(low, high))
    }
}

/// Beyond this, the first few keys get all reads.
const STEEPEST: f64 = 3.0;

/// ∫ r^−s dr, also where s is 1.
fn integral(from: f64, to: f64, exponent: f64) -> f64 {
    let power = 1.0 - exponent;
    let stretch = (to / from).ln();
    if (power * stretch).abs() < 1e-9 {
        return stretch;
    }
    from.powf(power) * (power * stretch).exp_m1() / power
}

/// The fewest keys of which `distinct` different ones can be among `reads` reads: as many as there
/// would be if all were read alike. Infinite if no key came twice.
pub(super) fn fewest_keys(distinct: f64, reads: f64) -> f64 {
    if distinct >= reads {
        return f64::INFINITY;
    }
    let expected = |keys: f64| -keys * (-reads / keys).exp_m1();
    let (mut low, mut high) = (distinct.max(1.0), distinct.max(1.0) * 2.0);
    while expected(high) < distinct && high < 1e15 {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if expected(middle) < distinct {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::{ZipfTail, fewest_keys};

    fn tail(exponent: f64) -> ZipfTail {
        ZipfTail {
            after: 100.0,
            keys: 100_000.0,
            exponent,
            mass: 0.4,
        }
    }

    #[test]
    fn bands_keep_all_keys_and_all_reads() {
        for exponent in [0.0, 0.5, 0.999_999_999_9, 1.0, 1.3] {
            let bands = tail(exponent).bands();
            let keys: f64 = bands.iter().map(|band| band.keys).sum();
            let mass: f64 = bands.iter().map(|band| band.keys * band.share).sum();
            assert!((keys / 100_000.0 - 1.0).abs() < 1e-9, "{keys}");
            assert!((mass / 0.4 - 1.0).abs() < 1e-9, "{mass}");
        }
    }

    #[test]
    fn the_exponent_is_found_again() {
        for exponent in [0.3, 0.8, 1.0, 1.2] {
            let distinct = tail(exponent).distinct_among(50_000.0);
            let found = tail(0.0).with_exponent_for(distinct, 50_000.0);
            assert!((found.exponent - exponent).abs() < 1e-4, "{found:?}");
        }
    }

    #[test]
    fn uniform_keys_are_counted_from_repetitions() {
        // 1000 keys read 1000 times at random: 632 different ones.
        assert!((fewest_keys(632.12, 1000.0) / 1000.0 - 1.0).abs() < 1e-3);
        assert_eq!(fewest_keys(50.0, 50.0), f64::INFINITY);
    }
}
