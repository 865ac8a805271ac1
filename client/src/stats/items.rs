//! `stats items`: the items of each slab class.

use std::collections::BTreeMap;

use super::{OtherFields, split_number, statistics};

statistics! {
    /// What `stats items` says of one slab class.
    pub struct ItemClass {
        /// Items stored now.
        number: u64,
        /// Items in the HOT list.
        number_hot: u64,
        /// Items in the WARM list.
        number_warm: u64,
        /// Items in the COLD list.
        number_cold: u64,
        /// Items in the TEMP list.
        number_temp: u64,
        /// Seconds since the oldest item of the HOT list was used.
        age_hot: u64,
        /// Seconds since the oldest item of the WARM list was used.
        age_warm: u64,
        /// Seconds since the item at the tail of the COLD list was used: the one evicted next.
        age: u64,
        /// Bytes that the items asked for. What their chunks have beyond it is waste.
        /// Servers before 1.5.17 report it in `stats slabs`.
        mem_requested: u64,
        /// Live items thrown out to make room.
        evicted: u64,
        /// Evicted items that had an expiry.
        evicted_nonzero: u64,
        /// Evicted items that were never read.
        evicted_unfetched: u64,
        /// Evicted items that had been read recently.
        evicted_active: u64,
        /// Seconds since the item evicted last had been used.
        evicted_time: u64,
        /// Stores refused because the class had no memory and evicted nothing.
        outofmemory: u64,
        /// Expired items whose memory was used again by a store.
        reclaimed: u64,
        /// Expired items that were never read.
        expired_unfetched: u64,
        /// Reads that found their item in the HOT list.
        hits_to_hot: u64,
        /// Reads that found their item in the WARM list.
        hits_to_warm: u64,
        /// Reads that found their item in the COLD list.
        hits_to_cold: u64,
        /// Reads that found their item in the TEMP list.
        hits_to_temp: u64,
    }
}

/// The answer of `stats items`.
///
/// The server lists only classes that hold items now, so a class may be absent here and present
/// in `stats slabs`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Items {
    /// By slab class number.
    pub classes: BTreeMap<u32, ItemClass>,
    /// Fields that belong to no class.
    pub other: OtherFields,
}

impl Items {
    /// Reads the answer of `stats items`.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut items = Self::default();
        for (name, value) in pairs {
            match name.strip_prefix("items:").and_then(split_number) {
                Some((class, field)) => {
                    items.classes.entry(class).or_default().record(field, value);
                }
                None => items.other.keep(name, value),
            }
        }
        items
    }
}
