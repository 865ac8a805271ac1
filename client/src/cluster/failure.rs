//! One operation on one key: where it goes, and where it goes next when that fails.

use std::sync::Arc;
use std::time::Instant;

use super::health::{is_failure, is_most};
use super::node::{again, is_worth_another, of_both};
use super::observed::finish;
use super::{Cluster, Node, Topology};
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::observe::{Call, Start};
use crate::proto::command::{Command, Effect, WireKey};
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
    NextNode,
}

/// Where an operation on one key goes.
pub(super) struct Route {
    owner: Arc<Node>,
    /// `None`: nowhere else.
    detour: Option<Box<Detour>>,
}

/// Where it may go besides.
struct Detour {
    /// Where the key was before the last change, while that is of interest.
    before: Option<Arc<Node>>,
    /// The nodes to try in turn, where that is the policy.
    candidates: Vec<Arc<Node>>,
}

impl Route {
    /// The node that is asked first.
    fn first(&self) -> &Node {
        let candidates = self.detour.as_ref().and_then(|it| it.candidates.first());
        candidates.unwrap_or(&self.owner)
    }
}

impl Cluster {
    /// Carries out a command on the node that holds its key, or reports why there is none.
    pub(crate) async fn execute<C>(
        &self,
        start: Start,
        made: Result<(Key<'_>, C)>,
    ) -> Result<C::Output>
    where
        C: Command + Send + Sync,
    {
        let (key, command) = match made {
            Ok(made) => made,
            Err(error) => return Err(self.observer().refused(start, error)),
        };
        let route = match self.command_route(key) {
            Ok(route) => route,
            Err(error) => return Err(self.observer().refused(start, error)),
        };
        let mut call = route.first().record().begin(start, Some(key.as_bytes()));
        let deadline = start.deadline;
        let mut result = match &route.detour {
            // As `on_node`, without the layers of futures between, in what nearly all operations do.
            None => match self.admit(&route.owner) {
                Ok(()) => {
                    let owner = &route.owner;
                    let mut reply = owner.send(&command, deadline).await;
                    if let Err(error) = &reply
                        && command.is_idempotent()
                        && is_worth_another(error)
                    {
                        let second = owner.send(&command, deadline);
                        reply = again(error, &mut call, second).await;
                    }
                    let result = owner.output(&command, reply);
                    self.note(owner, result.as_ref().err());
                    result
                }
                Err(error) => Err(error),
            },
            Some(detour) => {
                self.execute_by_detour((&route.owner, detour), key, &command, deadline, &mut call)
                    .await
            }
        };
        self.forgive(&mut result, &mut call, || miss_of(&command));
        finish(&mut call, &result, |output| command.outcome(output));
        result
    }

    /// Carries out a command as a part of an operation that is observed as a whole.
    pub(super) async fn execute_again<C>(
        &self,
        key: Key<'_>,
        command: &C,
        deadline: Instant,
    ) -> Result<C::Output>
    where
        C: Command + Sync,
    {
        let route = self.command_route(key)?;
        let owner = &route.owner;
        let mut result = match &route.detour {
            None => self.on_node(owner, command, deadline, &mut None).await,
            Some(detour) => {
                self.execute_by_detour((owner, detour), key, command, deadline, &mut None)
                    .await
            }
        };
        self.forgive(&mut result, &mut None, || miss_of(command));
        result
    }

    async fn execute_by_detour<'r, C>(
        &self,
        (owner, detour): (&'r Arc<Node>, &'r Detour),
        key: Key<'_>,
        command: &C,
        deadline: Instant,
        call: &mut Option<Call<'r>>,
    ) -> Result<C::Output>
    where
        C: Command + Sync,
    {
        if let Some(before) = &detour.before {
            let key = self.wire_key(key)?;
            return self
                .execute_moved((before, owner), key, command, deadline, call)
                .await;
        }
        let mut failure = None;
        for node in &detour.candidates {
            tell_of_failover(call, node, failure.as_ref());
            let result = self.on_node(node, command, deadline, call).await;
            match result.map_err(|error| after(failure.as_ref(), error)) {
                Err(error) if goes_on(&error, command.is_idempotent(), deadline) => {
                    failure = Some(error);
                }
                result => return result,
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorKind::NoServer)))
    }

    /// Makes a miss of a failure, where that is the policy and there is one to make.
    #[inline]
    fn forgive<T>(
        &self,
        result: &mut Result<T>,
        call: &mut Option<Call<'_>>,
        miss: impl FnOnce() -> Option<T>,
    ) {
        if let Err(error) = result
            && matches!(self.on_failure, OnFailure::Miss)
            && is_failure(error)
            && let Some(miss) = miss()
        {
            if let Some(call) = call {
                call.handled(error);
            }
            *result = Ok(miss);
        }
    }

    /// Reads the item of a key.
    pub(crate) async fn get(
        &self,
        start: Start,
        retrieval: Retrieval,
        key: Result<Key<'_>>,
    ) -> Result<Option<Item>> {
        let planned = key.and_then(|key| Ok((self.text_key(key)?, self.route(key)?)));
        let (key, route) = match planned {
            Ok(planned) => planned,
            Err(error) => return Err(self.observer().refused(start, error)),
        };
        let mut call = route.first().record().begin(start, Some(key.key));
        let deadline = start.deadline;
        let mut result = match &route.detour {
            // As `get_on_node`, without the layers of futures between.
            None => match self.admit(&route.owner) {
                Ok(()) => {
                    let owner = &route.owner;
                    let mut reply = owner.ask(retrieval, key, deadline).await;
                    if let Err(error) = &reply
                        && is_worth_another(error)
                    {
                        let second = owner.ask(retrieval, key, deadline);
                        reply = again(error, &mut call, second).await;
                    }
                    let result = owner.item(reply);
                    self.note(owner, result.as_ref().err());
                    result
                }
                Err(error) => Err(error),
            },
            Some(detour) => {
                self.get_by_detour((&route.owner, detour), retrieval, key, deadline, &mut call)
                    .await
            }
        };
        self.forgive(&mut result, &mut call, || Some(None));
        finish(&mut call, &result, |item| Item::outcome(item.as_ref()));
        result
    }

    /// Reads an item as a part of an operation that is observed as a whole.
    pub(super) async fn get_again(
        &self,
        retrieval: Retrieval,
        key: Key<'_>,
        deadline: Instant,
    ) -> Result<Option<Item>> {
        let (key, route) = (self.text_key(key)?, self.route(key)?);
        let owner = &route.owner;
        let mut result = match &route.detour {
            None => {
                self.get_on_node(owner, retrieval, key, deadline, &mut None)
                    .await
            }
            Some(detour) => {
                self.get_by_detour((owner, detour), retrieval, key, deadline, &mut None)
                    .await
            }
        };
        self.forgive(&mut result, &mut None, || Some(None));
        result
    }

    async fn get_by_detour<'r>(
        &self,
        (owner, detour): (&'r Arc<Node>, &'r Detour),
        retrieval: Retrieval,
        key: WireKey<'_>,
        deadline: Instant,
        call: &mut Option<Call<'r>>,
    ) -> Result<Option<Item>> {
        let nodes = match &detour.candidates[..] {
            [] => std::slice::from_ref(owner),
            candidates => candidates,
        };
        let moves_on = matches!(self.on_failure, OnFailure::NextNode);
        let mut failure = None;
        for node in nodes {
            tell_of_failover(call, node, failure.as_ref());
            let result = self.get_on_node(node, retrieval, key, deadline, call).await;
            let result = result.map_err(|error| after(failure.as_ref(), error));
            match (result, &detour.before) {
                (Err(error), _) if moves_on && goes_on(&error, true, deadline) => {
                    failure = Some(error);
                }
                (Ok(None), Some(before)) => {
                    return self
                        .get_moved((before, node), retrieval, key, deadline)
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
        key: WireKey<'_>,
        deadline: Instant,
    ) -> Result<Option<Item>> {
        let copied = self.copy(before, now, key, deadline).await;
        match retrieval {
            Retrieval::Get => Ok(copied),
            // The copy has a cas unique of its own.
            Retrieval::Gets if copied.is_some() => {
                now.get(retrieval, key, deadline, &mut None).await
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
        call: &mut Option<Call<'_>>,
    ) -> Result<C::Output>
    where
        C: Command + Sync,
    {
        self.admit(node)?;
        let result = node.execute(command, deadline, call).await;
        self.note(node, result.as_ref().err());
        result
    }

    /// As [`Self::on_node`], for a read on a line that others share.
    async fn get_on_node(
        &self,
        node: &Arc<Node>,
        retrieval: Retrieval,
        key: WireKey<'_>,
        deadline: Instant,
        call: &mut Option<Call<'_>>,
    ) -> Result<Option<Item>> {
        self.admit(node)?;
        let result = node.get(retrieval, key, deadline, call).await;
        self.note(node, result.as_ref().err());
        result
    }

    /// Where a read of `key` goes.
    fn route(&self, key: Key<'_>) -> Result<Route> {
        let topology = self.topology();
        let owner = Arc::clone(topology.owner(&self.namespace, key)?);
        let moves_on = matches!(self.on_failure, OnFailure::NextNode);
        let detour = match topology.previous_owner(&self.namespace, key) {
            None if !moves_on => None,
            before => Some(Box::new(Detour {
                before,
                candidates: match moves_on {
                    true => candidates(&topology, &self.namespace, key),
                    false => Vec::new(),
                },
            })),
        };
        Ok(Route { owner, detour })
    }

    /// Where a command on `key` goes. While the key moves, nowhere else than to its owner.
    #[inline]
    fn command_route(&self, key: Key<'_>) -> Result<Route> {
        let mut route = self.route(key)?;
        if let Some(detour) = &mut route.detour
            && detour.before.is_some()
        {
            detour.candidates.clear();
        }
        Ok(route)
    }
}

/// The nodes to try for `key`, in the order in which to try them.
fn candidates(topology: &Topology, namespace: &[u8], key: Key<'_>) -> Vec<Arc<Node>> {
    let is_out: Vec<bool> = topology
        .nodes()
        .iter()
        .map(|node| node.health().is_out())
        .collect();
    let order = heed(topology.candidates(namespace, key), &is_out);
    order
        .into_iter()
        .filter_map(|index| topology.nodes().get(index).cloned())
        .collect()
}

/// Removes from `order` the nodes that are out, unless so many are that it says more about this client.
///
/// Decides from one reading of all: a node that goes out between two of them would be missing from both
/// sides, and nobody would be left to ask.
fn heed(mut order: Vec<usize>, is_out: &[bool]) -> Vec<usize> {
    if is_most(is_out.iter().filter(|out| **out).count(), is_out.len()) {
        return order;
    }
    let owner = order.first().copied();
    order.retain(|index| !is_out.get(*index).is_some_and(|out| *out));
    if order.is_empty() {
        // A ring that tries few nodes may try none but those that are out. The owner's error says so.
        order.extend(owner);
    }
    order
}

/// The output that stands for a failed command, if it is a read.
fn miss_of<C: Command>(command: &C) -> Option<C::Output> {
    match command.effect() {
        Effect::Reads => command.miss(),
        _ => None,
    }
}

fn tell_of_failover<'r>(call: &mut Option<Call<'r>>, to: &'r Node, error: Option<&Error>) {
    if let (Some(call), Some(error)) = (call, error) {
        call.failing_over(to.record(), error);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_are_out_are_left_out() {
        assert_eq!(heed(vec![2, 0, 1], &[false, false, true]), [0, 1]);
        assert_eq!(heed(vec![2, 0, 1], &[false, false, false]), [2, 0, 1]);
    }

    #[test]
    fn when_most_are_out_none_is_left_out() {
        assert_eq!(heed(vec![2, 0, 1], &[true, false, true]), [2, 0, 1]);
        assert_eq!(heed(vec![0], &[true]), [0]);
    }

    #[test]
    fn whatever_is_out_somebody_is_asked() {
        // A ring may try few of its nodes.
        for order in [vec![0], vec![1, 0], vec![3, 2, 1, 0]] {
            for pattern in 0..16_u32 {
                let is_out: Vec<bool> = (0..4).map(|node| pattern & (1 << node) != 0).collect();
                let heeded = heed(order.clone(), &is_out);
                assert!(!heeded.is_empty(), "{order:?} with {is_out:?}");
            }
        }
    }
}
