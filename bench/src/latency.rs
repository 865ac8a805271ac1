//! How long operations take at a rate that the client can keep up with.

use anyhow::{Context as _, Result, ensure};

use crate::Selection;
use crate::contenders::{Contender, Kind};
use crate::quiet::Quiet;
use crate::rounds::{Quartiles, measure};
use crate::server::Server;
use crate::table::{Table, number};
use crate::workload::Workload;

pub(crate) fn run(
    selection: &Selection,
    rounds: u32,
    seconds: f64,
    rate: Option<u32>,
) -> Result<()> {
    let servers = selection.start()?;
    let addresses = servers.addresses();
    let workloads = match &selection.workloads[..] {
        [] => vec![Workload::Get64, Workload::Mixed64],
        chosen => chosen.to_vec(),
    };
    let mut contenders = selection.contenders()?;
    contenders.retain(|it| matches!(it.kind(), Kind::Peer | Kind::Memlens) && it.is_async());
    let _quiet = Quiet::begin()?;
    for workload in workloads {
        ensure!(workload.callers() > 1, "only for workloads of many callers");
        let taking_part: Vec<&dyn Contender> = contenders
            .iter()
            .map(AsRef::as_ref)
            .filter(|it| it.takes_part_in(workload, addresses.len()))
            .collect();
        let rate = match rate {
            Some(rate) => rate,
            None => half_of_the_most(&taking_part, workload, &addresses)?,
        };
        let each_tick = (rate / 1000).max(1);
        let mut series: Vec<Vec<[f64; 3]>> = vec![Vec::new(); taking_part.len()];
        for _ in 0..rounds {
            for (contender, latencies) in std::iter::zip(&taking_part, &mut series) {
                let name = contender.name();
                let tally = measure(&name, workload, &addresses, seconds, Some(each_tick))?;
                latencies.push(tally.latency.context("no latency")?);
            }
        }
        let mut table = Table::new(["contender", "median µs", "p99 µs", "p99.9 µs"]);
        for (contender, latencies) in std::iter::zip(&taking_part, &series) {
            let median = |which: usize| Quartiles::of(latencies.iter().map(|it| it[which])).median;
            table.row([
                contender.name(),
                number(median(0)),
                number(median(1)),
                number(median(2)),
            ]);
        }
        print!(
            "{}: {}, {} operations a second, {rounds} rounds of {seconds} s.\n\n{table}\n",
            workload.title(),
            Server::version(&selection.memcached)?,
            number(f64::from(each_tick) * 1000.0),
        );
    }
    Ok(())
}

/// Half of the highest rate that a peer reaches.
fn half_of_the_most(
    contenders: &[&dyn Contender],
    workload: Workload,
    servers: &[std::net::SocketAddr],
) -> Result<u32> {
    let mut most: f64 = 0.0;
    for peer in contenders.iter().filter(|it| it.kind() == Kind::Peer) {
        let tally = measure(&peer.name(), workload, servers, 0.5, None)?;
        most = most.max(tally.operations as f64 / tally.seconds);
    }
    ensure!(most > 0.0, "no peer to take the rate from: give --rate");
    Ok((most / 2.0) as u32)
}
