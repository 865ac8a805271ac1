//! What an error of the client says of something that an operator asked for.

use memlens::{Error, ErrorKind};

use super::client::failure;
use crate::model::StreamTrouble;

/// What was asked for, as far as its errors are its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    /// `lru_crawler metadump`.
    Metadump,
    /// `watch`, with the version that knows the topics.
    Watch {
        /// The first version that knows all of them.
        needs: &'static str,
    },
    /// `mg`.
    MetaGet,
    /// A `stats` with this name.
    Stats {
        /// The first version that knows it.
        needs: &'static str,
    },
}

/// Why it came to nothing.
pub(super) fn trouble(asked: Asked, error: &Error) -> StreamTrouble {
    let says = |words: &str| {
        error
            .server_message()
            .is_some_and(|text| text.contains(words))
    };
    match (asked, error.kind()) {
        (_, ErrorKind::InvalidKey) => StreamTrouble::BadKey(error.to_string().into()),
        (_, ErrorKind::NoServer) => StreamTrouble::NoSuchNode,
        // `-X` answers ERROR with words, a server that does not know the command without.
        (Asked::Metadump, _) if says("not allowed") => StreamTrouble::Forbidden { option: "-X" },
        (Asked::Watch { .. }, _) if says("not allowed") => {
            StreamTrouble::Forbidden { option: "-W" }
        }
        (Asked::Metadump, ErrorKind::ServerError) if says("BUSY") => StreamTrouble::Busy,
        (Asked::Metadump, ErrorKind::UnknownCommand) => StreamTrouble::TooOld { needs: "1.4.31" },
        (Asked::MetaGet, ErrorKind::UnknownCommand) => StreamTrouble::TooOld { needs: "1.6.0" },
        (Asked::Watch { needs } | Asked::Stats { needs }, ErrorKind::UnknownCommand) => {
            StreamTrouble::TooOld { needs }
        }
        _ => StreamTrouble::Failed(failure(error)),
    }
}
