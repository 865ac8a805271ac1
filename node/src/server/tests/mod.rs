//! Conversations without sockets: scripts in, bytes out, on a clock that only moves when told to.

mod admin;
mod auth;
mod meta;
mod stats;
mod text;

use std::sync::Arc;

use bytes::{Buf, BytesMut};

use super::Shared;
use super::connections::{ConnectionInfo, Transport};
use super::session::{Next, Session};
use crate::clock::Clock;
use crate::commands::Flow;
use crate::config::Config;
use crate::store::Maintainer;

/// A node without sockets.
struct TestNode {
    shared: Arc<Shared>,
}

/// A client of it.
struct TestClient {
    session: Session,
    input: BytesMut,
    shared: Arc<Shared>,
}

impl TestNode {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        configure(&mut config);
        config.check().expect("a legal configuration");
        Self {
            shared: Arc::new(Shared::new(config, 11211, Clock::manual())),
        }
    }

    fn client(&self) -> TestClient {
        let info = ConnectionInfo::new(
            7,
            Transport::Tcp,
            "tcp:127.0.0.1:40000".into(),
            Some("tcp:127.0.0.1:11211".into()),
            ("127.0.0.1".into(), 40000),
            self.shared.store.clock.now(),
        );
        let info = self
            .shared
            .connections
            .enter(info, 100)
            .expect("room for a connection");
        TestClient {
            session: Session::new(Arc::clone(&self.shared), info),
            input: BytesMut::new(),
            shared: Arc::clone(&self.shared),
        }
    }

    fn advance(&self, seconds: u32) {
        self.shared.store.clock.advance(seconds);
    }

    /// Lets the housekeeper do all that is due.
    fn settle(&self) {
        let mut maintainer = Maintainer::new(&self.shared.store);
        for _ in 0..2000 {
            maintainer.run(&self.shared.store);
        }
    }
}

impl TestClient {
    /// Sends bytes, and returns every byte that comes back. A closed connection is a lone `#`.
    fn ask(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.input.extend_from_slice(bytes.as_ref());
        let mut out = Vec::new();
        loop {
            let (consumed, next) = self.session.serve(&self.input);
            self.input.advance(consumed);
            match next {
                Next::Read | Next::Send | Next::Flow(Flow::Close) => {
                    self.session.replies.mark_sent();
                }
                Next::ReadHoldingBack | Next::Flow(_) => {}
            }
            let due = self.session.replies.due();
            out.extend_from_slice(&self.session.replies.copy_to_bytes(due));
            match next {
                Next::Read | Next::ReadHoldingBack => break,
                Next::Send => {}
                Next::Flow(flow) => {
                    out.extend_from_slice(if flow == Flow::Abort || flow == Flow::Close {
                        b"#"
                    } else {
                        b"!"
                    });
                    break;
                }
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Runs a script of `> request` and `< reply` lines, CR LF understood, and checks every reply.
    fn script(&mut self, script: &str) {
        let mut request = String::new();
        let mut expected = String::new();
        let lines = script
            .lines()
            .map(str::trim_start)
            .filter(|line| !line.is_empty());
        for line in lines.chain(["> "]) {
            if let Some(text) = line.strip_prefix('>') {
                if !expected.is_empty() {
                    assert_eq!(self.ask(&request), expected, "after {request:?}");
                    request.clear();
                    expected.clear();
                }
                request.push_str(text.strip_prefix(' ').unwrap_or(text));
                request.push_str("\r\n");
            } else if let Some(text) = line.strip_prefix('<') {
                expected.push_str(text.strip_prefix(' ').unwrap_or(text));
                expected.push_str("\r\n");
            } else {
                panic!("a script line starts with > or <: {line:?}");
            }
        }
    }

    /// One field of a `stats` report.
    fn stat(&mut self, report: &str, name: &str) -> String {
        let text = self.ask(format!("{report}\r\n"));
        let prefix = format!("STAT {name} ");
        let line = text.lines().find(|line| line.starts_with(&prefix));
        line.unwrap_or_else(|| panic!("no {name} in {text}"))[prefix.len()..].to_owned()
    }

    fn number(&mut self, report: &str, name: &str) -> u64 {
        self.stat(report, name).parse().expect("a number")
    }
}

impl Drop for TestClient {
    fn drop(&mut self) {
        self.shared.connections.leave(&self.session.info);
    }
}
