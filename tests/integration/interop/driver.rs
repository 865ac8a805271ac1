//! A program in another language that carries out requests with its client: `interop/README.md`.

use std::fmt::Write as _;
use std::io::{Seek, Write as _};
use std::process::{Command, Stdio};

use super::Party;
use super::items::{Item, hexadecimal};

/// The command that runs the program with its client and servers.
#[derive(Debug)]
pub(super) struct Driver {
    interpreter: String,
    script: &'static str,
    client: &'static str,
    servers: Vec<String>,
}

impl Driver {
    /// `script` is the path of a file below `interop/`.
    pub(super) fn new(
        interpreter: String,
        script: &'static str,
        client: &'static str,
        servers: &[String],
    ) -> Self {
        Self {
            interpreter,
            script,
            client,
            servers: servers.to_vec(),
        }
    }

    /// Gives the requests to a run of the program, and waits for the replies.
    fn run(&self, requests: &str) -> Vec<String> {
        // A file takes them all at once, where a pipe would need a thread.
        let mut input = tempfile::tempfile().expect("create a temporary file");
        input
            .write_all(requests.as_bytes())
            .expect("write requests");
        input.rewind().expect("go back to the first request");
        let output = Command::new(&self.interpreter)
            .arg(self.script)
            .arg(self.client)
            .args(&self.servers)
            .stdin(Stdio::from(input))
            .output()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", self.interpreter));
        assert!(
            output.status.success(),
            "{} {}: {}\n{}",
            self.script,
            self.client,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        let replies = String::from_utf8(output.stdout).expect("replies are text");
        replies.lines().map(str::to_owned).collect()
    }
}

impl Party for Driver {
    fn set(&self, items: &[Item]) -> Vec<String> {
        let mut requests = String::new();
        for item in items {
            let key = hexadecimal(item.key.as_bytes());
            writeln!(requests, "set {key} {}", item.content.to_words()).expect("write to a string");
        }
        self.run(&requests)
    }

    fn get(&self, items: &[Item]) -> Vec<String> {
        let mut requests = String::new();
        for item in items {
            writeln!(requests, "get {}", hexadecimal(item.key.as_bytes()))
                .expect("write to a string");
        }
        self.run(&requests)
    }
}
