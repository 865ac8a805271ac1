//! What a client counts, over all its nodes.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::call::{Call, Start};
use super::core::{Core, Options, SpanMode};
use super::failure::ErrorClass;
use super::operation::Scope;
use super::providers::Telemetry;
use super::record::{NodeRecord, OperationRecord, Place};
use super::sample::{At, CounterSample, Counts};
use super::statistics::{NodeStatistics, OperationStatistics, Statistics, load, sum_up};
use crate::error::Error;

/// A node at this moment.
#[derive(Debug)]
pub(crate) struct NodeGauges {
    pub(crate) record: Arc<NodeRecord>,
    /// Requests that wait for their reply.
    pub(crate) in_flight: usize,
    /// Connections that are open and have requests under way.
    pub(crate) used: usize,
    /// Connections that are open and have none.
    pub(crate) idle: usize,
    /// Requests that wait for a connection, or for room on one.
    pub(crate) pending: usize,
}

impl NodeGauges {
    pub(crate) const fn new(record: Arc<NodeRecord>) -> Self {
        Self {
            record,
            in_flight: 0,
            used: 0,
            idle: 0,
            pending: 0,
        }
    }
}

/// Who knows the nodes as they are at this moment.
pub(crate) trait Gauges: Send + Sync {
    fn gauges(&self) -> Vec<NodeGauges>;
}

#[derive(Debug)]
pub(crate) struct Observer {
    core: Option<Arc<Core>>,
    /// Counts what concerns no node in particular: operations on many keys, and those that failed
    /// before a node was chosen.
    elsewhere: NodeRecord,
    nodes: Mutex<Vec<Arc<NodeRecord>>>,
}

impl Observer {
    /// Counts connections alone.
    pub(crate) fn of_connections() -> Self {
        Self::with_core(None)
    }

    /// Counts operations as well, and makes spans and metrics of them.
    pub(crate) fn of_operations(options: Options) -> Self {
        Self::with_core(Some(Arc::new(Core::new(options))))
    }

    fn with_core(core: Option<Arc<Core>>) -> Self {
        Self {
            elsewhere: NodeRecord::new("".into(), None, core.clone()),
            core,
            nodes: Mutex::new(Vec::new()),
        }
    }

    /// The record of a node, the same one each time.
    pub(crate) fn node(&self, name: &Arc<str>, place: &Place) -> Arc<NodeRecord> {
        let mut nodes = self.nodes.lock();
        if let Some(known) = nodes.iter().find(|node| node.name() == name) {
            return Arc::clone(known);
        }
        let place = Some(place.clone());
        let node = Arc::new(NodeRecord::new(Arc::clone(name), place, self.core.clone()));
        nodes.push(Arc::clone(&node));
        if let Some(core) = &self.core {
            core.set_node_count(nodes.len());
        }
        node
    }

    /// Counts an operation that failed before a node was chosen for it.
    #[cold]
    pub(crate) fn refused(&self, start: Start, error: Error) -> Error {
        if let Some(mut call) = self.elsewhere.begin(start, None) {
            call.finish(Some(&error));
        }
        error
    }

    /// Begins an operation on `keys` keys, which lie on `nodes`.
    pub(crate) fn begin_many<'a>(
        &'a self,
        start: Start,
        keys: usize,
        nodes: impl ExactSizeIterator<Item = &'a NodeRecord>,
    ) -> Option<Call<'a>> {
        self.elsewhere.begin_many(start, keys, nodes)
    }

    /// A copy of everything counted; `gauges` are the nodes there are now.
    pub(crate) fn statistics(&self, gauges: &[NodeGauges]) -> Statistics {
        let nodes = self.nodes.lock();
        let calls = self.calls(&nodes).map(OperationStatistics::of);
        let in_flight = |node: &Arc<NodeRecord>| {
            let mut gauges = gauges.iter();
            let found = gauges.find(|gauge| Arc::ptr_eq(&gauge.record, node));
            found.map_or(0, |gauge| gauge.in_flight)
        };
        Statistics {
            operations: sum_up(calls),
            nodes: nodes
                .iter()
                .map(|node| NodeStatistics::of(node, in_flight(node)))
                .collect(),
        }
    }

    /// The records that together hold every call once. What operations on many keys do on single
    /// nodes is no call.
    fn calls<'a>(
        &'a self,
        nodes: &'a [Arc<NodeRecord>],
    ) -> impl Iterator<Item = &'a OperationRecord> {
        let on_nodes = nodes.iter().flat_map(|node| node.operations());
        let of_one_node = on_nodes.filter(|record| record.operation.scope() != Scope::Keys);
        self.elsewhere.operations().chain(of_one_node)
    }

    /// Adds this client's counts.
    pub(super) fn count(&self, counts: &mut Counts) {
        let mut add = |sample, count| {
            if count > 0 {
                *counts.entry(sample).or_insert(0) += count;
            }
        };
        let nodes = self.nodes.lock();
        for record in self.calls(&nodes) {
            let operation = record.operation;
            add(
                CounterSample::Calls(operation, None),
                record.latency.count(),
            );
            for (class, count) in record.failures.counts() {
                add(CounterSample::Calls(operation, Some(class)), count);
            }
        }
        for node in &*nodes {
            let Some(place) = node.place() else {
                continue;
            };
            let at = || At::new(node.name(), place);
            for record in node.operations() {
                add(CounterSample::Lookups(at(), true), load(&record.hits));
                add(CounterSample::Lookups(at(), false), load(&record.misses));
            }
            add(CounterSample::Io(at(), "transmit"), load(&node.bytes_sent));
            add(
                CounterSample::Io(at(), "receive"),
                load(&node.bytes_received),
            );
            for (class, count) in node.errors.counts() {
                add(CounterSample::Errors(at(), class), count);
                if matches!(class, ErrorClass::ConnectTimeout | ErrorClass::Overloaded) {
                    add(CounterSample::Timeouts(at()), count);
                }
            }
            for (class, count) in node.retries.counts() {
                add(CounterSample::Retries(at(), class), count);
            }
            for (class, count) in node.ejections.counts() {
                add(CounterSample::Ejections(at(), class), count);
            }
            add(CounterSample::Returns(at()), load(&node.returns));
        }
    }

    /// Whether nobody can count with it any more but the one who asks.
    pub(super) fn is_unused(self: &Arc<Self>) -> bool {
        let nodes = self.nodes.lock();
        Arc::strong_count(self) == 1 && nodes.iter().all(|node| Arc::strong_count(node) == 1)
    }
}

/// Changes while the client runs. They do nothing to a client whose operations are not observed.
impl Observer {
    /// Has the counters and gauges show this client from now on.
    pub(crate) fn show(self: &Arc<Self>, gauges: Weak<dyn Gauges>) {
        if let Some(core) = &self.core {
            core.with_providers(|it| it.fleet.join(self, gauges));
        }
    }

    /// Sends what comes to other providers.
    pub(crate) fn rebind(self: &Arc<Self>, telemetry: Telemetry, gauges: Weak<dyn Gauges>) {
        if let Some(core) = &self.core {
            let providers = telemetry.into_providers();
            providers.fleet.join(self, gauges);
            let old = core.set_providers(providers);
            old.fleet.leave(self);
        }
    }

    pub(crate) fn set_spans(&self, spans: SpanMode) {
        if let Some(core) = &self.core {
            core.set_spans(spans);
        }
    }

    pub(crate) fn set_root_spans(&self, root_spans: bool) {
        if let Some(core) = &self.core {
            core.set_root_spans(root_spans);
        }
    }
}
