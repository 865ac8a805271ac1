//! The items of one node, its memory accounting and its LRU.
//!
//! # Locks
//!
//! Two kinds, always taken in this order:
//!
//! 1. **the memory lock**, one per node: slab pages, LRU lists and totals. Whoever links or unlinks
//!    an item holds it, so everything that evicts is serialised, as the page budget demands;
//! 2. **a shard lock**, one of [`SHARDS`]: the hash table and the command counters of a part of the
//!    keys. A read takes only this one, for the time of a lookup; values are shared, not copied,
//!    so what a read does with its item happens after the lock.
//!
//! Below both are leaf locks that guard a queue for the time of a push (access bumps, log lines).
//! No lock is ever held across an await point.
//!
//! A hit does not move its item in the LRU: it only sets marks on it. Cold items that were hit twice
//! are queued and moved by the maintainer, so reads of different shards never meet.

mod arithmetic;
mod automove;
mod counters;
mod crawler;
mod item;
mod lru;
mod maintainer;
mod memory;
mod mutate;
mod pull;
mod reassign;
mod slabs;
#[cfg(test)]
mod tests;

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::{Mutex, MutexGuard};

pub(crate) use arithmetic::{Delta, DeltaOutcome};
pub(crate) use automove::WINDOW as AUTOMOVE_WINDOW;
pub(crate) use counters::Counters;
pub(crate) use crawler::{CrawlError, CrawlTarget};
pub(crate) use item::{Item, Marks, item_overhead};
pub(crate) use lru::Segment;
pub(crate) use maintainer::Maintainer;
pub(crate) use memory::{ListStats, Memory, SizeHistogram};
pub(crate) use mutate::{StoreOutcome, Upload};
pub(crate) use reassign::ReassignError;
pub(crate) use slabs::{CLASSES, PAGE_SIZE, SlabLayout, Slabs};

use crate::clock::{Clock, Seconds};
use crate::config::Config;
use crate::watchers::{Event, Watchers};

/// The number of hash tables the keys are spread over.
const SHARDS: usize = 32;
/// The buckets of all hash tables together at the start: memcached starts with as many.
const INITIAL_BUCKETS: usize = 1 << 16;
/// The most queued access bumps; what does not fit is dropped and counted.
const BUMPS_MAX: usize = 8192;

/// One part of the keys.
#[derive(Debug)]
pub(crate) struct Shard {
    table: HashTable<Arc<Item>>,
    pub(crate) counters: Counters,
}

impl Shard {
    fn find(&self, key: Key<'_>) -> Option<&Arc<Item>> {
        self.table.find(key.hash, |item| {
            item.hash == key.hash && item.key() == key.bytes
        })
    }

    fn insert(&mut self, item: &Arc<Item>) {
        self.table
            .insert_unique(item.hash, Arc::clone(item), |item| item.hash);
    }

    fn entry(
        &mut self,
        item: &Arc<Item>,
    ) -> Option<hashbrown::hash_table::OccupiedEntry<'_, Arc<Item>>> {
        self.table
            .find_entry(item.hash, |found| Arc::ptr_eq(found, item))
            .ok()
    }
}

/// A key and its hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key<'a> {
    pub(crate) bytes: &'a [u8],
    hash: u64,
}

/// When and for whom something is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) now: Seconds,
    /// The connection's number in log lines.
    pub(crate) connection: i32,
}

/// Access bumps on their way from readers to the maintainer.
#[derive(Debug, Default)]
struct Bumps {
    /// Weak, because an item that only waits here is not in use: see `Store::write_counter`.
    queue: Vec<Weak<Item>>,
    dropped: u64,
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Store {
    hasher: DefaultHashBuilder,
    shards: Box<[Mutex<Shard>]>,
    memory: Mutex<Memory>,
    bumps: Mutex<Bumps>,
    pub(crate) clock: Clock,
    pub(crate) watchers: Arc<Watchers>,
    pub(crate) cas_enabled: bool,
    last_cas: AtomicU64,
    /// Items accessed at or before this second are flushed, once the second has come; 0 is never.
    pub(crate) flushed_until: AtomicU32,
    /// Items with an older cas unique are flushed together with the second above.
    flushed_cas: AtomicU64,
    /// Whether the LRU has segments (`lru mode`).
    pub(crate) segmented: AtomicBool,
}

/// Why a lookup found nothing, as the log tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    Flushed,
    Expired,
}

impl Store {
    pub(crate) fn new(config: &Config, clock: Clock, watchers: Arc<Watchers>) -> Self {
        let slabs = Slabs::new(config.slab_layout(), config.memory as u64);
        // A hash table fills its buckets to seven eighths.
        let capacity = INITIAL_BUCKETS / SHARDS / 8 * 7;
        let shard = || Shard {
            table: HashTable::with_capacity(capacity),
            counters: Counters::new(),
        };
        let store = Self {
            hasher: DefaultHashBuilder::default(),
            shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(),
            memory: Mutex::new(Memory::new(slabs, config.evictions)),
            bumps: Mutex::default(),
            clock,
            watchers,
            cas_enabled: config.cas,
            last_cas: AtomicU64::new(0),
            flushed_until: AtomicU32::new(0),
            flushed_cas: AtomicU64::new(0),
            segmented: AtomicBool::new(true),
        };
        if config.track_sizes {
            store.track_sizes();
        }
        store
    }

    pub(crate) fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        Key {
            bytes,
            hash: self.hasher.hash_one(bytes),
        }
    }

    /// The lock of a key's shard. The table uses the low bits and the top seven; these lie between.
    pub(crate) fn shard(&self, key: Key<'_>) -> MutexGuard<'_, Shard> {
        self.shard_of(key.hash)
    }

    fn shard_of(&self, hash: u64) -> MutexGuard<'_, Shard> {
        self.shards[(hash >> 40) as usize % SHARDS].lock()
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock()
    }

    pub(crate) fn is_segmented(&self) -> bool {
        self.segmented.load(Ordering::Relaxed)
    }

    /// The next cas unique; 0 where they are disabled.
    pub(crate) fn next_cas(&self) -> u64 {
        if self.cas_enabled {
            self.last_cas.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            0
        }
    }

    /// Whether `flush_all` killed this item.
    pub(crate) fn is_flushed(&self, item: &Item, now: Seconds) -> bool {
        let until = self.flushed_until.load(Ordering::Relaxed);
        if until == 0 || until > now {
            return false;
        }
        let (cas, oldest) = (item.cas(), self.flushed_cas.load(Ordering::Relaxed));
        item.time() <= until || (oldest != 0 && cas != 0 && cas < oldest)
    }

    /// `flush_all`: kills what was stored before second `at`.
    pub(crate) fn flush(&self, at: Seconds, now: Seconds) {
        if !self.cas_enabled {
            self.flushed_until.store(at, Ordering::Relaxed);
            return;
        }
        // Within one second, the cas unique tells older items from newer ones.
        let until = at.wrapping_sub(1);
        if until <= now {
            self.flushed_cas.store(self.next_cas(), Ordering::Relaxed);
        }
        self.flushed_until.store(until, Ordering::Relaxed);
    }

    /// Finds the item a read asks for. Only the shard is locked, unless a dead item is in the way.
    /// `count` runs under the shard lock, with the result.
    pub(crate) fn fetch<R>(
        &self,
        key: Key<'_>,
        at: At,
        count: impl FnOnce(&mut Shard, Option<&Arc<Item>>) -> R,
    ) -> R {
        let mut shard = self.shard(key);
        let found = shard.find(key).cloned();
        if found
            .as_ref()
            .is_some_and(|item| self.death(item, at.now).is_some())
        {
            drop(shard);
            let mut memory = self.memory();
            let mut shard = self.shard(key);
            let found = self.find(&mut memory, &mut shard, key, at);
            return count(&mut shard, found.as_ref());
        }
        self.log_fetch(key, found.as_ref(), None, at);
        count(&mut shard, found.as_ref())
    }

    /// Finds a live item under both locks; a dead one is unlinked and counted.
    pub(crate) fn find(
        &self,
        memory: &mut Memory,
        shard: &mut Shard,
        key: Key<'_>,
        at: At,
    ) -> Option<Arc<Item>> {
        let mut found = shard.find(key).cloned();
        let death = found.as_ref().and_then(|item| self.death(item, at.now));
        if let (Some(death), Some(item)) = (death, &found) {
            self.unlink(memory, shard, item);
            match death {
                Death::Flushed => shard.counters.get_flushed += 1,
                Death::Expired => shard.counters.get_expired += 1,
            }
            found = None;
        }
        self.log_fetch(key, found.as_ref(), death, at);
        found
    }

    fn death(&self, item: &Item, now: Seconds) -> Option<Death> {
        if self.is_flushed(item, now) {
            Some(Death::Flushed)
        } else if item.is_expired(now) {
            Some(Death::Expired)
        } else {
            None
        }
    }

    fn log_fetch(&self, key: Key<'_>, found: Option<&Arc<Item>>, death: Option<Death>, at: At) {
        if !self.watchers.wants_fetches() {
            return;
        }
        let status = match (found, death) {
            (Some(_), _) => "found",
            (None, Some(Death::Flushed)) => "flushed",
            (None, Some(Death::Expired)) => "expired",
            (None, None) => "not_found",
        };
        self.watchers.log(&Event::Fetch {
            key: key.bytes,
            status,
            class: found.map_or(0, |item| item.class()),
            size: found.map_or(0, |item| item.value().len()),
            connection: at.connection,
        });
    }

    /// Counts an access: the first marks an item fetched, the second active. Under the shard lock.
    pub(crate) fn bump(&self, item: &Arc<Item>, now: Seconds) {
        if !self.is_segmented() {
            item.mark(Marks::FETCHED);
            if item.time() + maintainer::FLAT_BUMP_INTERVAL < now {
                self.queue_bump(item);
            }
            return;
        }
        if item.has(Marks::ACTIVE) {
            return;
        }
        if !item.has(Marks::FETCHED) {
            item.mark(Marks::FETCHED);
            return;
        }
        item.mark(Marks::ACTIVE);
        if item.segment() != Segment::Cold {
            item.set_time(now);
        } else if !self.queue_bump(item) {
            item.unmark(Marks::ACTIVE);
        }
    }

    fn queue_bump(&self, item: &Arc<Item>) -> bool {
        let mut bumps = self.bumps.lock();
        let fits = bumps.queue.len() < BUMPS_MAX;
        if fits {
            bumps.queue.push(Arc::downgrade(item));
        } else {
            bumps.dropped += 1;
        }
        fits
    }

    /// How many access bumps found no room in the queue.
    pub(crate) fn bumps_dropped(&self) -> u64 {
        self.bumps.lock().dropped
    }

    /// Makes an item findable, as the most recent of its segment.
    fn link(&self, memory: &mut Memory, shard: &mut Shard, item: &Arc<Item>, now: Seconds) {
        item.mark(Marks::LINKED);
        item.set_time(now);
        item.set_cas(self.next_cas());
        memory.count_in(item);
        shard.insert(item);
        memory.lru.push(item);
    }

    /// Makes an item unfindable and gives its memory back. Who still holds it may read it.
    pub(crate) fn unlink(&self, memory: &mut Memory, shard: &mut Shard, item: &Arc<Item>) {
        if !item.has(Marks::LINKED) {
            return;
        }
        item.unmark(Marks::LINKED);
        if let Some(entry) = shard.entry(item) {
            entry.remove();
        }
        memory.count_out(item);
        memory.lru.unlink(item);
        memory.slabs.release(&item.allocation);
    }

    /// [`Store::unlink`] where the item's shard is not locked yet.
    fn unlink_unlocked(&self, memory: &mut Memory, item: &Arc<Item>) {
        let mut shard = self.shard_of(item.hash);
        self.unlink(memory, &mut shard, item);
    }

    /// Starts the size histogram, if it is not running.
    pub(crate) fn track_sizes(&self) {
        let mut memory = self.memory();
        if memory.sizes.is_none() {
            let item_max = memory.slabs.layout().item_max;
            memory.sizes = Some(SizeHistogram::new(item_max, self.next_cas()));
        }
    }

    /// The sum of all shards' counters.
    pub(crate) fn counters(&self) -> Counters {
        let mut sum = Counters::new();
        for shard in &self.shards {
            sum.add(&shard.lock().counters);
        }
        sum
    }

    /// What `stats reset` clears here.
    pub(crate) fn reset_stats(&self) {
        for shard in &self.shards {
            shard.lock().counters = Counters::new();
        }
        self.memory().reset_stats();
    }

    /// The buckets of all hash tables, as a power of two.
    pub(crate) fn hash_power(&self) -> u32 {
        let capacity: usize = self
            .shards
            .iter()
            .map(|shard| shard.lock().table.capacity())
            .sum();
        (capacity / 7 * 8).next_power_of_two().ilog2()
    }
}
