//! A node of the demo.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use memlens::config::Server;
use memlens_node::Node;
use tokio::time::Instant;

use crate::published::{DemoNode, DemoNodeState};

/// Bytes in a MiB, the unit of memcached's `-m`.
const MEBIBYTE: usize = 1024 * 1024;

/// The port of the first node, if nobody has it.
const FIRST_PORT: u16 = 22_121;

/// A node that runs, ran, or left the ring a while ago.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Arc<str>,
    pub(super) address: SocketAddr,
    pub(super) weight: u32,
    pub(super) node: Option<Node>,
    /// Since when it is out of the ring.
    pub(super) left: Option<Instant>,
}

impl Entry {
    /// Starts a node beside others: on the next of the usual ports, or where there is room.
    ///
    /// Names make the ring. With the same ports it is the same one each time.
    pub(super) async fn start_new(
        memory_mib: u32,
        others: &[Self],
    ) -> Result<Self, memlens_node::Error> {
        let is_free = |port: &u16| others.iter().all(|other| other.address.port() != *port);
        if let Some(port) = (FIRST_PORT..).find(is_free) {
            let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            if let Ok(entry) = Self::start(memory_mib, Some(at)).await {
                return Ok(entry);
            }
        }
        Self::start(memory_mib, None).await
    }

    /// Starts a node on a free port of the loopback interface, or again where it was.
    pub(super) async fn start(
        memory_mib: u32,
        at: Option<SocketAddr>,
    ) -> Result<Self, memlens_node::Error> {
        let mut builder = Node::builder().memory(memory_mib as usize * MEBIBYTE);
        if let Some(address) = at {
            builder = builder.address(address.ip()).port(address.port());
        }
        let node = builder.start().await?;
        Ok(Self {
            name: node.addr().to_string().into(),
            address: node.addr(),
            weight: 1,
            node: Some(node),
            left: None,
        })
    }

    pub(super) async fn stop(self) {
        if let Some(node) = self.node {
            node.shutdown().await;
        }
    }

    /// As it stands in a list of servers.
    pub(super) fn server(&self) -> memlens::Result<Server> {
        format!("{}:{}", self.name, self.weight).parse()
    }

    pub(super) fn describe(&self) -> DemoNode {
        DemoNode {
            name: Arc::clone(&self.name),
            state: match &self.node {
                None => DemoNodeState::Stopped,
                Some(node) if node.is_paused() => DemoNodeState::Hanging,
                Some(_) => DemoNodeState::Running,
            },
        }
    }
}
