//! Logging in, in the text protocol: what memcached's option `-Y` wants before anything else.
//!
//! The login looks like storing an item, `user password` under any key. A server that wants no login
//! does store it. So it is stored as expired already: nobody can ever read it there.

use std::collections::HashSet;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use memchr::memchr;
use parking_lot::Mutex;
use zeroize::Zeroizing;

use super::dial::io_error;
use super::stream::{Reader, Writer};
use crate::config::{self, Credentials};
use crate::error::{Error, ErrorKind, Result};
use crate::observe::log_of_password_in_clear;

/// No answer to a login is longer, in bytes.
const LONGEST_ANSWER: usize = 1024;

/// What memcached may say to a login, and errors may repeat.
const REFUSALS: [&str; 3] = [
    "authentication failure",
    "bad authentication token format",
    "unauthenticated",
];

/// What all connections of a client log in with.
#[derive(Debug)]
pub(crate) struct Login {
    credentials: Credentials,
    /// The nodes to which the password went in clear, and that was told.
    told: Mutex<HashSet<Arc<str>>>,
}

impl Login {
    /// Reads the file, if the credentials are in one, to find out early that it can't be read.
    pub(crate) fn new(credentials: &Credentials) -> Result<Self> {
        credentials.login()?;
        Ok(Self {
            credentials: credentials.clone(),
            told: Mutex::default(),
        })
    }

    /// Warns, once for each node, that the password is about to go over a network in clear.
    pub(super) fn warn_if_exposed(&self, node: &Arc<str>, peer: Option<SocketAddr>) {
        if is_exposed(peer) && self.told.lock().insert(Arc::clone(node)) {
            log_of_password_in_clear(node);
        }
    }

    /// Logs in on a new connection.
    pub(super) async fn log_in(&self, reader: &mut Reader, writer: &Writer) -> Result<()> {
        let request = request(&self.credentials.login()?);
        writer.write_all(&request).await.map_err(lost)?;
        let mut answer = BytesMut::new();
        loop {
            if let Some(end) = memchr(b'\n', &answer) {
                return understand(&answer[..=end], answer.len() > end + 1);
            }
            if answer.len() > LONGEST_ANSWER {
                return Err(refusal("an endless answer to the login"));
            }
            answer.reserve(LONGEST_ANSWER);
            let read = poll_fn(|context| reader.poll_read_buf(context, &mut answer)).await;
            if read.map_err(lost)? == 0 {
                return Err(refusal("the server closed the connection instead"));
            }
        }
    }
}

/// Whether others than this machine may see what is sent. Unix sockets have no address.
fn is_exposed(peer: Option<SocketAddr>) -> bool {
    peer.is_some_and(|peer| !peer.ip().to_canonical().is_loopback())
}

fn request(login: &config::Login) -> Zeroizing<Vec<u8>> {
    let block = login.to_block();
    let line = format!("set login 0 -1 {}\r\n", block.len());
    // Of its full size at once: a vector that grows leaves copies behind.
    let mut request = Vec::with_capacity(line.len() + block.len() + 2);
    request.extend_from_slice(line.as_bytes());
    request.extend_from_slice(&block);
    request.extend_from_slice(b"\r\n");
    Zeroizing::new(request)
}

fn understand(line: &[u8], goes_on: bool) -> Result<()> {
    if line == b"STORED\r\n" {
        return match goes_on {
            false => Ok(()),
            true => Err(refusal("the server says more than was asked")),
        };
    }
    let message = line.strip_prefix(b"CLIENT_ERROR ");
    let known = REFUSALS
        .into_iter()
        .find(|known| message.is_some_and(|message| message.trim_ascii_end() == known.as_bytes()));
    // What else it said is not kept: it may repeat the password.
    Err(match known {
        Some(known) => Error::from_server(ErrorKind::Auth, known, Some(known)).sent(false),
        None => refusal("an answer to the login that is not understood"),
    })
}

fn refusal(detail: &'static str) -> Error {
    Error::with_detail(ErrorKind::Auth, detail)
}

fn lost(error: std::io::Error) -> Error {
    io_error(ErrorKind::Auth, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_a_set_that_leaves_nothing() {
        let login = Credentials::new("ada", "hunter2").unwrap().login().unwrap();
        assert_eq!(
            request(&login).as_slice(),
            b"set login 0 -1 11\r\nada hunter2\r\n"
        );
    }

    #[test]
    fn only_stored_is_a_welcome() {
        understand(b"STORED\r\n", false).unwrap();
        let refused = understand(b"CLIENT_ERROR authentication failure\r\n", false).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Auth);
        assert_eq!(refused.server_message(), Some("authentication failure"));
        assert!(!refused.was_sent(), "no operation was");
        for line in [
            "STORED\n",
            "NOT_STORED\r\n",
            "ERROR\r\n",
            "CLIENT_ERROR hunter2\r\n",
            "\n",
        ] {
            let error = understand(line.as_bytes(), false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Auth);
            assert!(!format!("{error} {error:?}").contains("hunter2"));
            assert_eq!(error.server_message(), None);
        }
        assert!(understand(b"STORED\r\n", true).is_err());
    }

    #[test]
    fn what_stays_on_this_machine_is_not_exposed() {
        let is_exposed = |peer: &str| is_exposed(Some(peer.parse().unwrap()));
        for at_home in [
            "127.0.0.1:1",
            "127.8.9.1:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(!is_exposed(at_home), "{at_home}");
        }
        for abroad in [
            "192.0.2.1:1",
            "10.0.0.1:1",
            "[2001:db8::1]:1",
            "[fe80::1]:1",
        ] {
            assert!(is_exposed(abroad), "{abroad}");
        }
        assert!(!super::is_exposed(None), "a unix socket");
    }

    #[cfg(feature = "tracing")]
    #[test]
    fn each_node_is_warned_of_once() {
        use std::sync::atomic::{AtomicUsize, Ordering};

        use tracing::span::{Attributes, Id, Record};
        use tracing::{Event, Level, Metadata, Subscriber};

        #[derive(Clone, Default)]
        struct Warnings(Arc<AtomicUsize>);

        impl Subscriber for Warnings {
            fn enabled(&self, _: &Metadata<'_>) -> bool {
                true
            }
            fn new_span(&self, _: &Attributes<'_>) -> Id {
                Id::from_u64(1)
            }
            fn record(&self, _: &Id, _: &Record<'_>) {}
            fn record_follows_from(&self, _: &Id, _: &Id) {}
            fn event(&self, event: &Event<'_>) {
                assert_eq!(*event.metadata().level(), Level::WARN);
                self.0.fetch_add(1, Ordering::Relaxed);
            }
            fn enter(&self, _: &Id) {}
            fn exit(&self, _: &Id) {}
        }

        let warnings = Warnings::default();
        let _default = tracing::subscriber::set_default(warnings.clone());
        let login = Login::new(&Credentials::new("ada", "hunter2").unwrap()).unwrap();
        let (near, far) = ("127.0.0.1:1".parse().ok(), "192.0.2.1:1".parse().ok());
        for (node, peer) in [("a", far), ("a", far), ("b", far), ("c", near), ("d", None)] {
            login.warn_if_exposed(&node.into(), peer);
        }
        assert_eq!(warnings.0.load(Ordering::Relaxed), 2);
    }
}
