//! Where answers come from.

use std::future::Future;

use crate::model::Failure;

/// Which statistics are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatsTopic {
    /// `stats`
    General,
    /// `stats items`
    Items,
    /// `stats slabs`
    Slabs,
    /// `stats settings`
    Settings,
}

/// Somebody who can ask the nodes.
pub trait StatsSource: Send + Sync + 'static {
    /// Asks the node at position `node`, and gives the names and values in the order of the answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future must leave the source able to ask again.
    fn stats(
        &self,
        node: usize,
        topic: StatsTopic,
    ) -> impl Future<Output = Result<Vec<(String, String)>, Failure>> + Send;
}
