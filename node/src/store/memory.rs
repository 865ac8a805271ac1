//! Everything that is one for the whole node and guarded by one lock: slab pages, LRU lists, totals.

use super::crawler::CrawlerState;
use super::item::Item;
use super::lru::{LISTS, LruLists, Segment};
use super::reassign::ReassignStats;
use super::slabs::Slabs;
use crate::clock::Seconds;

/// What happened to the items of one LRU list since the last `stats reset`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ListStats {
    pub(crate) evicted: u64,
    pub(crate) evicted_nonzero: u64,
    /// How long the last evicted item had gone unread.
    pub(crate) evicted_time: Seconds,
    pub(crate) outofmemory: u64,
    pub(crate) reclaimed: u64,
    pub(crate) expired_unfetched: u64,
    pub(crate) evicted_unfetched: u64,
    pub(crate) evicted_active: u64,
    pub(crate) crawler_reclaimed: u64,
    pub(crate) crawler_items_checked: u64,
    pub(crate) lrutail_reflocked: u64,
    pub(crate) moves_to_cold: u64,
    pub(crate) moves_to_warm: u64,
    pub(crate) moves_within_lru: u64,
    pub(crate) direct_reclaims: u64,
}

impl ListStats {
    /// Adds everything that is a sum; `evicted_time` is not.
    pub(crate) fn add(&mut self, other: &Self) {
        self.evicted += other.evicted;
        self.evicted_nonzero += other.evicted_nonzero;
        self.outofmemory += other.outofmemory;
        self.reclaimed += other.reclaimed;
        self.expired_unfetched += other.expired_unfetched;
        self.evicted_unfetched += other.evicted_unfetched;
        self.evicted_active += other.evicted_active;
        self.crawler_reclaimed += other.crawler_reclaimed;
        self.crawler_items_checked += other.crawler_items_checked;
        self.lrutail_reflocked += other.lrutail_reflocked;
        self.moves_to_cold += other.moves_to_cold;
        self.moves_to_warm += other.moves_to_warm;
        self.moves_within_lru += other.moves_within_lru;
        self.direct_reclaims += other.direct_reclaims;
    }
}

/// The knobs of the segmented LRU (`lru tune`, `lru temp_ttl`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct LruTuning {
    /// The share of a class's bytes that may be hot, in percent.
    pub(crate) hot_percent: u32,
    /// The share of a class's bytes that may be warm, in percent.
    pub(crate) warm_percent: u32,
    /// A hot item unread for longer than the cold tail's age times this is cold.
    pub(crate) hot_max_factor: f64,
    /// A warm item unread for longer than the cold tail's age times this is cold.
    pub(crate) warm_max_factor: f64,
    /// Whether short-lived items have a segment of their own.
    pub(crate) temp_lru: bool,
    /// What counts as short-lived, in seconds.
    pub(crate) temporary_ttl: Seconds,
}

impl Default for LruTuning {
    fn default() -> Self {
        Self {
            hot_percent: 20,
            warm_percent: 40,
            hot_max_factor: 0.2,
            warm_max_factor: 2.0,
            temp_lru: false,
            temporary_ttl: 61,
        }
    }
}

/// The knobs of the page mover (`slabs automove`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct AutomoveTuning {
    /// 0 is off, 1 moves pages slowly, 2 at every eviction.
    pub(crate) level: u32,
    /// How much younger than the oldest a starved class must be to be given a page.
    pub(crate) ratio: f64,
}

/// The item size histogram of `stats sizes`.
#[derive(Debug)]
pub(crate) struct SizeHistogram {
    /// Items by size, in steps of [`SizeHistogram::STEP`] bytes, rounded up.
    pub(crate) buckets: Vec<u32>,
    /// Only items with a cas unique from here on are counted: older ones were linked before.
    since_cas: u64,
}

impl SizeHistogram {
    pub(crate) const STEP: usize = 32;

    pub(crate) fn new(item_max: usize, since_cas: u64) -> Self {
        Self {
            buckets: vec![0; item_max / Self::STEP + 1],
            since_cas,
        }
    }

    fn bucket(&mut self, item: &Item) -> Option<&mut u32> {
        if self.since_cas > item.cas() {
            return None;
        }
        self.buckets
            .get_mut((item.size as usize).div_ceil(Self::STEP))
    }
}

/// The state behind the memory lock.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) slabs: Slabs,
    pub(crate) lru: LruLists,
    pub(crate) tuning: LruTuning,
    /// By LRU list.
    pub(crate) stats: Box<[ListStats]>,
    pub(crate) sizes: Option<SizeHistogram>,
    pub(crate) crawler: CrawlerState,
    pub(crate) reassign: ReassignStats,
    pub(crate) automove: AutomoveTuning,
    pub(crate) curr_items: u64,
    pub(crate) curr_bytes: u64,
    pub(crate) total_items: u64,
    pub(crate) maintainer_juggles: u64,
    /// Evict when full (`true`), or refuse to store (`-M`).
    pub(crate) evict: bool,
}

impl Memory {
    pub(crate) fn new(slabs: Slabs, evict: bool) -> Self {
        Self {
            slabs,
            lru: LruLists::new(),
            tuning: LruTuning::default(),
            stats: vec![ListStats::default(); LISTS].into_boxed_slice(),
            sizes: None,
            crawler: CrawlerState::default(),
            reassign: ReassignStats::default(),
            automove: AutomoveTuning {
                level: 1,
                ratio: 0.8,
            },
            curr_items: 0,
            curr_bytes: 0,
            total_items: 0,
            maintainer_juggles: 0,
            evict,
        }
    }

    /// Counts an item that becomes findable.
    pub(super) fn count_in(&mut self, item: &Item) {
        self.curr_bytes += u64::from(item.size);
        self.curr_items += 1;
        self.total_items += 1;
        self.size_in(item);
    }

    /// Counts an item that is no longer findable.
    pub(super) fn count_out(&mut self, item: &Item) {
        self.curr_bytes -= u64::from(item.size);
        self.curr_items -= 1;
        self.size_out(item);
    }

    pub(super) fn size_in(&mut self, item: &Item) {
        if let Some(count) = self.sizes.as_mut().and_then(|sizes| sizes.bucket(item)) {
            *count += 1;
        }
    }

    pub(super) fn size_out(&mut self, item: &Item) {
        if let Some(count) = self.sizes.as_mut().and_then(|sizes| sizes.bucket(item)) {
            *count = count.wrapping_sub(1);
        }
    }

    /// How long the coldest item of a class has gone unread.
    pub(crate) fn cold_age(&self, class: usize, now: Seconds) -> u64 {
        let tail = self.lru.tail(Segment::Cold.list(class));
        tail.map_or(0, |item| u64::from(now.wrapping_sub(item.time())))
    }

    /// What `stats reset` clears here.
    pub(crate) fn reset_stats(&mut self) {
        self.stats.fill(ListStats::default());
        self.total_items = 0;
        self.maintainer_juggles = 0;
        self.crawler.starts = 0;
        self.reassign.reset();
    }
}
