//! The LRU lists: one per slab class and segment, in one arena.

use std::sync::Arc;

use super::item::Item;
use super::slabs::CLASSES;

/// "Not in a list", and "no neighbour".
pub(super) const NO_NODE: u32 = u32::MAX;
/// The number of lists: four segments for each class.
pub(crate) const LISTS: usize = 4 * CLASSES;

/// The part of a class's LRU an item is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Segment {
    /// New items.
    Hot = 0,
    /// Items read again while cold or hot.
    Warm = 64,
    /// Items next in line for eviction.
    Cold = 128,
    /// Items with a short time to live, never evicted; only with `temp_ttl`.
    Temp = 192,
}

impl Segment {
    /// In the order `stats items` sums them.
    pub(crate) const ALL: [Self; 4] = [Self::Hot, Self::Warm, Self::Cold, Self::Temp];

    pub(super) fn from_bits(bits: u8) -> Self {
        match bits {
            0 => Self::Hot,
            64 => Self::Warm,
            128 => Self::Cold,
            _ => Self::Temp,
        }
    }

    /// The list of a class and this segment, as memcached numbers them.
    pub(crate) fn list(self, class: usize) -> usize {
        class | self as usize
    }
}

#[derive(Debug)]
struct Node {
    /// Towards the head: more recently linked.
    prev: u32,
    next: u32,
    /// `None` where the node is free; `next` then links the free nodes.
    item: Option<Arc<Item>>,
}

#[derive(Debug, Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
    items: u32,
    bytes: u64,
}

/// All LRU lists.
#[derive(Debug)]
pub(crate) struct LruLists {
    nodes: Vec<Node>,
    free: u32,
    lists: Box<[List]>,
    /// Where a crawler stands in each list: the next node it will look at. Kept here so that
    /// unlinking that very node can move the crawler on.
    cursors: Box<[u32]>,
}

impl LruLists {
    pub(crate) fn new() -> Self {
        let empty = List {
            head: NO_NODE,
            tail: NO_NODE,
            items: 0,
            bytes: 0,
        };
        Self {
            nodes: Vec::new(),
            free: NO_NODE,
            lists: vec![empty; LISTS].into_boxed_slice(),
            cursors: vec![NO_NODE; LISTS].into_boxed_slice(),
        }
    }

    pub(crate) fn items(&self, list: usize) -> u32 {
        self.lists[list].items
    }

    pub(crate) fn bytes(&self, list: usize) -> u64 {
        self.lists[list].bytes
    }

    /// The item longest in the list.
    pub(crate) fn tail(&self, list: usize) -> Option<&Arc<Item>> {
        self.item(self.lists[list].tail)
    }

    /// The item before this one in its list: the next longest there.
    pub(crate) fn before(&self, item: &Item) -> Option<&Arc<Item>> {
        let node = self.nodes.get(item.node() as usize)?;
        self.item(node.prev)
    }

    fn item(&self, node: u32) -> Option<&Arc<Item>> {
        self.nodes.get(node as usize)?.item.as_ref()
    }

    /// A list's items from its head, the most recent first.
    pub(crate) fn iter_from_head(&self, list: usize) -> impl Iterator<Item = &Arc<Item>> {
        let mut node = self.lists[list].head;
        std::iter::from_fn(move || {
            let current = self.nodes.get(node as usize)?;
            node = current.next;
            current.item.as_ref()
        })
    }

    /// Puts an item that is in no list at the head of the list of its class and segment.
    pub(crate) fn push(&mut self, item: &Arc<Item>) {
        let list = item.segment().list(usize::from(item.class()));
        let head = self.lists[list].head;
        let node = Node {
            prev: NO_NODE,
            next: head,
            item: Some(Arc::clone(item)),
        };
        let at = self.allocate(node);
        item.set_node(at);
        if head == NO_NODE {
            self.lists[list].tail = at;
        } else {
            self.nodes[head as usize].prev = at;
        }
        let list = &mut self.lists[list];
        list.head = at;
        list.items += 1;
        list.bytes += u64::from(item.size);
    }

    /// Takes an item out of its list. Does nothing where it is in none.
    pub(crate) fn unlink(&mut self, item: &Item) {
        let at = item.node();
        if at == NO_NODE {
            return;
        }
        let list = item.segment().list(usize::from(item.class()));
        let Node { prev, next, .. } = self.nodes[at as usize];
        match prev {
            NO_NODE => self.lists[list].head = next,
            prev => self.nodes[prev as usize].next = next,
        }
        match next {
            NO_NODE => self.lists[list].tail = prev,
            next => self.nodes[next as usize].prev = prev,
        }
        if self.cursors[list] == at {
            self.cursors[list] = prev;
        }
        self.lists[list].items -= 1;
        self.lists[list].bytes -= u64::from(item.size);
        item.set_node(NO_NODE);
        self.nodes[at as usize] = Node {
            prev: NO_NODE,
            next: self.free,
            item: None,
        };
        self.free = at;
    }

    /// Moves an item to the head of another segment of its class, or of its own.
    pub(crate) fn relink(&mut self, item: &Arc<Item>, segment: Segment) {
        self.unlink(item);
        item.set_segment(segment);
        self.push(item);
    }

    /// Puts a new item in the exact place of an old one of the same size and class.
    pub(crate) fn replace(&mut self, old: &Item, new: &Arc<Item>) {
        let at = old.node();
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.item = Some(Arc::clone(new));
            new.set_node(at);
            old.set_node(NO_NODE);
        }
    }

    fn allocate(&mut self, node: Node) -> u32 {
        if self.free == NO_NODE {
            self.nodes.push(node);
            return (self.nodes.len() - 1) as u32;
        }
        let at = self.free;
        self.free = self.nodes[at as usize].next;
        self.nodes[at as usize] = node;
        at
    }

    /// Sets a crawler at the tail of a list.
    pub(super) fn start_cursor(&mut self, list: usize) {
        self.cursors[list] = self.lists[list].tail;
    }

    /// The item the crawler of a list stands at; moves the crawler on towards the head.
    pub(super) fn advance_cursor(&mut self, list: usize) -> Option<Arc<Item>> {
        let at = self.cursors[list];
        let node = self.nodes.get(at as usize)?;
        self.cursors[list] = node.prev;
        node.item.clone()
    }

    /// Takes the crawler out of a list.
    pub(super) fn stop_cursor(&mut self, list: usize) {
        self.cursors[list] = NO_NODE;
    }
}
