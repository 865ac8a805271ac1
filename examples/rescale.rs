//! How many keys are still found when servers are added, measured on real sockets beside what theory says.
//!
//!     cargo run -p memlens-examples --example rescale
//!     cargo run -p memlens-examples --example rescale -- --servers cache-01,cache-02,cache-03,cache-04
//!
//! The servers are embedded nodes unless a list is given. From a list, keys begin with
//! `memlens-rescale:` and live for ten minutes; nothing else is touched.
//!
//! For each way to choose a server, a client of the first servers stores the keys, gets the other
//! servers while it runs, and reads all keys once. With a warm hand-over, what has moved is fetched from
//! where it was and put where it belongs, so that a second read needs no help.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use clap::Parser;
use memlens::config::{Namespace, Server};
use memlens::ring::Profile;
use memlens::{Client, Config};
use memlens_node::Node;

/// Long enough for a busy machine; nothing here waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
const LIFE: Duration = Duration::from_secs(600);
const BAR_WIDTH: f64 = 40.0;

/// Adds servers to a cluster and counts the keys that are still found.
#[derive(Debug, Parser)]
struct Options {
    /// Servers to use, separated by commas, instead of embedded nodes.
    #[arg(long, value_delimiter = ',')]
    servers: Vec<Server>,

    /// How many keys to store.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    keys: u32,
}

/// From how many servers to how many.
#[derive(Clone, Copy, Debug)]
struct Change {
    before: usize,
    after: usize,
}

const CHANGES: [Change; 2] = [
    Change {
        before: 8,
        after: 13,
    },
    Change {
        before: 3,
        after: 4,
    },
];

/// A way to choose a server, and to add one.
#[derive(Clone, Copy, Debug)]
struct Method {
    name: &'static str,
    ring: Profile,
    is_warm: bool,
}

impl Method {
    const fn cold(name: &'static str, ring: Profile) -> Self {
        Self {
            name,
            ring,
            is_warm: false,
        }
    }
}

const METHODS: [Method; 5] = [
    Method::cold("modulo", Profile::CRC32_MODULO),
    Method::cold("ketama", Profile::LIBMEMCACHED_KETAMA_WEIGHTED),
    Method::cold("rendezvous", Profile::RENDEZVOUS),
    Method::cold("jump", Profile::JUMP),
    Method {
        name: "ketama, warm hand-over",
        ring: Profile::LIBMEMCACHED_KETAMA_WEIGHTED,
        is_warm: true,
    },
];

/// What fraction of the keys was found.
#[derive(Clone, Copy, Debug)]
struct Found {
    /// By the client that got the servers.
    measured: f64,
    /// What the two rings have in common, which is found without any help.
    theory: f64,
    /// Afterwards, by a client that never knew other servers.
    afterwards: f64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let nodes = start_nodes(&options).await?;
    let servers = servers(&options, &nodes)?;
    for change in CHANGES {
        if servers.len() < change.after {
            println!(
                "{} servers are too few for {} of them\n",
                servers.len(),
                change.after
            );
            continue;
        }
        println!(
            "{} keys on {} servers, then {} more\n",
            options.keys,
            change.before,
            change.after - change.before
        );
        println!("{:26}still found  theory", "");
        for method in METHODS {
            let found = measure(method, change, &servers, options.keys).await?;
            show(method, found);
        }
        println!();
    }
    Ok(())
}

fn show(method: Method, found: Found) {
    let bar = "█".repeat((found.measured * BAR_WIDTH).round() as usize);
    let percent = |fraction: f64| format!("{:.1} %", fraction * 100.0);
    // A hand-over helps wherever the rings differ, so nothing should be lost.
    let theory = if method.is_warm { 1.0 } else { found.theory };
    println!(
        "{:26}{:>11}{:>8}  {bar}",
        method.name,
        percent(found.measured),
        percent(theory)
    );
    if method.is_warm {
        let afterwards = percent(found.afterwards);
        println!(
            "{:26}{afterwards:>11}          by a client that begins now",
            ""
        );
    }
}

/// As many nodes as the largest change needs, unless servers are given.
async fn start_nodes(options: &Options) -> Result<Vec<Node>, memlens_node::Error> {
    let count = CHANGES.iter().map(|change| change.after).max();
    let mut nodes = Vec::new();
    while options.servers.is_empty() && nodes.len() < count.unwrap_or_default() {
        nodes.push(Node::builder().start().await?);
    }
    Ok(nodes)
}

fn servers(options: &Options, nodes: &[Node]) -> memlens::Result<Vec<Server>> {
    if nodes.is_empty() {
        return Ok(options.servers.clone());
    }
    nodes
        .iter()
        .map(|node| node.addr().to_string().parse())
        .collect()
}

/// Stores the keys on the first servers, adds the others, and reads them.
async fn measure(
    method: Method,
    change: Change,
    servers: &[Server],
    keys: u32,
) -> memlens::Result<Found> {
    let [before, after] = [change.before, change.after].map(|count| servers[..count].to_vec());
    // The keys of one measurement are unknown to the others, so that nothing has to be flushed.
    let namespace = Namespace::new(format!(
        "memlens-rescale:{}:{}:{}:{}:",
        std::process::id(),
        change.after,
        method.ring,
        method.is_warm
    ))?;
    let client = connect(before, method.ring, &namespace).await?;
    let names = || (1..=keys).map(|number| format!("user:{number}:name"));
    let items = names().map(|name| (name, "somebody"));
    client.set_multi(items, LIFE).await.into_result()?;

    let old_ring = client.servers().ring();
    let warm_for = if method.is_warm { LIFE } else { Duration::ZERO };
    client.servers().warm_for(warm_for).set(after.clone())?;
    let new_ring = client.servers().ring();

    let theory = 1.0 - old_ring.moved(&new_ring).fraction;
    let measured = hit_rate(&client, names()).await?;
    let newcomer = connect(after, method.ring, &namespace).await?;
    let afterwards = hit_rate(&newcomer, names()).await?;
    Ok(Found {
        measured,
        theory,
        afterwards,
    })
}

async fn connect(
    servers: Vec<Server>,
    ring: Profile,
    namespace: &Namespace,
) -> memlens::Result<Client> {
    let mut config = Config::new(servers);
    config.ring = ring;
    config.namespace = namespace.clone();
    config.operation_timeout = PATIENCE;
    config.connect_timeout = PATIENCE;
    Client::with_config(config).await
}

/// The fraction of the keys that are found; an error if a server fails.
async fn hit_rate(client: &Client, keys: impl Iterator<Item = String>) -> memlens::Result<f64> {
    let answers = client.get_multi::<String, _>(keys).await.into_result()?;
    let hits = answers.iter().filter(|(_, value)| value.is_some()).count();
    Ok(hits as f64 / answers.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 20,000 keys, a fraction is off by 2 points with a probability below one in a million.
    const TWO_POINTS: f64 = 0.02;

    /// What remains where it was if a server's share of the keys is what it should be.
    fn even(method: Method, change: Change) -> f64 {
        let [before, after] = [change.before as f64, change.after as f64];
        match (method.name, change.before) {
            // The remainders modulo 8 x 13 that are the same modulo 8 and modulo 13: 0 to 7.
            ("modulo", 8) => 8.0 / 104.0,
            // Modulo 3 x 4: 0 to 2. Three quarters are lost.
            ("modulo", _) => 3.0 / 12.0,
            _ => before / after,
        }
    }

    #[tokio::test]
    async fn what_is_found_is_what_theory_says() -> Result<(), Box<dyn Error>> {
        let options = Options::parse_from(["rescale"]);
        let nodes = start_nodes(&options).await?;
        let servers = servers(&options, &nodes)?;
        for change in CHANGES {
            for method in METHODS {
                let found = measure(method, change, &servers, options.keys).await?;
                let Found {
                    measured,
                    theory,
                    afterwards,
                } = found;
                let told = format!("{method:?} {change:?} {found:?}");
                if method.is_warm {
                    assert!(measured >= 0.99 && afterwards >= 0.99, "{told}");
                    continue;
                }
                assert!((measured - theory).abs() < TWO_POINTS, "{told}");
                assert!((afterwards - measured).abs() < f64::EPSILON, "{told}");
                // The points of ketama are spread by chance, and the ports differ from run to run.
                let tolerance = if method.name == "ketama" {
                    0.15
                } else {
                    TWO_POINTS
                };
                assert!((theory - even(method, change)).abs() < tolerance, "{told}");
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_list_of_servers_is_used_as_it_is() -> Result<(), Box<dyn Error>> {
        let options = Options::parse_from(["rescale", "--servers", "cache-01,cache-02:11212"]);
        assert!(start_nodes(&options).await?.is_empty());
        let servers = servers(&options, &[])?;
        assert_eq!(servers[1].to_string(), "cache-02:11212");
        assert!(Options::try_parse_from(["rescale", "--servers", "a:0"]).is_err());
        assert!(Options::try_parse_from(["rescale", "--keys", "0"]).is_err());
        Ok(())
    }
}
