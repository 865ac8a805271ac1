//! Che's approximation of a cache that throws out what was used least recently.
//!
//! What is in such a cache is what was read within the last T seconds, where T, the *window*, is the
//! same for all keys and long enough that what was read fills the cache (Che, Tung and Wang, 2002).
//! A key that is read λ times a second is there with the probability p = 1 − e^(−λT), and a read finds
//! it as often. Where items also end by themselves, ν times a second because they expire and α times a
//! read because they are deleted, each such end costs one miss, and p / (1 + p·(ν/λ + α)) is left.

/// Keys that are alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Keys {
    /// How many; parts of a key are fine.
    pub(super) number: f64,
    /// Reads per second of one of them.
    pub(super) rate: f64,
    /// Bytes of one item.
    pub(super) bytes: f64,
}

impl Keys {
    /// So many of them, from 0 to 1.
    pub(super) fn part(self, part: f64) -> Self {
        Self {
            number: self.number * part,
            ..self
        }
    }
}

/// How often items end by themselves, per second, and whatever else holds for all keys.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Lifetime {
    /// Ends per second of one item, as by expiry.
    pub(super) ends: f64,
    /// Ends per read of one item, as by deletions, which popular items see more of.
    pub(super) ends_per_read: f64,
}

impl Lifetime {
    /// With which probability a key that is read `rate` times a second is there, if it has been read
    /// for `window` seconds.
    pub(super) fn presence(self, rate: f64, window: f64) -> f64 {
        if rate <= 0.0 {
            return 0.0;
        }
        let read_within = read_within(rate * window);
        read_within / (1.0 + read_within * (self.ends / rate + self.ends_per_read))
    }

    /// Bytes of those that are there.
    pub(super) fn bytes(self, keys: &[Keys], window: f64) -> f64 {
        keys.iter()
            .map(|keys| keys.number * keys.bytes * self.presence(keys.rate, window))
            .sum()
    }

    /// Reads per second that find their key.
    pub(super) fn hits(self, keys: &[Keys], window: f64) -> f64 {
        keys.iter()
            .map(|keys| keys.number * keys.rate * self.presence(keys.rate, window))
            .sum()
    }

    /// The window with which these keys fill `capacity` bytes; infinite if all of them fit.
    pub(super) fn window(self, keys: &[Keys], capacity: f64, guess: f64) -> f64 {
        fill(capacity, guess, |window| self.bytes(keys, window))
    }
}

/// 1 − e^(−reads): with which probability there is at least one read where `reads` are expected.
/// Half the time of `exp_m1`, and as exact as it has to be.
fn read_within(reads: f64) -> f64 {
    if reads < 1e-5 {
        reads - reads * reads / 2.0
    } else {
        1.0 - (-reads).exp()
    }
}

/// Reads per second of all of them.
pub(super) fn reads(keys: &[Keys]) -> f64 {
    keys.iter().map(|keys| keys.number * keys.rate).sum()
}

/// Puts keys together whose rates differ by less than a fifth. The most popular come first.
pub(super) fn gather(keys: impl Iterator<Item = Keys>) -> Vec<Keys> {
    let mut gathered: Vec<Keys> = Vec::new();
    let mut first_rate = 0.0;
    for keys in keys {
        let number = keys.number;
        match gathered.last_mut() {
            Some(last) if keys.rate * 1.2 > first_rate => {
                let all = last.number + number;
                last.rate = (last.rate * last.number + keys.rate * number) / all;
                last.bytes = (last.bytes * last.number + keys.bytes * number) / all;
                last.number = all;
            }
            _ => {
                first_rate = keys.rate;
                gathered.push(keys);
            }
        }
    }
    gathered
}

/// How near the filled bytes have to come to the capacity.
const TOLERANCE: f64 = 1e-4;

/// The window at which `bytes`, which grows with it, reaches `capacity`; infinite if it never does.
pub(super) fn fill(capacity: f64, guess: f64, bytes: impl Fn(f64) -> f64) -> f64 {
    if capacity <= 0.0 {
        return 0.0;
    }
    if bytes(f64::INFINITY) <= capacity * (1.0 + TOLERANCE) {
        return f64::INFINITY;
    }
    let excess = |x: f64| bytes(x.exp()) / capacity - 1.0;
    let known = guess.is_finite() && guess > 0.0;
    let mut near = if known { guess.ln() } else { 0.0 };
    let mut near_excess = excess(near);
    let is_too_long = near_excess > 0.0;
    let step = if is_too_long { -STEP } else { STEP };
    for _ in 0..MOST_STEPS {
        let far = near + step;
        let far_excess = excess(far);
        if (far_excess > 0.0) != is_too_long {
            let (low, high) = if is_too_long {
                ((far, far_excess), (near, near_excess))
            } else {
                ((near, near_excess), (far, far_excess))
            };
            return root(low, high, excess).exp();
        }
        (near, near_excess) = (far, far_excess);
    }
    near.exp()
}

/// A factor of four, as a logarithm, and how many of them lead out of all that a `f64` can hold.
const STEP: f64 = 1.386_294_361_119_890_6;
const MOST_STEPS: usize = 600;

/// The Illinois method: a secant that never leaves the bracket and never gets stuck on one side.
fn root(
    (mut low, mut below): (f64, f64),
    (mut high, mut above): (f64, f64),
    excess: impl Fn(f64) -> f64,
) -> f64 {
    let mut last_side = 0;
    for _ in 0..60 {
        let x = (high * below - low * above) / (below - above);
        let x = if x.is_finite() {
            x
        } else {
            f64::midpoint(low, high)
        };
        let here = excess(x);
        if here.abs() < TOLERANCE || high - low < 1e-9 {
            return x;
        }
        if here > 0.0 {
            (high, above) = (x, here);
            if last_side == 1 {
                below /= 2.0;
            }
            last_side = 1;
        } else {
            (low, below) = (x, here);
            if last_side == -1 {
                above /= 2.0;
            }
            last_side = -1;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::{Keys, Lifetime, fill};

    #[test]
    fn windows_fill_what_they_are_asked_to() {
        let keys: Vec<Keys> = (1..=1000)
            .map(|rank| Keys {
                number: 1.0,
                rate: 100.0 / f64::from(rank),
                bytes: 1.0,
            })
            .collect();
        let lifetime = Lifetime::default();
        for capacity in [0.5, 1.0, 10.0, 500.0, 990.0, 999.9] {
            for guess in [1e-9, 1.0, 1e9, f64::INFINITY] {
                let window = lifetime.window(&keys, capacity, guess);
                let filled = lifetime.bytes(&keys, window);
                assert!(
                    (filled / capacity - 1.0).abs() < 1e-3,
                    "{capacity}: {filled}"
                );
            }
        }
        assert_eq!(lifetime.window(&keys, 1000.0, 1.0), f64::INFINITY);
        assert_eq!(lifetime.window(&keys, 0.0, 1.0), 0.0);
        assert_eq!(fill(5.0, 1.0, |_| 0.0), f64::INFINITY);
    }

    #[test]
    fn items_that_end_by_themselves_cost_a_miss_each() {
        let lifetime = Lifetime {
            ends: 0.5,
            ends_per_read: 0.0,
        };
        // Two reads a second and an end every two seconds: of five reads one misses.
        assert!((lifetime.presence(2.0, f64::INFINITY) - 0.8).abs() < 1e-12);
        assert_eq!(lifetime.presence(0.0, 10.0), 0.0);
        let deleted = Lifetime {
            ends: 0.0,
            ends_per_read: 0.25,
        };
        assert!((deleted.presence(9.0, f64::INFINITY) - 0.8).abs() < 1e-12);
        assert!((Lifetime::default().presence(2.0, 1.0) - 0.864_664_716_8).abs() < 1e-9);
    }
}
