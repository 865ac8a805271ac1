//! A memcached process of a test's own, started on a free port and ended by its id.
//!
//! The harness in `tests/` has one with more to it, and with telemetry and gRPC among its
//! dependencies; the dashboard's tests do without those.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to begin, and to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server, killed when dropped.
pub(crate) struct Memcached {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Memcached {
    /// Starts the program that `MEMCACHED` names, or the one on the path, with 16 MiB.
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        // The server chooses the port and writes it down: nobody else can take it meanwhile.
        let child = spawn("-1", folder.path());
        let port = until(|| {
            let text = fs::read_to_string(folder.path().join("port")).ok()?;
            Some(
                text.lines()
                    .find_map(|line| line.strip_prefix("TCP INET: "))?
                    .trim()
                    .to_owned(),
            )
        });
        let server = Self {
            child,
            address: format!("127.0.0.1:{port}"),
            folder,
        };
        server.wait();
        server
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Kills it: its port refuses connections afterwards.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same port, empty.
    pub(crate) fn start_anew(&mut self) {
        let port = self.address.rsplit(':').next().unwrap().to_owned();
        until(|| {
            self.child = spawn(&port, self.folder.path());
            // The port may be the local end of another's connection for a moment.
            let begun = until(|| match self.child.try_wait().unwrap() {
                Some(_) => Some(false),
                None => self.try_stats("").map(|_| true),
            });
            begun.then_some(())
        });
    }

    /// What it answers to `stats`, with this argument if there is one: names and values.
    pub(crate) fn stats(&self, argument: &str) -> Vec<(String, String)> {
        until(|| self.try_stats(argument))
    }

    fn wait(&self) {
        self.stats("");
    }

    fn try_stats(&self, argument: &str) -> Option<Vec<(String, String)>> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let request = format!("stats {argument}");
        stream
            .write_all(format!("{}\r\n", request.trim_end()).as_bytes())
            .ok()?;
        let mut found = Vec::new();
        for line in BufReader::new(stream).lines() {
            let line = line.ok()?;
            if line == "END" {
                return Some(found);
            }
            let (name, value) = line.strip_prefix("STAT ")?.split_once(' ')?;
            found.push((name.to_owned(), value.to_owned()));
        }
        None
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(port: &str, folder: &Path) -> Child {
    let program = std::env::var_os("MEMCACHED").unwrap_or_else(|| "memcached".into());
    let mut command = Command::new(&program);
    command
        .args(["-l", "127.0.0.1", "-U", "0", "-m", "16", "-p", port])
        .env("MEMCACHED_PORT_FILENAME", folder.join("port"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // As root it insists on being told whom to run as; anybody else may not tell.
    if std::env::var_os("USER").is_none_or(|user| user == "root") {
        command.args(["-u", "root"]);
    }
    let missing = "install memcached (Debian package `memcached`), or set MEMCACHED to its path";
    command
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}: {missing}", program.display()))
}

/// Asks until there is something.
fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "memcached does not answer");
        thread::sleep(Duration::from_millis(2));
    }
}
