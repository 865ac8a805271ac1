//! How operations fail, in words that are the same for every server and every key.

use std::error::Error as _;
use std::io;

use crate::error::{Error, ErrorKind};

macro_rules! error_classes {
    ($($(#[$documentation:meta])* $variant:ident $name:literal $description:literal,)*) => {
        /// The kinds of failure that telemetry tells apart: the closed set of `error.type`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ErrorClass {
            $($(#[$documentation])* $variant,)*
        }

        impl ErrorClass {
            /// Every class.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value of `error.type`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// One fixed sentence, which holds nothing of the operation.
            pub(crate) const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $description,)*
                }
            }
        }
    };
}

error_classes! {
    /// The operation's deadline passed.
    Timeout "timeout" "the operation timed out",
    /// No connection could be made in time.
    ConnectTimeout "connect_timeout" "connecting timed out",
    /// The host refused the connection, or could not be reached.
    ConnectionRefused "connection_refused" "could not connect",
    /// The other side, or something between, reset the connection.
    ConnectionReset "connection_reset" "the connection was reset",
    /// The connection ended while the operation was under way.
    ConnectionClosed "connection_closed" "the connection was lost",
    /// The server's name could not be resolved.
    Dns "dns" "could not resolve the server's name",
    /// The encrypted connection could not be set up.
    Tls "tls" "could not set up TLS",
    /// The server wants a login, or refused it.
    Auth "auth" "the server wants a login",
    /// The server's reply was not what the protocol allows.
    Protocol "protocol" "the server broke the protocol",
    /// The server answered `CLIENT_ERROR`.
    ClientError "CLIENT_ERROR" "the server refused the request",
    /// The server answered `SERVER_ERROR`.
    ServerError "SERVER_ERROR" "the server could not carry out the request",
    /// The server answered `ERROR`.
    UnknownCommand "ERROR" "the server doesn't know the command",
    /// The value is larger than the server, or the client's setting, allows.
    TooLarge "too_large" "the value is too large",
    /// The key is none that memcached takes.
    InvalidKey "invalid_key" "invalid key",
    /// There is no server to send to.
    NoServer "no_server" "there is no server",
    /// The node could not be reached a moment ago.
    NodeDown "node_down" "the node is down",
    /// Too many operations were under way.
    Overloaded "overloaded" "too many operations under way",
    /// The caller dropped the operation.
    Cancelled "cancelled" "the caller dropped the operation",
    /// Anything else.
    Other "_OTHER" "another error",
}

impl ErrorClass {
    pub(crate) const COUNT: usize = Self::ALL.len();

    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    pub(crate) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::ConnectTimeout => Self::ConnectTimeout,
            ErrorKind::Connect => Self::ConnectionRefused,
            ErrorKind::ConnectionClosed if is_reset(error) => Self::ConnectionReset,
            ErrorKind::ConnectionClosed => Self::ConnectionClosed,
            ErrorKind::Dns => Self::Dns,
            ErrorKind::Tls => Self::Tls,
            ErrorKind::Auth => Self::Auth,
            ErrorKind::Protocol => Self::Protocol,
            ErrorKind::ClientError | ErrorKind::NotNumeric => Self::ClientError,
            ErrorKind::ServerError => Self::ServerError,
            ErrorKind::UnknownCommand => Self::UnknownCommand,
            ErrorKind::TooLarge => Self::TooLarge,
            ErrorKind::InvalidKey => Self::InvalidKey,
            ErrorKind::NoServer => Self::NoServer,
            ErrorKind::NodeDown => Self::NodeDown,
            ErrorKind::Overloaded => Self::Overloaded,
            ErrorKind::InvalidInput
            | ErrorKind::ClientClosed
            | ErrorKind::Decode
            | ErrorKind::Compute
            | ErrorKind::Io => Self::Other,
        }
    }
}

fn is_reset(error: &Error) -> bool {
    error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|source| source.kind() == io::ErrorKind::ConnectionReset)
}

/// The first word of the server's error line, where it sent one.
pub(crate) fn status_code(error: &Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::UnknownCommand => Some("ERROR"),
        ErrorKind::ClientError | ErrorKind::NotNumeric => Some("CLIENT_ERROR"),
        ErrorKind::ServerError => Some("SERVER_ERROR"),
        // The client finds these itself as well, and then there is no message.
        ErrorKind::TooLarge => error.server_message().map(|_| "SERVER_ERROR"),
        ErrorKind::Auth => error.server_message().map(|_| "CLIENT_ERROR"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_told_from_an_orderly_end() {
        let closed = Error::new(ErrorKind::ConnectionClosed);
        assert_eq!(ErrorClass::of(&closed), ErrorClass::ConnectionClosed);
        let reset = closed.caused_by(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(ErrorClass::of(&reset), ErrorClass::ConnectionReset);
    }

    #[test]
    fn the_code_is_the_first_word_of_the_servers_line() {
        let sent = |kind| Error::from_server(kind, "any", None);
        assert_eq!(
            status_code(&sent(ErrorKind::TooLarge)),
            Some("SERVER_ERROR")
        );
        assert_eq!(status_code(&Error::new(ErrorKind::TooLarge)), None);
        assert_eq!(
            status_code(&sent(ErrorKind::NotNumeric)),
            Some("CLIENT_ERROR")
        );
        assert_eq!(
            ErrorClass::of(&sent(ErrorKind::NotNumeric)).as_str(),
            "CLIENT_ERROR"
        );
        assert_eq!(status_code(&Error::new(ErrorKind::Timeout)), None);
    }
}
