//! Why a ring could not be built.

use std::fmt;

/// Why [`Ring::new`](super::Ring::new) refused a list of members.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingError {
    /// There is no member, so there is nowhere to put a key.
    Empty,
    /// A member has weight 0. Leave it out of the list instead.
    ZeroWeight {
        /// Name of the member.
        member: String,
    },
    /// Two members have the same name. To give a node more keys, give it a weight.
    Duplicate {
        /// The name that occurs twice.
        member: String,
    },
    /// A host, path or alias is empty or contains a space or a control character.
    IllegalName {
        /// The name as given.
        member: String,
    },
    /// The distribution gives no member a single point.
    NoPoints,
    /// The weights ask for more points or buckets than a ring may have.
    TooLarge {
        /// How many points or buckets the weights add up to.
        asked: u64,
        /// How many a ring may have.
        limit: u64,
    },
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a ring needs at least one member"),
            Self::ZeroWeight { member } => {
                write!(f, "{member} has weight 0; leave it out of the list instead")
            }
            Self::Duplicate { member } => {
                write!(
                    f,
                    "{member} is listed twice; use a weight to give it more keys"
                )
            }
            Self::IllegalName { member } => write!(
                f,
                "{member:?} is no name of a server: empty, or with a space or control character"
            ),
            Self::NoPoints => f.write_str("the distribution gives no member a single point"),
            Self::TooLarge { asked, limit } => write!(
                f,
                "the weights add up to {asked} points, more than the {limit} a ring may have; \
                 divide them by a common factor"
            ),
        }
    }
}

impl std::error::Error for RingError {}
