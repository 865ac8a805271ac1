//! What a node is called in the texts that a ring hashes.

use super::member::{Endpoint, Member};

/// memcached's registered port, which some clients leave out of a node's name.
const DEFAULT_PORT: u16 = 11211;

/// What a node is called in the texts that a ring hashes, unless it has an alias.
///
/// Two clients that hash the same way but name nodes differently agree on nothing. The examples
/// show host `cache1` with port 11211 and a unix socket `/run/mc`; IPv6 addresses have brackets
/// only where it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeName {
    /// `cache1:11211`, `/run/mc`.
    HostPort,
    /// `cache1:11211`, `/run/mc`, `[fd00::1]:11211`.
    Bracketed,
    /// `cache1` but `cache1:11212`, `/run/mc:0` (libmemcached, twemproxy).
    HostPortUnlessDefault,
    /// `/cache1:11211`, `//run/mc:0` (libmemcached's `KETAMA_SPY`).
    SlashHostPort,
    /// `cache111211`, `/run/mc` (emcache).
    HostThenPort,
    /// `cache1:11211_None_None` (python-binary-memcached without a user).
    HostPortNoUser,
    /// `cache1`, a NUL byte and `11211`; `/run/mc` and a NUL byte (Cache::Memcached::Fast).
    HostNulPort,
    /// `cache1/<unresolved>:11211` but `10.0.0.1:11211`: an `InetSocketAddress` as Java prints it
    /// before it has looked the host up. A client that resolves names before it builds its ring
    /// has `cache1/10.0.0.1:11211`, which only an alias can tell.
    JavaSocketAddress,
    /// `cache1` but `cache1:11212`, and `localhost` for `127.0.0.1`: what Java's `getHostName()`
    /// says. Other address literals keep their digits; if reverse DNS has a name for one, give it
    /// as alias.
    JavaHostName,
}

impl NodeName {
    /// The name of `member`.
    pub(super) fn of(self, member: &Member) -> String {
        if let Some(alias) = member.alias() {
            return alias.to_owned();
        }
        match &member.endpoint {
            Endpoint::Tcp { host, port } => self.of_tcp(host, *port),
            Endpoint::Unix { path } => self.of_unix(path),
        }
    }

    fn of_tcp(self, host: &str, port: u16) -> String {
        match self {
            Self::Bracketed if host.contains(':') => format!("[{host}]:{port}"),
            Self::HostPortUnlessDefault if port == DEFAULT_PORT => host.to_owned(),
            Self::SlashHostPort => format!("/{host}:{port}"),
            Self::HostThenPort => format!("{host}{port}"),
            Self::HostPortNoUser => format!("{host}:{port}_None_None"),
            Self::HostNulPort => format!("{host}\0{port}"),
            Self::JavaSocketAddress if !is_ipv4(host) => format!("{host}/<unresolved>:{port}"),
            Self::JavaHostName => {
                let host = if host == "127.0.0.1" {
                    "localhost"
                } else {
                    host
                };
                Self::HostPortUnlessDefault.of_tcp(host, port)
            }
            Self::HostPort
            | Self::Bracketed
            | Self::HostPortUnlessDefault
            | Self::JavaSocketAddress => format!("{host}:{port}"),
        }
    }

    fn of_unix(self, path: &str) -> String {
        match self {
            Self::HostPortUnlessDefault => format!("{path}:0"),
            Self::SlashHostPort => format!("/{path}:0"),
            Self::HostNulPort => format!("{path}\0"),
            _ => path.to_owned(),
        }
    }
}

fn is_ipv4(host: &str) -> bool {
    host.split('.').count() == 4 && host.split('.').all(|part| part.parse::<u8>().is_ok())
}
