//! What happened in each slab class between two polls of `stats items` and `stats slabs`.

use std::collections::BTreeMap;
use std::time::Duration;

use memlens::stats::{Items, Slabs};

/// What one slab class did between two polls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassRates {
    /// Live items thrown out per second: Δ`evicted`.
    pub evictions_per_second: Option<f64>,
    /// Of those, never read: Δ`evicted_unfetched`.
    pub unfetched_evictions_per_second: Option<f64>,
    /// Stores refused for want of memory per second: Δ`outofmemory`.
    pub out_of_memory_per_second: Option<f64>,
    /// Reads that found their item per second: Δ`get_hits` of the class.
    pub hits_per_second: Option<f64>,
    /// Items stored per second: Δ`cmd_set` of the class.
    pub stores_per_second: Option<f64>,
}

/// One poll of both answers.
#[derive(Debug, Clone, Copy)]
pub struct ClassSample<'a> {
    /// `stats items`.
    pub items: &'a Items,
    /// `stats slabs`.
    pub slabs: &'a Slabs,
}

/// Compares two polls of one process, class by class. Classes that only one of them has are left
/// out, and so is any counter that fell.
#[must_use]
pub fn class_rates(
    before: ClassSample<'_>,
    after: ClassSample<'_>,
    apart: Duration,
) -> BTreeMap<u32, ClassRates> {
    let seconds = apart.as_secs_f64();
    if seconds <= 0.0 {
        return BTreeMap::new();
    }
    let rate = |was: Option<u64>, is: Option<u64>| {
        let moved = is?.checked_sub(was?)?;
        Some(moved as f64 / seconds)
    };
    let mut rates = BTreeMap::new();
    for (number, slab) in &after.slabs.classes {
        let Some(slab_before) = before.slabs.classes.get(number) else {
            continue;
        };
        let item = after.items.classes.get(number);
        let item_before = before.items.classes.get(number);
        let (item, item_before) = (item.zip(item_before)).unzip();
        let evicted = rate(
            item_before.and_then(|c| c.evicted),
            item.and_then(|c| c.evicted),
        );
        let unfetched = rate(
            item_before.and_then(|c| c.evicted_unfetched),
            item.and_then(|c| c.evicted_unfetched),
        );
        let refused = rate(
            item_before.and_then(|c| c.outofmemory),
            item.and_then(|c| c.outofmemory),
        );
        rates.insert(
            *number,
            ClassRates {
                evictions_per_second: evicted,
                unfetched_evictions_per_second: unfetched,
                out_of_memory_per_second: refused,
                hits_per_second: rate(slab_before.get_hits, slab.get_hits),
                stores_per_second: rate(slab_before.cmd_set, slab.cmd_set),
            },
        );
    }
    rates
}

/// The node's tail age in seconds: the youngest COLD tail among the classes that evict. What is
/// stored there lives about this long. `None` while nothing is evicted.
#[must_use]
pub fn tail_age(items: &Items, rates: &BTreeMap<u32, ClassRates>) -> Option<u64> {
    rates
        .iter()
        .filter(|(_, class)| class.evictions_per_second.is_some_and(|rate| rate > 0.0))
        .filter_map(|(number, _)| items.classes.get(number)?.age)
        .min()
}
