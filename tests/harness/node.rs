//! An embedded node on a runtime of its own, set up by memcached's command line arguments.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use memlens_node::{Node, NodeBuilder};
use tokio::runtime::{Builder, Runtime};

const MEBIBYTE: usize = 1024 * 1024;

/// A running node; it stops when dropped.
///
/// It has its own runtime, so that tests with and without one can use it, and a test that blocks its
/// thread does not stop the node. Both are started and stopped on threads of their own, because a
/// runtime must not be waited for inside another.
#[derive(Debug)]
pub struct EmbeddedNode {
    /// `None` while it is dropped.
    running: Option<(Node, Runtime)>,
}

impl EmbeddedNode {
    /// Starts a node with memcached's own defaults on a free port.
    pub fn start() -> Self {
        Self::with_arguments::<&str>(&[])
    }

    /// Starts a node with what these arguments of memcached ask for; fails the test at one that has no
    /// counterpart.
    pub fn with_arguments<A: AsRef<str>>(arguments: &[A]) -> Self {
        let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        let running = configure(&arguments).and_then(|builder| {
            let starting = thread::spawn(|| start(builder));
            starting
                .join()
                .expect("the starting thread reports its errors")
        });
        match running {
            Ok(running) => Self {
                running: Some(running),
            },
            Err(reason) => panic!("cannot start a node with {arguments:?}: {reason}"),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.node().addr()
    }

    /// The node itself.
    pub fn node(&self) -> &Node {
        &self
            .running
            .as_ref()
            .expect("it runs until it is dropped")
            .0
    }
}

impl Drop for EmbeddedNode {
    fn drop(&mut self) {
        if let Some((node, runtime)) = self.running.take() {
            let stopping = thread::spawn(move || runtime.block_on(node.shutdown()));
            // A panic there has been printed already.
            let _ = stopping.join();
        }
    }
}

fn start(builder: NodeBuilder) -> Result<(Node, Runtime), String> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let node = runtime
        .block_on(builder.start())
        .map_err(|error| error.to_string())?;
    Ok((node, runtime))
}

fn configure(arguments: &[&str]) -> Result<NodeBuilder, String> {
    let mut builder = Node::builder();
    let mut arguments = arguments.iter();
    while let Some(&flag) = arguments.next() {
        builder = match flag {
            "-A" => builder.allow_shutdown(true),
            "-C" => builder.cas(false),
            "-F" => builder.allow_flush(false),
            "-M" => builder.evictions(false),
            "-W" => builder.allow_watch(false),
            "-X" => builder.allow_dump(false),
            _ => {
                let value = arguments
                    .next()
                    .ok_or_else(|| format!("{flag} has no value"))?;
                with_value(builder, flag, value)?
            }
        };
    }
    Ok(builder)
}

fn with_value(builder: NodeBuilder, flag: &str, value: &str) -> Result<NodeBuilder, String> {
    Ok(match flag {
        "-I" => builder.max_item_size(size(value)?),
        "-Y" => builder.auth_file(value),
        "-c" => builder.max_connections(number(value)?),
        "-f" => builder.growth_factor(number(value)?),
        "-m" => builder.memory(number::<usize>(value)? * MEBIBYTE),
        "-n" => builder.min_chunk(number(value)?),
        "-t" => builder.threads(number(value)?),
        "-o" => match value.split_once('=').unwrap_or((value, "")) {
            ("track_sizes", "") => builder.track_sizes(true),
            ("idle_timeout", seconds) => {
                builder.idle_timeout(Duration::from_secs(number(seconds)?))
            }
            _ => return Err(format!("-o {value} is not known")),
        },
        _ => return Err(format!("{flag} is not known")),
    })
}

/// `2m`, `512k` or a plain number of bytes.
fn size(text: &str) -> Result<usize, String> {
    match text.as_bytes().last() {
        Some(b'k') => Ok(number::<usize>(&text[..text.len() - 1])? * 1024),
        Some(b'm') => Ok(number::<usize>(&text[..text.len() - 1])? * MEBIBYTE),
        _ => number(text),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}
