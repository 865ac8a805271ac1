//! Counts allocations, and the bytes that are allocated, when asked to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// The system's allocator. While it does not count, it costs one load more.
struct Counting;

static IS_COUNTING: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts from now on.
pub(crate) fn start() {
    IS_COUNTING.store(true, Ordering::Relaxed);
}

/// How many blocks were allocated, or moved to grow or shrink, since [`start`].
pub(crate) fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// By how many bytes what is allocated has grown since [`start`].
pub(crate) fn bytes() -> i64 {
    BYTES.load(Ordering::Relaxed)
}

fn note(blocks: u64, bytes: i64) {
    if IS_COUNTING.load(Ordering::Relaxed) {
        COUNT.fetch_add(blocks, Ordering::Relaxed);
        BYTES.fetch_add(bytes, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator as it came.
#[allow(
    unsafe_code,
    reason = "there is no safe way to stand in for the allocator"
)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(1, new_size as i64 - layout.size() as i64);
        unsafe { System.realloc(block, layout, new_size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, -(layout.size() as i64));
        unsafe { System.dealloc(block, layout) }
    }
}
