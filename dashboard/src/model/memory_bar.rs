//! A node's memory as parts of a bar.

use super::node::NodeSnapshot;

/// What a part of the bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryPart {
    /// What the items asked for.
    Data,
    /// What their chunks have beyond that.
    WasteInChunks,
    /// Chunks that hold nothing.
    FreeChunks,
    /// Ends of pages.
    Padding,
    /// Pages of no class.
    PagePool,
    /// Allowed by the limit, but not allocated yet.
    NotAllocated,
}

impl MemoryPart {
    /// Its name in a legend.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::WasteInChunks => "in-chunk waste",
            Self::FreeChunks => "free chunks",
            Self::Padding => "padding",
            Self::PagePool => "page pool",
            Self::NotAllocated => "not allocated",
        }
    }
}

/// The parts of a node's memory, in the order they are drawn, and how they compare with the limit.
///
/// A small `-m` allocates more than its limit, since every class gets a first page: the bar is as
/// long as the larger of the two, and the limit is a mark on it.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryBar {
    /// The parts and their bytes. Their sum is [`full`](Self::full).
    pub parts: Vec<(MemoryPart, u64)>,
    /// What the whole bar stands for, in bytes.
    pub full: u64,
    /// The memory limit, in bytes.
    pub limit: Option<u64>,
    /// What the server allocated, in bytes.
    pub allocated: u64,
    /// `bytes` of `stats`: all that is stored. With external storage most of it may lie on disk,
    /// so that it can be more than the bar.
    pub stored: Option<u64>,
}

impl MemoryBar {
    /// The bar of a node, once its slab classes are known.
    #[must_use]
    pub fn of(node: &NodeSnapshot) -> Option<Self> {
        let memory = node.memory?;
        let general = node.general.as_deref();
        let limit = general.and_then(|general| general.limit_maxbytes);
        let waste = memory.waste_in_chunks.unwrap_or(0).min(memory.used_chunks);
        let mut parts = vec![
            (MemoryPart::Data, memory.used_chunks - waste),
            (MemoryPart::WasteInChunks, waste),
            (MemoryPart::FreeChunks, memory.free_chunks),
            (MemoryPart::Padding, memory.padding),
            (MemoryPart::PagePool, memory.page_pool),
        ];
        let sum = |parts: &[(MemoryPart, u64)]| {
            parts
                .iter()
                .map(|(_, bytes)| *bytes)
                .fold(0, u64::saturating_add)
        };
        let allocated = memory.allocated.unwrap_or_else(|| sum(&parts));
        let untouched = limit.unwrap_or(0).saturating_sub(sum(&parts));
        parts.push((MemoryPart::NotAllocated, untouched));
        Some(Self {
            full: sum(&parts),
            parts,
            limit,
            allocated,
            stored: general.and_then(|general| general.bytes),
        })
    }

    /// The bytes of one part.
    #[must_use]
    pub fn bytes(&self, part: MemoryPart) -> u64 {
        self.parts
            .iter()
            .find(|(candidate, _)| *candidate == part)
            .map_or(0, |(_, bytes)| *bytes)
    }

    /// The limit as a place on the bar, 0 to 1.
    #[must_use]
    pub fn limit_mark(&self) -> Option<f64> {
        (self.full > 0).then_some(self.limit? as f64 / self.full as f64)
    }
}
