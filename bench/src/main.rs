//! Measures memlens beside other clients and hand-written floors, against a real memcached.

mod allocations;
mod contenders;
mod counts;
#[cfg(feature = "tls")]
mod encryption;
mod guard;
mod latency;
mod memory;
mod meter;
mod pace;
mod quiet;
mod rounds;
mod scale;
mod server;
mod table;
mod workload;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Parser, Subcommand};

use contenders::Contender;
use meter::{Meter, Until};
use server::Servers;
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
    /// Measure how long operations take that fall due at a fixed rate.
    Latency {
        #[command(flatten)]
        selection: Selection,
        /// How many times to measure each contender.
        #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
        /// How long each measurement takes.
        #[arg(long, default_value_t = 1.0, value_parser = seconds)]
        seconds: f64,
        /// How many operations fall due a second: half of what the fastest other Rust client does at
        /// most, unless given.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1000..))]
        rate: Option<u32>,
    },
    /// Count allocations, system calls and instructions an operation, which noise does not touch.
    Count {
        #[command(flatten)]
        selection: Selection,
        /// How many operations to count over.
        #[arg(long, default_value_t = 6_400, value_parser = clap::value_parser!(u64).range(64..))]
        operations: u64,
    },
    /// Compare the counts of memlens with those written down, and fail if they have risen.
    Guard {
        /// The server to start.
        #[arg(long, default_value = "memcached", value_name = "PROGRAM")]
        memcached: String,
        /// Write them down instead.
        #[arg(long)]
        update: bool,
    },
    /// Measure the memory that connections and requests take.
    Memory {
        /// The server to start.
        #[arg(long, default_value = "memcached", value_name = "PROGRAM")]
        memcached: String,
    },
    /// Measure what encryption costs, and a handshake. Needs the feature `tls`.
    #[cfg(feature = "tls")]
    Tls {
        /// The server to start.
        #[arg(long, default_value = "memcached", value_name = "PROGRAM")]
        memcached: String,
        /// How many times to measure each.
        #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
        /// How long each measurement takes.
        #[arg(long, default_value_t = 0.5, value_parser = seconds)]
        seconds: f64,
    },
    /// Simulate many client processes and many nodes.
    Scale,
    /// One measurement; the others start it.
    #[command(hide = true)]
    Measure {
        contender: String,
        workload: Workload,
        #[arg(required = true)]
        servers: Vec<SocketAddr>,
        #[arg(long)]
        seconds: Option<f64>,
        /// Operations a millisecond.
        #[arg(long, requires = "seconds")]
        rate: Option<u32>,
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
    /// Over how many servers.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    servers: u16,
    /// The server to start.
    #[arg(long, default_value = "memcached", value_name = "PROGRAM")]
    memcached: String,
}

impl Selection {
    /// Starts the servers, with the items of all chosen workloads on each.
    fn start(&self) -> Result<Servers> {
        Servers::start(
            &self.memcached,
            usize::from(self.servers),
            &self.workloads(),
        )
    }

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
        chosen.retain(|contender| match contender.is_missing() {
            Some(reason) => {
                eprintln!("{} is left out: {reason}", contender.name());
                false
            }
            None => true,
        });
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

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        // Without a backtrace, which would hide it.
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
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
        Command::Latency {
            selection,
            rounds,
            seconds,
            rate,
        } => latency::run(&selection, rounds, seconds, rate),
        Command::Guard { memcached, update } => guard::run(&memcached, update),
        Command::Memory { memcached } => memory::run(&memcached),
        #[cfg(feature = "tls")]
        Command::Tls {
            memcached,
            rounds,
            seconds,
        } => encryption::run(&memcached, rounds, seconds),
        Command::Scale => scale::run(),
        Command::Measure {
            contender,
            workload,
            servers,
            seconds,
            rate,
            operations,
        } => {
            let until = match (seconds.map(Duration::from_secs_f64), rate, operations) {
                (Some(time), Some(rate), _) => Until::Paced(time, rate),
                (Some(time), None, _) => Until::Elapsed(time),
                (None, _, operations) => Until::Operations(operations.context("for how long?")?),
            };
            let contender = contenders::named(&contender).context("no such contender")?;
            let tally = Meter::measure(workload, until, contender.as_ref(), &servers)?;
            println!("{}", serde_json::to_string(&tally)?);
            Ok(())
        }
        Command::Spin { cpu } => quiet::spin(cpu),
    }
}
