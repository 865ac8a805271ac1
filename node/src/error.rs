//! Why a node could not be built or started.

use std::fmt;
use std::io;

/// The result of building or starting a node.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a node could not be built or started.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A setting is out of range or contradicts another one.
    Config(String),
    /// The address could not be bound, the socket file not created, or a file not read.
    Io {
        /// What was attempted, for example `bind 127.0.0.1:11211`.
        action: String,
        /// What the operating system answered.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::Config(message.into())
    }

    pub(crate) fn io(action: impl Into<String>, source: io::Error) -> Self {
        Self::Io {
            action: action.into(),
            source,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(message) => f.write_str(message),
            Self::Io { action, source } => write!(f, "{action}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config(_) => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Config(message) => Self::new(io::ErrorKind::InvalidInput, message),
            Error::Io { action, source } => Self::new(source.kind(), format!("{action}: {source}")),
        }
    }
}
