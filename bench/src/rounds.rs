//! Interleaved rounds: every contender is measured once a round, in a process of its own, and
//! compared with the others of the same round. What disturbs the machine for longer than a round
//! disturbs all of them.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::Selection;
use crate::contenders::{Contender, Kind};
use crate::meter::Tally;
use crate::quiet::Quiet;
use crate::server::Server;
use crate::table::{Table, number};
use crate::workload::Workload;

pub(crate) fn run(selection: &Selection, rounds: u32, seconds: f64, spread: bool) -> Result<()> {
    let contenders = selection.contenders()?;
    let workloads = selection.workloads();
    let _quiet = if spread { None } else { Some(Quiet::begin()?) };
    let servers = selection.start()?;
    let addresses = servers.addresses();
    let place = if spread {
        "placed by the scheduler"
    } else {
        "all on one CPU kept awake"
    };
    let version = Server::version(&selection.memcached)?;
    let count = addresses.len();
    println!("{count} × {version}, {rounds} rounds of {seconds} s, {place}.");
    for workload in workloads {
        let mut series: Vec<_> = contenders
            .iter()
            .filter(|contender| contender.takes_part_in(workload, addresses.len()))
            .map(|contender| Series::new(contender.as_ref()))
            .collect();
        for round in 0..rounds as usize {
            // Not always behind the same one.
            let first = round % series.len().max(1);
            let (later, sooner) = series.split_at_mut(first);
            for one in sooner.iter_mut().chain(later) {
                let tally = measure(&one.name, workload, &addresses, seconds, None)?;
                one.tallies.push(tally);
            }
        }
        print!(
            "\n## {} (`{}`)\n\n{}",
            workload.title(),
            workload.name(),
            report(workload, addresses.len(), &series)
        );
    }
    Ok(())
}

pub(crate) fn measure(
    contender: &str,
    workload: Workload,
    servers: &[SocketAddr],
    seconds: f64,
    rate: Option<u32>,
) -> Result<Tally> {
    let rate = rate.map(|rate| format!("--rate={rate}"));
    let output = Command::new(std::env::current_exe()?)
        .args(["measure", contender, workload.name()])
        .args(servers.iter().map(ToString::to_string))
        .args(["--seconds", &seconds.to_string()])
        .args(rate)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(
        output.status.success(),
        "{contender} failed at {}",
        workload.name()
    );
    serde_json::from_slice(&output.stdout).context("no tally")
}

/// What one contender did, round by round.
struct Series {
    name: String,
    kind: Kind,
    tallies: Vec<Tally>,
}

impl Series {
    fn new(contender: &dyn Contender) -> Self {
        Self {
            name: contender.name(),
            kind: contender.kind(),
            tallies: Vec::new(),
        }
    }

    fn rates(&self) -> impl Iterator<Item = f64> {
        self.tallies
            .iter()
            .map(|tally| tally.operations as f64 / tally.seconds)
    }

    fn median_rate(&self) -> f64 {
        Quartiles::of(self.rates()).median
    }

    /// How many times as fast it was as `other` in the same round.
    fn ratios(&self, other: &Self) -> Quartiles {
        Quartiles::of(std::iter::zip(self.rates(), other.rates()).map(|(own, others)| own / others))
    }
}

pub(crate) struct Quartiles {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Quartiles {
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (sorted.len().saturating_sub(1)) as f64 * share;
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            let value = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
            value(below) + (value(above) - value(below)) * place.fract()
        };
        Self {
            low: at(0.25),
            median: at(0.5),
            high: at(0.75),
        }
    }
}

fn report(workload: Workload, servers: usize, series: &[Series]) -> Table {
    let floor = series
        .iter()
        .find(|one| one.name == workload.floor(servers));
    let peer = series
        .iter()
        .filter(|one| one.kind == Kind::Peer)
        .max_by(|one, other| one.median_rate().total_cmp(&other.median_rate()));
    let plain = series.iter().find(|one| one.name == "memlens@current");
    let plain = plain.filter(|_| series.iter().any(|one| one.kind == Kind::Extended));
    let against = |one: &Series, other: Option<&Series>| {
        other.map_or_else(String::new, |other| {
            let Quartiles { low, median, high } = one.ratios(other);
            format!("{median:.2} ({low:.2}–{high:.2})")
        })
    };
    let beside_floor = format!("× {}", workload.floor(servers));
    let beside_peer = peer.map_or_else(String::new, |peer| format!("× {}", peer.name));
    let beside_plain = plain.map_or_else(String::new, |plain| format!("× {}", plain.name));
    let mut table = Table::new([
        "contender",
        "ops/s",
        &beside_floor,
        &beside_peer,
        &beside_plain,
        "CPU µs/op",
        "slowest",
    ]);
    for one in series {
        let cpu = one
            .tallies
            .iter()
            .map(|tally| tally.cpu_seconds * 1e6 / tally.operations as f64);
        let fairness = one.tallies.iter().map(|tally| tally.fairness);
        table.row([
            one.name.clone(),
            number(one.median_rate()),
            against(one, floor),
            against(one, peer),
            against(one, plain.filter(|_| one.kind == Kind::Extended)),
            format!("{:.2}", Quartiles::of(cpu).median),
            match workload.callers() {
                1 => String::new(),
                _ => format!("{:.2}", Quartiles::of(fairness).median),
            },
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(operations: impl IntoIterator<Item = u64>) -> Series {
        let tally = |operations| Tally {
            operations,
            seconds: 2.0,
            cpu_seconds: 1.0,
            allocations: 0,
            fairness: 1.0,
            latency: None,
        };
        Series {
            name: String::new(),
            kind: Kind::Peer,
            tallies: operations.into_iter().map(tally).collect(),
        }
    }

    #[test]
    fn quartiles_lie_between_neighbours() {
        let Quartiles { low, median, high } = Quartiles::of([4.0, 1.0, 2.0, 3.0].into_iter());
        assert_eq!((low, median, high), (1.75, 2.5, 3.25));
        let Quartiles { low, median, high } = Quartiles::of([7.0].into_iter());
        assert_eq!((low, median, high), (7.0, 7.0, 7.0));
    }

    #[test]
    fn ratios_compare_within_a_round() {
        let fast = series([200, 20, 2000]);
        let slow = series([100, 10, 1000]);
        let Quartiles { low, median, high } = fast.ratios(&slow);
        assert_eq!((low, median, high), (2.0, 2.0, 2.0));
        assert_eq!(slow.median_rate(), 50.0);
    }
}
