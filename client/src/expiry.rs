//! When an item stops existing, and how that is told to the server.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

/// The longest relative exptime, in seconds: 30 days (`REALTIME_MAXDELTA` in memcached.c).
/// memcached takes any larger number for a Unix time, so 30 days + 1 s is a moment in 1970 and the
/// item is gone at once.
const MAX_RELATIVE: u64 = 60 * 60 * 24 * 30;

/// What tells memcached that an item is expired already.
const ALREADY_EXPIRED: i32 = -1;

/// When an item expires.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use memlens::Expiry;
///
/// let five_minutes = Expiry::secs(300);
/// assert_eq!(five_minutes, Duration::from_secs(300).into());
/// let midnight = Expiry::At(SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000));
/// assert_eq!(Expiry::default(), Expiry::Never);
/// # let _ = midnight;
/// ```
///
/// # How precise it is
///
/// memcached counts whole seconds by a clock that ticks once a second. A part of a second is
/// rounded *up*, so no duration becomes the 0 that means "never", and an item may live up to a
/// second longer or shorter than asked. "Never" only means that no time is set: memcached still
/// evicts items when its memory is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// The item stays until it is deleted or evicted.
    #[default]
    Never,
    /// The item lives for this long, counted from the moment of the write. Zero is the same as
    /// [`Immediately`](Self::Immediately).
    ///
    /// Up to 30 days, the server counts by its own clock. Longer durations have to be sent as a
    /// point in time, so there the difference between the client's clock and the server's counts.
    After(Duration),
    /// The item lives until this moment of the server's clock. A moment in the past is the same as
    /// [`Immediately`](Self::Immediately).
    At(SystemTime),
    /// The item is expired as soon as it is written. A `touch` with it works as a delete.
    Immediately,
}

impl Expiry {
    /// After `seconds` seconds. 0 is [`Immediately`](Self::Immediately); it does *not* mean
    /// "never", as it does in memcached's protocol and in the clients that pass it on.
    #[must_use]
    pub const fn secs(seconds: u64) -> Self {
        if seconds == 0 {
            return Self::Immediately;
        }
        Self::After(Duration::from_secs(seconds))
    }

    /// The exptime that memcached's protocol has for this: 0 for never, seconds up to 30 days, a
    /// Unix time, or -1 for what is over already.
    ///
    /// `now` is the client's clock. It decides what is in the past, and where a duration of more
    /// than 30 days ends.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the moment lies after
    /// 2038-01-19 03:14:07 UTC, the last one that memcached can keep, or when `now` is before 1970
    /// and a Unix time is needed.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use memlens::Expiry;
    ///
    /// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    /// assert_eq!(Expiry::Never.to_exptime(now)?, 0);
    /// assert_eq!(Expiry::After(Duration::from_millis(1)).to_exptime(now)?, 1);
    /// assert_eq!(Expiry::secs(2_592_000).to_exptime(now)?, 2_592_000);
    /// assert_eq!(Expiry::secs(2_592_001).to_exptime(now)?, 1_802_592_001);
    /// # Ok::<(), memlens::Error>(())
    /// ```
    pub fn to_exptime(self, now: SystemTime) -> Result<i32> {
        match self {
            Self::Never => Ok(0),
            Self::Immediately => Ok(ALREADY_EXPIRED),
            Self::After(duration) => after(duration, now),
            Self::At(moment) => at(moment, now),
        }
    }
}

fn after(duration: Duration, now: SystemTime) -> Result<i32> {
    match whole_seconds(duration) {
        0 => Ok(ALREADY_EXPIRED),
        seconds @ 1..=MAX_RELATIVE => narrow(seconds),
        _ => {
            let since_1970 = now
                .duration_since(UNIX_EPOCH)
                .map_err(|_| Error::invalid_input("this machine's clock stands before 1970"))?;
            let end = since_1970.checked_add(duration).ok_or_else(too_late)?;
            narrow(whole_seconds(end))
        }
    }
}

fn at(moment: SystemTime, now: SystemTime) -> Result<i32> {
    let Ok(left) = moment.duration_since(now) else {
        return Ok(ALREADY_EXPIRED);
    };
    if left.is_zero() {
        return Ok(ALREADY_EXPIRED);
    }
    let unix_time = moment.duration_since(UNIX_EPOCH).map_or(0, whole_seconds);
    if unix_time <= MAX_RELATIVE {
        // A clock that starts in January 1970: the number would be taken for a duration.
        return after(left, now);
    }
    narrow(unix_time)
}

/// Rounds up. `u64::MAX` and a fraction stays at `u64::MAX`, which is far out of range anyway.
const fn whole_seconds(duration: Duration) -> u64 {
    let part = if duration.subsec_nanos() == 0 { 0 } else { 1 };
    duration.as_secs().saturating_add(part)
}

/// memcached keeps 32 bits of an exptime and reports no overflow: 1.6.18 lets an item with exptime
/// 2147483648 expire at once and one with 4294967296 live for ever.
fn narrow(seconds: u64) -> Result<i32> {
    i32::try_from(seconds).map_err(|_| too_late())
}

#[cold]
fn too_late() -> Error {
    Error::invalid_input("an expiry after 2038-01-19, the last moment that memcached can keep")
}

/// Zero is [`Expiry::Immediately`].
impl From<Duration> for Expiry {
    fn from(duration: Duration) -> Self {
        if duration.is_zero() {
            return Self::Immediately;
        }
        Self::After(duration)
    }
}

impl From<SystemTime> for Expiry {
    fn from(moment: SystemTime) -> Self {
        Self::At(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const NOW: u64 = 1_800_000_000;
    const DAY: u64 = 24 * 60 * 60;

    fn unix(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn what_each_expiry_is_on_the_wire() {
        let table = [
            (Expiry::Never, 0),
            (Expiry::Immediately, -1),
            (Expiry::After(Duration::ZERO), -1),
            (Duration::ZERO.into(), -1),
            (Expiry::secs(0), -1),
            (Expiry::After(Duration::from_nanos(1)), 1),
            (Expiry::After(Duration::from_millis(1)), 1),
            (Expiry::After(Duration::from_millis(999)), 1),
            (Expiry::secs(1), 1),
            (Expiry::After(Duration::from_millis(1001)), 2),
            (Expiry::secs(30 * DAY - 1), 2_591_999),
            (Expiry::secs(30 * DAY), 2_592_000),
            (
                Expiry::After(Duration::from_millis(30 * DAY * 1000 + 1)),
                1_802_592_001,
            ),
            (Expiry::secs(30 * DAY + 1), 1_802_592_001),
            (Expiry::secs(10 * 365 * DAY), 2_115_360_000),
            (Expiry::At(unix(NOW + 60)), 1_800_000_060),
            (
                Expiry::At(unix(NOW + 60) + Duration::from_millis(1)),
                1_800_000_061,
            ),
            (
                Expiry::At(unix(NOW) + Duration::from_nanos(1)),
                1_800_000_001,
            ),
            (Expiry::At(unix(NOW)), -1),
            (Expiry::At(unix(NOW - 1)), -1),
            (Expiry::At(unix(0)), -1),
            (Expiry::At(UNIX_EPOCH - Duration::from_secs(5)), -1),
            (Expiry::At(unix(2_147_483_647)), i32::MAX),
            (Expiry::secs(2_147_483_647 - NOW), i32::MAX),
        ];
        for (expiry, exptime) in table {
            assert_eq!(expiry.to_exptime(unix(NOW)).unwrap(), exptime, "{expiry:?}");
        }
    }

    #[test]
    fn what_memcached_cannot_keep_is_refused() {
        for expiry in [
            Expiry::At(unix(2_147_483_648)),
            Expiry::At(unix(2_147_483_647) + Duration::from_millis(1)),
            Expiry::At(unix(4_294_967_296)),
            Expiry::secs(2_147_483_648 - NOW),
            Expiry::secs(u64::MAX),
            Expiry::After(Duration::MAX),
        ] {
            let error = expiry.to_exptime(unix(NOW)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{expiry:?}");
            assert!(error.to_string().contains("2038"), "{error}");
        }
    }

    #[test]
    fn a_wrong_clock_never_turns_a_moment_into_another_one() {
        let day_of_1970 = unix(10 * DAY);
        assert_eq!(
            Expiry::At(unix(12 * DAY)).to_exptime(day_of_1970).unwrap(),
            172_800
        );
        assert_eq!(
            Expiry::At(unix(40 * DAY)).to_exptime(day_of_1970).unwrap(),
            3_456_000
        );
        let before_1970 = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Expiry::secs(5).to_exptime(before_1970).unwrap(), 5);
        assert!(Expiry::secs(31 * DAY).to_exptime(before_1970).is_err());
    }

    #[test]
    fn every_duration_lives_at_least_as_long_as_asked() {
        for seconds in [0, 1, 59, 30 * DAY - 1, 30 * DAY, 30 * DAY + 1, 4000 * DAY] {
            for nanos in [1, 500_000_000, 999_999_999] {
                let duration = Duration::new(seconds, nanos);
                let exptime = Expiry::After(duration).to_exptime(unix(NOW)).unwrap();
                let exptime = u64::try_from(exptime).unwrap();
                let life = if exptime > MAX_RELATIVE {
                    exptime - NOW
                } else {
                    exptime
                };
                assert_eq!(life, seconds + 1, "{duration:?}");
            }
        }
    }
}
