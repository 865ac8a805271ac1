//! How much work is due at a moment.

use std::time::Duration;

/// Work left undone for longer than this is given up instead of made good: after a stall a burst
/// would load the servers as no application does.
const LONGEST_BACKLOG: Duration = Duration::from_millis(500);

/// Spreads a number of commands per second evenly over time.
#[derive(Debug, Clone)]
pub struct Pace {
    per_second: f64,
    paid_until: Duration,
}

impl Pace {
    /// A pace of `per_second` commands, which must be finite and not negative, beginning at
    /// `start`.
    #[must_use]
    pub fn new(per_second: f64, start: Duration) -> Self {
        Self {
            per_second,
            paid_until: start,
        }
    }

    /// How many commands are due at `now`.
    pub fn due(&mut self, now: Duration) -> u64 {
        self.paid_until = self.paid_until.max(now.saturating_sub(LONGEST_BACKLOG));
        let behind = now.saturating_sub(self.paid_until).as_secs_f64();
        (behind * self.per_second) as u64
    }

    /// Takes note of commands that were sent.
    pub fn sent(&mut self, commands: u64) {
        if self.per_second > 0.0 {
            self.paid_until += Duration::from_secs_f64(commands as f64 / self.per_second);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LONGEST_BACKLOG, Pace};

    #[test]
    fn over_a_minute_exactly_the_rate_is_sent() {
        let mut pace = Pace::new(1250.0, Duration::ZERO);
        let mut sent = 0;
        for tick in 1..=6000 {
            let due = pace.due(Duration::from_millis(tick * 10));
            pace.sent(due);
            sent += due;
        }
        assert!((74_998..=75_000).contains(&sent), "{sent}");
    }

    #[test]
    fn sending_too_much_is_paid_back() {
        let mut pace = Pace::new(100.0, Duration::ZERO);
        pace.sent(7);
        assert_eq!(pace.due(Duration::from_millis(50)), 0);
        assert_eq!(pace.due(Duration::from_millis(95)), 2);
    }

    #[test]
    fn a_stall_is_not_made_good() {
        let mut pace = Pace::new(100.0, Duration::ZERO);
        let all_of_backlog = (100.0 * LONGEST_BACKLOG.as_secs_f64()) as u64;
        assert_eq!(pace.due(Duration::from_secs(3600)), all_of_backlog);
    }

    #[test]
    fn a_pace_of_nothing_never_has_anything_due() {
        let mut pace = Pace::new(0.0, Duration::ZERO);
        pace.sent(1);
        assert_eq!(pace.due(Duration::from_secs(3600)), 0);
    }
}
