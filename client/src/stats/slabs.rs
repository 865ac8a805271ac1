//! `stats slabs`: the memory of each slab class.

use std::collections::BTreeMap;

use super::{OtherFields, StatValue, split_number, statistics};

statistics! {
    /// What `stats slabs` says of one slab class.
    pub struct SlabClass {
        /// Bytes of one chunk. An item takes a whole chunk of the smallest class that fits it.
        chunk_size: u64,
        /// Chunks that one page gives.
        chunks_per_page: u64,
        /// Pages that belong to the class.
        total_pages: u64,
        /// Chunks in those pages.
        total_chunks: u64,
        /// Chunks that hold an item.
        used_chunks: u64,
        /// Chunks that hold none.
        free_chunks: u64,
        /// Chunks at the end of the last page that were never used (old servers).
        free_chunks_end: u64,
        /// Bytes that the items asked for, on servers before 1.5.17. Newer ones report it in
        /// `stats items`.
        mem_requested: u64,
        /// Reads that found their item in this class. Misses have no class.
        get_hits: u64,
        /// Items stored into this class.
        cmd_set: u64,
        /// Deletions of items of this class.
        delete_hits: u64,
        /// Increments of items of this class.
        incr_hits: u64,
        /// Decrements of items of this class.
        decr_hits: u64,
        /// `cas` commands that stored into this class.
        cas_hits: u64,
        /// `cas` commands that lost against another writer in this class.
        cas_badval: u64,
        /// Touches of items of this class.
        touch_hits: u64,
    }
}

/// The answer of `stats slabs`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Slabs {
    /// By slab class number.
    pub classes: BTreeMap<u32, SlabClass>,
    /// Classes that have pages.
    pub active_slabs: Option<u64>,
    /// Bytes of all pages that the server took from the system. May exceed `limit_maxbytes`,
    /// because the server gives every class a first page.
    pub total_malloced: Option<u64>,
    /// Fields that belong to no class.
    pub other: OtherFields,
}

impl Slabs {
    /// Reads the answer of `stats slabs`.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut slabs = Self::default();
        for (name, value) in pairs {
            match (split_number(name), u64::read(value)) {
                (Some((class, field)), _) => {
                    slabs.classes.entry(class).or_default().record(field, value);
                }
                (None, number @ Some(_)) if name == "active_slabs" => slabs.active_slabs = number,
                (None, number @ Some(_)) if name == "total_malloced" => {
                    slabs.total_malloced = number;
                }
                (None, _) => slabs.other.keep(name, value),
            }
        }
        slabs
    }
}
