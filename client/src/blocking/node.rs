//! One node of a blocking client.

use std::sync::Arc;
use std::time::Duration;

use super::BlockingStream;
use super::runtime::Runtime;
use crate::api::{self, KeyDump, LruMode, LruTuning, MetadataDump, Watch, WatchTopic};
use crate::error::Result;
use crate::stats::{Connections, General, Items, Settings, Sizes, Slabs};

/// One node of the cluster.
///
/// Made by [`Client::node`](super::Client::node) and [`Client::nodes`](super::Client::nodes). It
/// shares the client's connections.
///
/// ```no_run
/// # fn main() -> memlens::Result<()> {
/// # let client = memlens::blocking::Client::connect("cache-01")?;
/// for node in client.nodes() {
///     let stats = node.stats()?;
///     println!("{}: {:?} items", node.name(), stats.curr_items);
///     for item in node.metadump(None)? {
///         println!("{:?} bytes", item?.size());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NodeClient {
    /// Before `runtime`: its connections belong there.
    inner: api::NodeClient,
    runtime: Arc<Runtime>,
}

impl NodeClient {
    pub(super) fn new(inner: api::NodeClient, runtime: &Arc<Runtime>) -> Self {
        Self {
            inner,
            runtime: Arc::clone(runtime),
        }
    }

    /// The node's name, as configured.
    #[must_use]
    pub fn name(&self) -> &str {
        self.inner.name()
    }

    /// How many requests of this client are waiting for the node's reply.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.inner.in_flight()
    }

    blocking_methods! { NodeClient;
        /// The version of the node's server.
        fn version() -> String;
        /// Asks for an answer and nothing else.
        fn noop() -> ();
        /// Sets how much the server writes to its log.
        fn verbosity(level: u32) -> ();
        /// Expires every item, at once.
        fn flush_all() -> ();
        /// Expires, when `delay` is over, every item that is older then.
        fn flush_all_after(delay: Duration) -> ();
        /// Ends the server process, if it was started with `-A`.
        fn shutdown() -> ();
        /// [`shutdown`](Self::shutdown) that lets the server end in good order.
        fn shutdown_gracefully() -> ();
    }
}

/// What the node counts.
impl NodeClient {
    blocking_methods! { NodeClient;
        /// The node's counters: `stats` without an argument.
        fn stats() -> General;
        /// The settings the server was started with: `stats settings`.
        fn stats_settings() -> Settings;
        /// The items of each slab class: `stats items`.
        fn stats_items() -> Items;
        /// The memory of each slab class: `stats slabs`.
        fn stats_slabs() -> Slabs;
        /// How many items there are of each size: `stats sizes`.
        fn stats_sizes() -> Sizes;
        /// The open connections: `stats conns`.
        fn stats_conns() -> Connections;
        /// Sets the node's counters to 0: `stats reset`.
        fn stats_reset() -> ();
        /// Any other `stats`, with its arguments, as names and values.
        fn stats_with(arguments: &str) -> Vec<(String, String)>;
        /// Any `stats`, as lines without `END`.
        fn stats_lines(arguments: &str) -> Vec<String>;
    }
}

/// How the node uses its memory.
impl NodeClient {
    blocking_methods! { NodeClient;
        /// Starts the LRU crawler's thread.
        fn lru_crawler_enable() -> ();
        /// Stops the LRU crawler's thread.
        fn lru_crawler_disable() -> ();
        /// How long the LRU crawler sleeps between items.
        fn lru_crawler_sleep(between_items: Duration) -> ();
        /// How many items of a slab class the LRU crawler looks at in one run; 0 is all of them.
        fn lru_crawler_tocrawl(items: u32) -> ();
        /// Lets the LRU crawler look for expired items in these slab classes, or in all.
        fn lru_crawler_crawl(classes: Option<&[u8]>) -> ();
        /// Changes the sizes of the LRU's segments.
        fn lru_tune(tuning: LruTuning) -> ();
        /// Changes how the node keeps its items in order of use.
        fn lru_mode(mode: LruMode) -> ();
        /// Keeps items that live no longer than this in a segment of their own.
        fn lru_temp_ttl(longest: Option<Duration>) -> ();
        /// Moves a page of memory from one slab class to another; from any class with `None`.
        fn slabs_reassign(source: Option<u8>, destination: u8) -> ();
        /// Whether the server moves pages between slab classes by itself.
        fn slabs_automove(level: u8) -> ();
        /// Changes how much memory the node may use for items, in MiB.
        fn cache_memlimit(mebibytes: u32) -> ();
    }
}

/// What the node holds, and what happens on it: iterators, each on a connection of its own.
impl NodeClient {
    /// Lists the items of these slab classes, or of all, with what the node knows of each.
    ///
    /// See [`NodeClient::metadump`](crate::NodeClient::metadump).
    pub fn metadump(&self, classes: Option<&[u8]>) -> Result<BlockingStream<MetadataDump>> {
        let dump = self.runtime.wait(self.inner.metadump(classes))??;
        Ok(BlockingStream::new(dump, Arc::clone(&self.runtime)))
    }

    /// Lists the keys of these slab classes, or of all.
    ///
    /// See [`NodeClient::mgdump`](crate::NodeClient::mgdump).
    pub fn mgdump(&self, classes: Option<&[u8]>) -> Result<BlockingStream<KeyDump>> {
        let dump = self.runtime.wait(self.inner.mgdump(classes))??;
        Ok(BlockingStream::new(dump, Arc::clone(&self.runtime)))
    }

    /// Watches what happens on the node.
    ///
    /// See [`NodeClient::watch`](crate::NodeClient::watch).
    pub fn watch(&self, topics: &[WatchTopic]) -> Result<BlockingStream<Watch>> {
        let watch = self.runtime.wait(self.inner.watch(topics))??;
        Ok(BlockingStream::new(watch, Arc::clone(&self.runtime)))
    }
}
