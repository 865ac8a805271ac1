//! The cluster: which nodes there are, which of them holds a key, and what to do when it fails.

mod answers;
mod failure;
mod hand_over;
mod health;
mod key;
mod multi;
mod node;
mod observed;
mod parts;
mod topology;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;

use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, MAX_BINARY_KEY_LENGTH, MAX_KEY_LENGTH, too_long};
use crate::proto::command::WireKey;

pub(crate) use answers::Answers;
pub(crate) use failure::OnFailure;
pub(crate) use health::Breaker;
pub(crate) use multi::ChunkLimits;
pub(crate) use node::Node;
pub(crate) use topology::{Blueprint, NodeSpec, Topology};

/// Everything the clones of a client share.
#[derive(Debug)]
pub(crate) struct Cluster {
    topology: ArcSwap<Topology>,
    /// Held while the topology is being changed.
    changing: Mutex<()>,
    blueprint: Blueprint,
    namespace: Box<[u8]>,
    chunks: ChunkLimits,
    on_failure: OnFailure,
    breaker: Breaker,
    drain_timeout: Duration,
}

/// What a cluster is made of, besides its nodes.
#[derive(Debug)]
pub(crate) struct ClusterSettings {
    pub(crate) blueprint: Blueprint,
    pub(crate) namespace: Box<[u8]>,
    pub(crate) chunks: ChunkLimits,
    pub(crate) on_failure: OnFailure,
    pub(crate) breaker: Breaker,
    pub(crate) drain_timeout: Duration,
}

impl Cluster {
    pub(crate) fn new(specs: Vec<NodeSpec>, settings: ClusterSettings) -> Result<Self> {
        let ClusterSettings {
            blueprint,
            namespace,
            chunks,
            on_failure,
            breaker,
            drain_timeout,
        } = settings;
        Ok(Self {
            topology: ArcSwap::from_pointee(Topology::new(specs, &blueprint)?),
            changing: Mutex::new(()),
            blueprint,
            namespace,
            chunks,
            on_failure,
            breaker,
            drain_timeout,
        })
    }

    pub(crate) fn topology(&self) -> Guard<Arc<Topology>> {
        self.topology.load()
    }

    /// Replaces the nodes by what `change` makes of them, all at once. Operations under way finish
    /// where they began; nodes that are left out close when their last operation has ended.
    pub(crate) fn change(
        &self,
        warm_until: Option<Instant>,
        change: impl FnOnce(Vec<NodeSpec>) -> Result<Vec<NodeSpec>>,
    ) -> Result<u64> {
        let _changing = self.changing.lock();
        let current = self.topology.load_full();
        let specs = change(current.specs())?;
        let next = current.successor(specs, &self.blueprint, warm_until)?;
        let version = next.version();
        self.topology.store(Arc::new(next));
        Ok(version)
    }

    /// Where the tasks of the client run.
    pub(crate) fn runtime(&self) -> &tokio::runtime::Handle {
        &self.blueprint.runtime
    }

    pub(crate) fn namespace(&self) -> &[u8] {
        &self.namespace
    }

    /// `key` as it is sent by a command of the text protocol.
    pub(crate) fn text_key<'a>(&'a self, key: Key<'a>) -> Result<WireKey<'a>> {
        if key.is_binary() {
            return Err(Error::invalid_key(
                "only the meta commands take binary keys",
            ));
        }
        self.wire_key(key)
    }

    /// `key` as it is sent, its namespace in front.
    pub(crate) fn wire_key<'a>(&'a self, key: Key<'a>) -> Result<WireKey<'a>> {
        let wire = WireKey {
            prefix: &self.namespace,
            key: key.as_bytes(),
            is_base64: key.is_binary(),
        };
        let longest = if wire.is_base64 {
            MAX_BINARY_KEY_LENGTH
        } else {
            MAX_KEY_LENGTH
        };
        if wire.len() > longest {
            return Err(too_long(wire.len(), longest));
        }
        Ok(wire)
    }

    /// The node that holds `key`.
    pub(crate) fn owner(&self, key: Key<'_>) -> Result<Arc<Node>> {
        self.topology().owner(&self.namespace, key).cloned()
    }

    /// The node called `name`.
    pub(crate) fn node(&self, name: &str) -> Result<Arc<Node>> {
        let topology = self.topology();
        topology
            .nodes()
            .iter()
            .find(|node| **node.name() == *name)
            .cloned()
            .ok_or_else(|| {
                let names: Vec<&str> = topology.nodes().iter().map(|node| &**node.name()).collect();
                let detail = format!(
                    "no node is called {name:?}; there are: {}",
                    names.join(", ")
                );
                Error::with_detail(ErrorKind::NoServer, detail)
            })
    }

    /// Refuses new operations, and waits for those under way for as long as `drain_timeout`.
    pub(crate) async fn close(&self) {
        let deadline = (tokio::time::Instant::now() + self.drain_timeout).into_std();
        let topology = self.topology.load_full();
        for connection in topology.nodes().iter().flat_map(|node| node.connections()) {
            connection.start_closing(deadline);
        }
        for connection in topology.nodes().iter().flat_map(|node| node.connections()) {
            connection.closed().await;
        }
    }
}
