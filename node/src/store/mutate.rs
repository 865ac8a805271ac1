//! Storing and deleting.

use std::sync::Arc;

use super::item::{Item, Marks, NewItem};
use super::memory::Memory;
use super::pull::NoRoom;
use super::{At, Key, Shard, Store};
use crate::clock::Seconds;
use crate::proto::StoreMode;
use crate::watchers::Event;

/// A value to store.
#[derive(Debug)]
pub(crate) struct Upload<'a> {
    pub(crate) mode: StoreMode,
    pub(crate) key: Key<'a>,
    pub(crate) flags: u32,
    pub(crate) exptime: Seconds,
    /// The cas unique to compare with; 0 compares nothing.
    pub(crate) cas: u64,
    pub(crate) value: &'a [u8],
    /// Whether the data block was well formed. If not, nothing is stored, but memory was asked for.
    pub(crate) terminated: bool,
    /// Whether the key came as base64.
    pub(crate) binary_key: bool,
    /// Whether an older cas unique than the stored one may store too, as stale.
    pub(crate) invalidate: bool,
    /// Whether this is `ms`: then memory trouble drops the old value in every mode.
    pub(crate) meta: bool,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum StoreOutcome {
    /// The stored item; after an append, the joined one.
    Stored(Arc<Item>),
    Exists,
    NotFound,
    NotStored,
    BadDataChunk,
    NoMemory,
    NoMemoryDuringRead,
}

/// How the cas unique given compares with the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CasMatch {
    NotGiven,
    Match,
    Stale,
    Mismatch,
}

impl Store {
    /// Stores a value by one of the storage commands.
    pub(crate) fn store(&self, upload: &Upload<'_>, at: At) -> StoreOutcome {
        let new = NewItem {
            data: NewItem::data(upload.key.bytes, &[upload.value]),
            key_len: upload.key.bytes.len(),
            hash: upload.key.hash,
            client_flags: upload.flags,
            exptime: upload.exptime,
            marks: Marks::NONE.with(Marks::KEY_BINARY, upload.binary_key),
        };
        let mut memory = self.memory();
        let item = match self.allocate(&mut memory, new, at, None) {
            Ok(item) => item,
            // The decoder does not let through what is too large.
            Err(NoRoom::TooLarge | NoRoom::NoMemory) => {
                self.refuse(
                    &mut memory,
                    upload.key,
                    upload.mode,
                    upload.meta,
                    "no_memory",
                    at,
                );
                return StoreOutcome::NoMemory;
            }
            Err(NoRoom::NoMemoryForChunks) => return StoreOutcome::NoMemoryDuringRead,
        };
        self.shard(upload.key).counters.class(item.class()).set_cmds += 1;
        if !upload.terminated {
            memory.slabs.release(&item.allocation);
            return StoreOutcome::BadDataChunk;
        }
        let outcome = match upload.mode {
            StoreMode::Append | StoreMode::Prepend => self.join(&mut memory, upload, at),
            _ => {
                item.set_cas(upload.cas);
                let mut shard = self.shard(upload.key);
                self.store_item(&mut memory, &mut shard, &item, upload, at)
            }
        };
        self.log_store(&item, &outcome, upload.mode, at);
        if !item.has(Marks::LINKED) {
            memory.slabs.release(&item.allocation);
        }
        outcome
    }

    /// Counts a value that found no room, and drops the old one, so that it is not read for the new.
    pub(crate) fn refuse_too_large(&self, key: Key<'_>, mode: StoreMode, meta: bool, at: At) {
        self.refuse(&mut self.memory(), key, mode, meta, "too_large", at);
    }

    fn refuse(
        &self,
        memory: &mut Memory,
        key: Key<'_>,
        mode: StoreMode,
        meta: bool,
        status: &'static str,
        at: At,
    ) {
        let mut shard = self.shard(key);
        match status {
            "too_large" => shard.counters.store_too_large += 1,
            _ => shard.counters.store_no_memory += 1,
        }
        if self.watchers.wants_mutations() {
            let connection = at.connection;
            let command = command_name(mode);
            let (class, size, ttl) = (0, 0, 0);
            let key = key.bytes;
            let event = Event::Store {
                key,
                status,
                command,
                ttl,
                class,
                size,
                connection,
            };
            self.watchers.log(&event);
        }
        if (meta || mode == StoreMode::Set)
            && let Some(old) = self.find(memory, &mut shard, key, at)
        {
            self.unlink(memory, &mut shard, &old);
        }
    }

    fn store_item(
        &self,
        memory: &mut Memory,
        shard: &mut Shard,
        item: &Arc<Item>,
        upload: &Upload<'_>,
        at: At,
    ) -> StoreOutcome {
        let Some(old) = self.find(memory, shard, upload.key, at) else {
            return self.store_absent(memory, shard, item, upload.mode, at);
        };
        let cas = compare_cas(item.cas(), old.cas(), upload.invalidate);
        match upload.mode {
            StoreMode::Add => {
                self.touch_lru(memory, &old, at.now);
                return StoreOutcome::NotStored;
            }
            StoreMode::Cas => match cas {
                CasMatch::Match => shard.counters.class(old.class()).cas_hits += 1,
                CasMatch::Stale => {
                    shard.counters.class(old.class()).cas_hits += 1;
                    item.set_exptime(old.exptime());
                    item.mark(Marks::STALE.with(Marks::TOKEN_SENT, old.has(Marks::TOKEN_SENT)));
                }
                CasMatch::NotGiven | CasMatch::Mismatch => {
                    shard.counters.class(old.class()).cas_badval += 1;
                    return StoreOutcome::Exists;
                }
            },
            StoreMode::Replace | StoreMode::Set | StoreMode::Append | StoreMode::Prepend => {}
        }
        self.unlink(memory, shard, &old);
        self.link(memory, shard, item, at.now);
        StoreOutcome::Stored(Arc::clone(item))
    }

    /// Joins the value to the stored one, in new memory. That may evict, and eviction locks shards, so
    /// the shard is not locked meanwhile; the memory lock alone keeps the old item in place.
    fn join(&self, memory: &mut Memory, upload: &Upload<'_>, at: At) -> StoreOutcome {
        let found = self.find(memory, &mut self.shard(upload.key), upload.key, at);
        let Some(old) = found else {
            return StoreOutcome::NotStored;
        };
        match compare_cas(upload.cas, old.cas(), upload.invalidate) {
            CasMatch::NotGiven | CasMatch::Match => {}
            CasMatch::Stale | CasMatch::Mismatch => return StoreOutcome::Exists,
        }
        let parts = match upload.mode {
            StoreMode::Append => [old.value(), upload.value],
            _ => [upload.value, old.value()],
        };
        let new = NewItem {
            data: NewItem::data(old.key(), &parts),
            key_len: old.key().len(),
            hash: old.hash,
            client_flags: old.client_flags,
            exptime: old.exptime(),
            marks: Marks::NONE,
        };
        // As in memcached, a joined value that is too large is "not stored", and the old one stays.
        let Ok(joined) = self.allocate(memory, new, at, Some(&old)) else {
            return StoreOutcome::NotStored;
        };
        let mut shard = self.shard(upload.key);
        self.unlink(memory, &mut shard, &old);
        self.link(memory, &mut shard, &joined, at.now);
        StoreOutcome::Stored(joined)
    }

    fn store_absent(
        &self,
        memory: &mut Memory,
        shard: &mut Shard,
        item: &Arc<Item>,
        mode: StoreMode,
        at: At,
    ) -> StoreOutcome {
        match mode {
            StoreMode::Add | StoreMode::Set => {
                self.link(memory, shard, item, at.now);
                StoreOutcome::Stored(Arc::clone(item))
            }
            StoreMode::Cas => {
                shard.counters.cas_misses += 1;
                StoreOutcome::NotFound
            }
            StoreMode::Replace | StoreMode::Append | StoreMode::Prepend => StoreOutcome::NotStored,
        }
    }

    pub(super) fn log_store(&self, item: &Item, outcome: &StoreOutcome, mode: StoreMode, at: At) {
        if !self.watchers.wants_mutations() {
            return;
        }
        let status = match outcome {
            StoreOutcome::Stored(_) => "stored",
            StoreOutcome::Exists => "exists",
            StoreOutcome::NotFound => "not_found",
            _ => "not_stored",
        };
        let item = match outcome {
            StoreOutcome::Stored(stored) => stored,
            _ => item,
        };
        let exptime = item.exptime();
        self.watchers.log(&Event::Store {
            key: item.key(),
            status,
            command: command_name(mode),
            ttl: if exptime == 0 {
                0
            } else {
                exptime.wrapping_sub(at.now)
            },
            class: item.class(),
            size: item.value().len(),
            connection: at.connection,
        });
    }

    /// Runs `act` under both locks with the live item of a key, if there is one.
    pub(crate) fn with_item<R>(
        &self,
        key: Key<'_>,
        at: At,
        act: impl FnOnce(&mut Memory, &mut Shard, Option<&Arc<Item>>) -> R,
    ) -> R {
        let mut memory = self.memory();
        let mut shard = self.shard(key);
        let found = self.find(&mut memory, &mut shard, key, at);
        act(&mut memory, &mut shard, found.as_ref())
    }
}

fn compare_cas(given: u64, stored: u64, invalidate: bool) -> CasMatch {
    if given == 0 {
        CasMatch::NotGiven
    } else if given == stored {
        CasMatch::Match
    } else if invalidate && given < stored {
        CasMatch::Stale
    } else {
        CasMatch::Mismatch
    }
}

fn command_name(mode: StoreMode) -> &'static str {
    match mode {
        StoreMode::Add => "add",
        StoreMode::Set => "set",
        StoreMode::Replace => "replace",
        StoreMode::Append => "append",
        StoreMode::Prepend => "prepend",
        StoreMode::Cas => "cas",
    }
}
