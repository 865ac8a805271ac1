//! The one place where operations are observed: what happens here and below it is told to the
//! observer, which makes statistics, spans and metrics of it.
//!
//! Every operation on keys goes through [`Cluster::execute`], [`Cluster::get`] or their like for
//! many keys, and every operation on a node through [`Node::observed`] or [`Node::observe`]. All of
//! them take a [`Start`], so none can be written without saying what it is called.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{Cluster, Node};
use crate::error::{Error, Result};
use crate::net::{Connection, Endpoint, Ends, Watcher};
use crate::observe::{Call, Gauges, NodeGauges, NodeRecord, Observer, Place, Start, Statistics};
use crate::outcome::Outcome;
use crate::proto::command::Command;

impl Cluster {
    pub(crate) fn observer(&self) -> &Arc<Observer> {
        &self.blueprint.observer
    }

    pub(crate) fn statistics(&self) -> Statistics {
        self.observer().statistics(&self.gauges())
    }
}

impl Node {
    /// Carries out one command that concerns the node.
    pub(crate) async fn observed<C>(&self, start: Start, command: &C) -> Result<C::Output>
    where
        C: Command + Sync,
    {
        let mut call = self.record().begin(start, None);
        let result = self.execute(command, start.deadline, &mut call).await;
        finish(&mut call, &result, |output| command.outcome(output));
        result
    }

    /// Does other work that concerns the node.
    pub(crate) async fn observe<T>(
        &self,
        start: Start,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let mut call = self.record().begin(start, None);
        let result = work.await;
        finish(&mut call, &result, |_| Outcome::Ok);
        result
    }

    /// Takes note of work of which nothing is sent, because its arguments make no sense.
    #[cold]
    pub(crate) fn refused(&self, start: Start, error: Error) -> Error {
        if let Some(mut call) = self.record().begin(start, None) {
            call.finish(Some(&error));
        }
        error
    }
}

/// Ends an operation.
#[inline]
pub(super) fn finish<T>(
    call: &mut Option<Call<'_>>,
    result: &Result<T>,
    outcome: impl FnOnce(&T) -> Outcome,
) {
    if let Some(call) = call {
        if let Ok(output) = result {
            call.answered(outcome(output));
        }
        call.finish(result.as_ref().err());
    }
}

pub(super) fn place(endpoint: &Endpoint) -> Place {
    match endpoint {
        Endpoint::Tcp { host, port } => Place {
            address: Arc::clone(host),
            port: Some(*port),
        },
        Endpoint::Unix(path) => Place {
            address: path.to_string_lossy().into(),
            port: None,
        },
    }
}

impl Gauges for Cluster {
    fn gauges(&self) -> Vec<NodeGauges> {
        let gauges = |node: &Arc<Node>| {
            let mut gauges = NodeGauges::new(Arc::clone(node.record()));
            for load in node.connections().iter().map(Connection::load) {
                gauges.in_flight += load.in_flight;
                gauges.pending += load.waiting;
                match (load.is_up, load.in_flight) {
                    (false, _) => {}
                    (true, 0) => gauges.idle += 1,
                    (true, _) => gauges.used += 1,
                }
            }
            gauges
        };
        self.topology().nodes().iter().map(gauges).collect()
    }
}

impl Watcher for NodeRecord {
    fn connected(&self, took: Duration, ends: Ends) {
        self.count_connected(took, ends.local, ends.peer);
    }

    fn dial_failed(&self, error: &Error) {
        self.count_dial_failed(error);
    }

    fn lost(&self, error: &Error) {
        self.count_lost(error);
    }

    fn received(&self, bytes: usize) {
        self.count_received(bytes);
    }

    fn sent(&self, bytes: usize) {
        self.count_sent(bytes);
    }
}
