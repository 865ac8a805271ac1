//! Making room: moving items between segments and evicting from the tail.

use std::sync::Arc;

use super::item::{Item, Marks, NewItem, item_size, large_header_size};
use super::lru::Segment;
use super::memory::Memory;
use super::slabs::Allocation;
use super::{At, Store};
use crate::clock::Seconds;
use crate::watchers::Event;

/// How many items at a tail are looked at before giving up.
const TAIL_TRIES: u32 = 5;
/// How often an allocation tries to make room.
const ALLOCATION_TRIES: u32 = 10;

/// What a pull from the tail is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pull {
    pub(super) segment: Segment,
    /// The bytes of the class, of which the segment may hold its share.
    pub(super) total_bytes: u64,
    /// Evict from the cold tail, rather than rescue an active item from it.
    pub(super) evict: bool,
    /// Hot and warm items unread for longer go to cold.
    pub(super) max_age: Seconds,
}

/// Why there is no room for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    TooLarge,
    /// Nothing free and nothing to evict.
    NoMemory,
    /// The header of a large item fitted, but not all of its chunks.
    NoMemoryForChunks,
}

impl Store {
    /// Allocates memory for an item, evicting where needed, but never `protect`.
    pub(super) fn allocate(
        &self,
        memory: &mut Memory,
        new: NewItem,
        at: At,
        protect: Option<&Arc<Item>>,
    ) -> Result<Arc<Item>, NoRoom> {
        let size = item_size(
            new.key_len,
            new.client_flags,
            new.value_len(),
            self.cas_enabled,
        );
        let class = memory.slabs.class_for(size).ok_or(NoRoom::TooLarge)?;
        let allocation = if size > memory.slabs.layout().chunk_max {
            self.allocate_large(memory, &new, class, at, protect)?
        } else if self.take_chunk(memory, class, at, protect) {
            Allocation {
                class: class as u8,
                chunks: None,
            }
        } else {
            memory.stats[Segment::Hot.list(class)].outofmemory += 1;
            return Err(NoRoom::NoMemory);
        };
        let segment = self.initial_segment(memory, new.exptime, at.now);
        Ok(Arc::new(Item::new(new, size, allocation, segment)))
    }

    fn initial_segment(&self, memory: &Memory, exptime: Seconds, now: Seconds) -> Segment {
        let tuning = &memory.tuning;
        if tuning.temp_lru && exptime.wrapping_sub(now) <= tuning.temporary_ttl {
            Segment::Temp
        } else if self.is_segmented() {
            Segment::Hot
        } else {
            Segment::Cold
        }
    }

    fn allocate_large(
        &self,
        memory: &mut Memory,
        new: &NewItem,
        class: usize,
        at: At,
        protect: Option<&Arc<Item>>,
    ) -> Result<Allocation, NoRoom> {
        let header = large_header_size(new.key_len, new.client_flags, self.cas_enabled);
        let header_class = memory.slabs.class_for(header).ok_or(NoRoom::TooLarge)?;
        if !self.take_chunk(memory, header_class, at, protect) {
            memory.stats[Segment::Hot.list(class)].outofmemory += 1;
            return Err(NoRoom::NoMemory);
        }
        let mut chunks = vec![header_class as u8];
        let chunk_max = memory.slabs.layout().chunk_max;
        for size in memory.slabs.chunk_sizes(new.value_len()) {
            // The last chunk is as small as possible, unless only the large ones can be evicted.
            let taken = [size, chunk_max].into_iter().find_map(|size| {
                let class = memory.slabs.class_for(size)?;
                self.take_chunk(memory, class, at, protect).then_some(class)
            });
            let Some(taken) = taken else {
                chunks
                    .iter()
                    .for_each(|&class| memory.slabs.give(usize::from(class)));
                return Err(NoRoom::NoMemoryForChunks);
            };
            chunks.push(taken as u8);
        }
        Ok(Allocation {
            class: class as u8,
            chunks: Some(chunks.into_boxed_slice()),
        })
    }

    /// Takes a chunk of a class, evicting from its tail where there is none.
    fn take_chunk(
        &self,
        memory: &mut Memory,
        class: usize,
        at: At,
        protect: Option<&Arc<Item>>,
    ) -> bool {
        let pull = |segment, evict| Pull {
            segment,
            total_bytes: 0,
            evict,
            max_age: 0,
        };
        let mut tries = 0;
        let mut taken = false;
        while tries < ALLOCATION_TRIES {
            if !self.is_segmented() {
                self.pull_tail(memory, class, pull(Segment::Cold, false), at.now, protect);
            }
            taken = memory.slabs.take(class);
            if taken {
                break;
            }
            let evicted = self.pull_tail(memory, class, pull(Segment::Cold, true), at.now, protect);
            if evicted == 0 {
                if !self.is_segmented() {
                    break;
                }
                self.pull_tail(memory, class, pull(Segment::Hot, false), at.now, protect);
            }
            tries += 1;
        }
        if tries > 0 {
            memory.stats[class].direct_reclaims += u64::from(tries);
        }
        taken
    }

    /// Looks at the last items of a list, and drops the dead, moves or evicts one of the living.
    /// Returns how many were moved or dropped.
    pub(super) fn pull_tail(
        &self,
        memory: &mut Memory,
        class: usize,
        pull: Pull,
        now: Seconds,
        protect: Option<&Arc<Item>>,
    ) -> u32 {
        let list = pull.segment.list(class);
        let mut removed = 0;
        let mut next = memory.lru.tail(list).cloned();
        for _ in 0..TAIL_TRIES {
            let Some(item) = next.take() else { break };
            next = memory.lru.before(&item).cloned();
            if protect.is_some_and(|protected| Arc::ptr_eq(protected, &item)) {
                continue;
            }
            // The hash table, the list and this function: more means a reply is being sent.
            if Arc::strong_count(&item) > 3 {
                memory.stats[list].lrutail_reflocked += 1;
            }
            if item.is_past(now) || self.is_flushed(&item, now) {
                self.reclaim(memory, list, &item);
                removed += 1;
                continue;
            }
            let (stop, moved) = match pull.segment {
                Segment::Hot | Segment::Warm => self.pull_active(memory, list, &item, pull, now),
                Segment::Cold => (true, self.pull_cold(memory, list, &item, pull, now)),
                Segment::Temp => (true, 0),
            };
            removed += moved;
            if stop {
                break;
            }
        }
        removed
    }

    fn reclaim(&self, memory: &mut Memory, list: usize, item: &Arc<Item>) {
        let stats = &mut memory.stats[list];
        stats.reclaimed += 1;
        stats.expired_unfetched += u64::from(!item.has(Marks::FETCHED));
        self.unlink_unlocked(memory, item);
    }

    /// The tail of a hot or warm list. Returns whether to stop there, and how many items moved.
    fn pull_active(
        &self,
        memory: &mut Memory,
        list: usize,
        item: &Arc<Item>,
        pull: Pull,
        now: Seconds,
    ) -> (bool, u32) {
        let share = |percent: u32| pull.total_bytes * u64::from(percent) / 100;
        let limit = match pull.segment {
            Segment::Hot if share(memory.tuning.hot_percent) > 0 => {
                share(memory.tuning.hot_percent)
            }
            _ => share(memory.tuning.warm_percent),
        };
        if item.has(Marks::ACTIVE) {
            item.unmark(Marks::ACTIVE);
            memory.lru.relink(item, Segment::Warm);
            if pull.segment == Segment::Warm {
                memory.stats[list].moves_within_lru += 1;
                return (false, 1);
            }
            memory.stats[list].moves_to_warm += 1;
            return (true, 1);
        }
        let idle = now.wrapping_sub(item.time());
        if memory.lru.bytes(list) > limit || idle > pull.max_age {
            memory.stats[list].moves_to_cold += 1;
            memory.lru.relink(item, Segment::Cold);
            return (true, 1);
        }
        (true, 0)
    }

    /// The tail of a cold list. Returns how many items moved or were evicted.
    fn pull_cold(
        &self,
        memory: &mut Memory,
        list: usize,
        item: &Arc<Item>,
        pull: Pull,
        now: Seconds,
    ) -> u32 {
        if pull.evict {
            if !memory.evict {
                return 0;
            }
            self.evict(memory, list, item, now);
            return 1;
        }
        if item.has(Marks::ACTIVE) && self.is_segmented() {
            item.unmark(Marks::ACTIVE);
            memory.stats[list].moves_to_warm += 1;
            memory.lru.relink(item, Segment::Warm);
            return 1;
        }
        0
    }

    pub(super) fn evict(&self, memory: &mut Memory, list: usize, item: &Arc<Item>, now: Seconds) {
        let stats = &mut memory.stats[list];
        stats.evicted += 1;
        stats.evicted_time = now.wrapping_sub(item.time());
        stats.evicted_nonzero += u64::from(item.exptime() != 0);
        stats.evicted_unfetched += u64::from(!item.has(Marks::FETCHED));
        stats.evicted_active += u64::from(item.has(Marks::ACTIVE));
        if self.watchers.wants_evictions() {
            self.watchers.log(&Event::Eviction { item, now });
        }
        self.unlink_unlocked(memory, item);
        if memory.automove.level == 2 {
            // Refused while another page is on its way.
            let _ = memory.reassign(-1, i32::from(item.class()));
        }
    }
}
