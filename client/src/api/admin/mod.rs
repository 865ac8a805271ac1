//! Commands that concern nodes instead of items: to one of them, or to each.

mod dump;
mod fields;
mod memory;
mod node;
mod stats;
mod watch;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::{Client, Multi};
use crate::cluster::Node;
use crate::error::{Error, Result};
use crate::observe::{Operation, Start};
use crate::proto::command::Command;

pub use dump::{ItemMetadata, KeyDump, MetadataDump};
pub use memory::{LruMode, LruTuning};
pub use watch::{Watch, WatchEvent, WatchTopic, Watched, WatchedItem};

/// Every node with its own answer.
pub type PerNode<T> = Multi<Arc<str>, T>;

/// One node of the cluster.
///
/// Made by [`Client::node`] and [`Client::nodes`]. It shares the client's connections.
///
/// ```no_run
/// # async fn example(client: memlens::Client) -> memlens::Result<()> {
/// let node = client.node("cache-01:11211")?;
/// println!("{} runs memcached {}", node.name(), node.version().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NodeClient {
    node: Arc<Node>,
    timeout: Duration,
}

impl NodeClient {
    /// The node's name, as configured.
    #[must_use]
    pub fn name(&self) -> &str {
        self.node.name()
    }

    /// How many requests of this client are waiting for the node's reply.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.node.in_flight()
    }

    /// An operation that begins now.
    fn begin(&self, operation: Operation) -> Start {
        Start::new(operation, self.timeout)
    }

    async fn execute<C>(&self, operation: Operation, command: &C) -> Result<C::Output>
    where
        C: Command + Sync,
    {
        self.node.observed(self.begin(operation), command).await
    }

    /// Refuses an operation whose arguments make no sense.
    fn refused<T>(&self, operation: Operation, why: &'static str) -> Result<T> {
        let error = Error::invalid_input(why);
        Err(self.node.refused(self.begin(operation), error))
    }
}

impl Client {
    /// The node called `name`, as [`node_names`](Self::node_names) lists them.
    ///
    /// # Errors
    /// [`NoServer`](crate::ErrorKind::NoServer) when there is none; it lists those that there are.
    pub fn node(&self, name: &str) -> Result<NodeClient> {
        Ok(NodeClient {
            node: self.cluster.node(name)?,
            timeout: self.timeout,
        })
    }

    /// Every node, in the order of the configuration.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeClient> {
        let topology = self.cluster.topology();
        let nodes = topology.nodes().iter().cloned();
        nodes
            .map(|node| NodeClient {
                node,
                timeout: self.timeout,
            })
            .collect()
    }

    /// Does the same with every node at once, and collects what each answered.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// let sizes = client.on_every_node(|node| async move { node.stats_sizes().await }).await;
    /// for (node, error) in sizes.failed() {
    ///     println!("{node} did not answer: {error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// That of what is done.
    pub async fn on_every_node<T, F>(&self, operation: impl Fn(NodeClient) -> F) -> PerNode<T>
    where
        F: Future<Output = Result<T>>,
    {
        let nodes = self.nodes();
        let names = nodes
            .iter()
            .map(|node| Arc::clone(node.node.name()))
            .collect();
        Multi::new(names, join_all(nodes.into_iter().map(operation)).await)
    }

    /// The version of each node's server.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// for (node, version) in &client.version().await {
    ///     match version {
    ///         Ok(version) => println!("{node}: {version}"),
    ///         Err(error) => println!("{node} is out of reach: {error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None as a whole; each node has its own answer.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn version(&self) -> PerNode<String> {
        self.on_every_node(|node| async move { node.version().await })
            .await
    }

    /// Expires every item of every node, at once.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// client.flush_all().await.into_result()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None as a whole; each node has its own answer.
    ///
    /// # Cancel safety
    /// When the future is dropped, any node may have been flushed or not.
    pub async fn flush_all(&self) -> PerNode<()> {
        self.on_every_node(|node| async move { node.flush_all().await })
            .await
    }

    /// Expires, when `delay` is over, every item that is older then. Whole seconds, rounded up.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// let answers = client.flush_all_after(Duration::from_secs(10)).await;
    /// assert!(answers.is_complete());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None as a whole; each node has its own answer.
    ///
    /// # Cancel safety
    /// As [`flush_all`](Self::flush_all).
    pub async fn flush_all_after(&self, delay: Duration) -> PerNode<()> {
        self.on_every_node(|node| async move { node.flush_all_after(delay).await })
            .await
    }

    /// Sets how much each server writes to its log.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// client.verbosity(1).await.into_result()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None as a whole; each node has its own answer.
    ///
    /// # Cancel safety
    /// When the future is dropped, any node may have taken the level or not.
    pub async fn verbosity(&self, level: u32) -> PerNode<()> {
        self.on_every_node(|node| async move { node.verbosity(level).await })
            .await
    }
}
