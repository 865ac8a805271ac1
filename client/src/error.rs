//! The one error type: what went wrong, on which node, and whether the server may have seen it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// The result of a memlens operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong.
///
/// A miss is no error: reads answer `Ok(None)`, and a lost `cas`, a refused `add` and their like
/// are outcomes of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A key that memcached would refuse or misread. Nothing was sent.
    InvalidKey,
    /// Another argument, or a setting, that makes no sense. Nothing was sent.
    InvalidInput,
    /// The operation's deadline passed.
    Timeout,
    /// No connection could be made within the connect timeout.
    ConnectTimeout,
    /// The server's host refused the connection, or could not be reached.
    Connect,
    /// The server's name could not be resolved.
    Dns,
    /// The connection could not be encrypted: the server's certificate is not to be trusted, or it
    /// does not trust the client's, or it doesn't speak TLS.
    Tls,
    /// The connection broke while the operation was under way.
    ConnectionClosed,
    /// The node could not be reached a moment ago and its next attempt is not due yet, or it is
    /// left out until it answers again.
    NodeDown,
    /// Too many operations were under way until the deadline passed.
    Overloaded,
    /// There is no server to send to.
    NoServer,
    /// The client was closed.
    ClientClosed,
    /// The server's reply can't be one to this request, or can't be understood. The connection was
    /// closed, unless only a detail was wrong.
    Protocol,
    /// The server answered `ERROR`: it doesn't know the command, or it is switched off.
    UnknownCommand,
    /// The server answered `CLIENT_ERROR`.
    ClientError,
    /// The server answered `SERVER_ERROR`.
    ServerError,
    /// The value is larger than the server, or this client's setting, allows.
    TooLarge,
    /// `incr` or `decr` on a value that is no number.
    NotNumeric,
    /// The server wants a login, or refused it.
    Auth,
    /// The stored value is not of the type that was asked for.
    Decode,
    /// The computation failed that was given to [`get_or_compute`](crate::Client::get_or_compute).
    /// [`Error::computation`] says how.
    Compute,
    /// The operating system reported something else.
    Io,
}

impl ErrorKind {
    /// A short fixed name, as used for the `error.type` attribute of telemetry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidKey => "invalid_key",
            Self::InvalidInput => "invalid_input",
            Self::Timeout => "timeout",
            Self::ConnectTimeout => "connect_timeout",
            Self::Connect => "connection_refused",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::ConnectionClosed => "connection_closed",
            Self::NodeDown => "node_down",
            Self::Overloaded => "overloaded",
            Self::NoServer => "no_server",
            Self::ClientClosed => "client_closed",
            Self::Protocol => "protocol",
            Self::UnknownCommand => "ERROR",
            Self::ClientError => "CLIENT_ERROR",
            Self::ServerError => "SERVER_ERROR",
            Self::TooLarge => "too_large",
            Self::NotNumeric => "not_numeric",
            Self::Auth => "auth",
            Self::Decode => "decode",
            Self::Compute => "compute",
            Self::Io => "io",
        }
    }

    const fn summary(self) -> &'static str {
        match self {
            Self::InvalidKey => "invalid key",
            Self::InvalidInput => "invalid input",
            Self::Timeout => "the operation timed out",
            Self::ConnectTimeout => "connecting timed out",
            Self::Connect => "could not connect",
            Self::Dns => "could not resolve the server's name",
            Self::Tls => "could not set up TLS",
            Self::ConnectionClosed => "the connection was lost",
            Self::NodeDown => "the node is down",
            Self::Overloaded => "too many operations under way",
            Self::NoServer => "there is no server",
            Self::ClientClosed => "the client was closed",
            Self::Protocol => "the server broke the protocol",
            Self::UnknownCommand => "the server doesn't know the command",
            Self::ClientError => "the server refused the request",
            Self::ServerError => "the server could not carry out the request",
            Self::TooLarge => "the value is too large",
            Self::NotNumeric => "the stored value is not a number",
            Self::Auth => "the server wants a login",
            Self::Decode => "the stored value is of another type",
            Self::Compute => "the computation failed",
            Self::Io => "an input/output error",
        }
    }
}

/// An error of a memlens operation.
///
/// It never shows the bytes of a key or a value, so it can be logged.
///
/// ```
/// # async fn example(client: memlens::Client) {
/// match client.get::<String>("greeting").await {
///     Ok(Some(text)) => println!("{text}"),
///     Ok(None) => println!("a miss"),
///     Err(error) if error.is_timeout() => println!("{:?} was too slow", error.node()),
///     Err(error) => println!("{error}"),
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    was_sent: bool,
    node: Option<Arc<str>>,
    detail: Option<Cow<'static, str>>,
    server_message: Option<Box<str>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    #[cold]
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            was_sent: false,
            node: None,
            detail: None,
            server_message: None,
            source: None,
        }))
    }

    /// `detail` must not hold bytes of keys or values.
    #[cold]
    pub(crate) fn with_detail(kind: ErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(kind);
        error.0.detail = Some(detail.into());
        error
    }

    pub(crate) fn invalid_key(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with_detail(ErrorKind::InvalidKey, detail)
    }

    pub(crate) fn invalid_input(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with_detail(ErrorKind::InvalidInput, detail)
    }

    pub(crate) fn protocol(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with_detail(ErrorKind::Protocol, detail).sent(true)
    }

    pub(crate) fn decode(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::with_detail(ErrorKind::Decode, detail).sent(true)
    }

    /// `known` is the message if it is one of memcached's own, which are safe to show.
    pub(crate) fn from_server(kind: ErrorKind, message: &str, known: Option<&'static str>) -> Self {
        let detail = known.map_or_else(
            || Cow::Owned(format!("an unlisted message of {} bytes", message.len())),
            Cow::Borrowed,
        );
        let mut error = Self::with_detail(kind, detail).sent(true);
        error.0.server_message = Some(message.into());
        error
    }

    pub(crate) fn sent(mut self, was_sent: bool) -> Self {
        self.0.was_sent = was_sent;
        self
    }

    pub(crate) fn at(mut self, node: &Arc<str>) -> Self {
        self.0.node.get_or_insert_with(|| Arc::clone(node));
        self
    }

    pub(crate) fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// What the application's own computation failed with.
    pub(crate) fn of_computation(source: Box<dyn StdError + Send + Sync>) -> Self {
        let mut error = Self::new(ErrorKind::Compute);
        error.0.source = Some(source.into());
        error
    }

    /// The same failure as seen by an operation that found the node down already.
    pub(crate) fn as_node_down(&self) -> Self {
        let mut error = self.clone().sent(false);
        error.0.detail = Some(Cow::Owned(match &self.0.detail {
            Some(detail) => format!("{}: {detail}", self.0.kind.summary()),
            None => self.0.kind.summary().to_owned(),
        }));
        error.0.kind = ErrorKind::NodeDown;
        error
    }

    /// What kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The node it happened on, as it was named in the configuration.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        self.0.node.as_deref()
    }

    /// The server's own words after `CLIENT_ERROR` or `SERVER_ERROR`, where it sent some.
    ///
    /// They are shown by `Display` only when they are one of memcached's fixed messages; any other
    /// server or proxy might echo a key in them.
    #[must_use]
    pub fn server_message(&self) -> Option<&str> {
        self.0.server_message.as_deref()
    }

    /// Whether the server may have received the request, and so may have carried it out.
    ///
    /// `false` is a promise: not a byte of the request reached the operating system.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        self.0.was_sent
    }

    /// What the computation given to [`get_or_compute`](crate::Client::get_or_compute) failed with,
    /// if that is what happened. All who waited for the same computation get the same error.
    ///
    /// ```
    /// # fn example(error: memlens::Error) {
    /// if let Some(error) = error.computation().and_then(|it| it.downcast_ref::<std::io::Error>()) {
    ///     println!("{:?}", error.kind());
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn computation(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        let source = self.0.source.as_deref();
        source.filter(|_| self.0.kind == ErrorKind::Compute)
    }

    /// Whether a deadline passed: the operation's, or the one for connecting.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Timeout | ErrorKind::ConnectTimeout)
    }

    /// Whether the node was out of reach, or went out of reach.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        use ErrorKind::{
            Connect, ConnectTimeout, ConnectionClosed, Dns, Io, NodeDown, Protocol, Tls,
        };
        matches!(
            self.0.kind,
            Connect | ConnectTimeout | ConnectionClosed | Dns | Io | NodeDown | Protocol | Tls
        )
    }

    /// Whether the caller's key, argument or setting was at fault.
    #[must_use]
    pub fn is_invalid_input(&self) -> bool {
        matches!(self.0.kind, ErrorKind::InvalidKey | ErrorKind::InvalidInput)
    }

    /// Whether trying the same operation again may help and cannot apply it twice.
    ///
    /// True for failures of the network or of load that struck before the request was sent.
    /// Whether a request that *was* sent may be repeated depends on the operation: reads may,
    /// `incr` and `append` may not.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !self.0.was_sent
            && (self.is_connection() || self.is_timeout() || self.0.kind == ErrorKind::Overloaded)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(node) = &self.0.node {
            write!(f, "{node}: ")?;
        }
        f.write_str(self.0.kind.summary())?;
        if let Some(detail) = &self.0.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("node", &self.0.node)
            .field("was_sent", &self.0.was_sent)
            .field("detail", &self.0.detail)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn unlisted_server_messages_stay_out_of_display() {
        let error = Error::from_server(ErrorKind::ServerError, "no such key: secret", None);
        assert!(!error.to_string().contains("secret"));
        assert!(!format!("{error:?}").contains("secret"));
        assert_eq!(error.server_message(), Some("no such key: secret"));
    }

    #[test]
    fn only_unsent_failures_of_the_network_are_retryable() {
        assert!(Error::new(ErrorKind::Connect).is_retryable());
        assert!(Error::new(ErrorKind::Overloaded).is_retryable());
        assert!(
            !Error::new(ErrorKind::ConnectionClosed)
                .sent(true)
                .is_retryable()
        );
        assert!(!Error::invalid_key("x").is_retryable());
    }

    #[test]
    fn a_node_that_is_down_says_why() {
        let node: Arc<str> = "cache-01:11211".into();
        let first = Error::with_detail(ErrorKind::Connect, "connection refused").at(&node);
        assert_eq!(
            first.as_node_down().to_string(),
            "cache-01:11211: the node is down: could not connect: connection refused"
        );
    }
}
