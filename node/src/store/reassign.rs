//! Moving slab pages from one class to another.
//!
//! Items have no address here, so a page is moved by emptying as many chunks as it has: free ones
//! first, then those of the class's least recently used items.

use std::sync::Arc;

use super::Store;
use super::item::Item;
use super::lru::Segment;
use super::memory::Memory;

/// How many items are dropped while the memory lock is held once.
const BATCH: usize = 512;

/// Why a page is not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReassignError {
    Running,
    BadClass,
    NoSpare,
    Same,
}

/// The move in progress, and what earlier ones did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReassignStats {
    pending: Option<(usize, usize)>,
    /// Where the search for any class with a spare page stopped last time.
    last_source: usize,
    pub(crate) pages_moved: u64,
    pub(crate) evictions: u64,
}

impl ReassignStats {
    pub(crate) fn is_running(&self) -> bool {
        self.pending.is_some()
    }

    /// Forgets the counts, not the move in progress.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            pages_moved: 0,
            evictions: 0,
            ..*self
        };
    }
}

impl Memory {
    /// Asks for a page to be moved; the maintainer does it. A source of -1 stands for any class.
    pub(crate) fn reassign(&mut self, source: i32, target: i32) -> Result<(), ReassignError> {
        if self.reassign.pending.is_some() {
            return Err(ReassignError::Running);
        }
        if source == target {
            return Err(ReassignError::Same);
        }
        let class = |id: i32| {
            usize::try_from(id)
                .ok()
                .filter(|&id| id == 0 || self.slabs.ids().contains(&id))
        };
        let target = class(target);
        let source = if source == -1 {
            self.any_source(target)
        } else {
            class(source)
        };
        let (Some(source), Some(target)) = (source, target) else {
            return Err(ReassignError::BadClass);
        };
        if self.slabs.class(source).pages < 2 {
            return Err(ReassignError::NoSpare);
        }
        self.reassign.last_source = source;
        self.reassign.pending = Some((source, target));
        Ok(())
    }

    fn any_source(&self, target: Option<usize>) -> Option<usize> {
        let ids = self.slabs.ids();
        let after = self.reassign.last_source + 1;
        (after..ids.end)
            .chain(ids.start..after.min(ids.end))
            .find(|&id| Some(id) != target && self.slabs.class(id).pages > 1)
    }

    /// The next item to drop so that a class gets chunks free: its own coldest, or else a large item,
    /// whose chunks may be of this class.
    fn coldest(&self, class: usize) -> Option<Arc<Item>> {
        let order = [Segment::Cold, Segment::Warm, Segment::Hot, Segment::Temp];
        let tail = |class| {
            order
                .iter()
                .find_map(|segment| self.lru.tail(segment.list(class)))
        };
        tail(class)
            .or_else(|| tail(self.slabs.ids().end - 1))
            .cloned()
    }
}

impl Store {
    /// Works on the page move in progress. Returns whether there is more to do.
    pub(super) fn reassign_step(&self, memory: &mut Memory) -> bool {
        let Some((source, target)) = memory.reassign.pending else {
            return false;
        };
        if memory.slabs.class(source).pages < 2 {
            memory.reassign.pending = None;
            return false;
        }
        for _ in 0..BATCH {
            let class = memory.slabs.class(source);
            if class.free_chunks >= class.chunks_per_page {
                memory.slabs.move_page(source, target);
                memory.reassign.pages_moved += 1;
                memory.reassign.pending = None;
                return false;
            }
            let Some(item) = memory.coldest(source) else {
                memory.reassign.pending = None;
                return false;
            };
            memory.reassign.evictions += 1;
            self.unlink_unlocked(memory, &item);
        }
        true
    }
}
