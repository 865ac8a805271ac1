//! How long a computed value is good for.

use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::expiry::Expiry;

/// How long nobody else tries while one who computes may have died, unless set.
const LEASE: Duration = Duration::from_secs(5);

/// How coarse memcached's clock is.
const TICK: Duration = Duration::from_secs(1);

/// How long what [`get_or_compute`](crate::Client::get_or_compute) stores is good for, and what
/// happens around its end. A [`Duration`] or an [`Expiry`] does where only that matters.
///
/// All callers of a key should have the same: what one stores, the others judge by their own.
///
/// ```
/// use std::time::Duration;
/// use memlens::Freshness;
///
/// // Fresh for ten minutes. In the last of them, somebody who reads it makes a new one; if nobody
/// // comes or it takes longer, the old one is good enough for an hour more.
/// let report = Freshness::new(Duration::from_secs(600))
///     .refresh_ahead(Duration::from_secs(60))
///     .serve_stale(Duration::from_secs(3600));
/// # let _ = report;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it says how long something is fresh, and does nothing by itself"]
pub struct Freshness {
    expiry: Expiry,
    ahead: Duration,
    stale: Duration,
    lease: Duration,
    requires_cache: bool,
}

impl Freshness {
    /// Fresh until then, and gone after that. [`Expiry::Never`] and a moment are possible as well.
    pub fn new(expiry: impl Into<Expiry>) -> Self {
        Self {
            expiry: expiry.into(),
            ahead: Duration::ZERO,
            stale: Duration::ZERO,
            lease: LEASE,
            requires_cache: false,
        }
    }

    /// Lets one caller make a new value when the old one has less than this to live, while all others
    /// still get the old one. Not by default: then the value is made when it is gone.
    ///
    /// The time that the computation takes, and a bit more, makes sure that nobody waits as long as
    /// somebody asks often enough. In whole seconds, rounded up.
    pub const fn refresh_ahead(mut self, ahead: Duration) -> Self {
        self.ahead = ahead;
        self
    }

    /// Keeps values for this long after their freshness has ended. Who comes first then makes a new
    /// one; all others get the old one until it is there. Not by default: then they wait.
    pub const fn serve_stale(mut self, stale: Duration) -> Self {
        self.stale = stale;
        self
    }

    /// How long it takes until somebody else may compute when the one who does is not heard of any
    /// more: 5 s by default. In whole seconds, rounded up, at least one.
    ///
    /// It has nothing to do with how long the computation takes. While that is under way, the lease
    /// is renewed three times in its length.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Makes failures of the cache errors. By default, the value is computed without it: then only
    /// the callers that share a client share the computation.
    pub const fn require_cache(mut self) -> Self {
        self.requires_cache = true;
        self
    }

    pub(super) fn plan(self) -> Result<Plan> {
        let too_long = || Error::invalid_input("freshness: it is longer than time goes");
        let total = match self.expiry {
            Expiry::Immediately | Expiry::After(Duration::ZERO) => {
                return Err(Error::invalid_input("freshness: it must not be zero"));
            }
            Expiry::Never => Expiry::Never,
            Expiry::After(fresh) => {
                Expiry::After(fresh.checked_add(self.stale).ok_or_else(too_long)?)
            }
            Expiry::At(end) => Expiry::At(end.checked_add(self.stale).ok_or_else(too_long)?),
        };
        // An item that is to live for a second may end with the server's next tick, a moment from now.
        let lease = whole_seconds(self.lease);
        let lease_on_server = Expiry::After(lease.saturating_add(TICK));
        let refresh = self.ahead.checked_add(self.stale).ok_or_else(too_long)?;
        total.to_exptime(SystemTime::now())?;
        lease_on_server.to_exptime(SystemTime::now())?;
        Ok(Plan {
            total,
            refresh: (!refresh.is_zero()).then_some(refresh),
            lease,
            lease_on_server,
            requires_cache: self.requires_cache,
        })
    }
}

/// At least one.
fn whole_seconds(duration: Duration) -> Duration {
    let part = u64::from(duration.subsec_nanos() > 0);
    Duration::from_secs(duration.as_secs().saturating_add(part).max(1))
}

impl From<Duration> for Freshness {
    fn from(duration: Duration) -> Self {
        Self::new(duration)
    }
}

impl From<SystemTime> for Freshness {
    fn from(moment: SystemTime) -> Self {
        Self::new(moment)
    }
}

impl From<Expiry> for Freshness {
    fn from(expiry: Expiry) -> Self {
        Self::new(expiry)
    }
}

/// [`Freshness`] as the server is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// When the item is gone.
    pub(super) total: Expiry,
    /// With less than this to live, one caller makes a new value.
    pub(super) refresh: Option<Duration>,
    pub(super) lease: Duration,
    /// At least as long, by a clock that ticks once a second.
    pub(super) lease_on_server: Expiry,
    pub(super) requires_cache: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_stale_lives_on_and_is_renewed_from_the_end_of_its_freshness() {
        let plan = Freshness::new(60 * SECOND).plan().unwrap();
        assert_eq!((plan.total, plan.refresh), (Expiry::secs(60), None));
        assert_eq!(plan.lease, LEASE);
        let plan = Freshness::from(60 * SECOND)
            .serve_stale(30 * SECOND)
            .refresh_ahead(5 * SECOND)
            .lease(SECOND / 2);
        let plan = plan.plan().unwrap();
        assert_eq!(plan.total, Expiry::secs(90));
        assert_eq!(plan.refresh, Some(35 * SECOND));
        assert_eq!(plan.lease, SECOND);
    }

    #[test]
    fn what_no_server_can_keep_is_refused() {
        for freshness in [
            Freshness::new(Duration::ZERO),
            Freshness::new(Expiry::Immediately),
            Freshness::new(SECOND).serve_stale(Duration::MAX),
            Freshness::new(Duration::MAX),
            Freshness::new(SECOND).lease(Duration::MAX),
        ] {
            let error = freshness.plan().unwrap_err();
            assert!(error.is_invalid_input(), "{freshness:?}");
        }
        assert!(Freshness::new(Expiry::Never).plan().is_ok());
    }
}
