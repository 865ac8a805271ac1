//! Why a stream or a question that an operator asked for came to nothing, in words that say what
//! to do.

use std::fmt;

use super::state::Failure;

/// Why there is no answer to something that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamTrouble {
    /// The server was started with an option that forbids it.
    Forbidden {
        /// The option, as `-X`.
        option: &'static str,
    },
    /// The server is doing the same for somebody else.
    Busy,
    /// The server's version does not know it.
    TooOld {
        /// The version that does.
        needs: &'static str,
    },
    /// The server keeps no such figures, unless it is started with this option.
    NotCounted {
        /// The option, as `-o track_sizes`.
        option: &'static str,
    },
    /// The node is not there any more, or never was.
    NoSuchNode,
    /// The value is larger than what is shown.
    TooLarge {
        /// Its length in bytes.
        size: u64,
        /// The most that is shown, in bytes.
        most: u64,
    },
    /// The key cannot be asked for.
    BadKey(Box<str>),
    /// The node did not answer, or something else.
    Failed(Failure),
}

impl fmt::Display for StreamTrouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden { option } => {
                write!(formatter, "forbidden: the server was started with {option}")
            }
            Self::Busy => formatter.write_str(
                "busy: the server's crawler is at work for somebody else; try again in a moment",
            ),
            Self::TooOld { needs } => {
                write!(
                    formatter,
                    "the server is too old: this needs memcached {needs} or newer"
                )
            }
            Self::NotCounted { option } => {
                write!(formatter, "not counted: start the server with {option}")
            }
            Self::NoSuchNode => formatter.write_str("no such node"),
            Self::TooLarge { size, most } => write!(
                formatter,
                "{} is more than is shown here ({})",
                super::wording::bytes(*size),
                super::wording::bytes(*most)
            ),
            Self::BadKey(reason) => formatter.write_str(reason),
            Self::Failed(failure) => failure.fmt(formatter),
        }
    }
}
