//! Either kind of server, for tests whose body is written once and run against both.

use std::fmt;
use std::net::SocketAddr;

use crate::memcached::Memcached;
use crate::node::EmbeddedNode;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A real memcached process.
    Memcached,
    /// An embedded node.
    Node,
}

impl Kind {
    /// Starts one with memcached's own defaults.
    pub fn start(self) -> Server {
        self.start_with::<&str>(&[])
    }

    /// Starts one to compare another with; see [`Memcached::reference`].
    pub fn start_reference<A: AsRef<str>>(self, arguments: &[A]) -> Server {
        match self {
            Self::Memcached => Server::Memcached(Memcached::reference(arguments)),
            Self::Node => self.start_with(arguments),
        }
    }

    /// Starts one with these further command line arguments of memcached.
    pub fn start_with<A: AsRef<str>>(self, arguments: &[A]) -> Server {
        match self {
            Self::Memcached => Server::Memcached(Memcached::with_arguments(arguments)),
            Self::Node => Server::Node(EmbeddedNode::with_arguments(arguments)),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Memcached => "memcached",
            Self::Node => "the node",
        })
    }
}

/// A running server of either kind; it stops when dropped.
#[derive(Debug)]
pub enum Server {
    /// A real memcached process.
    Memcached(Memcached),
    /// An embedded node.
    Node(EmbeddedNode),
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Memcached(memcached) => memcached.address(),
            Self::Node(node) => node.address(),
        }
    }

    /// Makes it answer no more, while the system still accepts connections and bytes for it.
    pub fn pause(&self) {
        match self {
            Self::Memcached(memcached) => memcached.pause(),
            Self::Node(node) => node.node().pause(),
        }
    }

    /// Undoes [`Server::pause`].
    pub fn resume(&self) {
        match self {
            Self::Memcached(memcached) => memcached.resume(),
            Self::Node(node) => node.node().resume(),
        }
    }
}
