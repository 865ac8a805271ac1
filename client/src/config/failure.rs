//! What to do when the node that holds a key fails.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// What to do when the node that holds a key fails: is out of reach, or does not answer in time.
///
/// ```
/// use memlens::config::{Config, FailurePolicy};
///
/// let config: Config = "memcache://cache1,cache2?on_failure=next-node".parse()?;
/// assert_eq!(config.on_failure, FailurePolicy::NextNode);
/// # Ok::<(), memlens::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailurePolicy {
    /// The operation fails. No other node is asked, so nothing stale is ever read. The default.
    ///
    /// After [`eject_after`](super::Config::eject_after) time-outs in a row, operations on the node
    /// fail at once, until it answers a probe.
    #[default]
    Fail,
    /// Reads miss; what writes still fails. What other clients call `ignore_exc`.
    ///
    /// The application needs no code for failures of the cache. The price: it can't tell a cache
    /// that is down from one that is empty, and the whole load of a lost node falls on what stands
    /// behind the cache.
    Miss,
    /// A node that fails [`eject_after`](super::Config::eject_after) times in a row is left out, and
    /// its keys live on the next node that the ring has for each, as the ring's profile does it.
    /// Every [`dead_retry`](super::Config::dead_retry) it is asked whether it is back; it is, when
    /// it has answered.
    ///
    /// The risk: **old values come back.** What was written to the next node meanwhile is forgotten
    /// when the node returns, and what the node holds from before is read again, even if it was
    /// changed or deleted elsewhere. Two clients that disagree on whether a node is up read and
    /// write different copies. Use it only for values that may be old for as long as they live, and
    /// let them expire.
    NextNode,
}

const NAMES: &[(FailurePolicy, &str)] = &[
    (FailurePolicy::Fail, "fail"),
    (FailurePolicy::Miss, "miss"),
    (FailurePolicy::NextNode, "next-node"),
];

impl FailurePolicy {
    /// The name, as in a URL.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(policy, _)| *policy == self)
            .map_or("", |(_, name)| name)
    }
}

impl fmt::Display for FailurePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FailurePolicy {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = NAMES.iter().find(|(_, known)| *known == name);
        found
            .map(|(policy, _)| *policy)
            .ok_or_else(|| Error::invalid_input("a failure policy is fail, miss or next-node"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (policy, name) in NAMES {
            assert_eq!(name.parse::<FailurePolicy>().unwrap(), *policy);
            assert_eq!(policy.to_string(), *name);
        }
        assert!("Fail".parse::<FailurePolicy>().is_err());
    }
}
