//! The nodes at one moment, and the ring over them.

use std::sync::Arc;

use super::node::Node;
use crate::error::{Error, Result};
use crate::key::{Key, MAX_KEY_LENGTH};
use crate::net::{Endpoint, Settings};
use crate::ring::{Distribution, Member, Ring};

/// What a node is made of.
#[derive(Clone, Debug)]
pub(crate) struct NodeSpec {
    pub(crate) member: Member,
    pub(crate) endpoint: Endpoint,
}

#[derive(Debug)]
pub(crate) struct Topology {
    ring: Ring,
    /// In the order of the ring's members.
    nodes: Vec<Arc<Node>>,
}

impl Topology {
    pub(crate) fn new(
        specs: Vec<NodeSpec>,
        distribution: impl Into<Distribution>,
        settings: Settings,
        connections: usize,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Self> {
        let members: Vec<Member> = specs.iter().map(|spec| spec.member.clone()).collect();
        let ring = Ring::new(members, distribution)
            .map_err(|error| Error::invalid_input(error.to_string()).caused_by(error))?;
        let nodes = specs
            .into_iter()
            .map(|spec| {
                let name: Arc<str> = spec.member.name().into();
                Arc::new(Node::new(
                    name,
                    spec.endpoint,
                    settings,
                    connections,
                    runtime,
                ))
            })
            .collect();
        Ok(Self { ring, nodes })
    }

    pub(crate) fn ring(&self) -> &Ring {
        &self.ring
    }

    pub(crate) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// The node that holds `key`, which is hashed as it is sent: with its namespace.
    pub(crate) fn node_for(&self, namespace: &[u8], key: Key<'_>) -> Result<&Arc<Node>> {
        let index = self.index_for(namespace, key);
        self.nodes
            .get(index)
            .ok_or_else(|| Error::new(crate::ErrorKind::NoServer))
    }

    pub(crate) fn index_for(&self, namespace: &[u8], key: Key<'_>) -> usize {
        if self.nodes.len() == 1 {
            return 0;
        }
        if let Some(hash) = key.hash() {
            return self.ring.node_for_hash(hash);
        }
        if namespace.is_empty() {
            return self.ring.node_for(key.as_bytes());
        }
        let mut whole = [0; MAX_KEY_LENGTH];
        let length = namespace.len() + key.as_bytes().len();
        let Some(front) = whole.get_mut(..length) else {
            return 0; // Too long a key: the request is refused before it is sent anywhere.
        };
        front[..namespace.len()].copy_from_slice(namespace);
        front[namespace.len()..].copy_from_slice(key.as_bytes());
        self.ring.node_for(front)
    }
}
