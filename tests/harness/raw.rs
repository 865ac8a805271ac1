//! A plain socket: sends bytes, reads until something, always with a deadline.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
const READ_SIZE: usize = 64 * 1024;

/// A blocking connection that knows nothing of the protocol.
///
/// What arrives after the bytes a read was for stays for the next read.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
    received: Vec<u8>,
    deadline: Duration,
}

impl RawClient {
    /// Connects, or fails the test.
    pub fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).unwrap_or_else(|error| panic!("connect to {address}: {error}"))
    }

    /// Connects.
    ///
    /// # Errors
    /// What the operating system says, such as a refused connection.
    pub fn try_connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, DEFAULT_DEADLINE)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::new(),
            deadline: DEFAULT_DEADLINE,
        })
    }

    /// How long each later read may take as a whole; ten seconds at first.
    pub fn set_deadline(&mut self, deadline: Duration) {
        self.deadline = deadline;
    }

    /// The local end's address.
    pub fn local_address(&self) -> SocketAddr {
        self.stream
            .local_addr()
            .expect("a connected socket has an address")
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// What the operating system says, such as a connection that was reset.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Everything up to and including `end`.
    ///
    /// # Errors
    /// `TimedOut` at the deadline, `UnexpectedEof` when the peer closes first; either way what had
    /// arrived stays readable through [`RawClient::take_received`].
    pub fn read_until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + self.deadline;
        let mut searched = 0usize;
        loop {
            let from = searched.saturating_sub(end.len() - 1);
            if let Some(at) = find(&self.received[from..], end) {
                let rest = self.received.split_off(from + at + end.len());
                return Ok(std::mem::replace(&mut self.received, rest));
            }
            searched = self.received.len();
            if self.read_more(deadline)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Exactly this many bytes.
    ///
    /// # Errors
    /// As [`RawClient::read_until`].
    pub fn read_exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + self.deadline;
        while self.received.len() < length {
            if self.read_more(deadline)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let rest = self.received.split_off(length);
        Ok(std::mem::replace(&mut self.received, rest))
    }

    /// Everything until the peer closes.
    ///
    /// # Errors
    /// `TimedOut` at the deadline, or what the operating system says.
    pub fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        let deadline = Instant::now() + self.deadline;
        while self.read_more(deadline)? > 0 {}
        Ok(self.take_received())
    }

    /// What has arrived and no read has returned.
    pub fn take_received(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.received)
    }

    /// Sends `request` and reads up to and including `end`, or fails the test.
    pub fn request(&mut self, request: &[u8], end: &[u8]) -> Vec<u8> {
        self.send(request)
            .unwrap_or_else(|error| panic!("send {}: {error}", request.escape_ascii()));
        self.read_until(end).unwrap_or_else(|error| {
            panic!(
                "{} answered {} without {}: {error}",
                request.escape_ascii(),
                self.received.escape_ascii(),
                end.escape_ascii()
            )
        })
    }

    /// Writes the pieces one by one, closes the sending half and reads until the peer closes.
    ///
    /// Writing happens on a thread of its own, because a server may stop reading until its replies are
    /// read. A peer that closes before everything is written is no error: its reply counts.
    ///
    /// # Errors
    /// `TimedOut` at the deadline; what had arrived stays readable.
    pub fn exchange(&mut self, pieces: &[&[u8]]) -> io::Result<Vec<u8>> {
        let mut writing = self.stream.try_clone()?;
        thread::scope(|scope| {
            scope.spawn(move || {
                let _ = pieces.iter().try_for_each(|piece| writing.write_all(piece));
                let _ = writing.shutdown(Shutdown::Write);
            });
            let reply = self.read_to_end();
            if reply.is_err() {
                // Frees the writer if the peer reads no more.
                let _ = self.stream.shutdown(Shutdown::Both);
            }
            reply
        })
    }

    fn read_more(&mut self, deadline: Instant) -> io::Result<usize> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let start = self.received.len();
        self.received.resize(start + READ_SIZE, 0);
        let result = self.stream.read(&mut self.received[start..]);
        self.received
            .truncate(start + *result.as_ref().unwrap_or(&0));
        match result {
            // A read timeout is reported as either, depending on the platform.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(io::ErrorKind::TimedOut.into())
            }
            // A reset is how a peer's close looks when bytes it had not read were on the way.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(0),
            other => other,
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Action, ScriptedServer};

    #[test]
    fn reads_keep_what_follows_for_the_next_read() {
        let server = ScriptedServer::start([vec![
            Action::Expect(b"hello".to_vec()),
            Action::Send(b"one\r\ntwo\r\nthree".to_vec()),
            Action::Close,
        ]]);
        let mut client = RawClient::connect(server.address());
        assert_eq!(client.request(b"hello", b"\r\n"), b"one\r\n");
        assert_eq!(client.read_exactly(3).unwrap(), b"two");
        assert_eq!(
            client.read_until(b"nothing").unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        assert_eq!(client.take_received(), b"\r\nthree");
    }

    #[test]
    fn an_end_that_arrives_in_two_parts_is_found() {
        let parts = [b"valueEN".as_slice(), b"D\r", b"\nrest"];
        let server = ScriptedServer::start([vec![Action::send_parts(&parts), Action::Close]]);
        let mut client = RawClient::connect(server.address());
        assert_eq!(client.read_until(b"END\r\n").unwrap(), b"valueEND\r\n");
        assert_eq!(client.read_to_end().unwrap(), b"rest");
    }
}
