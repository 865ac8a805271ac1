//! One stored item and what it costs.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::lru::{NO_NODE, Segment};
use super::slabs::Allocation;
use crate::clock::Seconds;

/// The size of memcached's item header on a 64-bit machine.
const HEADER: usize = 48;
/// The size of the header of a chunk that continues a large item.
pub(super) const CHUNK_HEADER: usize = 48;
/// The cas unique, where enabled.
const CAS: usize = 8;
/// A value is accounted with its line ending.
pub(super) const LINE_ENDING: usize = 2;

/// What an item takes besides its key, value and client flags: the header, the key's terminator, the
/// value's line ending and the cas unique.
pub(crate) fn item_overhead(cas_enabled: bool) -> usize {
    HEADER + 1 + LINE_ENDING + if cas_enabled { CAS } else { 0 }
}

/// An item's size as memcached accounts for it.
pub(crate) fn item_size(key: usize, flags: u32, value: usize, cas_enabled: bool) -> usize {
    item_overhead(cas_enabled) + key + flags_size(flags) + value
}

/// The size of the first chunk of a large item, which holds everything but the value.
pub(super) fn large_header_size(key: usize, flags: u32, cas_enabled: bool) -> usize {
    item_overhead(cas_enabled) - LINE_ENDING + key + flags_size(flags) + CHUNK_HEADER
}

/// Client flags of zero take no space.
fn flags_size(flags: u32) -> usize {
    if flags == 0 { 0 } else { size_of::<u32>() }
}

/// Yes-or-no facts of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    pub(crate) const NONE: Self = Self(0);
    /// It was read at least once.
    pub(crate) const FETCHED: Self = Self(1);
    /// It was read at least twice, and since it last moved between segments.
    pub(crate) const ACTIVE: Self = Self(1 << 1);
    /// It was invalidated: readers are told, and one may recache it.
    pub(crate) const STALE: Self = Self(1 << 2);
    /// A reader already won the right to recache it.
    pub(crate) const TOKEN_SENT: Self = Self(1 << 3);
    /// Its key came as base64.
    pub(crate) const KEY_BINARY: Self = Self(1 << 4);
    /// It can be found by its key.
    pub(crate) const LINKED: Self = Self(1 << 5);

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn with(self, other: Self, on: bool) -> Self {
        if on { Self(self.0 | other.0) } else { self }
    }
}

/// A stored item. What never changes is plain; what may change is atomic, always with relaxed
/// ordering: the lock of the item's shard, or of the memory, orders the accesses.
#[derive(Debug)]
pub(crate) struct Item {
    /// The key followed by the value.
    data: Box<[u8]>,
    key_len: u8,
    pub(crate) hash: u64,
    pub(crate) client_flags: u32,
    /// The size memcached would account for.
    pub(crate) size: u32,
    pub(crate) allocation: Allocation,
    exptime: AtomicU32,
    time: AtomicU32,
    cas: AtomicU64,
    marks: AtomicU8,
    segment: AtomicU8,
    /// The place in the LRU list; changed only under the memory lock.
    node: AtomicU32,
}

/// What a new item is made of.
#[derive(Debug)]
pub(crate) struct NewItem {
    pub(crate) data: Box<[u8]>,
    pub(crate) key_len: usize,
    pub(crate) hash: u64,
    pub(crate) client_flags: u32,
    pub(crate) exptime: Seconds,
    pub(crate) marks: Marks,
}

impl NewItem {
    /// Copies a key and the parts of a value into one block.
    pub(crate) fn data(key: &[u8], value: &[&[u8]]) -> Box<[u8]> {
        let len = key.len() + value.iter().map(|part| part.len()).sum::<usize>();
        let mut data = Vec::with_capacity(len);
        data.extend_from_slice(key);
        for part in value {
            data.extend_from_slice(part);
        }
        data.into_boxed_slice()
    }

    pub(crate) fn value_len(&self) -> usize {
        self.data.len() - self.key_len
    }
}

impl Item {
    pub(super) fn new(new: NewItem, size: usize, allocation: Allocation, segment: Segment) -> Self {
        Self {
            data: new.data,
            key_len: new.key_len as u8,
            hash: new.hash,
            client_flags: new.client_flags,
            size: size as u32,
            allocation,
            exptime: AtomicU32::new(new.exptime),
            time: AtomicU32::new(0),
            cas: AtomicU64::new(0),
            marks: AtomicU8::new(new.marks.0),
            segment: AtomicU8::new(segment as u8),
            node: AtomicU32::new(NO_NODE),
        }
    }

    /// The same item, in the same memory and place, with another value of the same length and a new
    /// cas unique.
    pub(super) fn with_value(&self, value: &[u8], cas: u64) -> Self {
        Self {
            data: NewItem::data(self.key(), &[value]),
            key_len: self.key_len,
            hash: self.hash,
            client_flags: self.client_flags,
            size: self.size,
            allocation: self.allocation.clone(),
            exptime: AtomicU32::new(self.exptime()),
            time: AtomicU32::new(self.time()),
            cas: AtomicU64::new(cas),
            marks: AtomicU8::new(self.marks().0),
            segment: AtomicU8::new(self.segment() as u8),
            node: AtomicU32::new(NO_NODE),
        }
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.data[..usize::from(self.key_len)]
    }

    /// The value, without the line ending memcached stores with it.
    pub(crate) fn value(&self) -> &[u8] {
        &self.data[usize::from(self.key_len)..]
    }

    /// The slab class whose LRU the item is in.
    pub(crate) fn class(&self) -> u8 {
        self.allocation.class
    }

    /// The second at which the item dies; 0 is never.
    pub(crate) fn exptime(&self) -> Seconds {
        self.exptime.load(Ordering::Relaxed)
    }

    pub(crate) fn set_exptime(&self, exptime: Seconds) {
        self.exptime.store(exptime, Ordering::Relaxed);
    }

    /// When the item was last accessed, as far as memcached records it.
    pub(crate) fn time(&self) -> Seconds {
        self.time.load(Ordering::Relaxed)
    }

    pub(crate) fn set_time(&self, time: Seconds) {
        self.time.store(time, Ordering::Relaxed);
    }

    pub(crate) fn cas(&self) -> u64 {
        self.cas.load(Ordering::Relaxed)
    }

    pub(crate) fn set_cas(&self, cas: u64) {
        self.cas.store(cas, Ordering::Relaxed);
    }

    pub(crate) fn marks(&self) -> Marks {
        Marks(self.marks.load(Ordering::Relaxed))
    }

    pub(crate) fn has(&self, mark: Marks) -> bool {
        self.marks().has(mark)
    }

    pub(crate) fn mark(&self, mark: Marks) {
        self.marks.fetch_or(mark.0, Ordering::Relaxed);
    }

    pub(crate) fn unmark(&self, mark: Marks) {
        self.marks.fetch_and(!mark.0, Ordering::Relaxed);
    }

    pub(crate) fn segment(&self) -> Segment {
        Segment::from_bits(self.segment.load(Ordering::Relaxed))
    }

    pub(super) fn set_segment(&self, segment: Segment) {
        self.segment.store(segment as u8, Ordering::Relaxed);
    }

    pub(super) fn node(&self) -> u32 {
        self.node.load(Ordering::Relaxed)
    }

    pub(super) fn set_node(&self, node: u32) {
        self.node.store(node, Ordering::Relaxed);
    }

    /// Whether the item's time has come. Reads treat the exact second as past; the crawlers and the
    /// eviction do not yet ([`Item::is_past`]).
    pub(crate) fn is_expired(&self, now: Seconds) -> bool {
        let exptime = self.exptime();
        exptime != 0 && exptime <= now
    }

    /// Whether the item expired in an earlier second.
    pub(crate) fn is_past(&self, now: Seconds) -> bool {
        let exptime = self.exptime();
        exptime != 0 && exptime < now
    }
}
