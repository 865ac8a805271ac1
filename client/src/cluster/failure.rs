//! One operation on one key: where it goes, and where it goes next when that fails.

use std::sync::Arc;
use std::time::Instant;

use super::health::{Ejection, is_failure, note};
use super::node::of_both;
use super::{Cluster, Node};
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::proto::command::{Command, Effect};
use crate::proto::group::Retrieval;
use crate::proto::reply::Item;

/// What to do when the node that holds a key fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OnFailure {
    /// Report it.
    Fail,
    /// Report it, but for reads: those miss.
    Miss,
    /// Leave a failing node out for a while, and go on with the next one for the key.
    NextNode(Ejection),
}

impl Cluster {
    /// Carries out a command on the node that holds `key`.
    pub(crate) async fn execute<C>(
        &self,
        key: Key<'_>,
        command: &C,
        deadline: Instant,
    ) -> Result<C::Output>
    where
        C: Command + Sync,
    {
        let result = self.execute_somewhere(key, command, deadline).await;
        match (&self.on_failure, &result) {
            (OnFailure::Miss, Err(error))
                if command.effect() == Effect::Reads && is_failure(error) =>
            {
                command.miss().map_or(result, Ok)
            }
            _ => result,
        }
    }

    async fn execute_somewhere<C>(
        &self,
        key: Key<'_>,
        command: &C,
        deadline: Instant,
    ) -> Result<C::Output>
    where
        C: Command + Sync,
    {
        let (owner, before) = {
            let topology = self.topology();
            let before = topology.previous_owner(&self.namespace, key);
            (Arc::clone(topology.owner(&self.namespace, key)?), before)
        };
        if let Some(before) = before {
            let key = self.wire_key(key)?;
            return self
                .execute_moved((&before, &owner), key, command, deadline)
                .await;
        }
        let OnFailure::NextNode(_) = self.on_failure else {
            return owner.execute(command, deadline).await;
        };
        let mut failure = None;
        for node in self.candidates(key) {
            let result = self.on_node(&node, command, deadline).await;
            match result.map_err(|error| after(failure.as_ref(), error)) {
                Err(error) if goes_on(&error, command.is_idempotent(), deadline) => {
                    failure = Some(error);
                }
                result => return result,
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorKind::NoServer)))
    }

    /// Reads the item of `key`.
    pub(crate) async fn get(
        &self,
        retrieval: Retrieval,
        key: Key<'_>,
        deadline: Instant,
    ) -> Result<Option<Item>> {
        match self.get_somewhere(retrieval, key, deadline).await {
            Err(error) if matches!(self.on_failure, OnFailure::Miss) && is_failure(&error) => {
                Ok(None)
            }
            result => result,
        }
    }

    async fn get_somewhere(
        &self,
        retrieval: Retrieval,
        key: Key<'_>,
        deadline: Instant,
    ) -> Result<Option<Item>> {
        let wire = self.text_key(key)?;
        let (owner, before) = {
            let topology = self.topology();
            let before = topology.previous_owner(&self.namespace, key);
            (Arc::clone(topology.owner(&self.namespace, key)?), before)
        };
        let OnFailure::NextNode(ejection) = self.on_failure else {
            let found = owner
                .get(retrieval, wire.prefix, wire.key, deadline)
                .await?;
            return match (found, before) {
                (None, Some(before)) => {
                    self.get_moved((&before, &owner), retrieval, key, deadline)
                        .await
                }
                (found, _) => Ok(found),
            };
        };
        let mut failure = None;
        for node in self.candidates(key) {
            let result = node.get(retrieval, wire.prefix, wire.key, deadline).await;
            note(&node, result.as_ref().err(), ejection);
            let result = result.map_err(|error| after(failure.as_ref(), error));
            match (result, &before) {
                (Err(error), _) if goes_on(&error, true, deadline) => failure = Some(error),
                (Ok(None), Some(before)) => {
                    return self
                        .get_moved((before, &node), retrieval, key, deadline)
                        .await;
                }
                (result, _) => return result,
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorKind::NoServer)))
    }

    /// Reads an item that was not found where it belongs now.
    pub(super) async fn get_moved(
        &self,
        (before, now): (&Arc<Node>, &Arc<Node>),
        retrieval: Retrieval,
        key: Key<'_>,
        deadline: Instant,
    ) -> Result<Option<Item>> {
        let wire = self.text_key(key)?;
        let copied = self.copy(before, now, wire, deadline).await;
        match retrieval {
            Retrieval::Get => Ok(copied),
            // The copy has a cas unique of its own.
            Retrieval::Gets if copied.is_some() => {
                now.get(retrieval, wire.prefix, wire.key, deadline).await
            }
            Retrieval::Gets => Ok(None),
        }
    }

    /// Carries out a command on one node, and takes note of how that went.
    pub(super) async fn on_node<C>(
        &self,
        node: &Arc<Node>,
        command: &C,
        deadline: Instant,
    ) -> Result<C::Output>
    where
        C: Command + Sync,
    {
        let result = node.execute(command, deadline).await;
        if let OnFailure::NextNode(ejection) = self.on_failure {
            note(node, result.as_ref().err(), ejection);
        }
        result
    }

    /// The nodes for `key` that are not left out, in the order in which to try them. If all are out,
    /// all are tried: then it is more likely that this client is cut off.
    fn candidates(&self, key: Key<'_>) -> Vec<Arc<Node>> {
        let all = self.topology().candidates(&self.namespace, key);
        let (up, out): (Vec<_>, Vec<_>) = all.into_iter().partition(|node| !node.health().is_out());
        if up.is_empty() { out } else { up }
    }
}

/// The error of the latest attempt, which tells of an earlier one whether it was sent.
fn after(earlier: Option<&Error>, latest: Error) -> Error {
    match earlier {
        Some(earlier) => of_both(earlier, latest),
        None => latest,
    }
}

/// Whether to try the next node: there is time left, and the operation can't be applied twice.
fn goes_on(error: &Error, is_idempotent: bool, deadline: Instant) -> bool {
    is_failure(error)
        && (is_idempotent || !error.was_sent())
        && tokio::time::Instant::now().into_std() < deadline
}
