//! The keys that a scan found: a table for a list of any length, a tree of their prefixes, and a
//! summary.
//!
//! All of it grows while the scan runs, has a bound, and is cheap to publish again and again: the
//! table's rows lie in shared blocks, of which only the newest is ever copied.

mod facts;
mod select;
mod summary;
mod table;
mod tree;

use std::sync::Arc;

pub use facts::KeyFacts;
pub use select::{KeyColumn, KeyQuery};
pub use summary::{KeySummary, TTL_BUCKETS, TtlBucket};
pub use table::{KeyRow, KeyTable, ScannedKey};
pub use tree::{PrefixNode, PrefixTree};

pub(super) use summary::Lives;
pub(super) use tree::first_segment;

use super::trouble::StreamTrouble;

/// What to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanOptions {
    /// The nodes, by name.
    pub nodes: Vec<Arc<str>>,
    /// Most keys to take in, of all nodes together. Each node gives an equal part at most.
    pub limit: u64,
    /// Most keys per second to read, of all nodes together.
    pub keys_per_second: u32,
}

impl ScanOptions {
    /// Keys that are taken in when nothing else is said.
    pub const USUAL_LIMIT: u64 = 200_000;

    /// Keys per second that are read when nothing else is said.
    pub const USUAL_RATE: u32 = 50_000;

    /// The most keys that can be taken in: they need about 60 bytes each.
    pub const HIGHEST_LIMIT: u64 = 2_000_000;
}

/// How the scan of one node stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanStage {
    /// Others come first.
    Waiting,
    /// Its keys are coming in.
    Running,
    /// All its keys came in.
    Finished,
    /// As many as were wanted came in.
    Capped,
    /// Somebody stopped it.
    Stopped,
    /// It came to nothing, or broke off.
    Failed(StreamTrouble),
}

impl ScanStage {
    /// Whether nothing more will come.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// The scan of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeScan {
    /// The node.
    pub name: Arc<str>,
    /// How it stands.
    pub stage: ScanStage,
    /// Keys that came in.
    pub seen: u64,
    /// Items that the node held when the scan began. More or fewer may come in.
    pub expected: Option<u64>,
}

/// A scan as it stands.
#[derive(Debug, Clone, Default)]
pub struct KeyScan {
    /// The nodes, in the order of the cluster.
    pub nodes: Vec<NodeScan>,
    /// Most keys that it takes in, of all nodes together.
    pub limit: u64,
    /// The keys.
    pub table: KeyTable,
    /// Their prefixes.
    pub tree: Arc<PrefixTree>,
    /// Their sizes and times to live.
    pub summary: KeySummary,
    /// The rows that the query selects, in its order: indexes into [`table`](Self::table).
    pub selected: Arc<[u32]>,
    /// The query that [`selected`](Self::selected) answers.
    pub query: KeyQuery,
}

impl KeyScan {
    /// Whether nothing more will come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.nodes.iter().all(|node| node.stage.is_over())
    }

    /// How much of it is done, 0 to 1: keys that came in of those expected, or of the limit.
    #[must_use]
    pub fn progress(&self) -> f64 {
        if self.is_over() {
            return 1.0;
        }
        let expected: u64 = self.nodes.iter().filter_map(|node| node.expected).sum();
        let goal = expected.min(self.limit).max(1);
        (self.table.len() as f64 / goal as f64).min(0.99)
    }

    /// The nodes whose scan failed, with why.
    pub fn failures(&self) -> impl Iterator<Item = (&Arc<str>, &StreamTrouble)> {
        self.nodes.iter().filter_map(|node| match &node.stage {
            ScanStage::Failed(trouble) => Some((&node.name, trouble)),
            _ => None,
        })
    }
}
