//! The program in a real window, on a virtual display: it starts, goes from screen to screen, takes
//! a key, simulates a removal, and quits.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod display;

use std::process::Stdio;

use display::Display;

#[test]
fn it_can_be_driven_by_keyboard_from_start_to_quit() {
    let (picture, settings) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let display = Display::start(picture.path());
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
