//! How long to rest between attempts to reach a node.

use std::time::Duration;

/// Exponential backoff: the delay's upper bound doubles with every failure in a row, is capped, and
/// then a uniformly random part of it is taken ("full jitter"). Capping first matters: jitter that
/// is applied before the cap is lost at the cap, and a thousand clients dial in step again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(base: Duration, cap: Duration) -> Self {
        Self {
            base,
            cap,
            failures: 0,
        }
    }

    /// Starts over: the node has answered.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The delay after one more failure; `random` is uniform in 0..1.
    pub(crate) fn next(&mut self, random: f64) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = (self.failures + 1).min(31);
        self.base
            .saturating_mul(factor)
            .min(self.cap)
            .mul_f64(random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_double_up_to_the_cap_and_jitter_is_taken_of_the_capped_bound() {
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(100));
        let bounds: Vec<u128> = (0..40).map(|_| backoff.next(1.0).as_millis()).collect();
        assert_eq!(bounds[..6], [10, 20, 40, 80, 100, 100]);
        assert_eq!(bounds[39], 100);
        assert_eq!(backoff.next(0.5), Duration::from_millis(50));
        backoff.reset();
        assert_eq!(backoff.next(1.0), Duration::from_millis(10));
    }

    #[test]
    fn clients_that_lost_the_same_server_do_not_dial_in_step() {
        const CLIENTS: u64 = 200;
        const RESTART: Duration = Duration::from_secs(30);
        let first_dial_after_restart = |client| {
            let mut random = fastrand::Rng::with_seed(client);
            let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
            let mut now = Duration::ZERO;
            while now < RESTART {
                now += backoff.next(random.f64());
            }
            (now - RESTART).as_millis() / 100
        };
        let mut bins = [0; 20];
        for client in 0..CLIENTS {
            bins[first_dial_after_restart(client) as usize] += 1;
        }
        let fullest = bins.iter().max().copied().unwrap_or_default();
        assert!(fullest * 5 <= CLIENTS, "dials in bins of 100 ms: {bins:?}");
    }
}
