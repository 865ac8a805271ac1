//! The nodes of a ring, as the configuration names them.

use std::fmt;

/// One node of a [`Ring`](super::Ring), as the *configuration* names it.
///
/// Rings hash names, never resolved addresses: two processes that write the same server list agree
/// on every key even if a host name resolves differently for them. So `localhost` and `127.0.0.1`
/// are two different members, here as in every client that [`Profile`](super::Profile) knows.
///
/// ```
/// use memlens::ring::Member;
///
/// let member = Member::tcp("cache1.example.com", 11211).with_weight(2);
/// assert_eq!(member.to_string(), "cache1.example.com:11211");
/// assert_eq!(Member::tcp("fd00::1", 11211).to_string(), "[fd00::1]:11211");
/// assert_eq!(Member::unix("/run/memcached.sock").to_string(), "/run/memcached.sock");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    pub(super) endpoint: Endpoint,
    alias: Option<String>,
    weight: u32,
}

/// Where a member listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Endpoint {
    Tcp { host: String, port: u16 },
    Unix { path: String },
}

impl Member {
    /// A member at `host:port` with weight 1. `host` is a name or an address literal, an IPv6
    /// address without brackets.
    #[must_use]
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self::at(Endpoint::Tcp {
            host: host.into(),
            port,
        })
    }

    /// A member at a unix domain socket with weight 1.
    #[must_use]
    pub fn unix(path: impl Into<String>) -> Self {
        Self::at(Endpoint::Unix { path: path.into() })
    }

    const fn at(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            alias: None,
            weight: 1,
        }
    }

    /// Gives the member a name of its own, which the ring hashes *instead of* host and port.
    ///
    /// This is twemproxy's server name (`127.0.0.1:11211:1 shard0`). It also lets a machine be
    /// replaced by one at another address without moving a key.
    #[must_use]
    pub fn with_alias(self, alias: impl Into<String>) -> Self {
        Self {
            alias: Some(alias.into()),
            ..self
        }
    }

    /// Sets the weight: a member of weight 2 is meant to hold twice the keys of one of weight 1.
    ///
    /// [`Ring::new`](super::Ring::new) refuses 0. Some profiles ignore weights because their client
    /// does ([`Distribution::uses_weights`](super::Distribution::uses_weights)).
    #[must_use]
    pub fn with_weight(self, weight: u32) -> Self {
        Self { weight, ..self }
    }

    /// Host name or address literal; `None` for a unix socket.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match &self.endpoint {
            Endpoint::Tcp { host, .. } => Some(host),
            Endpoint::Unix { .. } => None,
        }
    }

    /// TCP port; `None` for a unix socket.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match &self.endpoint {
            Endpoint::Tcp { port, .. } => Some(*port),
            Endpoint::Unix { .. } => None,
        }
    }

    /// Path of the unix socket; `None` for TCP.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match &self.endpoint {
            Endpoint::Tcp { .. } => None,
            Endpoint::Unix { path } => Some(path),
        }
    }

    /// The name given by [`with_alias`](Self::with_alias).
    #[must_use]
    pub fn alias(&self) -> Option<&str> {
        self.alias.as_deref()
    }

    /// The weight, 1 unless set.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.weight
    }

    /// The name by which members of two rings are matched: the alias, or else what
    /// [`Display`](fmt::Display) prints.
    #[must_use]
    pub fn name(&self) -> String {
        self.alias.clone().unwrap_or_else(|| self.to_string())
    }

    /// The pair that some clients sort by; a unix socket has port 0.
    pub(super) fn host_and_port(&self) -> (&str, u16) {
        match &self.endpoint {
            Endpoint::Tcp { host, port } => (host, *port),
            Endpoint::Unix { path } => (path, 0),
        }
    }

    /// Whether a name of this member could not stand in a server list: empty, or with a space or
    /// control character.
    pub(super) fn has_illegal_name(&self) -> bool {
        let illegal = |name: &str| name.is_empty() || name.chars().any(|c| c <= ' ' || c == '\x7f');
        illegal(self.host_and_port().0) || self.alias.as_deref().is_some_and(illegal)
    }
}

/// `host:port`, `[address]:port` for IPv6, or the path of a unix socket. The alias is not shown.
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Endpoint::Tcp { host, port } => write!(f, "{host}:{port}"),
            Endpoint::Unix { path } => f.write_str(path),
        }
    }
}
