//! A port that refuses connections for as long as a test needs it to.
//!
//! A server that has ended leaves its port to whoever asks for one next, which may be another test's
//! server. And a process that is just being started holds a copy of every socket of this one, so that what
//! was closed may go on listening for a moment. A socket that is bound and does not listen keeps the port,
//! and makes it refuse.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// Gives the port back when it is dropped.
#[derive(Debug)]
pub struct RefusingPort {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl RefusingPort {
    /// Takes a free port of the loopback interface.
    pub fn take() -> Self {
        let socket = TcpSocket::new_v4().expect("open a socket");
        socket
            .bind((Ipv4Addr::LOCALHOST, 0).into())
            .expect("a port is free");
        let address = socket.local_addr().expect("a bound socket has an address");
        Self {
            address,
            _socket: socket,
        }
    }

    /// The address that refuses.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RawClient;

    #[test]
    fn it_refuses_and_nobody_else_gets_it() {
        let port = RefusingPort::take();
        assert!(RawClient::try_connect(port.address()).is_err());
        assert!(std::net::TcpListener::bind(port.address()).is_err());
    }
}
