//! A virtual display with a keyboard.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and benchmarks use parts of it"
)]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How long a step may take before the test fails, in seconds. Only a failure takes that long.
const PATIENCE: &str = "60";

/// A virtual display; ends with the test.
pub struct Display {
    server: Child,
    name: String,
    picture: PathBuf,
}

impl Display {
    /// Starts it on a free number, with what it shows in a file of `folder`.
    pub fn start(folder: &Path) -> Self {
        let mut server = Command::new("Xvfb")
            .arg("-fbdir")
            .arg(folder)
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
        Self {
            server,
            name,
            picture: folder.join("Xvfb_screen0"),
        }
    }

    /// A program that opens its windows on it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("DISPLAY", &self.name)
            .env_remove("WAYLAND_DISPLAY");
        command
    }

    /// Does what somebody at the keyboard would, and gives what xdotool says.
    pub fn xdotool(&self, arguments: &[&str]) -> String {
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
    pub fn window(&self, title: &str) -> String {
        let found = self.xdotool(&["search", "--sync", "--onlyvisible", "--name", title]);
        found.lines().next().unwrap().to_owned()
    }
}

impl Display {
    /// Whether one of the upper `rows` rows of pixels has this colour anywhere.
    pub fn shows(&self, color: [u8; 3], rows: usize) -> bool {
        // The format of xwd: numbers of 32 bits, the highest byte first.
        let mut file = File::open(&self.picture).unwrap();
        let mut header = [0; 100];
        file.read_exact(&mut header).unwrap();
        let number = |place: usize| {
            let bytes = header[place * 4..place * 4 + 4].try_into().unwrap();
            u32::from_be_bytes(bytes) as usize
        };
        let (header_size, line, colors) = (number(0), number(12), number(19));
        let mut pixels = vec![0; line * rows];
        let begin = header_size + colors * 12;
        file.seek(SeekFrom::Start(begin as u64)).unwrap();
        file.read_exact(&mut pixels).unwrap();
        let [red, green, blue] = color;
        let mut pixels = pixels.chunks_exact(4);
        pixels.any(|pixel| pixel[..3] == [blue, green, red])
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
