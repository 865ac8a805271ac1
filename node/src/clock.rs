//! The node's seconds: one relative clock that every expiry, age and idle time is measured in.
//!
//! memcached counts seconds from 62 before its start, so that no live timestamp is ever zero
//! (zero means "never" or "unset" in many places). The same origin is kept here, because
//! `stats` shows it: `uptime` starts at 2 and `stats settings` prints `oldest` on this scale.

#[cfg(any(test, fuzzing))]
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Seconds on the node's relative clock.
pub(crate) type Seconds = u32;

/// How far in the past the relative clock starts.
pub(crate) const START: Seconds = 62;
/// What `stats` subtracts from the relative clock to print `uptime`.
pub(crate) const UPTIME_OFFSET: Seconds = 60;
/// The longest relative expiry: 30 days. A larger number is a Unix time.
const RELATIVE_MAX: i64 = 60 * 60 * 24 * 30;

#[derive(Debug)]
enum Source {
    Monotonic(Instant),
    #[cfg(any(test, fuzzing))]
    Manual(AtomicU32),
}

/// The clock of one node.
#[derive(Debug)]
pub(crate) struct Clock {
    source: Source,
    /// The Unix time of relative second zero.
    origin: i64,
}

impl Clock {
    pub(crate) fn system() -> Self {
        Self {
            source: Source::Monotonic(Instant::now()),
            origin: unix_now() - i64::from(START),
        }
    }

    /// A clock that only moves when told to.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn manual() -> Self {
        Self {
            source: Source::Manual(AtomicU32::new(START)),
            origin: 1_700_000_000 - i64::from(START),
        }
    }

    #[cfg(test)]
    pub(crate) fn advance(&self, seconds: Seconds) {
        if let Source::Manual(now) = &self.source {
            now.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    /// The current relative second.
    pub(crate) fn now(&self) -> Seconds {
        match &self.source {
            Source::Monotonic(start) => START.wrapping_add(start.elapsed().as_secs() as u32),
            #[cfg(any(test, fuzzing))]
            Source::Manual(now) => now.load(Ordering::Relaxed),
        }
    }

    /// The Unix time of a relative second.
    pub(crate) fn unix(&self, seconds: Seconds) -> i64 {
        self.origin + i64::from(seconds)
    }

    /// The absolute second at which an item with this protocol `exptime` dies; 0 is never.
    ///
    /// Negative numbers, and Unix times before the node's start, become second 1: already past.
    pub(crate) fn expires_at(&self, exptime: i32, now: Seconds) -> Seconds {
        let exptime = if exptime < 0 {
            RELATIVE_MAX + 1
        } else {
            i64::from(exptime)
        };
        if exptime == 0 {
            0
        } else if exptime > RELATIVE_MAX {
            if exptime <= self.origin {
                1
            } else {
                (exptime - self.origin) as u32
            }
        } else {
            now.wrapping_add(exptime as u32)
        }
    }
}

fn unix_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_days_is_the_border_between_relative_and_unix_time() {
        let clock = Clock::manual();
        let now = clock.now();
        assert_eq!(clock.expires_at(0, now), 0);
        assert_eq!(clock.expires_at(10, now), now + 10);
        assert_eq!(clock.expires_at(2_592_000, now), now + 2_592_000);
        assert_eq!(clock.expires_at(2_592_001, now), 1);
        assert_eq!(clock.expires_at(-1, now), 1);
        assert_eq!(clock.expires_at(i32::MIN, now), 1);
    }

    #[test]
    fn a_unix_time_ahead_becomes_the_same_instant_on_the_relative_clock() {
        let clock = Clock::manual();
        let unix = clock.unix(clock.now()) + 100;
        assert_eq!(
            clock.expires_at(unix as i32, clock.now()),
            clock.now() + 100
        );
    }
}
