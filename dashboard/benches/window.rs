//! What the program costs in a window of a virtual display, drawn by the processor: its size, how soon
//! it shows figures, memory, and processor time by thread. Needs Linux, Xvfb, xdotool and memcached.
//!
//! ```text
//! cargo bench -p memlens-dashboard --bench window
//! ```
//!
//! It takes a few minutes: each load is watched for half a minute.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "it tells what it measured, and cannot go on without what it needs"
)]

#[path = "../tests/display/mod.rs"]
mod display;
#[allow(dead_code, unreachable_pub, reason = "tests use more of it")]
#[path = "../tests/window/memcached.rs"]
mod memcached;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use display::Display;
use memcached::Memcached;
use memlens_dashboard::theme::Theme;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_memlens");

/// How long processor time is counted.
const WATCHED: Duration = Duration::from_secs(30);

/// How long a cluster runs before, so that what happens once is over.
const BEFORE: Duration = Duration::from_secs(8);

/// How long figures may take to show.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts whose median is told.
const STARTS: usize = 7;

/// Clock ticks in a second: what Linux counts processor time of threads in.
const TICKS: f64 = 100.0;

/// Height of the bar at the top, where a green dot says that nodes answer.
const TOP_BAR: usize = 44;

/// A running program in a window.
struct Window<'d> {
    display: &'d Display,
    program: Child,
    _preferences: TempDir,
    figures_after: Duration,
}

impl<'d> Window<'d> {
    /// Opens it, and waits until the first figures are painted.
    fn open(display: &'d Display, arguments: &[&str]) -> Self {
        let preferences = TempDir::new().unwrap();
        let mut command = display.command(PROGRAM);
        command
            .args(arguments)
            .env("XDG_DATA_HOME", preferences.path())
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .stdout(Stdio::null());
        let begun = Instant::now();
        let program = command.spawn().unwrap();
        let green = [Theme::DARK.ok, Theme::LIGHT.ok].map(|it| [it.r(), it.g(), it.b()]);
        while !green.iter().any(|green| display.shows(*green, TOP_BAR)) {
            assert!(begun.elapsed() < PATIENCE, "no figures");
            sleep(Duration::from_millis(2));
        }
        Self {
            display,
            program,
            _preferences: preferences,
            figures_after: begun.elapsed(),
        }
    }

    fn press(&self, key: &str) {
        let title = "memlens$";
        let window = self.display.window(title);
        // Without a window manager nobody gives the focus.
        self.display.xdotool(&["windowfocus", "--sync", &window]);
        self.display.xdotool(&["key", key]);
    }

    /// Memory that is in use, in MiB.
    fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
        kibibytes.unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Processor time of each thread so far, in ticks; those of one name together.
    fn threads(&self) -> BTreeMap<String, u64> {
        let mut threads = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.program.id())).unwrap() {
            let folder = task.unwrap().path();
            // A thread may have ended meanwhile.
            let (Ok(name), Ok(stat)) = (
                fs::read_to_string(folder.join("comm")),
                fs::read_to_string(folder.join("stat")),
            ) else {
                continue;
            };
            let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
            let times = fields.split_whitespace().skip(11).take(2);
            let ticks: u64 = times.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
            *threads.entry(name.trim().to_owned()).or_default() += ticks;
        }
        threads
    }

    /// Processor time while nobody touches anything, in percent of one core, by thread.
    fn tell_load(&self, what: &str) {
        let before = self.threads();
        sleep(WATCHED);
        let after = self.threads();
        let mut all = 0.0;
        let mut parts = Vec::new();
        for (name, ticks) in after {
            let ticks = ticks.saturating_sub(before.get(&name).copied().unwrap_or(0));
            let percent = ticks as f64 / TICKS / WATCHED.as_secs_f64() * 100.0;
            all += percent;
            if ticks > 0 {
                parts.push(format!("{name} {percent:.1}"));
            }
        }
        println!("{what:<44}{all:>7.1} % of a core   ({})", parts.join(", "));
    }

    fn tell_memory(&self, what: &str) {
        println!("{what:<44}{:>7.0} MiB resident", self.resident());
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn main() {
    let bytes = fs::metadata(PROGRAM).unwrap().len();
    println!("{:<44}{:>7.1} MB", "binary", bytes as f64 / 1e6);

    let picture = TempDir::new().unwrap();
    let display = Display::start(picture.path());
    let servers: Vec<Memcached> = (0..4).map(|_| Memcached::start()).collect();
    let list: Vec<&str> = servers.iter().map(Memcached::address).collect();
    let list = list.join(",");
    let four = ["--servers", &list];

    let starts = (0..STARTS).map(|_| Window::open(&display, &four).figures_after);
    let mut starts: Vec<Duration> = starts.collect();
    starts.sort_unstable();
    let median = starts[STARTS / 2].as_secs_f64() * 1e3;
    println!(
        "{:<44}{median:>7.0} ms",
        "from start to first figures, 4 servers"
    );

    let window = Window::open(&display, &four);
    sleep(BEFORE);
    window.tell_load("4 servers at 1 s");
    window.tell_memory("4 servers");
    window.press("space");
    sleep(BEFORE);
    window.tell_load("4 servers, paused");
    drop(window);

    let many = ["--demo", "--nodes", "200", "--memory", "4"];
    let idle = [&many[..], &["--no-load"]].concat();
    let window = Window::open(&display, &idle);
    sleep(BEFORE);
    window.tell_load("200 embedded nodes at 1 s, no traffic");
    window.tell_memory("200 embedded nodes, no traffic");
    drop(window);
    let window = Window::open(&display, &many);
    sleep(BEFORE);
    window.tell_load("200 embedded nodes at 1 s, 20 000 commands/s");
    window.tell_memory("200 embedded nodes under load");
}
