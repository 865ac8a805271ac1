//! A cache that fills while it is used: squares of random numbers, each run faster than the one before.
//!
//! Ten runs of 2000 requests for squares of numbers below 5000. A square that is not in the cache costs
//! a millisecond, on purpose, and is stored for those who ask later.
//!
//!     cargo run -p memlens-examples --example squares
//!
//! Nothing has to be installed: without `--servers`, three nodes run inside the process. Every run is a
//! trace, which goes to the OTLP endpoint of the OTEL_* variables, or of this machine, if somebody
//! listens there.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::{Duration, Instant};

use clap::Parser;
use memlens::{Operation, TracedClient as Client};
use memlens_node::Node;
use tracing::{Instrument as _, info_span};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Squares of random numbers by way of memcached, traced.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// The servers, like `cache-01:11211,cache-02:11211`. Embedded nodes without it.
    #[arg(long)]
    servers: Option<String>,
    /// How many runs.
    #[arg(long, default_value_t = 10)]
    runs: u32,
    /// How many requests a run.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    requests: u32,
    /// Below what the numbers are.
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..))]
    below: u32,
    /// What computing a square costs, in milliseconds.
    #[arg(long, default_value_t = 1)]
    cost: u64,
    /// Where the random numbers begin, to draw the same ones again.
    #[arg(long)]
    seed: Option<u64>,
}

/// How long a square stays in the cache.
const KEEP: Duration = Duration::from_secs(600);

/// How long to wait for a collector to take a connection.
const PATIENCE: Duration = Duration::from_millis(300);

/// How one run went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Run {
    hits: u32,
    misses: u32,
}

impl Run {
    fn hit_rate(self) -> f64 {
        f64::from(self.hits) / f64::from(self.hits + self.misses)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let telemetry = memlens_telemetry::builder("squares")
        .otlp_if_listening(PATIENCE)
        .init()?;
    let (servers, nodes) = match &arguments.servers {
        Some(servers) => (servers.clone(), Vec::new()),
        None => start_nodes().await?,
    };
    let client = Client::connect(&servers).await?;
    forget(&client, arguments.below).await?;

    let mut random = arguments
        .seed
        .map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
    println!("run      time  found");
    for number in 1..=arguments.runs {
        let began = Instant::now();
        let run = run(&client, &arguments, &mut random)
            .instrument(info_span!("run", otel.name = format!("Run-{number}")))
            .await?;
        let rate = run.hit_rate();
        println!(
            "{number:3}  {:6.3} s  {:3.0} %  {}",
            began.elapsed().as_secs_f64(),
            rate * 100.0,
            "█".repeat((rate * 40.0).round() as usize)
        );
    }
    show_statistics(&client);

    client.close().await;
    drop(nodes);
    let is_exported = telemetry.exports_otlp();
    telemetry.shutdown()?;
    if !is_exported {
        println!("\nThe spans went to no collector.");
    }
    Ok(())
}

/// Starts nodes inside this process, and lists them as a client takes them.
async fn start_nodes() -> Result<(String, Vec<Node>)> {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Node::builder().start().await?);
    }
    let addresses: Vec<String> = nodes.iter().map(|node| node.addr().to_string()).collect();
    Ok((addresses.join(","), nodes))
}

/// Begins with none of the squares in the cache, also on servers that an earlier run has filled.
async fn forget(client: &Client, below: u32) -> Result<()> {
    client
        .delete_multi((0..below).map(key))
        .await
        .into_result()?;
    Ok(())
}

async fn run(client: &Client, arguments: &Arguments, random: &mut fastrand::Rng) -> Result<Run> {
    let cost = Duration::from_millis(arguments.cost);
    let mut run = Run::default();
    for _ in 0..arguments.requests {
        let number = random.u32(0..arguments.below);
        let is_hit = square(client, number, cost)
            .instrument(info_span!("square", number))
            .await?;
        match is_hit {
            true => run.hits += 1,
            false => run.misses += 1,
        }
    }
    Ok(run)
}

/// Gets the square from the cache, or else computes and stores it. Whether it was found.
async fn square(client: &Client, number: u32, cost: Duration) -> Result<bool> {
    let key = key(number);
    let expected = u64::from(number).pow(2);
    if let Some(found) = client.get::<u64>(&key).await? {
        if found != expected {
            return Err(format!("the square of {number} is not {found}").into());
        }
        return Ok(true);
    }
    tokio::time::sleep(cost).await;
    client.set(&key, expected, KEEP).await?;
    Ok(false)
}

fn key(number: u32) -> String {
    format!("square:{number}")
}

/// What the client itself has counted.
fn show_statistics(client: &Client) {
    let statistics = client.statistics();
    println!();
    for operation in [Operation::Get, Operation::Set] {
        let Some(counted) = statistics.operation(operation) else {
            continue;
        };
        println!(
            "{}: {} calls, half of them within {:?}, 99 % within {:?}",
            operation.as_str(),
            counted.ok(),
            counted.latency.percentile(50.0),
            counted.latency.percentile(99.0)
        );
    }
    for node in &statistics.nodes {
        println!(
            "{}: {} found, {} not",
            node.name,
            node.hits(),
            node.misses()
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[tokio::test]
    async fn what_was_asked_for_before_is_found() -> Result<()> {
        let arguments = Arguments::parse_from(["squares", "--requests", "200", "--below", "100"]);
        let arguments = Arguments {
            cost: 0,
            ..arguments
        };
        let (servers, _nodes) = start_nodes().await?;
        let client = Client::connect(&servers).await?;
        let mut random = fastrand::Rng::with_seed(7);
        let mut same = random.clone();
        let mut known = HashSet::new();
        let mut rates = Vec::new();
        for _ in 0..3 {
            let found = run(&client, &arguments, &mut random).await?;
            let expected = (0..arguments.requests)
                .filter(|_| !known.insert(same.u32(0..arguments.below)))
                .count();
            assert_eq!(found.hits as usize, expected);
            assert_eq!(found.hits + found.misses, arguments.requests);
            rates.push(found.hit_rate());
        }
        assert!(rates.is_sorted(), "{rates:?}");
        let gets = client.statistics();
        let gets = gets.operation(Operation::Get);
        assert_eq!(gets.map(|get| get.misses), Some(known.len() as u64));

        forget(&client, arguments.below).await?;
        assert_eq!(
            client
                .get::<u64>(key(known.into_iter().next().unwrap_or(0)))
                .await?,
            None
        );
        Ok(())
    }

    #[test]
    fn nonsense_is_refused() {
        for arguments in [["squares", "--below", "0"], ["squares", "--requests", "0"]] {
            assert!(Arguments::try_parse_from(arguments).is_err());
        }
    }
}
