//! Which node holds which keys of an operation on many.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::{Cluster, Node};
use crate::error::Result;
use crate::key::Key;

/// The keys that each node holds, as indexes into the caller's list, in its order.
pub(super) struct Parts {
    indexes: Vec<u32>,
    /// The nodes, and where their indexes end.
    nodes: SmallVec<[(Arc<Node>, usize); 1]>,
}

impl Parts {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<Node>, &[u32])> {
        let mut start = 0;
        self.nodes.iter().map(move |(node, end)| {
            let indexes = &self.indexes[start..*end];
            start = *end;
            (node, indexes)
        })
    }
}

/// The indexes of the keys that can be sent: of all of them, mostly.
pub(super) fn valid(keys: &[Result<Key<'_>>]) -> Vec<u32> {
    let all = 0..keys.len() as u32;
    if keys.iter().all(Result::is_ok) {
        return all.collect();
    }
    all.filter(|index| keys[*index as usize].is_ok()).collect()
}

/// The key at a valid index.
pub(super) fn key_at<'k>(keys: &[Result<Key<'k>>], index: u32) -> Result<Key<'k>> {
    keys[index as usize].clone()
}

impl Cluster {
    /// The keys whose owner has changed a moment ago, and the others.
    pub(super) fn part_moved(
        &self,
        keys: &[Result<Key<'_>>],
        indexes: Vec<u32>,
    ) -> (Vec<u32>, Vec<u32>) {
        let topology = self.topology();
        if !topology.is_warming() {
            return (Vec::new(), indexes);
        }
        let has_moved = |index: &u32| {
            key_at(keys, *index)
                .is_ok_and(|key| topology.previous_owner(self.namespace(), key).is_some())
        };
        indexes.into_iter().partition(has_moved)
    }

    /// Deals out the keys at `indexes` to their nodes.
    pub(super) fn split(&self, keys: &[Result<Key<'_>>], indexes: Vec<u32>) -> Parts {
        let topology = self.topology();
        if let [only] = topology.nodes() {
            let nodes = match indexes.len() {
                0 => SmallVec::new(),
                count => smallvec![(Arc::clone(only), count)],
            };
            return Parts { indexes, nodes };
        }
        let owners = topology.owner_indexes(self.namespace(), keys, &indexes);
        // Where the indexes of each node go: behind those of the nodes before it.
        let mut places = vec![0; topology.nodes().len()];
        for owner in &owners {
            places[*owner] += 1;
        }
        let mut nodes = SmallVec::new();
        let mut end = 0;
        for (node, place) in topology.nodes().iter().zip(&mut places) {
            let count = std::mem::replace(place, end);
            end += count;
            if count > 0 {
                nodes.push((Arc::clone(node), end));
            }
        }
        let mut dealt = vec![0; indexes.len()];
        for (index, owner) in indexes.iter().zip(owners) {
            dealt[places[owner]] = *index;
            places[owner] += 1;
        }
        Parts {
            indexes: dealt,
            nodes,
        }
    }
}
