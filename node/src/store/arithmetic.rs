//! Counters kept as decimal text.

use std::sync::Arc;

use super::item::{Item, Marks, NewItem};
use super::memory::Memory;
use super::mutate::StoreOutcome;
use super::{At, Key, Store};
use crate::proto::{StoreMode, parse_u64};

/// A change of a counter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delta {
    pub(crate) increment: bool,
    pub(crate) amount: u64,
    /// The cas unique to compare with; 0 compares nothing.
    pub(crate) cas: u64,
    /// The value to create the counter with where it is missing.
    pub(crate) initial: Option<u64>,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum DeltaOutcome {
    /// The new value, and the item. Where the number did not fit in place this is the *old* item, with
    /// the new cas unique: memcached reports from it, and applies a new exptime to it in vain.
    Changed {
        value: u64,
        item: Arc<Item>,
    },
    Created {
        value: u64,
        item: Arc<Item>,
    },
    NotFound,
    NotNumeric,
    CasMismatch,
    NoMemory,
    NoMemoryToCreate,
}

impl Store {
    pub(crate) fn add_delta(&self, key: Key<'_>, delta: &Delta, at: At) -> DeltaOutcome {
        let mut memory = self.memory();
        let mut shard = self.shard(key);
        let Some(item) = self.find(&mut memory, &mut shard, key, at) else {
            if let Some(initial) = delta.initial {
                drop(shard);
                return self.create_counter(&mut memory, key, initial, at);
            }
            match delta.increment {
                true => shard.counters.incr_misses += 1,
                false => shard.counters.decr_misses += 1,
            }
            return DeltaOutcome::NotFound;
        };
        if item.allocation.chunks.is_some() || item.value().is_empty() {
            return DeltaOutcome::NotNumeric;
        }
        if delta.cas != 0 && item.cas() != delta.cas {
            return DeltaOutcome::CasMismatch;
        }
        let Some(old) = parse_u64(item.value()) else {
            return DeltaOutcome::NotNumeric;
        };
        let class = shard.counters.class(item.class());
        let value = if delta.increment {
            class.incr_hits += 1;
            old.wrapping_add(delta.amount)
        } else {
            class.decr_hits += 1;
            old.saturating_sub(delta.amount)
        };
        drop(shard);
        self.write_counter(&mut memory, key, item, value, at)
    }

    /// Writes a counter in place, padded with spaces, if it fits and nobody is being sent the old text;
    /// into a new item otherwise.
    fn write_counter(
        &self,
        memory: &mut Memory,
        key: Key<'_>,
        item: Arc<Item>,
        value: u64,
        at: At,
    ) -> DeltaOutcome {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(value).as_bytes();
        // The hash table, the LRU list and this function hold the item; a reply in flight would too.
        let busy = Arc::strong_count(&item) > 3;
        if digits.len() <= item.value().len() && !busy {
            let mut padded = digits.to_vec();
            padded.resize(item.value().len(), b' ');
            let item = self.replace_in_place(memory, &item, &padded);
            self.touch_lru(memory, &item, at.now);
            return DeltaOutcome::Changed { value, item };
        }
        let new = NewItem {
            data: NewItem::data(item.key(), &[digits]),
            key_len: item.key().len(),
            hash: item.hash,
            client_flags: item.client_flags,
            exptime: item.exptime(),
            marks: Marks::NONE,
        };
        let Ok(new) = self.allocate(memory, new, at, Some(&item)) else {
            return DeltaOutcome::NoMemory;
        };
        let mut shard = self.shard(key);
        self.unlink(memory, &mut shard, &item);
        self.link(memory, &mut shard, &new, at.now);
        item.set_cas(new.cas());
        DeltaOutcome::Changed { value, item }
    }

    fn replace_in_place(&self, memory: &mut Memory, old: &Arc<Item>, value: &[u8]) -> Arc<Item> {
        let new = Arc::new(old.with_value(value, self.next_cas()));
        memory.size_out(old);
        memory.size_in(&new);
        memory.lru.replace(old, &new);
        let mut shard = self.shard_of(old.hash);
        if let Some(mut entry) = shard.entry(old) {
            *entry.get_mut() = Arc::clone(&new);
        }
        old.unmark(Marks::LINKED);
        new
    }

    fn create_counter(
        &self,
        memory: &mut Memory,
        key: Key<'_>,
        initial: u64,
        at: At,
    ) -> DeltaOutcome {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(initial).as_bytes();
        let new = NewItem {
            data: NewItem::data(key.bytes, &[digits]),
            key_len: key.bytes.len(),
            hash: key.hash,
            client_flags: 0,
            exptime: 0,
            marks: Marks::NONE,
        };
        let Ok(item) = self.allocate(memory, new, at, None) else {
            return DeltaOutcome::NoMemoryToCreate;
        };
        let mut shard = self.shard(key);
        // memcached stores it with `add`, which looks the key up once more, and logs that.
        let absent = self.find(memory, &mut shard, key, at);
        debug_assert!(absent.is_none(), "the memory lock keeps the key absent");
        self.link(memory, &mut shard, &item, at.now);
        self.log_store(
            &item,
            &StoreOutcome::Stored(Arc::clone(&item)),
            StoreMode::Add,
            at,
        );
        DeltaOutcome::Created {
            value: initial,
            item,
        }
    }

    /// Creates an empty item for a reader that asked for it, under both locks but for the allocation.
    pub(crate) fn vivify(&self, memory: &mut Memory, key: Key<'_>, at: At) -> Option<Arc<Item>> {
        let new = NewItem {
            data: NewItem::data(key.bytes, &[]),
            key_len: key.bytes.len(),
            hash: key.hash,
            client_flags: 0,
            exptime: 0,
            marks: Marks::NONE,
        };
        let item = self.allocate(memory, new, at, None).ok()?;
        self.link(memory, &mut self.shard(key), &item, at.now);
        Some(item)
    }
}
