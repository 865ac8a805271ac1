//! How the load is doing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the load's tasks count.
#[derive(Debug, Default)]
pub struct LoadCounters {
    sent: AtomicU64,
    failed: AtomicU64,
}

impl LoadCounters {
    /// A command was answered, or failed.
    pub fn count(&self, succeeded: bool) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        if !succeeded {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How the load is doing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadReport {
    /// Commands per second that were asked for.
    pub wanted_per_second: u64,
    /// Commands per second sent since the report before.
    pub sent_per_second: Option<f64>,
    /// Commands that failed since the load began.
    pub failed: u64,
}

/// Makes reports out of counters.
#[derive(Debug)]
pub struct LoadMeter {
    wanted_per_second: u64,
    before: Option<(Duration, u64)>,
}

impl LoadMeter {
    /// A meter for a load of `wanted_per_second` commands.
    #[must_use]
    pub const fn new(wanted_per_second: u64) -> Self {
        Self {
            wanted_per_second,
            before: None,
        }
    }

    /// Reads the counters at `now`.
    pub fn read(&mut self, counters: &LoadCounters, now: Duration) -> LoadReport {
        let sent = counters.sent.load(Ordering::Relaxed);
        let before = self.before.replace((now, sent));
        let sent_per_second = before.and_then(|(at, count)| {
            let seconds = now.saturating_sub(at).as_secs_f64();
            (seconds > 0.0).then(|| (sent - count) as f64 / seconds)
        });
        LoadReport {
            wanted_per_second: self.wanted_per_second,
            sent_per_second,
            failed: counters.failed.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LoadCounters, LoadMeter};

    #[test]
    fn the_rate_is_that_since_the_report_before() {
        let (counters, mut meter) = (LoadCounters::default(), LoadMeter::new(10));
        counters.count(true);
        assert_eq!(
            meter
                .read(&counters, Duration::from_secs(1))
                .sent_per_second,
            None
        );
        for succeeded in [true, false, true] {
            counters.count(succeeded);
        }
        let report = meter.read(&counters, Duration::from_secs(3));
        assert_eq!(report.sent_per_second, Some(1.5));
        assert_eq!((report.failed, report.wanted_per_second), (1, 10));
        assert_eq!(
            meter
                .read(&counters, Duration::from_secs(3))
                .sent_per_second,
            None
        );
    }
}
