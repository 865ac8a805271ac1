//! Where a node's memory goes, from `stats slabs` and `stats items`.
//!
//! `bytes / limit_maxbytes` misleads both ways: a node may evict at 46 % of its limit, because one
//! slab class has no pages while others have them to spare, and may stand at 158 % with external
//! storage. So three numbers: what items take, what the server allocated, and the limit; and what
//! is allocated but holds nothing, by cause.

use memlens::stats::{Items, Slabs};

/// Bytes in a page. It is 1 MiB whatever the largest item (`-I`) is; the identity in
/// [`Memory::adds_up`] would fail otherwise.
pub const PAGE_SIZE: u64 = 1024 * 1024;

/// How a node's allocated memory divides. All in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Chunks that hold an item: Σ `chunk_size` · `used_chunks`.
    pub used_chunks: u64,
    /// Of the used chunks, what their items did not ask for:
    /// Σ (`chunk_size` · `used_chunks` − `mem_requested`). Unknown when the server does not say
    /// what was asked for.
    pub waste_in_chunks: Option<u64>,
    /// Chunks that hold none: Σ `chunk_size` · `free_chunks`.
    pub free_chunks: u64,
    /// What is left over at the end of pages:
    /// Σ ([`PAGE_SIZE`] · `total_pages` − `chunk_size` · `total_chunks`).
    pub padding: u64,
    /// Pages taken from a class and given to none.
    pub page_pool: u64,
    /// What the server says it allocated: `total_malloced`.
    pub allocated: Option<u64>,
}

impl Memory {
    /// Adds up the classes.
    ///
    /// `page_pool_pages` is `slab_global_page_pool` of `stats`. `items` may come from another poll
    /// than `slabs`; the waste is then off by what changed between.
    #[must_use]
    pub fn new(slabs: &Slabs, items: Option<&Items>, page_pool_pages: u64) -> Self {
        let mut memory = Self {
            waste_in_chunks: Some(0),
            page_pool: page_pool_pages.saturating_mul(PAGE_SIZE),
            allocated: slabs.total_malloced,
            ..Self::default()
        };
        for (number, class) in &slabs.classes {
            let chunk_size = class.chunk_size.unwrap_or(0);
            let bytes_of = |chunks: Option<u64>| chunk_size.saturating_mul(chunks.unwrap_or(0));
            let used = bytes_of(class.used_chunks);
            let pages = PAGE_SIZE.saturating_mul(class.total_pages.unwrap_or(0));
            memory.used_chunks = memory.used_chunks.saturating_add(used);
            memory.free_chunks = memory
                .free_chunks
                .saturating_add(bytes_of(class.free_chunks));
            memory.padding = memory
                .padding
                .saturating_add(pages.saturating_sub(bytes_of(class.total_chunks)));
            let requested = class
                .mem_requested
                .or_else(|| requested_in(items?, *number));
            memory.waste_in_chunks = memory
                .waste_in_chunks
                .zip(requested)
                .map(|(waste, requested)| waste.saturating_add(used.saturating_sub(requested)));
        }
        memory
    }

    /// Whether used, free, padding and page pool together are exactly what the server says it
    /// allocated. They are on every server measured, so anything else means that a formula does
    /// not fit this server. `None` when the server does not say what it allocated.
    #[must_use]
    pub fn adds_up(&self) -> Option<bool> {
        let sum = [
            self.used_chunks,
            self.free_chunks,
            self.padding,
            self.page_pool,
        ]
        .into_iter()
        .try_fold(0_u64, u64::checked_add);
        Some(sum == Some(self.allocated?))
    }
}

/// `mem_requested` of a class, where `stats items` has it. A class without items is not listed
/// there, and requested nothing.
fn requested_in(items: &Items, class: u32) -> Option<u64> {
    match items.classes.get(&class) {
        Some(item_class) => item_class.mem_requested,
        None => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::{Memory, PAGE_SIZE};
    use memlens::stats::{Items, Slabs};

    #[test]
    fn pages_of_the_pool_count_as_allocated() {
        let slabs = Slabs::parse([
            ("5:chunk_size", "1048576"),
            ("5:total_pages", "5"),
            ("5:total_chunks", "5"),
            ("5:used_chunks", "2"),
            ("5:free_chunks", "3"),
            ("total_malloced", "7340032"),
        ]);
        let memory = Memory::new(&slabs, None, 2);
        assert_eq!(memory.page_pool, 2 * PAGE_SIZE);
        assert_eq!(memory.adds_up(), Some(true));
        assert_eq!(Memory::new(&slabs, None, 0).adds_up(), Some(false));
    }

    #[test]
    fn what_items_asked_for_is_found_in_either_answer() {
        let old = Slabs::parse([
            ("1:chunk_size", "96"),
            ("1:used_chunks", "10"),
            ("1:mem_requested", "900"),
        ]);
        assert_eq!(Memory::new(&old, None, 0).waste_in_chunks, Some(60));
        let new = Slabs::parse([("1:chunk_size", "96"), ("1:used_chunks", "10")]);
        let items = Items::parse([("items:1:mem_requested", "900")]);
        assert_eq!(Memory::new(&new, Some(&items), 0).waste_in_chunks, Some(60));
        assert_eq!(Memory::new(&new, None, 0).waste_in_chunks, None);
    }

    #[test]
    fn nonsense_from_a_server_overflows_nothing() {
        let slabs = Slabs::parse([
            ("1:chunk_size", "18446744073709551615"),
            ("1:used_chunks", "18446744073709551615"),
            ("1:free_chunks", "18446744073709551615"),
            ("total_malloced", "1"),
        ]);
        assert_eq!(Memory::new(&slabs, None, u64::MAX).adds_up(), Some(false));
    }
}
