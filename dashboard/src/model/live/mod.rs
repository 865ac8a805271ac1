//! What a `watch` shows: the newest events, and who was read, missed, stored and evicted most.
//!
//! Everything that arrives is counted; what is listed is filtered and sampled, so that a busy
//! cluster neither floods the list nor the machine. Everything has a bound.

mod event;
mod feed;
mod filter;
mod top;

use std::sync::Arc;

use memlens::WatchTopic;

pub use event::{LiveEvent, LiveKind};
pub use feed::{LiveCounts, LiveDigest, LiveFeed, NodeWatch, WatchStage};
pub use filter::LiveFilter;
pub use top::{PrefixReads, TopKey, TopKeys};

/// What to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveOptions {
    /// The nodes, by name.
    pub nodes: Vec<Arc<str>>,
    /// What of them. Fetchers are as many as reads; with them mutations are always watched too,
    /// since otherwise the look-ups of stores could not be told from reads.
    pub topics: Vec<WatchTopic>,
    /// What is listed of it.
    pub filter: LiveFilter,
}
