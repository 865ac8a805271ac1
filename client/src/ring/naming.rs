//! What a node is called in the texts that a ring hashes.

use super::member::{Endpoint, Member};

/// memcached's registered port, which some clients leave out of a node's name.
const DEFAULT_PORT: u16 = 11211;

/// What a node is called in the texts that a ring hashes, unless it has an alias.
///
/// Two clients that hash the same way but name nodes differently agree on nothing. The examples
/// show host `cache1` with the ports 11211 and 11212, and a unix socket `/run/mc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeName {
    /// `cache1:11211`, `cache1:11212`, `/run/mc:0`; IPv6 addresses without brackets.
    HostPort,
    /// `cache1`, `cache1:11212`, `/run/mc:0`; IPv6 addresses without brackets (libmemcached,
    /// twemproxy).
    HostPortUnlessDefault,
    /// `cache1`, a NUL byte and `11211`; a unix socket has nothing after the NUL
    /// (Cache::Memcached::Fast).
    HostNulPort,
}

impl NodeName {
    /// The name of `member`.
    pub(super) fn of(self, member: &Member) -> String {
        if let Some(alias) = member.alias() {
            return alias.to_owned();
        }
        let (host, port) = match &member.endpoint {
            Endpoint::Tcp { host, port } => (host.as_str(), *port),
            Endpoint::Unix { path } => (path.as_str(), 0),
        };
        match self {
            Self::HostPortUnlessDefault if port == DEFAULT_PORT => host.to_owned(),
            Self::HostNulPort if port == 0 => format!("{host}\0"),
            Self::HostNulPort => format!("{host}\0{port}"),
            Self::HostPort | Self::HostPortUnlessDefault => format!("{host}:{port}"),
        }
    }
}
