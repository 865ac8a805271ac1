//! Captured servers as nodes of a monitor.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "several test programs use parts of it"
)]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use memlens::stats::{General, Items, Settings, Sizes, Slabs};
use memlens_dashboard::model::{Failure, Monitor, Observation, Snapshot};

pub const SECOND: Duration = Duration::from_secs(1);

/// What a server printed, as names and values.
pub fn pairs(capture: &str) -> Vec<(String, String)> {
    let path = format!(
        "{}/tests/data/captures/{capture}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(text.ends_with("END\r\n"), "{capture} is cut off");
    let statistics = text.lines().filter_map(|line| line.strip_prefix("STAT "));
    statistics
        .map(|line| line.split_once(' ').expect("name and value"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A captured answer of some kind.
macro_rules! parse {
    ($kind:ident, $capture:expr) => {
        $kind::parse(
            $crate::captured::pairs($capture)
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
    };
}

pub fn general(capture: &str) -> General {
    parse!(General, capture)
}

pub fn sizes(capture: &str) -> Sizes {
    parse!(Sizes, capture)
}

/// Time between the two samples of a captured server, by its own clock.
fn seconds_apart(node: char) -> u64 {
    match node {
        'd' => 1,
        _ => {
            let uptime = |time| general(&format!("{node}_stats_{time}")).uptime.unwrap();
            uptime("t1") - uptime("t0")
        }
    }
}

/// Captured servers `a` to `d`, named `a:1` and so on, each polled twice.
pub struct Capture {
    monitor: Monitor,
    now: Duration,
}

impl Capture {
    pub fn new(nodes: &[char]) -> Self {
        let names = nodes.iter().map(|node| Arc::from(format!("{node}:1")));
        let mut monitor = Monitor::new(names, Duration::from_secs(20));
        let end = Duration::from_secs(60);
        for (index, node) in nodes.iter().enumerate() {
            let times = if *node == 'd' {
                ["", ""]
            } else {
                ["_t0", "_t1"]
            };
            let settings = parse!(Settings, &format!("{node}_stats_settings"));
            for (place, time) in times.into_iter().enumerate() {
                let at = end - Duration::from_secs(seconds_apart(*node) * (1 - place as u64));
                let mut slabs = parse!(Slabs, &format!("{node}_stats_slabs{time}"));
                let mut items = parse!(Items, &format!("{node}_stats_items{time}"));
                if *node == 'd' && place == 0 {
                    // The one refused store that this capture shows, seen happening.
                    items.classes.get_mut(&12).unwrap().outofmemory = Some(0);
                    slabs.classes.get_mut(&12).unwrap().cmd_set = Some(3539);
                }
                monitor.observe(
                    index,
                    at,
                    Observation::General {
                        general: Arc::new(general(&format!("{node}_stats{time}"))),
                        round_trip: Some(Duration::from_micros(120)),
                    },
                );
                monitor.observe(
                    index,
                    at,
                    Observation::Classes {
                        items: Arc::new(items),
                        slabs: Arc::new(slabs),
                    },
                );
                monitor.observe(index, at, Observation::Settings(Arc::new(settings.clone())));
            }
        }
        Self { monitor, now: end }
    }

    /// A second later, a node answers.
    pub fn observe(&mut self, node: usize, general: General) {
        self.now += SECOND;
        self.monitor.observe(
            node,
            self.now,
            Observation::General {
                general: Arc::new(general),
                round_trip: None,
            },
        );
    }

    /// A second later, a node does not.
    pub fn fail(&mut self, node: usize, failure: Failure) {
        self.now += SECOND;
        self.monitor
            .observe(node, self.now, Observation::Failed(failure));
    }

    pub fn snapshot(&mut self) -> Snapshot {
        self.monitor.publish(self.now)
    }

    pub fn later(&mut self, time: Duration) -> Snapshot {
        self.now += time;
        self.snapshot()
    }
}
