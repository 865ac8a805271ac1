//! The cluster: which nodes there are, and which of them holds a key.

mod multi;
mod node;
mod topology;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};

use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, MAX_BINARY_KEY_LENGTH, MAX_KEY_LENGTH, too_long};
use crate::proto::command::{Command, WireKey};
use crate::proto::group::Retrieval;
use crate::proto::reply::Item;

pub(crate) use multi::ChunkLimits;
pub(crate) use node::Node;
pub(crate) use topology::{NodeSpec, Topology};

/// Everything the clones of a client share.
#[derive(Debug)]
pub(crate) struct Cluster {
    topology: ArcSwap<Topology>,
    namespace: Box<[u8]>,
    chunks: ChunkLimits,
    drain_timeout: Duration,
}

impl Cluster {
    pub(crate) fn new(
        topology: Topology,
        namespace: Box<[u8]>,
        chunks: ChunkLimits,
        drain_timeout: Duration,
    ) -> Self {
        Self {
            topology: ArcSwap::from_pointee(topology),
            namespace,
            chunks,
            drain_timeout,
        }
    }

    pub(crate) fn topology(&self) -> Guard<Arc<Topology>> {
        self.topology.load()
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
    pub(crate) fn node_for(&self, key: Key<'_>) -> Result<Arc<Node>> {
        self.topology().node_for(&self.namespace, key).cloned()
    }

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
        self.node_for(key)?.execute(command, deadline).await
    }

    /// Reads the item of `key`.
    pub(crate) async fn get(
        &self,
        retrieval: Retrieval,
        key: Key<'_>,
        deadline: Instant,
    ) -> Result<Option<Item>> {
        let wire = self.text_key(key)?;
        self.node_for(key)?
            .get(retrieval, wire.prefix, wire.key, deadline)
            .await
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
