//! What can go wrong when telemetry is started or ended.

use std::error::Error as StdError;
use std::fmt;

/// Why telemetry could not be started, or not be ended in good order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An environment variable asks for what is not there.
    Variable {
        /// Its name.
        name: &'static str,
        /// What it asks for.
        value: String,
        /// What it may ask for.
        expected: &'static str,
    },
    /// An exporter could not be made.
    Exporter(Box<dyn StdError + Send + Sync>),
    /// A thread or a socket could not be had.
    Io(std::io::Error),
    /// `tracing` has a global subscriber already.
    Subscriber(Box<dyn StdError + Send + Sync>),
    /// What was left could not be sent.
    Flush(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable {
                name,
                value,
                expected,
            } => write!(f, "{name} is {value:?}; expected {expected}"),
            Self::Exporter(error) => write!(f, "could not make an exporter: {error}"),
            Self::Io(error) => write!(f, "could not start telemetry: {error}"),
            Self::Subscriber(error) => write!(f, "could not install the subscriber: {error}"),
            Self::Flush(error) => write!(f, "could not send the rest of the telemetry: {error}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Exporter(error) | Self::Subscriber(error) => Some(&**error),
            Self::Io(error) => Some(error),
            Self::Variable { .. } | Self::Flush(_) => None,
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}
