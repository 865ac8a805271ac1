//! Where answers come from.

use std::future::Future;
use std::time::Duration;

use memlens::stats::{General, Items, Settings, Slabs};

use crate::model::Failure;

/// Somebody who can ask the nodes. Nodes are told apart by their position.
///
/// Every question is answered or fails after a bounded time. Dropping a future must leave the
/// source able to ask again.
pub trait StatsSource: Send + Sync + 'static {
    /// `stats`.
    fn general(&self, node: usize) -> impl Future<Output = Result<General, Failure>> + Send;

    /// `stats items` and `stats slabs`, one right after the other.
    fn classes(&self, node: usize) -> impl Future<Output = Result<(Items, Slabs), Failure>> + Send;

    /// `stats settings`.
    fn settings(&self, node: usize) -> impl Future<Output = Result<Settings, Failure>> + Send;

    /// How long the node takes to answer a request that is no work.
    fn round_trip(&self, node: usize) -> impl Future<Output = Result<Duration, Failure>> + Send;
}
