//! What is counted for each node, and for each operation on it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;

use super::core::Core;
use super::failure::ErrorClass;
use super::histogram::Histogram;
use super::labels::Labels;
use super::log;
use super::operation::Operation;
use crate::error::Error;

/// So many addresses of this side are kept: those of the connections made last.
const LOCAL_ADDRESSES: usize = 16;

/// Where a node is, as it was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// A host name or address, or the path of a socket.
    pub(crate) address: Arc<str>,
    /// None for the path of a socket.
    pub(crate) port: Option<u16>,
}

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: Arc<str>,
    pub(super) port: u16,
}

/// One count for each class of error.
#[derive(Debug, Default)]
pub(super) struct ByClass([AtomicU64; ErrorClass::COUNT]);

impl ByClass {
    pub(super) fn count(&self, class: ErrorClass) {
        self.0[class.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// Those that are above 0.
    pub(super) fn counts(&self) -> impl Iterator<Item = (ErrorClass, u64)> {
        let counts = self.0.iter().map(|it| it.load(Ordering::Relaxed));
        let classes = ErrorClass::ALL.iter().copied();
        classes.zip(counts).filter(|(_, count)| *count > 0)
    }
}

/// The counts of one operation.
#[derive(Debug)]
pub(super) struct OperationRecord {
    pub(super) operation: Operation,
    pub(super) labels: Labels,
    /// Of those that did not fail.
    pub(super) latency: Histogram,
    pub(super) failures: ByClass,
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
}

/// The counts of one node. They are kept while its client lives, also when the node leaves and
/// comes back.
#[derive(Debug)]
pub(crate) struct NodeRecord {
    name: Arc<str>,
    place: Option<Place>,
    /// None: operations are not observed, only connections.
    core: Option<Arc<Core>>,
    operations: [OnceLock<Box<OperationRecord>>; Operation::COUNT],
    pub(super) errors: ByClass,
    pub(super) retries: ByClass,
    pub(super) ejections: ByClass,
    pub(super) returns: AtomicU64,
    pub(super) dials: AtomicU64,
    pub(super) connections_made: AtomicU64,
    pub(super) connections_lost: AtomicU64,
    pub(super) bytes_sent: AtomicU64,
    pub(super) bytes_received: AtomicU64,
    was_dialed: AtomicBool,
    is_up: AtomicBool,
    is_out: AtomicBool,
    peer: ArcSwapOption<Peer>,
    /// This side of the connections made last.
    local_addresses: Mutex<Vec<SocketAddr>>,
}

impl NodeRecord {
    pub(super) fn new(name: Arc<str>, place: Option<Place>, core: Option<Arc<Core>>) -> Self {
        Self {
            name,
            place,
            core,
            operations: [const { OnceLock::new() }; Operation::COUNT],
            errors: ByClass::default(),
            retries: ByClass::default(),
            ejections: ByClass::default(),
            returns: AtomicU64::new(0),
            dials: AtomicU64::new(0),
            connections_made: AtomicU64::new(0),
            connections_lost: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
            was_dialed: AtomicBool::new(false),
            is_up: AtomicBool::new(false),
            is_out: AtomicBool::new(false),
            peer: ArcSwapOption::empty(),
            local_addresses: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) const fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    #[inline]
    pub(super) fn core(&self) -> Option<&Core> {
        self.core.as_deref()
    }

    pub(super) fn operation(&self, operation: Operation) -> &OperationRecord {
        self.operations[operation.index()].get_or_init(|| {
            Box::new(OperationRecord {
                operation,
                labels: Labels::new(operation, &self.name, self.place.as_ref()),
                latency: Histogram::default(),
                failures: ByClass::default(),
                hits: AtomicU64::new(0),
                misses: AtomicU64::new(0),
            })
        })
    }

    /// Those that were ever called.
    pub(super) fn operations(&self) -> impl Iterator<Item = &OperationRecord> {
        let called = self.operations.iter().filter_map(OnceLock::get);
        called.map(AsRef::as_ref)
    }

    pub(super) fn local_addresses(&self) -> Vec<SocketAddr> {
        self.local_addresses.lock().clone()
    }

    pub(super) fn peer(&self) -> Option<Arc<Peer>> {
        self.peer.load_full()
    }

    /// Whether the last attempt to connect succeeded, and the connection still stood when last
    /// heard of. `None` before the first attempt.
    pub(super) fn is_up(&self) -> Option<bool> {
        let was_dialed = self.was_dialed.load(Ordering::Relaxed);
        was_dialed.then(|| self.is_up.load(Ordering::Relaxed))
    }

    /// Whether the node is left out until it answers a probe.
    pub(super) fn is_out(&self) -> bool {
        self.is_out.load(Ordering::Relaxed)
    }
}

/// What happens to the node's connections.
impl NodeRecord {
    pub(crate) fn count_connected(
        &self,
        took: Duration,
        local: Option<SocketAddr>,
        peer: Option<SocketAddr>,
    ) {
        self.dialed(true);
        if let Some(local) = local {
            let mut known = self.local_addresses.lock();
            if known.len() == LOCAL_ADDRESSES {
                known.remove(0);
            }
            known.push(local);
        }
        self.connections_made.fetch_add(1, Ordering::Relaxed);
        let peer = peer.map(|peer| Peer {
            address: peer.ip().to_string().into(),
            port: peer.port(),
        });
        self.peer.store(peer.map(Arc::new));
        if let Some(core) = &self.core {
            core.with_providers(|it| it.connection_created(&self.name, took));
        }
        log::connected(&self.name, took);
    }

    pub(crate) fn count_dial_failed(&self, error: &Error) {
        self.dialed(false);
        let class = ErrorClass::of(error);
        self.errors.count(class);
        log::dial_failed(&self.name, class);
    }

    fn dialed(&self, is_up: bool) {
        self.dials.fetch_add(1, Ordering::Relaxed);
        self.is_up.store(is_up, Ordering::Relaxed);
        self.was_dialed.store(true, Ordering::Relaxed);
    }

    /// A connection ended, and nobody had asked for it.
    pub(crate) fn count_lost(&self, error: &Error) {
        self.connections_lost.fetch_add(1, Ordering::Relaxed);
        log::lost(&self.name, ErrorClass::of(error));
    }

    /// The node gets no requests for a while; unless most nodes are out, which means that none is
    /// left out.
    pub(crate) fn count_ejected(&self, error: &Error, most_are_out: bool) {
        let class = ErrorClass::of(error);
        self.ejections.count(class);
        self.is_out.store(true, Ordering::Relaxed);
        log::ejected(&self.name, class, most_are_out);
    }

    /// The node has answered a probe, and gets requests again.
    pub(crate) fn count_returned(&self) {
        self.returns.fetch_add(1, Ordering::Relaxed);
        self.is_out.store(false, Ordering::Relaxed);
        log::returned(&self.name);
    }

    pub(crate) fn count_received(&self, bytes: usize) {
        self.bytes_received
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_sent(&self, bytes: usize) {
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
