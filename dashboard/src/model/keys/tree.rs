//! The prefixes of keys, with how many keys and bytes are below each.

use std::collections::BTreeMap;

/// Where keys are divided into segments.
const DELIMITERS: &[u8] = b":/|";

/// Most segments that are told apart; what comes behind counts to the last.
const DEEPEST: usize = 6;

/// Most prefixes below one prefix. What comes later is added up: a segment with so many values is
/// an id and no name.
const MOST_CHILDREN: usize = 256;

/// Most prefixes in all.
const MOST_NODES: usize = 20_000;

/// One prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrefixNode {
    /// The prefix, delimiter included. Empty for the root.
    pub prefix: Box<[u8]>,
    /// Keys that begin with it.
    pub keys: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Keys below it whose next segment is not listed, because there were too many.
    pub unlisted_keys: u64,
    /// Bytes that those take.
    pub unlisted_bytes: u64,
    children: BTreeMap<Box<[u8]>, u32>,
}

impl PrefixNode {
    /// Whether there are longer prefixes below it.
    #[must_use]
    pub fn has_children(&self) -> bool {
        !self.children.is_empty()
    }
}

/// The tree of prefixes. Keys themselves are not in it: `user:42` counts to `user:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixTree {
    nodes: Vec<PrefixNode>,
}

impl Default for PrefixTree {
    fn default() -> Self {
        Self {
            nodes: vec![PrefixNode::default()],
        }
    }
}

impl PrefixTree {
    /// The index of the root, which stands for all keys.
    pub const ROOT: usize = 0;

    /// Counts a key that takes `bytes`.
    pub fn add(&mut self, key: &[u8], bytes: u64) {
        let mut here = Self::ROOT;
        let mut begin = 0;
        self.count(here, bytes);
        for end in segment_ends(key) {
            match self.child(here, &key[begin..end], &key[..end]) {
                Some(child) => here = child,
                None => {
                    let node = &mut self.nodes[here];
                    node.unlisted_keys += 1;
                    node.unlisted_bytes = node.unlisted_bytes.saturating_add(bytes);
                    return;
                }
            }
            self.count(here, bytes);
            begin = end;
        }
    }

    fn count(&mut self, node: usize, bytes: u64) {
        let node = &mut self.nodes[node];
        node.keys += 1;
        node.bytes = node.bytes.saturating_add(bytes);
    }

    fn child(&mut self, parent: usize, segment: &[u8], prefix: &[u8]) -> Option<usize> {
        if let Some(child) = self.nodes[parent].children.get(segment) {
            return Some(*child as usize);
        }
        let is_full =
            self.nodes.len() >= MOST_NODES || self.nodes[parent].children.len() >= MOST_CHILDREN;
        if is_full {
            return None;
        }
        let child = u32::try_from(self.nodes.len()).ok()?;
        self.nodes.push(PrefixNode {
            prefix: prefix.into(),
            ..PrefixNode::default()
        });
        self.nodes[parent].children.insert(segment.into(), child);
        Some(child as usize)
    }

    /// The prefix with this index.
    #[must_use]
    pub fn node(&self, index: usize) -> Option<&PrefixNode> {
        self.nodes.get(index)
    }

    /// What is right below a prefix, the most bytes first.
    #[must_use]
    pub fn children(&self, index: usize) -> Vec<usize> {
        let children = self.nodes.get(index).map(|node| &node.children);
        let mut children: Vec<usize> = children
            .into_iter()
            .flat_map(|children| children.values())
            .map(|child| *child as usize)
            .collect();
        children.sort_by_key(|child| std::cmp::Reverse(self.nodes[*child].bytes));
        children
    }

    /// How many prefixes there are, the root not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Whether there is no prefix.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The ends of the segments of a key that have a delimiter behind them, delimiter included.
fn segment_ends(key: &[u8]) -> impl Iterator<Item = usize> {
    let ends = key.iter().enumerate();
    ends.filter(|(_, byte)| DELIMITERS.contains(byte))
        .map(|(place, _)| place + 1)
        .filter(|end| *end < key.len())
        .take(DEEPEST)
}

/// The first segment of a key with its delimiter, or nothing for a key without one.
pub(in crate::model) fn first_segment(key: &[u8]) -> &[u8] {
    segment_ends(key).next().map_or(&[], |end| &key[..end])
}

#[cfg(test)]
mod tests {
    use super::{MOST_CHILDREN, PrefixTree};

    fn tree(keys: &[&str]) -> PrefixTree {
        let mut tree = PrefixTree::default();
        for key in keys {
            tree.add(key.as_bytes(), 100);
        }
        tree
    }

    fn shown(tree: &PrefixTree, index: usize) -> (String, u64, u64) {
        let node = tree.node(index).unwrap();
        let prefix = String::from_utf8_lossy(&node.prefix).into_owned();
        (prefix, node.keys, node.bytes)
    }

    #[test]
    fn keys_count_to_all_their_prefixes() {
        let tree = tree(&[
            "user:1",
            "user:2:name",
            "user:2:mail",
            "page:/item/3",
            "lonely",
            "tail:",
        ]);
        assert_eq!(shown(&tree, PrefixTree::ROOT), (String::new(), 6, 600));
        let top = tree.children(PrefixTree::ROOT);
        assert_eq!(shown(&tree, top[0]), ("user:".to_owned(), 3, 300));
        assert_eq!(shown(&tree, top[1]), ("page:".to_owned(), 1, 100));
        assert_eq!(top.len(), 2);
        let below_user = tree.children(top[0]);
        assert_eq!(shown(&tree, below_user[0]), ("user:2:".to_owned(), 2, 200));
        assert_eq!(tree.len(), 5);
    }

    #[test]
    fn what_does_not_fit_is_added_up() {
        let mut tree = PrefixTree::default();
        for id in 0..MOST_CHILDREN + 5 {
            tree.add(format!("session:{id}:data").as_bytes(), 10);
        }
        let session = tree.children(PrefixTree::ROOT)[0];
        let node = tree.node(session).unwrap();
        assert_eq!(node.keys, MOST_CHILDREN as u64 + 5);
        assert_eq!((node.unlisted_keys, node.unlisted_bytes), (5, 50));
        assert_eq!(tree.children(session).len(), MOST_CHILDREN);
    }

    #[test]
    fn depth_has_an_end() {
        let deep = "a:".repeat(100) + "z";
        assert_eq!(tree(&[&deep]).len(), super::DEEPEST);
        assert!(tree(&["", ":", "::"]).len() <= 2);
    }
}
