//! A server that plays prepared bytes: for what no real memcached does on demand.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;

const DEADLINE: Duration = Duration::from_secs(10);

/// One step of what a [`ScriptedServer`] does on a connection.
#[derive(Debug, Clone)]
pub enum Action {
    /// Reads until this many bytes have arrived since the last step that read.
    ExpectBytes(usize),
    /// Reads until these bytes have arrived at the end of what was read since the last such step.
    Expect(Vec<u8>),
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these parts in separate packets.
    SendParts(Vec<Vec<u8>>),
    /// Neither reads nor sends until [`ScriptedServer::release`].
    Stall,
    /// Closes both directions in order.
    Close,
    /// Closes with a reset: the peer's next read or write fails.
    Reset,
}

impl Action {
    /// [`Action::SendParts`] from slices.
    pub fn send_parts(parts: &[&[u8]]) -> Self {
        Self::SendParts(parts.iter().map(|part| part.to_vec()).collect())
    }

    /// [`Action::SendParts`] with one part per byte.
    pub fn send_bytewise(bytes: &[u8]) -> Self {
        Self::SendParts(bytes.iter().map(|&byte| vec![byte]).collect())
    }
}

#[derive(Debug, Default)]
struct State {
    /// What each connection sent, in the order of their arrival.
    received: Vec<Vec<u8>>,
    released: bool,
    stopped: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until `ready`; false at the deadline.
    fn wait(&self, deadline: Option<Duration>, mut ready: impl FnMut(&State) -> bool) -> bool {
        let until = deadline.map(|deadline| Instant::now() + deadline);
        let mut state = self.lock();
        while !ready(&state) {
            let left = match until {
                Some(until) => until.saturating_duration_since(Instant::now()),
                None => Duration::from_secs(1),
            };
            if left.is_zero() {
                return false;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .0;
        }
        true
    }
}

/// A loopback listener that plays one list of [`Action`]s per connection and records what it receives.
///
/// The n-th connection plays the n-th list and, unless the list closed it, then goes on reading until
/// the peer closes. Connections beyond the last list are closed at once. Dropping it closes everything.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl ScriptedServer {
    /// Listens on a free port of the loopback interface.
    pub fn start(scripts: impl IntoIterator<Item = Vec<Action>>) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen on the loopback interface");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared::default());
        let scripts: VecDeque<Vec<Action>> = scripts.into_iter().collect();
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept_all(&listener, scripts, &shared)
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.lock().received.len()
    }

    /// What connection number `connection`, counted from 0, has sent so far.
    pub fn received(&self, connection: usize) -> Vec<u8> {
        self.shared
            .lock()
            .received
            .get(connection)
            .cloned()
            .unwrap_or_default()
    }

    /// Waits until connection number `connection` has sent at least `length` bytes; fails the test if
    /// that takes more than ten seconds. Returns what it sent.
    pub fn wait_for_bytes(&self, connection: usize, length: usize) -> Vec<u8> {
        let enough = |state: &State| {
            state
                .received
                .get(connection)
                .is_some_and(|received| received.len() >= length)
        };
        assert!(
            self.shared.wait(Some(DEADLINE), enough),
            "connection {connection} sent {} instead of {length} bytes",
            self.received(connection).escape_ascii()
        );
        self.received(connection)
    }

    /// Lets every [`Action::Stall`], present and future, pass.
    pub fn release(&self) {
        self.shared.update(|state| state.released = true);
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.shared.update(|state| state.stopped = true);
        // Wakes the accepting thread, which then sees that it should stop.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn accept_all(listener: &TcpListener, mut scripts: VecDeque<Vec<Action>>, shared: &Arc<Shared>) {
    let mut playing = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        let mut state = shared.lock();
        if state.stopped {
            break;
        }
        let number = state.received.len();
        state.received.push(Vec::new());
        drop(state);
        shared.changed.notify_all();
        let Some(script) = scripts.pop_front() else {
            continue;
        };
        let stream = Arc::new(stream);
        // Weak, so that the player alone decides when the socket is closed.
        let handle = Arc::downgrade(&stream);
        let shared = Arc::clone(shared);
        let thread = thread::spawn(move || {
            // An error is the peer going away in the middle, as many tests want it to.
            let _ = Player {
                stream,
                shared,
                number,
                unread: 0,
            }
            .play(script);
        });
        playing.push((handle, thread));
    }
    for (handle, thread) in playing {
        if let Some(stream) = handle.upgrade() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let _ = thread.join();
    }
}

struct Player {
    stream: Arc<TcpStream>,
    shared: Arc<Shared>,
    number: usize,
    /// Where in the received bytes the next expectation starts.
    unread: usize,
}

impl Player {
    fn play(mut self, script: Vec<Action>) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        for action in script {
            match action {
                Action::ExpectBytes(length) => self.read_until(|bytes| bytes.len() >= length)?,
                Action::Expect(end) => self.read_until(|bytes| bytes.ends_with(&end))?,
                Action::Send(bytes) => self.send(&bytes)?,
                Action::SendParts(parts) => {
                    for part in parts {
                        self.send(&part)?;
                        thread::yield_now();
                    }
                }
                Action::Stall => {
                    self.shared
                        .wait(None, |state| state.released || state.stopped);
                }
                Action::Close => return self.stream.shutdown(Shutdown::Both),
                Action::Reset => {
                    // Closing with a linger time of zero sends a reset; the socket closes on return.
                    return Ok(set_socket_linger(&*self.stream, Some(Duration::ZERO))?);
                }
            }
        }
        while self.read()? > 0 {}
        Ok(())
    }

    fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> io::Result<()> {
        while !enough(&self.shared.lock().received[self.number][self.unread..]) {
            if self.read()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.unread = self.shared.lock().received[self.number].len();
        Ok(())
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        (&*self.stream).write_all(bytes)
    }

    fn read(&self) -> io::Result<usize> {
        let mut buffer = [0; 16 * 1024];
        let length = (&*self.stream).read(&mut buffer)?;
        let number = self.number;
        self.shared
            .update(|state| state.received[number].extend_from_slice(&buffer[..length]));
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::RawClient;

    #[test]
    fn plays_one_list_per_connection_and_records_what_arrives() {
        let server = ScriptedServer::start([
            vec![Action::ExpectBytes(4), Action::Send(b"first".to_vec())],
            vec![
                Action::Expect(b"\n".to_vec()),
                Action::send_bytewise(b"second"),
                Action::Close,
            ],
        ]);
        let mut first = RawClient::connect(server.address());
        let mut second = RawClient::connect(server.address());
        first.send(b"abcd").unwrap();
        assert_eq!(first.read_exactly(5).unwrap(), b"first");
        second.send(b"line\n").unwrap();
        assert_eq!(second.read_to_end().unwrap(), b"second");
        first.send(b"more").unwrap();
        assert_eq!(server.wait_for_bytes(0, 8), b"abcdmore");
        assert_eq!(server.received(1), b"line\n");
        assert_eq!(server.connections(), 2);
    }

    #[test]
    fn a_stalled_connection_goes_on_when_released() {
        let server = ScriptedServer::start([vec![Action::Stall, Action::Send(b"late".to_vec())]]);
        let mut client = RawClient::connect(server.address());
        client.set_deadline(Duration::from_millis(10));
        assert!(client.read_exactly(4).is_err());
        server.release();
        client.set_deadline(DEADLINE);
        assert_eq!(client.read_exactly(4).unwrap(), b"late");
    }

    #[test]
    fn a_reset_is_an_error_to_the_peer() {
        let server = ScriptedServer::start([vec![Action::ExpectBytes(1), Action::Reset]]);
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(b"x").unwrap();
        let error = stream.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
