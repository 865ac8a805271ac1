//! Tests that need a process to themselves: for its memory, or for a network and files of its own.
//!
//! The test binary runs itself again, with this one test. No setting of the machine is touched: the
//! process gets namespaces of its own, which end with it.

use std::env;
use std::process::Command;

/// Set in the process of a test that runs apart, to the test's name.
const VARIABLE: &str = "MEMLENS_TEST_APART";

/// What a test needs for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apart {
    /// A process.
    Process,
    /// A process, its network and its mounted files.
    Machine,
}

impl Apart {
    /// Runs `body`, the body of the test called `name` with its modules, in a process of its own.
    pub fn run(self, name: &str, body: impl FnOnce()) {
        if env::var_os(VARIABLE).is_some_and(|set| set == name) {
            return body();
        }
        let program = env::current_exe().expect("the path of the test binary");
        let mut command = match self {
            Self::Process => Command::new(&program),
            Self::Machine => {
                let mut command = Command::new("unshare");
                command.args(["--user", "--map-root-user", "--net", "--mount"]);
                command.arg(&program);
                command
            }
        };
        command
            .args(["--exact", name, "--nocapture", "--test-threads=1"])
            .env(VARIABLE, name);
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("cannot run {command:?} (package util-linux): {error}"));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{name}, run apart, ended with {}; a machine that forbids namespaces can't run it\n{text}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Runs a program to its end, or fails the test.
pub fn call(program: &str, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
