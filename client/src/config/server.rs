//! One server of a configuration.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::address;
use crate::error::{Error, Result};
use crate::ring::Member;

/// The port that is meant when none is given: memcached's.
pub const DEFAULT_PORT: u16 = 11211;

/// What in a path would be taken for something else in a server list or a URL.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b',')
    .add(b':')
    .add(b'?')
    .add(b'#')
    .add(b'@')
    .add(b'[');

/// A server: where it listens, and how many of the keys it is meant to hold.
///
/// | text | server |
/// |---|---|
/// | `cache1` | port 11211 |
/// | `cache1:11212` | |
/// | `cache1:11211:2` | with weight 2, as dalli, twemproxy and PHP's session handler write it |
/// | `192.0.2.7`, `192.0.2.7:11212` | |
/// | `[2001:db8::7]:11212`, `2001:db8::7` | without brackets, no port can follow |
/// | `unix:/run/memcached.sock`, `/run/memcached.sock` | a unix socket, `%3A` for a colon in its path |
/// | `unix:/run/memcached.sock:2` | with weight 2 |
///
/// The name is kept as it is written and never resolved here. The ring hashes it, so `localhost` and
/// `127.0.0.1` are two different servers: write the names alike in every client.
///
/// ```
/// use memlens::config::Server;
///
/// let server: Server = "cache1:11211:2".parse()?;
/// assert_eq!((server.host(), server.port(), server.weight()), (Some("cache1"), Some(11211), 2));
/// assert_eq!(server, Server::tcp("cache1", 11211)?.with_weight(2)?);
/// assert_eq!(server.to_string(), "cache1:11211:2");
/// # Ok::<(), memlens::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server(Member);

impl Server {
    /// The server at `host:port`, with weight 1. `host` is a name or an address, an IPv6 address
    /// without brackets.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when `host` is neither, or
    /// `port` is 0.
    pub fn tcp(host: impl Into<String>, port: u16) -> Result<Self> {
        let host = host.into();
        address::check_host(&host).map_err(Error::invalid_input)?;
        if port == 0 {
            return Err(Error::invalid_input(address::BAD_PORT));
        }
        Ok(Self(Member::tcp(host, port)))
    }

    /// The server at a unix socket, with weight 1.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when `path` is not absolute, or
    /// holds spaces or control characters.
    pub fn unix(path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        address::check_path(&path).map_err(Error::invalid_input)?;
        Ok(Self(Member::unix(path)))
    }

    /// The same server with another weight: one of weight 2 is meant to hold twice the keys of one
    /// of weight 1. Changing a weight moves keys between servers.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when `weight` is not from 1 to
    /// 65535. A server that shall hold no keys is left out of the list.
    pub fn with_weight(self, weight: u32) -> Result<Self> {
        if !(1..=address::MAX_WEIGHT).contains(&weight) {
            return Err(Error::invalid_input(address::BAD_WEIGHT));
        }
        Ok(Self(self.0.with_weight(weight)))
    }

    /// Host name or address; `None` for a unix socket.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.0.host()
    }

    /// TCP port; `None` for a unix socket.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.0.port()
    }

    /// Path of the unix socket; `None` for TCP.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.0.path()
    }

    /// The weight, 1 unless set.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.0.weight()
    }

    /// The server that a member of a client's ring came from.
    pub(crate) const fn from_member(member: Member) -> Self {
        Self(member)
    }

    /// The server as a member of a [`Ring`](crate::ring::Ring).
    #[must_use]
    pub fn member(&self) -> Member {
        self.0.clone()
    }
}

/// What [`FromStr`] reads back as the same server: host or path, port, and a weight other than 1.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            Some(path) => write!(f, "unix:{}", utf8_percent_encode(path, PATH))?,
            None => self.0.fmt(f)?,
        }
        match self.weight() {
            1 => Ok(()),
            weight => write!(f, ":{weight}"),
        }
    }
}

impl FromStr for Server {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        address::parse_server(text).map_err(Error::invalid_input)
    }
}
