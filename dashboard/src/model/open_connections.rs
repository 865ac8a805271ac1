//! Who is connected to a server.

use std::net::SocketAddr;

use memlens::stats::{Connection, Connections};

/// The open connections of a server, memlens's own told apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpenConnections {
    /// Those of others, and the sockets on which the server listens, by descriptor.
    pub others: Vec<OpenConnection>,
    /// How many are memlens's own.
    pub own: usize,
}

/// One connection.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenConnection {
    /// The server's file descriptor.
    pub descriptor: u32,
    /// What the server says of it.
    pub connection: Connection,
}

impl OpenConnections {
    /// What a server said, asked by somebody whose ends of connections to it have these addresses.
    ///
    /// Behind an address translation the server sees other addresses: nothing is told apart then.
    #[must_use]
    pub fn of(answer: &Connections, local: &[SocketAddr]) -> Self {
        let is_own = |connection: &Connection| {
            let from = connection.addr.as_deref().and_then(address);
            from.is_some_and(|from| local.iter().any(|local| canonical(*local) == from))
        };
        let mut connections = Self::default();
        for (descriptor, connection) in &answer.by_descriptor {
            if is_own(connection) {
                connections.own += 1;
                continue;
            }
            connections.others.push(OpenConnection {
                descriptor: *descriptor,
                connection: connection.clone(),
            });
        }
        connections
    }
}

/// `tcp:127.0.0.1:56712` or `tcp6:[::1]:56712` as an address; nothing for anything else.
fn address(text: &str) -> Option<SocketAddr> {
    let (transport, address) = text.split_once(':')?;
    let is_tcp = transport.starts_with("tcp");
    address.parse().ok().filter(|_| is_tcp).map(canonical)
}

/// A socket of both families sees IPv4 as a part of IPv6.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use memlens::stats::Connections;

    use super::OpenConnections;

    #[test]
    fn own_connections_are_told_apart_by_their_address() {
        let answer = Connections::parse([
            ("3:addr", "tcp:0.0.0.0:11211"),
            ("3:state", "conn_listening"),
            ("30:addr", "tcp:10.0.0.7:50001"),
            ("31:addr", "tcp:10.0.0.7:50002"),
            ("32:addr", "tcp6:[::ffff:10.0.0.7]:50003"),
            ("33:addr", "tcp6:[2001:db8::1]:50001"),
            ("34:addr", "unix:/run/memcached.sock"),
        ]);
        let local = ["10.0.0.7:50001", "10.0.0.7:50003"].map(|it| it.parse().unwrap());
        let connections = OpenConnections::of(&answer, &local);
        let others: Vec<u32> = connections.others.iter().map(|it| it.descriptor).collect();
        assert_eq!(others, [3, 31, 33, 34]);
        assert_eq!(connections.own, 2);
        assert_eq!(OpenConnections::of(&answer, &[]).own, 0);
    }
}
