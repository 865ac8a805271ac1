//! A real memcached process of one's own: started on a free port, signalled and stopped by its pid.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, geteuid, kill_process, waitpid};
use tempfile::TempDir;

use crate::raw::RawClient;

/// The version whose answers the embedded node reproduces.
pub const REFERENCE_VERSION: &str = "1.6.18";

const START_DEADLINE: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A running memcached on the loopback interface, killed when dropped.
#[derive(Debug)]
pub struct Memcached {
    child: Child,
    address: SocketAddr,
    arguments: Vec<String>,
    folder: TempDir,
}

impl Memcached {
    /// Starts memcached with its own defaults.
    pub fn start() -> Self {
        Self::with_arguments::<&str>(&[])
    }

    /// Starts memcached with these further command line arguments, and waits until it answers.
    ///
    /// memcached chooses the port itself and writes it to a file, so that no other process can take it
    /// between the choice and the start.
    pub fn with_arguments<A: AsRef<str>>(arguments: &[A]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|a| a.as_ref().to_owned()).collect();
        let folder = TempDir::new().expect("create a temporary folder");
        let port_file = folder.path().join("port");
        let mut child = spawn(&arguments, "-1", folder.path(), &port_file);
        let port = wait_for_port(&mut child, &port_file, folder.path());
        let mut memcached = Self {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            arguments,
            folder,
        };
        memcached
            .wait_until_it_answers()
            .unwrap_or_else(|reason| panic!("{reason}"));
        memcached
    }

    /// As [`Memcached::with_arguments`], for tests that compare its answers with the node's: fails the
    /// test if it is not of [`REFERENCE_VERSION`].
    pub fn reference<A: AsRef<str>>(arguments: &[A]) -> Self {
        let memcached = Self::with_arguments(arguments);
        let version = memcached.version();
        assert_eq!(
            version, REFERENCE_VERSION,
            "the node answers as memcached {REFERENCE_VERSION} does, and other versions answer some \
             requests differently: set MEMCACHED to the path of a program of that version"
        );
        memcached
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The version it reports, such as `1.6.18`.
    pub fn version(&self) -> String {
        let reply = RawClient::connect(self.address).request(b"version\r\n", b"\r\n");
        let reply = String::from_utf8_lossy(&reply);
        reply.trim_end().trim_start_matches("VERSION ").to_owned()
    }

    /// SIGSTOP: the kernel still accepts connections and bytes, but nothing answers. Returns when all
    /// threads stand still.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        let pid = Pid::from_child(&self.child);
        let stopped =
            waitpid(Some(pid), WaitOptions::UNTRACED).expect("wait for memcached to stop");
        assert!(
            stopped.is_some_and(|(_, status)| status.stopped()),
            "memcached stops when told to"
        );
    }

    /// SIGCONT: undoes [`Memcached::pause`].
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGKILL, then waits until the process is gone: its port refuses connections afterwards.
    pub fn kill(&mut self) {
        // An error means that it has exited already, which is what is wanted.
        let _ = self.child.kill();
        self.child.wait().expect("wait for memcached to exit");
    }

    /// Kills it if it runs, and starts it again with the same arguments on the same port, empty.
    pub fn restart(&mut self) {
        self.kill();
        let port = self.address.port().to_string();
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            let port_file = self.folder.path().join("port-after-restart");
            self.child = spawn(&self.arguments, &port, self.folder.path(), &port_file);
            match self.wait_until_it_answers() {
                Ok(()) => return,
                // Another process may hold the port for a moment as the local end of a connection.
                Err(_) if Instant::now() < deadline => {}
                Err(reason) => panic!("{reason}"),
            }
        }
    }

    fn wants_tls(&self) -> bool {
        self.arguments.iter().any(|argument| argument == "-Z")
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("signal memcached by its pid");
    }

    fn wait_until_it_answers(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if let Some(status) = self
                .child
                .try_wait()
                .expect("ask for memcached's exit status")
            {
                return Err(format!(
                    "memcached exited: {status}: {}",
                    log(self.folder.path())
                ));
            }
            // Without authentication, and with `-Y`, every server answers a line to `version`. One
            // that wants TLS answers by closing.
            if let Ok(mut client) = RawClient::try_connect(self.address)
                && client.send(b"version\r\n").is_ok()
            {
                match client.read_until(b"\r\n") {
                    Ok(_) => return Ok(()),
                    Err(error) if self.wants_tls() && is_end(&error) => return Ok(()),
                    Err(_) => {}
                }
            }
            if Instant::now() >= deadline {
                return Err(format!("memcached on {} does not answer", self.address));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

/// The memcached to run: the environment variable `MEMCACHED`, else the one on `PATH`.
fn program() -> OsString {
    std::env::var_os("MEMCACHED").unwrap_or_else(|| "memcached".into())
}

fn spawn(arguments: &[String], port: &str, folder: &Path, port_file: &Path) -> Child {
    let program = program();
    let log = fs::File::create(folder.join("log")).expect("create memcached's log file");
    let mut command = Command::new(&program);
    command.args(["-l", "127.0.0.1", "-U", "0", "-p", port]);
    if geteuid().is_root() {
        command.args(["-u", "root"]);
    }
    command
        .args(arguments)
        .env("MEMCACHED_PORT_FILENAME", port_file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    command.spawn().unwrap_or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => panic!(
            "{} not found: install memcached (Debian package `memcached`), \
             or set MEMCACHED to the program's path",
            program.display()
        ),
        _ => panic!("cannot start {}: {error}", program.display()),
    })
}

/// The port from lines like `TCP INET: 39129`. The file appears whole: memcached renames it into place.
fn wait_for_port(child: &mut Child, port_file: &PathBuf, folder: &Path) -> u16 {
    let deadline = Instant::now() + START_DEADLINE;
    loop {
        if let Ok(text) = fs::read_to_string(port_file) {
            return text
                .lines()
                .find_map(|line| line.strip_prefix("TCP INET: ")?.trim().parse().ok())
                .unwrap_or_else(|| panic!("no port in memcached's port file: {text:?}"));
        }
        if let Some(status) = child.try_wait().expect("ask for memcached's exit status") {
            panic!("memcached exited: {status}: {}", log(folder));
        }
        assert!(
            Instant::now() < deadline,
            "memcached does not open a port: {}",
            log(folder)
        );
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_answers_and_restarts_on_the_same_port() {
        let mut memcached = Memcached::with_arguments(&["-m", "8"]);
        let address = memcached.address();
        let mut client = RawClient::connect(address);
        assert_eq!(
            client.request(b"set k 0 0 1\r\nv\r\n", b"\r\n"),
            b"STORED\r\n"
        );
        let first_pid = memcached.pid();

        memcached.restart();

        assert_eq!(memcached.address(), address);
        assert_ne!(memcached.pid(), first_pid);
        assert!(client.read_to_end().is_ok_and(|rest| rest.is_empty()));
        assert_eq!(
            RawClient::connect(address).request(b"get k\r\n", b"END\r\n"),
            b"END\r\n"
        );
    }

    #[test]
    fn a_paused_process_accepts_but_does_not_answer() {
        let memcached = Memcached::start();
        memcached.pause();
        let mut client = RawClient::connect(memcached.address());
        client.set_deadline(Duration::from_millis(20));
        client.send(b"version\r\n").unwrap();
        assert!(client.read_until(b"\r\n").is_err());

        memcached.resume();
        client.set_deadline(Duration::from_secs(10));
        assert!(client.read_until(b"\r\n").unwrap().starts_with(b"VERSION "));
    }

    #[test]
    fn a_killed_process_refuses_connections() {
        let mut memcached = Memcached::start();
        memcached.kill();
        assert!(RawClient::try_connect(memcached.address()).is_err());
    }
}
