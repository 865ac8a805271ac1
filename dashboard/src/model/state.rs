//! How a node is doing, judged by whether and how it answers.

use std::fmt;
use std::time::Duration;

/// Polls that may fail in a row before a node counts as down.
pub const FAILURES_UNTIL_DOWN: u32 = 3;

/// Poll intervals without an answer after which what is known counts as stale.
pub const INTERVALS_UNTIL_STALE: u32 = 3;

/// Why a poll got no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Nobody listens at the address.
    Refused,
    /// No way to the address.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The connection broke.
    Disconnected,
    /// The name has no address.
    UnknownHost,
    /// The server wants a login first.
    Unauthenticated,
    /// The server answered with something else than statistics.
    Unexpected(Box<str>),
}

impl Failure {
    /// Whether one such failure says enough, without waiting for more.
    const fn is_conclusive(&self) -> bool {
        matches!(self, Self::Refused | Self::UnknownHost)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed out",
            Self::Disconnected => "connection lost",
            Self::UnknownHost => "unknown host",
            Self::Unauthenticated => "login required",
            Self::Unexpected(text) => text,
        })
    }
}

/// How a node is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeState {
    /// Not heard of yet.
    Connecting,
    /// Answers.
    Up,
    /// Answered before, but not lately: what is shown of it is old.
    Stale,
    /// Does not answer.
    Down(Failure),
    /// Answers, but only that it wants a login.
    Unauthenticated,
}

impl NodeState {
    /// Whether what was last heard of the node still says something about now.
    #[must_use]
    pub const fn is_answering(&self) -> bool {
        matches!(self, Self::Up | Self::Stale)
    }
}

/// The record of a node's answers and failures, from which its state follows.
#[derive(Debug, Clone, Default)]
pub struct Health {
    last_answer: Option<Duration>,
    failures_in_row: u32,
    last_failure: Option<Failure>,
}

impl Health {
    /// The node answered at `at`.
    pub fn answered(&mut self, at: Duration) {
        self.last_answer = Some(at);
        self.failures_in_row = 0;
        self.last_failure = None;
    }

    /// A poll failed.
    pub fn failed(&mut self, failure: Failure) {
        self.failures_in_row = self.failures_in_row.saturating_add(1);
        self.last_failure = Some(failure);
    }

    /// When the node last answered, since the watch began.
    #[must_use]
    pub const fn last_answer(&self) -> Option<Duration> {
        self.last_answer
    }

    /// The state at `now`, for a node polled every `interval`.
    #[must_use]
    pub fn state(&self, now: Duration, interval: Duration) -> NodeState {
        match (&self.last_failure, self.last_answer) {
            (None, None) => NodeState::Connecting,
            (None, Some(answer)) => {
                let silence = now.saturating_sub(answer);
                if silence > interval * INTERVALS_UNTIL_STALE {
                    NodeState::Stale
                } else {
                    NodeState::Up
                }
            }
            (Some(Failure::Unauthenticated), _) => NodeState::Unauthenticated,
            (Some(failure), answer) => {
                let enough = failure.is_conclusive()
                    || answer.is_none()
                    || self.failures_in_row >= FAILURES_UNTIL_DOWN;
                if enough {
                    NodeState::Down(failure.clone())
                } else {
                    NodeState::Stale
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Failure, Health, NodeState};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_node_is_stale_before_it_is_down() {
        let mut health = Health::default();
        assert_eq!(health.state(SECOND, SECOND), NodeState::Connecting);
        health.answered(SECOND);
        assert_eq!(health.state(SECOND, SECOND), NodeState::Up);
        health.failed(Failure::TimedOut);
        health.failed(Failure::TimedOut);
        assert_eq!(health.state(SECOND * 3, SECOND), NodeState::Stale);
        health.failed(Failure::TimedOut);
        assert_eq!(
            health.state(SECOND * 4, SECOND),
            NodeState::Down(Failure::TimedOut)
        );
        health.answered(SECOND * 5);
        assert_eq!(health.state(SECOND * 5, SECOND), NodeState::Up);
    }

    #[test]
    fn silence_alone_makes_stale() {
        let mut health = Health::default();
        health.answered(SECOND);
        assert_eq!(health.state(SECOND * 4, SECOND), NodeState::Up);
        assert_eq!(health.state(SECOND * 5, SECOND), NodeState::Stale);
    }

    #[test]
    fn a_refused_connection_is_down_at_once_and_so_is_a_node_never_reached() {
        let mut health = Health::default();
        health.failed(Failure::TimedOut);
        assert_eq!(
            health.state(SECOND, SECOND),
            NodeState::Down(Failure::TimedOut)
        );
        health.answered(SECOND);
        health.failed(Failure::Refused);
        assert_eq!(
            health.state(SECOND, SECOND),
            NodeState::Down(Failure::Refused)
        );
        health.failed(Failure::Unauthenticated);
        assert_eq!(health.state(SECOND, SECOND), NodeState::Unauthenticated);
    }
}
