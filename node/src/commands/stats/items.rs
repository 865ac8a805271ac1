//! `stats items`.

use super::Report;
use crate::commands::Context;
use crate::store::{Counters, ListStats, Memory, Segment};

pub(super) fn items(context: &Context<'_>, report: &mut Report) {
    let counters = context.shared.store.counters();
    let memory = context.shared.store.memory();
    for class in memory.slabs.ids() {
        let number: u32 = Segment::ALL
            .iter()
            .map(|segment| memory.lru.items(segment.list(class)))
            .sum();
        if number > 0 {
            sizes_and_ages(&memory, class, number, context.at.now, report);
            events(&memory, class, report);
            hits(&counters, class, report);
        }
    }
}

fn sizes_and_ages(memory: &Memory, class: usize, number: u32, now: u32, report: &mut Report) {
    let mut stat =
        |name: &str, value: u64| report.stat(format_args!("items:{class}:{name}"), value);
    let items = |segment: Segment| u64::from(memory.lru.items(segment.list(class)));
    let age = |segment: Segment| {
        let tail = memory.lru.tail(segment.list(class));
        tail.map_or(0, |item| u64::from(now.wrapping_sub(item.time())))
    };
    stat("number", u64::from(number));
    stat("number_hot", items(Segment::Hot));
    stat("number_warm", items(Segment::Warm));
    stat("number_cold", items(Segment::Cold));
    if memory.tuning.temp_lru {
        stat("number_temp", items(Segment::Temp));
    }
    stat("age_hot", age(Segment::Hot));
    stat("age_warm", age(Segment::Warm));
    stat("age", age(Segment::Cold));
    let bytes = Segment::ALL
        .iter()
        .map(|segment| memory.lru.bytes(segment.list(class)));
    stat("mem_requested", bytes.sum());
}

fn events(memory: &Memory, class: usize, report: &mut Report) {
    let mut stat =
        |name: &str, value: u64| report.stat(format_args!("items:{class}:{name}"), value);
    let mut sum = ListStats::default();
    Segment::ALL
        .iter()
        .for_each(|segment| sum.add(&memory.stats[segment.list(class)]));
    let evicted_time = memory.stats[Segment::Cold.list(class)].evicted_time;
    stat("evicted", sum.evicted);
    stat("evicted_nonzero", sum.evicted_nonzero);
    stat("evicted_time", u64::from(evicted_time));
    stat("outofmemory", sum.outofmemory);
    stat("tailrepairs", 0);
    stat("reclaimed", sum.reclaimed);
    stat("expired_unfetched", sum.expired_unfetched);
    stat("evicted_unfetched", sum.evicted_unfetched);
    stat("evicted_active", sum.evicted_active);
    stat("crawler_reclaimed", sum.crawler_reclaimed);
    stat("crawler_items_checked", sum.crawler_items_checked);
    stat("lrutail_reflocked", sum.lrutail_reflocked);
    stat("moves_to_cold", sum.moves_to_cold);
    stat("moves_to_warm", sum.moves_to_warm);
    stat("moves_within_lru", sum.moves_within_lru);
    stat("direct_reclaims", sum.direct_reclaims);
}

fn hits(counters: &Counters, class: usize, report: &mut Report) {
    let names = [
        "hits_to_hot",
        "hits_to_warm",
        "hits_to_cold",
        "hits_to_temp",
    ];
    for (name, segment) in names.iter().zip(Segment::ALL) {
        report.stat(
            format_args!("items:{class}:{name}"),
            counters.lru_hits[segment.list(class)],
        );
    }
}
