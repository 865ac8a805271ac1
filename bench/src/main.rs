//! Measures memlens beside other clients and hand-written floors, against a real memcached.

mod allocations;
mod contenders;
mod counts;
mod meter;
mod quiet;
mod rounds;
mod server;
mod table;
mod workload;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Parser, Subcommand};

use contenders::Contender;
use meter::{Meter, Until};
use workload::Workload;

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure operations per second and CPU time, in interleaved rounds.
    Time {
        #[command(flatten)]
        selection: Selection,
        /// How many times to measure each contender.
        #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
        /// How long each measurement takes.
        #[arg(long, default_value_t = 0.5, value_parser = seconds)]
        seconds: f64,
        /// Let the scheduler place client and server, and CPUs go to sleep.
        #[arg(long)]
        spread: bool,
    },
    /// Count allocations, system calls and instructions an operation, which noise does not touch.
    Count {
        #[command(flatten)]
        selection: Selection,
        /// How many operations to count over.
        #[arg(long, default_value_t = 6_400, value_parser = clap::value_parser!(u64).range(64..))]
        operations: u64,
    },
    /// One measurement; the others start it.
    #[command(hide = true)]
    Measure {
        contender: String,
        workload: Workload,
        server: SocketAddr,
        #[arg(long)]
        seconds: Option<f64>,
        #[arg(long, conflicts_with = "seconds")]
        operations: Option<u64>,
    },
    /// Keep a CPU awake.
    #[command(hide = true)]
    Spin { cpu: usize },
}

#[derive(Args)]
struct Selection {
    /// Only these workloads.
    #[arg(long = "workload", value_name = "NAME")]
    workloads: Vec<Workload>,
    /// Only contenders whose name contains one of these.
    #[arg(long = "contender", value_name = "PART")]
    contenders: Vec<String>,
    /// The server to start.
    #[arg(long, default_value = "memcached", value_name = "PROGRAM")]
    memcached: String,
}

impl Selection {
    fn workloads(&self) -> Vec<Workload> {
        if self.workloads.is_empty() {
            return Workload::ALL.to_vec();
        }
        self.workloads.clone()
    }

    fn contenders(&self) -> Result<Vec<Box<dyn Contender>>> {
        let mut chosen = contenders::all();
        if !self.contenders.is_empty() {
            chosen.retain(|contender| {
                let name = contender.name();
                self.contenders
                    .iter()
                    .any(|part| name.contains(part.as_str()))
            });
        }
        ensure!(!chosen.is_empty(), "no contender has such a name");
        Ok(chosen)
    }
}

fn seconds(text: &str) -> Result<f64> {
    let seconds: f64 = text.parse()?;
    ensure!(
        (0.01..=3600.0).contains(&seconds),
        "not between 0.01 and 3600"
    );
    Ok(seconds)
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Time {
            selection,
            rounds,
            seconds,
            spread,
        } => rounds::run(&selection, rounds, seconds, spread),
        Command::Count {
            selection,
            operations,
        } => counts::run(&selection, operations),
        Command::Measure {
            contender,
            workload,
            server,
            seconds,
            operations,
        } => {
            let until = match (seconds, operations) {
                (Some(seconds), _) => Until::Elapsed(Duration::from_secs_f64(seconds)),
                (None, operations) => Until::Operations(operations.context("for how long?")?),
            };
            let contender = contenders::all()
                .into_iter()
                .find(|known| known.name() == contender)
                .context("no such contender")?;
            let tally = Meter::measure(workload, until, contender.as_ref(), server)?;
            println!("{}", serde_json::to_string(&tally)?);
            Ok(())
        }
        Command::Spin { cpu } => quiet::spin(cpu),
    }
}
