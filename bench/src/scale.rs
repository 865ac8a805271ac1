//! What thousands of client processes and nodes do to each other, by simulation: the rings are real ones,
//! and the waits between dials follow the client's rule and default settings.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use memlens::Config;
use memlens::ring::{Member, Profile, Ring};

use crate::table::{Table, number};
use crate::workload::Random;

const CLIENTS: usize = 10_000;
const NODES: usize = 1_000;
const CALLS: usize = 1_000;

pub(crate) fn run() -> Result<()> {
    let mut fan_out = Table::new(["keys a call", "nodes it asks", "of them late, if 1 % are"]);
    let members = (0..NODES).map(|node| Member::tcp(format!("cache-{node:04}"), 11211));
    let members: Vec<Member> = members.collect();
    let began = Instant::now();
    let ring = Ring::new(members, Profile::default())?;
    println!(
        "{NODES} nodes: the ring is built in {:.1?}.\n",
        began.elapsed()
    );
    for keys in [1, 10, 100, 1_000] {
        let nodes = nodes_a_call(&ring, keys);
        let late = (1.0 - 0.99_f64.powf(nodes)) * 100.0;
        fan_out.row([
            keys.to_string(),
            format!("{nodes:.1}"),
            format!("{late:.0} % of calls"),
        ]);
    }
    println!("{fan_out}");

    let Config {
        backoff_base,
        backoff_cap,
        ..
    } = Config::default();
    let mut storms = Table::new([
        "node gone for",
        "dials/s while gone",
        "most connects in 10 ms",
        "all back after",
    ]);
    for gone in [1, 10, 60].map(Duration::from_secs) {
        let storm = Storm::simulate(gone, backoff_base, backoff_cap);
        storms.row([
            format!("{gone:?}"),
            number(storm.dials as f64 / gone.as_secs_f64()),
            number(storm.peak as f64),
            format!("{:.1} s", storm.back.as_secs_f64()),
        ]);
    }
    println!("{CLIENTS} clients, waits from {backoff_base:?} to {backoff_cap:?}.\n\n{storms}");
    Ok(())
}

/// How many nodes a call for so many keys asks, on average.
fn nodes_a_call(ring: &Ring, keys: usize) -> f64 {
    let mut random = Random::new(keys as u64);
    let mut asked = 0;
    for _ in 0..CALLS {
        let owners = (0..keys).map(|_| ring.node_for(format!("user:{}", random.next()).as_bytes()));
        asked += owners.collect::<HashSet<_>>().len();
    }
    asked as f64 / CALLS as f64
}

/// What comes of it when a node that all clients need refuses connections for a while.
struct Storm {
    /// Before it is back.
    dials: usize,
    /// The most connections made within 10 ms.
    peak: usize,
    /// How long after its return the last client is connected.
    back: Duration,
}

impl Storm {
    /// Every client dials at once, and after each failure waits for a random part of a time that
    /// doubles from `base` to `cap`.
    fn simulate(gone: Duration, base: Duration, cap: Duration) -> Self {
        let mut dials = 0;
        let mut connects: Vec<Duration> = (0..CLIENTS)
            .map(|client| {
                let mut random = Random::new(client as u64);
                let (mut at, mut longest) = (Duration::ZERO, base);
                while at < gone {
                    dials += 1;
                    let share = random.next() as f64 / u64::MAX as f64;
                    at += longest.min(cap).mul_f64(share);
                    longest = (longest * 2).min(cap);
                }
                at - gone
            })
            .collect();
        connects.sort_unstable();
        let within = |first: &Duration| {
            let end = *first + Duration::from_millis(10);
            connects.partition_point(|at| *at < end) - connects.partition_point(|at| at < first)
        };
        Self {
            dials,
            peak: connects.iter().map(within).max().unwrap_or(0),
            back: connects.last().copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_come_back_within_the_longest_wait_and_not_at_once() {
        let cap = Duration::from_secs(2);
        let storm = Storm::simulate(Duration::from_secs(10), Duration::from_millis(50), cap);
        assert!(storm.back <= cap);
        assert!(storm.peak < CLIENTS / 20, "{} at once", storm.peak);
        assert!(storm.dials > CLIENTS);
    }
}
