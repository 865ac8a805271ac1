//! A cache seen from inside: Fibonacci numbers by way of memcached, every step a span.
//!
//! Each number is asked for in two rounds. The first misses, computes and stores; the second hits.
//!
//!     cargo run -p memlens-examples --example fibonacci
//!
//! Nothing has to be installed: without `--servers`, three nodes run inside the process. The spans go
//! to the OTLP endpoint of the OTEL_* variables, or of this machine; if nobody listens there, they
//! are shown as a tree at the end.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use clap::Parser;
use memlens::TracedClient as Client;
use memlens_node::Node;
use memlens_telemetry::SpanTree;
use tracing::{Instrument as _, info, info_span};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Fibonacci numbers by way of memcached, traced.
#[derive(Debug, Parser)]
struct Arguments {
    /// The servers, like `cache-01:11211,cache-02:11211`. Embedded nodes without it.
    #[arg(long)]
    servers: Option<String>,
}

/// How long a number stays in the cache.
const KEEP: Duration = Duration::from_secs(60);

/// How long to wait for a collector to take a connection.
const PATIENCE: Duration = Duration::from_millis(300);

const NUMBERS: [u32; 2] = [30, 33];

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { servers } = Arguments::parse();
    let tree = SpanTree::new();
    let telemetry = memlens_telemetry::builder("fibonacci")
        .span_tree(&tree)
        .otlp_if_listening(PATIENCE)
        .init()?;

    let (servers, nodes) = match servers {
        Some(servers) => (servers, Vec::new()),
        None => start_nodes().await?,
    };
    let client = Client::connect(&servers).await?;
    use_memcached(&client)
        .instrument(info_span!("MemcachedUsage"))
        .await?;

    client.close().await;
    drop(nodes);
    let is_exported = telemetry.exports_otlp();
    telemetry.shutdown()?;
    if !is_exported && !tree.spans().is_empty() {
        println!("\nThe spans went to no collector, so here they are:\n\n{tree}");
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

async fn use_memcached(client: &Client) -> Result<()> {
    for number in NUMBERS {
        let calculation = async {
            for round in 1..=2 {
                let value = named(format!("Round-{round}"), nth_fibonacci(client, number)).await?;
                println!("Fibonacci {number} ==> {value}");
            }
            Ok::<_, Box<dyn Error>>(())
        };
        named(format!("CalculateFibonacci-{number}"), calculation).await?;
    }
    for number in NUMBERS {
        client.delete(key(number)?).await?;
    }
    Ok(())
}

/// Runs `work` under a span whose name is not known before.
async fn named<T>(name: String, work: impl Future<Output = T>) -> T {
    work.instrument(info_span!("step", otel.name = name)).await
}

/// The number from the cache, or else computed and stored there.
#[tracing::instrument(skip(client))]
async fn nth_fibonacci(client: &Client, number: u32) -> Result<u64> {
    let key = info_span!("serialize").in_scope(|| key(number))?;
    if let Some(text) = client.get::<String>(&key).await? {
        info!("Cache hit");
        return info_span!("try-deserialize").in_scope(|| Ok(serde_json::from_str(&text)?));
    }
    info!("Cache miss");
    let value = info_span!("Fib", number).in_scope(|| fibonacci(number));
    client
        .set(&key, serde_json::to_string(&value)?, KEEP)
        .await?;
    Ok(value)
}

/// What is asked for, as a key.
fn key(number: u32) -> Result<String> {
    Ok(serde_json::to_string(&("fibonacci", number))?)
}

/// Slowly, on purpose. It begins with 1 and 2, not with 0 and 1.
fn fibonacci(number: u32) -> u64 {
    match number {
        0 => 1,
        1 => 2,
        _ => fibonacci(number - 1) + fibonacci(number - 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_begins_with_one_and_two() {
        let first: Vec<u64> = (0..6).map(fibonacci).collect();
        assert_eq!(first, [1, 2, 3, 5, 8, 13]);
    }
}
