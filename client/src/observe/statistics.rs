//! The client's own statistics, as a snapshot.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::failure::ErrorClass;
use super::histogram::Latency;
use super::operation::Operation;
use super::record::{ByClass, NodeRecord, OperationRecord};

/// What a client has counted since it was made.
///
/// It is a copy: take another to see more. The counts of a running client are read one after
/// another, so those of a moment may differ by the operations that ended in between.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Every operation that was called, over all nodes. An operation on many keys counts once.
    ///
    /// Empty for a plain [`Client`](crate::Client), which doesn't observe operations.
    pub operations: Vec<OperationStatistics>,
    /// Every node there is or was, in the order in which they came.
    pub nodes: Vec<NodeStatistics>,
}

/// What a client has counted of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeStatistics {
    /// The node's name, as configured.
    pub name: Arc<str>,
    /// Whether the last attempt to connect succeeded; `None` before the first.
    pub is_up: Option<bool>,
    /// Requests that wait for their reply at this moment.
    pub in_flight: usize,
    /// What was asked of the node. An operation on many keys counts once for each node it concerns.
    ///
    /// Empty for a plain [`Client`](crate::Client).
    pub operations: Vec<OperationStatistics>,
    /// Failures by their kind, also those that a retry made good, and those of connecting.
    pub errors: Vec<(ErrorClass, u64)>,
    /// Requests that were sent again, by the reason.
    pub retries: Vec<(ErrorClass, u64)>,
    /// How often the node was taken out for a while, by the reason.
    pub ejections: Vec<(ErrorClass, u64)>,
    /// How often it came back after that.
    pub returns: u64,
    /// Whether it is out at this moment.
    pub is_out: bool,
    /// Attempts to connect.
    pub dials: u64,
    /// Attempts that succeeded. All but the first of each connection are reconnects.
    pub connections_made: u64,
    /// Connections that ended without being asked to.
    pub connections_lost: u64,
    /// This side's addresses of the connections made last, at most 16, the newest at the end: by them
    /// the server's `stats conns` knows the client. Streams have connections of their own, which are
    /// not among them. Empty for unix domain sockets.
    pub local_addresses: Vec<SocketAddr>,
    /// Bytes written to the node's connections, of requests with all that belongs to them.
    pub bytes_sent: u64,
    /// Bytes read from the node's connections.
    pub bytes_received: u64,
}

/// What a client has counted of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationStatistics {
    /// Which operation.
    pub operation: Operation,
    /// How long those took that did not fail, and by their count, how many there were.
    pub latency: Latency,
    /// Failures by their kind; [`ErrorClass::Cancelled`] are those that the caller dropped.
    pub failures: Vec<(ErrorClass, u64)>,
    /// Keys that were found, of operations that read.
    pub hits: u64,
    /// Keys that were not found, of operations that read.
    pub misses: u64,
}

impl OperationStatistics {
    fn empty(operation: Operation) -> Self {
        Self {
            operation,
            latency: Latency::default(),
            failures: Vec::new(),
            hits: 0,
            misses: 0,
        }
    }

    pub(super) fn of(record: &OperationRecord) -> Self {
        Self {
            operation: record.operation,
            latency: record.latency.snapshot(),
            failures: record.failures.counts().collect(),
            hits: load(&record.hits),
            misses: load(&record.misses),
        }
    }

    /// Calls that did not fail. A miss is no failure.
    #[must_use]
    pub fn ok(&self) -> u64 {
        self.latency.count()
    }

    /// Calls that failed, without those that the caller dropped.
    #[must_use]
    pub fn failed(&self) -> u64 {
        let failures = self.failures.iter();
        let failed = failures.filter(|(class, _)| *class != ErrorClass::Cancelled);
        failed.map(|(_, count)| count).sum()
    }

    /// Calls that the caller dropped before they ended.
    #[must_use]
    pub fn cancelled(&self) -> u64 {
        let mut failures = self.failures.iter();
        let cancelled = failures.find(|(class, _)| *class == ErrorClass::Cancelled);
        cancelled.map_or(0, |(_, count)| *count)
    }

    /// Hits by hits and misses together; `None` where nothing was looked up.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        ratio(self.hits, self.misses)
    }

    fn add(&mut self, other: &Self) {
        self.latency.add(&other.latency);
        self.hits += other.hits;
        self.misses += other.misses;
        for (class, count) in &other.failures {
            match self.failures.iter_mut().find(|(known, _)| known == class) {
                Some((_, sum)) => *sum += count,
                None => self.failures.push((*class, *count)),
            }
        }
    }
}

impl NodeStatistics {
    pub(super) fn of(record: &NodeRecord, in_flight: usize) -> Self {
        let counts = |by_class: &ByClass| by_class.counts().collect();
        Self {
            name: Arc::clone(record.name()),
            is_up: record.is_up(),
            in_flight,
            operations: record.operations().map(OperationStatistics::of).collect(),
            errors: counts(&record.errors),
            retries: counts(&record.retries),
            ejections: counts(&record.ejections),
            returns: load(&record.returns),
            is_out: record.is_out(),
            dials: load(&record.dials),
            connections_made: load(&record.connections_made),
            connections_lost: load(&record.connections_lost),
            local_addresses: record.local_addresses(),
            bytes_sent: load(&record.bytes_sent),
            bytes_received: load(&record.bytes_received),
        }
    }

    /// Keys that were found on the node.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.operations.iter().map(|it| it.hits).sum()
    }

    /// Keys that were not found on the node.
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.operations.iter().map(|it| it.misses).sum()
    }

    /// The counts of one operation, if it was called.
    #[must_use]
    pub fn operation(&self, operation: Operation) -> Option<&OperationStatistics> {
        self.operations.iter().find(|it| it.operation == operation)
    }
}

impl Statistics {
    /// The counts of one operation, if it was called.
    #[must_use]
    pub fn operation(&self, operation: Operation) -> Option<&OperationStatistics> {
        self.operations.iter().find(|it| it.operation == operation)
    }

    /// The counts of one node.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&NodeStatistics> {
        self.nodes.iter().find(|it| *it.name == *name)
    }

    /// Hits by hits and misses together, of all operations that read; `None` before the first.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        let hits = self.operations.iter().map(|it| it.hits).sum();
        let misses = self.operations.iter().map(|it| it.misses).sum();
        ratio(hits, misses)
    }
}

/// Adds up, operation by operation.
pub(super) fn sum_up(parts: impl Iterator<Item = OperationStatistics>) -> Vec<OperationStatistics> {
    let mut sums: Vec<OperationStatistics> = Vec::new();
    for part in parts {
        let at = match sums.iter().position(|it| it.operation == part.operation) {
            Some(at) => at,
            None => {
                sums.push(OperationStatistics::empty(part.operation));
                sums.len() - 1
            }
        };
        sums[at].add(&part);
    }
    sums.sort_by_key(|it| it.operation);
    sums
}

fn ratio(hits: u64, misses: u64) -> Option<f64> {
    let all = hits + misses;
    (all > 0).then(|| hits as f64 / all as f64)
}

pub(super) fn load(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
