//! `stats conns`: the open connections.

use std::collections::BTreeMap;

use super::{OtherFields, split_number, statistics};

statistics! {
    /// What `stats conns` says of one connection.
    pub struct Connection {
        /// The other side's address, as `tcp:127.0.0.1:56712`. For a listening socket, its own.
        addr: Box<str>,
        /// The server's address that the connection came in by. Listening sockets have none.
        listen_addr: Box<str>,
        /// What the connection is doing, as `conn_listening` or `conn_parse_cmd`.
        state: Box<str>,
        /// Seconds since its last command.
        secs_since_last_cmd: u64,
    }
}

/// The answer of `stats conns`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Connections {
    /// By the server's file descriptor.
    pub by_descriptor: BTreeMap<u32, Connection>,
    /// Fields that belong to no connection.
    pub other: OtherFields,
}

impl Connections {
    /// Reads the answer of `stats conns`.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut connections = Self::default();
        for (name, value) in pairs {
            match split_number(name) {
                Some((descriptor, field)) => {
                    connections
                        .by_descriptor
                        .entry(descriptor)
                        .or_default()
                        .record(field, value);
                }
                None => connections.other.keep(name, value),
            }
        }
        connections
    }
}
