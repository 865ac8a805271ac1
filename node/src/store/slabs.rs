//! Slab classes and pages, as arithmetic.
//!
//! Values live on the heap; what is kept here is the bookkeeping memcached would do for them: which
//! class an item belongs to, how many 1 MiB pages each class owns, and how many of their chunks are
//! free. A set that memcached could not place is one this module cannot place.

use super::item::{CHUNK_HEADER, LINE_ENDING};

/// Pages are this large, whatever the item size limit.
pub(crate) const PAGE_SIZE: usize = 1024 * 1024;
/// The most classes there can be, the page pool (class 0) included.
pub(crate) const CLASSES: usize = 64;
/// Chunk sizes are multiples of this.
const CHUNK_ALIGNMENT: usize = 8;
/// The size of an item header, which the smallest chunk has on top of its configured space.
const ITEM_HEADER: usize = 48;

/// One slab class.
#[derive(Debug, Clone, Default)]
pub(crate) struct SlabClass {
    pub(crate) chunk_size: usize,
    pub(crate) chunks_per_page: usize,
    pub(crate) pages: usize,
    pub(crate) free_chunks: usize,
}

/// The chunks one item occupies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allocation {
    /// The class the item is counted in.
    pub(crate) class: u8,
    /// For an item larger than the largest chunk: the classes of its header and of its chunks.
    pub(crate) chunks: Option<Box<[u8]>>,
}

/// How the classes are cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlabLayout {
    /// The growth factor from one class to the next (`-f`).
    pub(crate) factor: f64,
    /// The space the smallest class has beside the item header (`-n`).
    pub(crate) min_space: usize,
    /// The largest chunk (`slab_chunk_max`).
    pub(crate) chunk_max: usize,
    /// The largest item (`-I`).
    pub(crate) item_max: usize,
}

/// All classes and the page budget.
#[derive(Debug)]
pub(crate) struct Slabs {
    /// By class id; 0 is the pool of pages that belong to no class.
    classes: Vec<SlabClass>,
    layout: SlabLayout,
    /// Bytes of pages taken so far.
    malloced: u64,
    /// The page budget in bytes.
    limit: u64,
}

impl Slabs {
    pub(crate) fn new(layout: SlabLayout, limit: u64) -> Self {
        let mut classes = vec![SlabClass::default()];
        let mut size = ITEM_HEADER + layout.min_space;
        while classes.len() < CLASSES - 1 && (size as f64) < layout.chunk_max as f64 / layout.factor
        {
            size = size.next_multiple_of(CHUNK_ALIGNMENT);
            classes.push(SlabClass::of(size));
            size = (size as f64 * layout.factor) as usize;
        }
        classes.push(SlabClass::of(layout.chunk_max));
        Self {
            classes,
            layout,
            malloced: 0,
            limit,
        }
    }

    /// The class ids in use, smallest chunks first.
    pub(crate) fn ids(&self) -> std::ops::Range<usize> {
        1..self.classes.len()
    }

    pub(crate) fn class(&self, id: usize) -> &SlabClass {
        &self.classes[id]
    }

    pub(crate) fn layout(&self) -> SlabLayout {
        self.layout
    }

    /// Bytes of pages taken, which may pass the limit: each class gets its first page regardless.
    pub(crate) fn malloced(&self) -> u64 {
        self.malloced
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// The pages that belong to no class.
    pub(crate) fn pool_pages(&self) -> usize {
        self.classes[0].pages
    }

    /// The class for an item of this size; `None` where it is larger than any item may be.
    pub(crate) fn class_for(&self, size: usize) -> Option<usize> {
        if size == 0 || size > self.layout.item_max {
            return None;
        }
        let last = self.classes.len() - 1;
        let fitting = self.classes[1..].partition_point(|class| class.chunk_size < size) + 1;
        Some(fitting.min(last))
    }

    /// Takes one chunk of a class, with a new page where none is free.
    pub(crate) fn take(&mut self, class: usize) -> bool {
        if self.classes[class].free_chunks == 0 {
            self.add_page(class);
        }
        let class = &mut self.classes[class];
        let taken = class.free_chunks > 0;
        class.free_chunks -= usize::from(taken);
        taken
    }

    /// Gives one chunk back.
    pub(crate) fn give(&mut self, class: usize) {
        self.classes[class].free_chunks += 1;
    }

    /// Gives back all an item occupied.
    pub(crate) fn release(&mut self, allocation: &Allocation) {
        match &allocation.chunks {
            None => self.give(usize::from(allocation.class)),
            Some(chunks) => chunks
                .iter()
                .for_each(|&class| self.give(usize::from(class))),
        }
    }

    fn add_page(&mut self, class: usize) {
        let page = PAGE_SIZE as u64;
        let over_budget = self.limit > 0 && self.malloced + page > self.limit;
        if over_budget && self.classes[class].pages > 0 && self.pool_pages() == 0 {
            return;
        }
        if self.pool_pages() > 0 {
            self.classes[0].pages -= 1;
        } else {
            self.malloced += page;
        }
        let class = &mut self.classes[class];
        class.pages += 1;
        class.free_chunks += class.chunks_per_page;
    }

    /// Takes one page, whose chunks are all free, from a class and gives it to another or to the pool.
    pub(crate) fn move_page(&mut self, from: usize, to: usize) {
        let source = &mut self.classes[from];
        source.pages -= 1;
        source.free_chunks -= source.chunks_per_page;
        let target = &mut self.classes[to];
        target.pages += 1;
        target.free_chunks += target.chunks_per_page;
        if to == 0 {
            self.trim_pool();
        }
    }

    /// Changes the page budget and drops pooled pages above it.
    pub(crate) fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
        self.trim_pool();
    }

    fn trim_pool(&mut self) {
        while self.malloced > self.limit && self.classes[0].pages > 0 {
            self.classes[0].pages -= 1;
            self.malloced -= PAGE_SIZE as u64;
        }
    }

    /// The sizes of the chunks a large item's value is spread over, each with its header.
    pub(crate) fn chunk_sizes(&self, value_len: usize) -> impl Iterator<Item = usize> + use<> {
        let chunk_max = self.layout.chunk_max;
        let mut remaining = value_len + LINE_ENDING;
        std::iter::from_fn(move || {
            if remaining == 0 {
                return None;
            }
            let size = (remaining + CHUNK_HEADER).min(chunk_max);
            remaining -= size - CHUNK_HEADER;
            Some(size)
        })
    }
}

impl SlabClass {
    fn of(chunk_size: usize) -> Self {
        Self {
            chunk_size,
            chunks_per_page: PAGE_SIZE / chunk_size,
            ..Self::default()
        }
    }

    /// The chunks in use.
    pub(crate) fn used_chunks(&self) -> usize {
        self.pages * self.chunks_per_page - self.free_chunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: SlabLayout = SlabLayout {
        factor: 1.25,
        min_space: 48,
        chunk_max: 512 * 1024,
        item_max: 1024 * 1024,
    };

    /// Checks the classes against `<id> <chunk size> <chunks per page>` lines of a real node.
    fn check(layout: SlabLayout, observed: &str) {
        let slabs = Slabs::new(layout, 64 << 20);
        for line in observed.lines() {
            let numbers: Vec<usize> = line
                .split(' ')
                .map(|n| n.parse().expect("a number"))
                .collect();
            let class = slabs.class(numbers[0]);
            assert_eq!(
                [class.chunk_size, class.chunks_per_page],
                numbers[1..],
                "{line}"
            );
        }
    }

    #[test]
    fn default_classes_are_memcacheds() {
        check(DEFAULT, include_str!("../../tests/data/slabs_default.txt"));
        let slabs = Slabs::new(DEFAULT, 64 << 20);
        assert_eq!(slabs.ids().end - 1, 39);
        assert_eq!(slabs.class(39).chunk_size, 512 * 1024);
    }

    #[test]
    fn a_small_factor_ends_at_sixty_three_classes() {
        let layout = SlabLayout {
            factor: 1.08,
            min_space: 72,
            item_max: 2 << 20,
            ..DEFAULT
        };
        check(layout, include_str!("../../tests/data/slabs_f108_n72.txt"));
        assert_eq!(Slabs::new(layout, 64 << 20).ids().end - 1, 63);
    }

    #[test]
    fn an_item_goes_to_the_smallest_class_that_holds_it() {
        let slabs = Slabs::new(DEFAULT, 64 << 20);
        assert_eq!(slabs.class_for(0), None);
        assert_eq!(slabs.class_for(96), Some(1));
        assert_eq!(slabs.class_for(97), Some(2));
        assert_eq!(slabs.class_for(524_288), Some(39));
        assert_eq!(slabs.class_for(1024 * 1024), Some(39));
        assert_eq!(slabs.class_for(1024 * 1024 + 1), None);
    }

    #[test]
    fn each_class_gets_its_first_page_even_past_the_limit() {
        let mut slabs = Slabs::new(DEFAULT, PAGE_SIZE as u64);
        assert!(slabs.take(1));
        assert!(slabs.take(39));
        assert_eq!(slabs.malloced(), 2 * PAGE_SIZE as u64);
        assert!(slabs.take(39));
        assert!(
            !slabs.take(39),
            "two chunks fill the page, and there is no budget for another"
        );
    }

    #[test]
    fn a_moved_page_takes_its_free_chunks_along() {
        let mut slabs = Slabs::new(DEFAULT, 8 << 20);
        for _ in 0..3 {
            assert!(slabs.take(39));
        }
        slabs.give(39);
        slabs.give(39);
        slabs.move_page(39, 1);
        assert_eq!((slabs.class(39).pages, slabs.class(39).free_chunks), (1, 1));
        assert_eq!(
            (slabs.class(1).pages, slabs.class(1).free_chunks),
            (1, 10922)
        );
    }

    #[test]
    fn a_large_value_is_cut_into_chunks() {
        let slabs = Slabs::new(DEFAULT, 64 << 20);
        let sizes: Vec<_> = slabs.chunk_sizes(600_000).collect();
        assert_eq!(sizes, [524_288, 600_002 - (524_288 - 48) + 48]);
    }
}
