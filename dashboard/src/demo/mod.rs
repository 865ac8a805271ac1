//! A small cluster of embedded nodes, to have something to look at.

use memlens_node::{Error, Node};

/// Bytes in a MiB, the unit of memcached's `-m`.
const MEBIBYTE: usize = 1024 * 1024;

/// Running embedded nodes. Dropping it stops them.
#[derive(Debug)]
pub struct DemoNodes {
    nodes: Vec<Node>,
}

impl DemoNodes {
    /// Starts `count` nodes on free ports of the loopback interface, each with `memory_mib` MiB for
    /// items.
    ///
    /// # Errors
    ///
    /// When a node cannot be started. Those before it are stopped again.
    pub async fn start(count: u16, memory_mib: u32) -> Result<Self, Error> {
        let memory = memory_mib as usize * MEBIBYTE;
        let mut nodes = Vec::with_capacity(count.into());
        for _ in 0..count {
            nodes.push(Node::builder().memory(memory).start().await?);
        }
        Ok(Self { nodes })
    }

    /// The nodes' addresses, separated by commas.
    #[must_use]
    pub fn servers(&self) -> String {
        let addresses: Vec<_> = self
            .nodes
            .iter()
            .map(|node| node.addr().to_string())
            .collect();
        addresses.join(",")
    }

    /// Stops the nodes, and waits until they have.
    pub async fn stop(self) {
        for node in self.nodes {
            node.shutdown().await;
        }
    }
}
