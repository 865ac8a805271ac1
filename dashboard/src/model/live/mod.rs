//! What a `watch` shows: the newest events, and who was read, missed, stored and evicted most.
//!
//! Everything that arrives is counted; what is listed is filtered and sampled, so that a busy
//! cluster neither floods the list nor the machine. Everything has a bound.

mod event;
mod feed;
mod top;

pub use event::{LiveEvent, LiveKind};
pub use feed::{LiveCounts, LiveFeed, LiveFilter, LiveView, NodeWatch, WatchStage};
pub use top::{PrefixReads, TopKey, TopKeys};
