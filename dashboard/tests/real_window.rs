//! The program in a real window, on a virtual display: it starts, goes from screen to screen, takes
//! a key, simulates a removal, and quits.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// How long a step may take before the test fails, in seconds. Only a failure takes that long.
const PATIENCE: &str = "60";

/// A virtual display; ends with the test.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1440x900x24",
                "-nolisten",
                "tcp",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is missing: scripts/setup-test-deps installs it");
        let mut number = String::new();
        let output = server.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut number).unwrap();
        let name = format!(":{}", number.trim());
        Self { server, name }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("DISPLAY", &self.name)
            .env_remove("WAYLAND_DISPLAY");
        command
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let output = self
            .command("timeout")
            .args([PATIENCE, "xdotool"])
            .args(arguments)
            .output()
            .expect("xdotool is missing: scripts/setup-test-deps installs it");
        assert!(output.status.success(), "xdotool {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Waits for the window to be called so, and gives its number.
    fn window(&self, title: &str) -> String {
        let found = self.xdotool(&["search", "--sync", "--onlyvisible", "--name", title]);
        found.lines().next().unwrap().to_owned()
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn it_can_be_driven_by_keyboard_from_start_to_quit() {
    let display = Display::start();
    let settings = tempfile::tempdir().unwrap();
    let program = display
        .command(env!("CARGO_BIN_EXE_memlens"))
        .args(["--demo", "--nodes", "3", "--rate", "500"])
        .env("XDG_DATA_HOME", settings.path())
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let window = display.window("^Overview .* demo .* memlens$");
    // Without a window manager nobody gives the focus.
    display.xdotool(&["windowfocus", "--sync", &window]);
    display.xdotool(&["key", "4"]);
    display.window("^Nodes .* demo");
    display.xdotool(&["key", "ctrl+k"]);
    display.xdotool(&["type", "user:42"]);
    display.xdotool(&["key", "Return"]);
    display.window("^Ring .* demo");
    display.xdotool(&["key", "Escape", "n", "w"]);
    display.window("^What-if .* demo");
    display.xdotool(&["key", "ctrl+q"]);
    let output = program.wait_with_output();
    let output = output.unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
