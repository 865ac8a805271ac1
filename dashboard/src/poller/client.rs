//! Asking through the memlens client.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use memlens::config::Config;
use memlens::stats::{General, Items, Settings, Slabs};
use memlens::{Error, ErrorKind, NodeClient, TracedClient as Client};
use tokio::time::Instant;

use super::source::StatsSource;
use crate::model::Failure;

/// The least time that an answer gets, however short the interval is.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);

/// What is shown of a message that a server sent in place of statistics.
const LONGEST_MESSAGE: usize = 40;

/// The nodes of a client of its own, so that what is asked here never waits behind a load.
#[derive(Debug, Clone)]
pub struct ClientSource {
    client: Client,
    nodes: Arc<[NodeClient]>,
}

impl ClientSource {
    /// A source for these servers, written as [`Client::connect`] takes them. An answer gets as
    /// long as the `interval` between two polls is, and at least a second.
    ///
    /// # Errors
    ///
    /// When the list cannot be understood. Whether a server answers shows with the first poll.
    pub async fn connect(servers: &str, interval: Duration) -> memlens::Result<Self> {
        Self::with_config(servers.parse()?, interval).await
    }

    /// As [`connect`](Self::connect), for servers that are configured already.
    ///
    /// # Errors
    /// When the configuration contradicts itself.
    pub async fn with_config(config: Config, interval: Duration) -> memlens::Result<Self> {
        let client = Client::with_config(config)
            .await?
            .with_timeout(interval.max(LEAST_PATIENCE));
        let nodes = client.nodes().into();
        Ok(Self { client, nodes })
    }

    /// The nodes' names, as configured.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        self.nodes
            .iter()
            .map(|node| Arc::from(node.name()))
            .collect()
    }

    /// The client behind it.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Requests answered and bytes received since the source was made: what asking costs.
    #[must_use]
    pub fn cost(&self) -> (u64, u64) {
        let statistics = self.client.statistics();
        let mut cost = (0, 0);
        for node in &statistics.nodes {
            let requests = node
                .operations
                .iter()
                .map(|operation| operation.latency.count());
            cost.0 += requests.sum::<u64>();
            cost.1 += node.bytes_received;
        }
        cost
    }

    /// Closes the connections.
    pub async fn close(&self) {
        self.client.close().await;
    }

    fn node(&self, node: usize) -> Result<&NodeClient, Failure> {
        self.nodes.get(node).ok_or(Failure::UnknownHost)
    }
}

impl StatsSource for ClientSource {
    async fn general(&self, node: usize) -> Result<General, Failure> {
        self.node(node)?
            .stats()
            .await
            .map_err(|error| failure(&error))
    }

    async fn classes(&self, node: usize) -> Result<(Items, Slabs), Failure> {
        let node = self.node(node)?;
        let items = node.stats_items().await.map_err(|error| failure(&error))?;
        let slabs = node.stats_slabs().await.map_err(|error| failure(&error))?;
        Ok((items, slabs))
    }

    async fn settings(&self, node: usize) -> Result<Settings, Failure> {
        self.node(node)?
            .stats_settings()
            .await
            .map_err(|error| failure(&error))
    }

    async fn round_trip(&self, node: usize) -> Result<Duration, Failure> {
        let node = self.node(node)?;
        let asked = Instant::now();
        match node.noop().await {
            Ok(()) => Ok(asked.elapsed()),
            // A server from before 1.6 does not know `mn`, and says so as fast.
            Err(error) if error.kind() == ErrorKind::UnknownCommand => Ok(asked.elapsed()),
            Err(error) => Err(failure(&error)),
        }
    }
}

/// What an error of the client says of the node.
pub(super) fn failure(error: &Error) -> Failure {
    match error.kind() {
        ErrorKind::Timeout | ErrorKind::ConnectTimeout | ErrorKind::Overloaded => Failure::TimedOut,
        ErrorKind::Dns => Failure::UnknownHost,
        ErrorKind::Auth => Failure::Unauthenticated,
        ErrorKind::Connect | ErrorKind::NodeDown | ErrorKind::Io => unreachable_because(error),
        ErrorKind::ConnectionClosed | ErrorKind::ClientClosed => Failure::Disconnected,
        _ => unexpected(error),
    }
}

/// The operating system knows more than the client about why a node is out of reach.
fn unreachable_because(error: &Error) -> Failure {
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<io::Error>() {
            return match io.kind() {
                io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Failure::Refused,
                io::ErrorKind::TimedOut => Failure::TimedOut,
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                    Failure::Unreachable
                }
                _ => Failure::Disconnected,
            };
        }
        cause = current.source();
    }
    Failure::Unreachable
}

fn unexpected(error: &Error) -> Failure {
    let text = error
        .server_message()
        .unwrap_or_else(|| error.kind().as_str());
    Failure::Unexpected(text.chars().take(LONGEST_MESSAGE).collect())
}
