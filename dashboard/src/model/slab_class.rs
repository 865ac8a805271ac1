//! One slab class of one node, with everything the two answers say of it.

use memlens::stats::{ItemClass, SlabClass};

use super::classes::ClassRates;
use super::node::NodeSnapshot;

/// Hits needed before the split by list means anything.
const FEWEST_HITS: u64 = 20;

/// A slab class as `stats slabs` and `stats items` describe it together.
///
/// `stats items` lists only classes that hold items, so the figures from there may be missing.
#[derive(Debug, Clone, Copy)]
pub struct ClassDetail<'a> {
    /// The class's number on its node.
    pub class: u32,
    /// What `stats slabs` says.
    pub slab: &'a SlabClass,
    /// What `stats items` says. `None` while the class holds no item.
    pub items: Option<&'a ItemClass>,
    /// What happened between the last two polls.
    pub rates: Option<&'a ClassRates>,
}

impl<'a> ClassDetail<'a> {
    /// The class with this number.
    #[must_use]
    pub fn of(node: &'a NodeSnapshot, class: u32) -> Option<Self> {
        Some(Self {
            class,
            slab: node.slabs.as_ref()?.classes.get(&class)?,
            items: node
                .items
                .as_ref()
                .and_then(|items| items.classes.get(&class)),
            rates: node.class_rates.get(&class),
        })
    }

    /// All classes of a node that have pages, by number.
    pub fn all(node: &'a NodeSnapshot) -> impl Iterator<Item = Self> {
        let numbers = node.slabs.iter().flat_map(|slabs| slabs.classes.keys());
        numbers.filter_map(|number| Self::of(node, *number))
    }

    /// Bytes of one chunk.
    #[must_use]
    pub fn chunk_size(&self) -> u64 {
        self.slab.chunk_size.unwrap_or(0)
    }

    /// Bytes of the chunks that hold an item.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.chunk_size()
            .saturating_mul(self.slab.used_chunks.unwrap_or(0))
    }

    /// Bytes of the chunks that hold none.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.chunk_size()
            .saturating_mul(self.slab.free_chunks.unwrap_or(0))
    }

    /// Bytes that the items asked for.
    #[must_use]
    pub fn requested_bytes(&self) -> Option<u64> {
        let nothing_stored = self.items.is_none().then_some(0);
        self.slab
            .mem_requested
            .or_else(|| self.items?.mem_requested)
            .or(nothing_stored)
    }

    /// What the used chunks have beyond what their items asked for:
    /// `chunk_size` · `used_chunks` − `mem_requested`.
    #[must_use]
    pub fn waste_bytes(&self) -> Option<u64> {
        Some(self.used_bytes().saturating_sub(self.requested_bytes()?))
    }

    /// [`waste_bytes`](Self::waste_bytes) as a share of the used chunks.
    #[must_use]
    pub fn waste_share(&self) -> Option<f64> {
        let used = self.used_bytes();
        (used > 0).then_some(self.waste_bytes()? as f64 / used as f64)
    }

    /// Share of the class's chunks that hold an item.
    #[must_use]
    pub fn used_share(&self) -> Option<f64> {
        let total = self.slab.total_chunks.filter(|total| *total > 0)?;
        Some(self.slab.used_chunks? as f64 / total as f64)
    }

    /// Pages that could be given to another class without evicting anything:
    /// `free_chunks` / `chunks_per_page`, rounded down. The server refuses to take a class's last
    /// page, so that one never counts.
    #[must_use]
    pub fn spare_pages(&self) -> u64 {
        let free = self.slab.free_chunks.unwrap_or(0);
        let movable = self.slab.total_pages.unwrap_or(0).saturating_sub(1);
        match self.slab.chunks_per_page {
            Some(per_page) if per_page > 0 => (free / per_page).min(movable),
            _ => 0,
        }
    }

    /// Live items thrown out per second.
    #[must_use]
    pub fn evictions_per_second(&self) -> Option<f64> {
        self.rates?.evictions_per_second
    }

    /// Whether live items are thrown out now.
    #[must_use]
    pub fn is_evicting(&self) -> bool {
        self.evictions_per_second().is_some_and(|rate| rate > 0.0)
    }

    /// Seconds since the item that is evicted next was used.
    #[must_use]
    pub fn tail_age(&self) -> Option<u64> {
        self.items?.age
    }

    /// How often a stored item is read: hits per second divided by stores per second, or over the
    /// server's life while there is no rate. A class has no misses, for a miss has no class; so
    /// this is the nearest thing to a hit rate of a class.
    #[must_use]
    pub fn reuse(&self) -> Option<f64> {
        let now = self.rates.and_then(|rates| {
            let stores = rates.stores_per_second.filter(|stores| *stores > 0.0)?;
            Some(rates.hits_per_second? / stores)
        });
        now.or_else(|| {
            let stores = self.slab.cmd_set.filter(|stores| *stores > 0)?;
            Some(self.slab.get_hits? as f64 / stores as f64)
        })
    }

    /// Of the items evicted since the server started, the share that nobody ever read.
    #[must_use]
    pub fn unfetched_share(&self) -> Option<f64> {
        let items = self.items?;
        super::ratio(items.evicted_unfetched?, items.evicted?)
    }

    /// The items' shares by list: HOT, WARM, COLD and TEMP. `None` without items.
    #[must_use]
    pub fn lists(&self) -> Option<[f64; 4]> {
        let items = self.items?;
        shares(
            [
                items.number_hot,
                items.number_warm,
                items.number_cold,
                items.number_temp,
            ],
            1,
        )
    }

    /// Where reads found their items: the shares of HOT, WARM, COLD and TEMP, over the server's
    /// life. `None` under a few hits.
    #[must_use]
    pub fn hits_by_list(&self) -> Option<[f64; 4]> {
        let items = self.items?;
        let hits = [
            items.hits_to_hot,
            items.hits_to_warm,
            items.hits_to_cold,
            items.hits_to_temp,
        ];
        shares(hits, FEWEST_HITS)
    }
}

fn shares(parts: [Option<u64>; 4], fewest: u64) -> Option<[f64; 4]> {
    let parts = parts.map(|part| part.unwrap_or(0));
    let whole = parts.into_iter().fold(0, u64::saturating_add);
    (whole >= fewest).then(|| parts.map(|part| part as f64 / whole as f64))
}
