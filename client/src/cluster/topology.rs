//! The nodes at one moment, and the ring over them.

use std::sync::Arc;
use std::time::Instant;

use super::key::WholeKey;
use super::node::Node;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::net::{Endpoint, Settings, Wakings};
use crate::observe::Observer;
use crate::ring::{Distribution, Member, Ring};

/// What a node is made of.
#[derive(Clone, Debug)]
pub(crate) struct NodeSpec {
    pub(crate) member: Member,
    pub(crate) endpoint: Endpoint,
}

/// How nodes are made.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) distribution: Distribution,
    pub(crate) settings: Settings,
    pub(crate) connections: usize,
    pub(crate) observer: Arc<Observer>,
    /// Shared by all connections.
    pub(crate) wakings: Wakings,
    pub(crate) runtime: tokio::runtime::Handle,
}

/// Until when reads that miss are also tried where the key was before.
#[derive(Debug)]
struct Previous {
    topology: Arc<Topology>,
    until: Instant,
}

impl Previous {
    fn is_of_interest(&self) -> bool {
        tokio::time::Instant::now().into_std() < self.until
    }
}

#[derive(Debug)]
pub(crate) struct Topology {
    version: u64,
    ring: Ring,
    /// In the order of the ring's members.
    nodes: Vec<Arc<Node>>,
    previous: Option<Previous>,
}

impl Topology {
    pub(crate) fn new(specs: Vec<NodeSpec>, blueprint: &Blueprint) -> Result<Self> {
        Self::build(1, specs, blueprint, &[], None)
    }

    /// The topology that follows this one. Nodes that stay keep their connections. For reads until
    /// `warm_until`, it remembers this one.
    pub(crate) fn successor(
        self: &Arc<Self>,
        specs: Vec<NodeSpec>,
        blueprint: &Blueprint,
        warm_until: Option<Instant>,
    ) -> Result<Self> {
        let previous = warm_until.map(|until| Previous {
            topology: Arc::new(self.without_previous()),
            until,
        });
        Self::build(self.version + 1, specs, blueprint, &self.nodes, previous)
    }

    /// The same without its memory, so that changes in a row do not make a chain.
    fn without_previous(&self) -> Self {
        Self {
            version: self.version,
            ring: self.ring.clone(),
            nodes: self.nodes.clone(),
            previous: None,
        }
    }

    fn build(
        version: u64,
        specs: Vec<NodeSpec>,
        blueprint: &Blueprint,
        present: &[Arc<Node>],
        previous: Option<Previous>,
    ) -> Result<Self> {
        let members: Vec<Member> = specs.iter().map(|spec| spec.member.clone()).collect();
        let ring = Ring::new(members, blueprint.distribution)
            .map_err(|error| Error::invalid_input(error.to_string()).caused_by(error))?;
        let nodes = specs.into_iter().map(|spec| {
            let name = spec.member.name();
            let is_same = |node: &&Arc<Node>| node.is(&name, &spec.endpoint);
            match present.iter().find(is_same) {
                Some(node) => Arc::clone(node),
                None => Arc::new(Node::new(name.into(), spec.endpoint, blueprint)),
            }
        });
        let nodes = nodes.collect();
        Ok(Self {
            version,
            ring,
            nodes,
            previous,
        })
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn ring(&self) -> &Ring {
        &self.ring
    }

    pub(crate) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// What each node is made of, in their order.
    pub(crate) fn specs(&self) -> Vec<NodeSpec> {
        let members = self.ring.members().iter().cloned();
        let specs = members.zip(&self.nodes).map(|(member, node)| NodeSpec {
            member,
            endpoint: node.dial_settings().0.clone(),
        });
        specs.collect()
    }

    /// The node that holds `key`, which is hashed as it is sent: with its namespace.
    #[inline]
    pub(crate) fn owner(&self, namespace: &[u8], key: Key<'_>) -> Result<&Arc<Node>> {
        let index = self.owner_index(namespace, key);
        self.nodes
            .get(index)
            .ok_or_else(|| Error::new(ErrorKind::NoServer))
    }

    #[inline]
    pub(crate) fn owner_index(&self, namespace: &[u8], key: Key<'_>) -> usize {
        match self.nodes.len() {
            1 => 0,
            _ => self.owner_index_by_ring(namespace, key),
        }
    }

    fn owner_index_by_ring(&self, namespace: &[u8], key: Key<'_>) -> usize {
        if let Some(hash) = key.hash() {
            return self.ring.node_for_hash(hash);
        }
        if namespace.is_empty() {
            return self.ring.node_for(key.as_bytes());
        }
        self.ring.node_for(WholeKey::new(namespace, key).as_bytes())
    }

    /// The index of the node for each of the keys at `indexes`, which are legal. They are hashed
    /// together, which takes half the time.
    pub(crate) fn owner_indexes(
        &self,
        namespace: &[u8],
        keys: &[Result<Key<'_>>],
        indexes: &[u32],
    ) -> Vec<usize> {
        let mut plain = Vec::with_capacity(indexes.len());
        plain.extend(indexes.iter().filter_map(|index| {
            let key = keys[*index as usize].as_ref().ok()?;
            key.hash().is_none().then_some(key.as_bytes())
        }));
        if !namespace.is_empty() || plain.len() < indexes.len() {
            let keys = indexes
                .iter()
                .filter_map(|index| keys[*index as usize].as_ref().ok());
            return keys.map(|key| self.owner_index(namespace, *key)).collect();
        }
        let mut owners = Vec::new();
        self.ring.nodes_for_keys(&plain, &mut owners);
        owners
    }

    /// The indexes of the nodes to try for `key` in turn, beginning with its owner.
    pub(crate) fn candidates(&self, namespace: &[u8], key: Key<'_>) -> Vec<usize> {
        let whole = WholeKey::new(namespace, key);
        let walk = match key.hash() {
            Some(hash) => self.ring.nodes_for_hash(hash, whole.as_bytes()),
            None => self.ring.nodes_for(whole.as_bytes()),
        };
        walk.collect()
    }

    /// Where `key` was before the last change, if that was elsewhere and is still of interest.
    #[inline]
    pub(crate) fn previous_owner(&self, namespace: &[u8], key: Key<'_>) -> Option<Arc<Node>> {
        let previous = self.previous.as_ref()?;
        self.owner_before(previous, namespace, key)
    }

    #[cold]
    fn owner_before(
        &self,
        previous: &Previous,
        namespace: &[u8],
        key: Key<'_>,
    ) -> Option<Arc<Node>> {
        if !previous.is_of_interest() {
            return None;
        }
        let before = previous.topology.owner(namespace, key).ok()?;
        let now = self.owner(namespace, key).ok()?;
        (!Arc::ptr_eq(before, now)).then(|| Arc::clone(before))
    }

    /// Whether keys may still have to be looked for elsewhere.
    pub(crate) fn is_warming(&self) -> bool {
        self.previous.as_ref().is_some_and(Previous::is_of_interest)
    }
}
