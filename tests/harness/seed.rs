//! The number behind a random test: fixed unless asked otherwise, printed when the test fails.

use std::env;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use fastrand::Rng;

/// Names the environment variable that replaces the default: a number, or `random`.
pub const VARIABLE: &str = "MEMLENS_TEST_SEED";

const DEFAULT: u64 = 20_260_101;

/// Hands out random generators and, if the test fails while it lives, prints how to repeat the run.
#[derive(Debug)]
pub struct Seed(u64);

impl Seed {
    /// The number from [`VARIABLE`], the clock's if that says `random`, else a fixed one.
    pub fn from_environment() -> Self {
        Self(match env::var(VARIABLE) {
            Ok(text) if text == "random" => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(DEFAULT, |since| {
                    u64::from(since.subsec_nanos()) ^ since.as_secs()
                }),
            Ok(text) => text
                .parse()
                .unwrap_or_else(|_| panic!("{VARIABLE} must be a number or `random`, is {text:?}")),
            Err(_) => DEFAULT,
        })
    }

    /// The generator for part `index` of the test: the same whatever the other parts drew.
    pub fn generator(&self, index: u64) -> Rng {
        // An odd multiplier keeps neighbouring parts apart; `Rng` mixes the sum.
        Rng::with_seed(
            self.0
                .wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        )
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            #[allow(
                clippy::print_stderr,
                reason = "the failing test's output is where this belongs"
            )]
            {
                eprintln!("repeat with {VARIABLE}={}", self.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_repeat_and_differ() {
        let seed = Seed(7);
        let draws: Vec<u64> = (0..100)
            .map(|index| seed.generator(index).u64(..))
            .collect();
        let again: Vec<u64> = (0..100)
            .map(|index| seed.generator(index).u64(..))
            .collect();
        assert_eq!(draws, again);
        let distinct: std::collections::HashSet<u64> = draws.into_iter().collect();
        assert_eq!(distinct.len(), 100);
    }
}
