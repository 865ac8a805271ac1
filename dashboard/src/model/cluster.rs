//! The nodes added up.

use std::sync::Arc;

use super::deltas::{Deltas, ratio};
use super::history::{Measurement, Series};
use super::node::NodeSnapshot;
use memlens::stats::General;

/// The cluster's figures: sums over the nodes that answer.
///
/// A sum is `None` when no node has the figure. When only some have it, it is the sum of those;
/// [`answering`](Self::answering) against [`nodes`](Self::nodes) tells how many are in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Nodes configured.
    pub nodes: usize,
    /// Nodes that answer.
    pub answering: usize,
    /// Keys read between the last two answers of each node.
    pub lookups: Option<u64>,
    /// Of all keys read on all nodes, the share that hit: ΣΔ`get_hits` / ΣΔ(`get_hits` +
    /// `get_misses`). The mean of the nodes' hit rates would give an idle node the same say as a
    /// busy one.
    pub hit_rate: Option<f64>,
    /// Operations per second.
    pub operations_per_second: Option<f64>,
    /// Keys read per second.
    pub gets_per_second: Option<f64>,
    /// Items offered for storing per second.
    pub sets_per_second: Option<f64>,
    /// Live items thrown out per second.
    pub evictions_per_second: Option<f64>,
    /// Bytes received per second.
    pub bytes_read_per_second: Option<f64>,
    /// Bytes sent per second.
    pub bytes_written_per_second: Option<f64>,
    /// CPU cores kept busy.
    pub cpu_cores: Option<f64>,
    /// Live items thrown out since the servers started.
    pub evictions: Option<u64>,
    /// Bytes of the stored items.
    pub stored_bytes: Option<u64>,
    /// Bytes allocated by the servers.
    pub allocated_bytes: Option<u64>,
    /// The memory limits together, in bytes.
    pub limit_bytes: Option<u64>,
    /// Items stored.
    pub items: Option<u64>,
    /// Open connections.
    pub connections: Option<u64>,
}

impl Totals {
    /// Adds up the nodes.
    pub fn of(nodes: &[Arc<NodeSnapshot>]) -> Self {
        let nodes = nodes.iter().map(Arc::as_ref);
        let answering = nodes.clone().filter(|node| node.state.is_answering());
        let gauge = |read: fn(&General) -> Option<u64>| {
            add_counts(answering.clone().map(|node| read(node.current()?)))
        };
        let rate =
            |read: fn(&Deltas) -> Option<f64>| add_rates(nodes.clone().map(|node| node.rate(read)));
        let compared = nodes.clone().filter_map(|node| node.deltas.as_ref());
        let lookups = add_counts(compared.clone().map(Deltas::lookups));
        let hits = add_counts(
            compared.map(|deltas| deltas.get_hits.filter(|_| deltas.get_misses.is_some())),
        );
        Self {
            nodes: nodes.clone().count(),
            answering: answering.clone().count(),
            lookups,
            hit_rate: hits
                .zip(lookups)
                .and_then(|(hits, lookups)| ratio(hits, lookups)),
            operations_per_second: rate(Deltas::operations_per_second),
            gets_per_second: rate(|deltas| deltas.per_second(deltas.cmd_get)),
            sets_per_second: rate(|deltas| deltas.per_second(deltas.cmd_set)),
            evictions_per_second: rate(|deltas| deltas.per_second(deltas.evictions)),
            bytes_read_per_second: rate(|deltas| deltas.per_second(deltas.bytes_read)),
            bytes_written_per_second: rate(|deltas| deltas.per_second(deltas.bytes_written)),
            cpu_cores: rate(Deltas::cpu_cores),
            evictions: gauge(|general| general.evictions),
            stored_bytes: gauge(|general| general.bytes),
            allocated_bytes: add_counts(answering.clone().map(|node| node.memory?.allocated)),
            limit_bytes: gauge(|general| general.limit_maxbytes),
            items: gauge(|general| general.curr_items),
            connections: gauge(|general| general.curr_connections),
        }
    }

    pub(super) fn measure(&self) -> Measurement {
        let gauge = |value: Option<u64>| value.map(|value| value as f64);
        let mut measurement = Measurement::default();
        let reads = self.lookups.unwrap_or(0) as f64;
        measurement.set_weighted(Series::HitRate, self.hit_rate, reads);
        measurement.set(Series::Operations, self.operations_per_second);
        measurement.set(Series::Gets, self.gets_per_second);
        measurement.set(Series::Sets, self.sets_per_second);
        measurement.set(Series::Evictions, self.evictions_per_second);
        measurement.set(Series::StoredBytes, gauge(self.stored_bytes));
        measurement.set(Series::Items, gauge(self.items));
        measurement.set(Series::Connections, gauge(self.connections));
        measurement.set(Series::CpuCores, self.cpu_cores);
        measurement.set(Series::BytesRead, self.bytes_read_per_second);
        measurement.set(Series::BytesWritten, self.bytes_written_per_second);
        measurement
    }
}

fn add_counts(values: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    values.flatten().reduce(u64::saturating_add)
}

fn add_rates(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.flatten().reduce(|sum, rate| sum + rate)
}
