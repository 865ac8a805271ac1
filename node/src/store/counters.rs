//! Counters of commands, kept per shard under its lock and summed when someone asks.

use super::lru::LISTS;
use super::slabs::CLASSES;

/// What commands did to the items of one slab class.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ClassCounters {
    pub(crate) set_cmds: u64,
    pub(crate) touch_hits: u64,
    pub(crate) delete_hits: u64,
    pub(crate) cas_hits: u64,
    pub(crate) cas_badval: u64,
    pub(crate) incr_hits: u64,
    pub(crate) decr_hits: u64,
}

/// Counters of the commands that went to one shard, or their sum.
#[derive(Debug, Clone)]
pub(crate) struct Counters {
    pub(crate) get_cmds: u64,
    pub(crate) get_misses: u64,
    pub(crate) get_expired: u64,
    pub(crate) get_flushed: u64,
    pub(crate) touch_cmds: u64,
    pub(crate) touch_misses: u64,
    pub(crate) delete_misses: u64,
    pub(crate) incr_misses: u64,
    pub(crate) decr_misses: u64,
    pub(crate) cas_misses: u64,
    pub(crate) meta_cmds: u64,
    pub(crate) store_too_large: u64,
    pub(crate) store_no_memory: u64,
    /// By class id.
    pub(crate) classes: Box<[ClassCounters]>,
    /// Hits of `get` and `mg`, by LRU list.
    pub(crate) lru_hits: Box<[u64]>,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            get_cmds: 0,
            get_misses: 0,
            get_expired: 0,
            get_flushed: 0,
            touch_cmds: 0,
            touch_misses: 0,
            delete_misses: 0,
            incr_misses: 0,
            decr_misses: 0,
            cas_misses: 0,
            meta_cmds: 0,
            store_too_large: 0,
            store_no_memory: 0,
            classes: vec![ClassCounters::default(); CLASSES].into_boxed_slice(),
            lru_hits: vec![0; LISTS].into_boxed_slice(),
        }
    }

    pub(crate) fn class(&mut self, class: u8) -> &mut ClassCounters {
        &mut self.classes[usize::from(class)]
    }

    /// Hits of `get` and `mg` in one class, all segments together.
    pub(crate) fn get_hits(&self, class: usize) -> u64 {
        self.lru_hits.iter().skip(class).step_by(CLASSES).sum()
    }

    /// The sum over all classes of one of their counters.
    pub(crate) fn total(&self, counter: impl Fn(&ClassCounters) -> u64) -> u64 {
        self.classes.iter().map(counter).sum()
    }

    /// Adds another shard's counters.
    pub(crate) fn add(&mut self, other: &Self) {
        self.get_cmds += other.get_cmds;
        self.get_misses += other.get_misses;
        self.get_expired += other.get_expired;
        self.get_flushed += other.get_flushed;
        self.touch_cmds += other.touch_cmds;
        self.touch_misses += other.touch_misses;
        self.delete_misses += other.delete_misses;
        self.incr_misses += other.incr_misses;
        self.decr_misses += other.decr_misses;
        self.cas_misses += other.cas_misses;
        self.meta_cmds += other.meta_cmds;
        self.store_too_large += other.store_too_large;
        self.store_no_memory += other.store_no_memory;
        for (sum, class) in self.classes.iter_mut().zip(&other.classes) {
            sum.set_cmds += class.set_cmds;
            sum.touch_hits += class.touch_hits;
            sum.delete_hits += class.delete_hits;
            sum.cas_hits += class.cas_hits;
            sum.cas_badval += class.cas_badval;
            sum.incr_hits += class.incr_hits;
            sum.decr_hits += class.decr_hits;
        }
        for (sum, hits) in self.lru_hits.iter_mut().zip(&other.lru_hits) {
            *sum += hits;
        }
    }
}
