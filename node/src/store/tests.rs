//! The store by itself: eviction, the segments, page moves, listings.

use std::sync::Arc;

use super::crawler::{CrawlError, CrawlTarget};
use super::lru::Segment;
use super::{At, Marks, ReassignError, Store, StoreOutcome, Upload};
use crate::clock::Clock;
use crate::config::Config;
use crate::proto::StoreMode;
use crate::store::Maintainer;
use crate::watchers::Watchers;

fn store_with(configure: impl FnOnce(&mut Config)) -> Store {
    let mut config = Config::default();
    configure(&mut config);
    Store::new(&config, Clock::manual(), Arc::new(Watchers::default()))
}

impl Store {
    fn at(&self) -> At {
        At {
            now: self.clock.now(),
            connection: 0,
        }
    }

    fn set(&self, key: &str, length: usize) -> StoreOutcome {
        let upload = Upload {
            mode: StoreMode::Set,
            key: self.key(key.as_bytes()),
            flags: 0,
            exptime: 0,
            cas: 0,
            value: &vec![b'x'; length],
            terminated: true,
            binary_key: false,
            invalidate: false,
            meta: false,
        };
        self.store(&upload, self.at())
    }

    fn read(&self, key: &str) -> bool {
        self.fetch(self.key(key.as_bytes()), self.at(), |_, found| {
            found
                .inspect(|item| self.bump(item, self.clock.now()))
                .is_some()
        })
    }

    fn segment_of(&self, key: &str) -> Segment {
        self.fetch(self.key(key.as_bytes()), self.at(), |_, found| {
            found.expect("the item").segment()
        })
    }

    fn settle(&self) {
        let mut maintainer = Maintainer::new(self);
        for _ in 0..2000 {
            maintainer.run(self);
        }
    }
}

/// A value that makes an item of the class with chunks of 1184 bytes.
const LENGTH: usize = 1000;
/// How many such items a page holds.
const PER_PAGE: usize = 885;

#[test]
fn the_least_recently_used_items_make_room() {
    let store = store_with(|config| config.memory = 2 << 20);
    for number in 0..3 * PER_PAGE {
        assert!(matches!(
            store.set(&format!("key{number:05}"), LENGTH),
            StoreOutcome::Stored(_)
        ));
    }
    let memory = store.memory();
    assert_eq!(memory.curr_items as usize, 2 * PER_PAGE);
    assert_eq!(memory.slabs.malloced(), 2 << 20);
    drop(memory);
    assert!(!store.read("key00000"));
    assert!(!store.read(&format!("key{:05}", PER_PAGE - 1)));
    assert!(store.read(&format!("key{PER_PAGE:05}")));
}

#[test]
fn what_was_read_twice_survives_what_was_not() {
    let store = store_with(|config| config.memory = 2 << 20);
    for number in 0..PER_PAGE {
        store.set(&format!("key{number:05}"), LENGTH);
    }
    store.read("key00000");
    store.read("key00000");
    store.settle();
    for number in PER_PAGE..3 * PER_PAGE {
        store.set(&format!("key{number:05}"), LENGTH);
    }
    assert!(store.read("key00000"));
    assert!(!store.read("key00001"));
}

#[test]
fn items_flow_from_hot_to_cold_and_back_to_warm() {
    let store = store_with(|_| {});
    store.set("a", 10);
    assert_eq!(store.segment_of("a"), Segment::Hot);
    store.settle();
    assert_eq!(store.segment_of("a"), Segment::Cold);
    store.read("a");
    store.settle();
    assert_eq!(
        store.segment_of("a"),
        Segment::Cold,
        "one read is not enough"
    );
    store.read("a");
    store.settle();
    // Alone in its class, it does not stay warm either; but it was.
    let memory = store.memory();
    let warmed: u64 = memory.stats.iter().map(|list| list.moves_to_warm).sum();
    assert_eq!(warmed, 1);
}

#[test]
fn without_segments_everything_is_cold() {
    let store = store_with(|_| {});
    store
        .segmented
        .store(false, std::sync::atomic::Ordering::Relaxed);
    store.set("a", 10);
    assert_eq!(store.segment_of("a"), Segment::Cold);
}

#[test]
fn short_lived_items_can_have_their_own_segment() {
    let store = store_with(|_| {});
    store.memory().tuning.temp_lru = true;
    store.set("forever", 10);
    assert_eq!(store.segment_of("forever"), Segment::Hot);
    let upload = Upload {
        mode: StoreMode::Set,
        key: store.key(b"soon gone"),
        flags: 0,
        exptime: store.clock.now() + 30,
        cas: 0,
        value: b"x",
        terminated: true,
        binary_key: false,
        invalidate: false,
        meta: false,
    };
    store.store(&upload, store.at());
    assert_eq!(store.segment_of("soon gone"), Segment::Temp);
    store.clock.advance(31);
    store.settle();
    assert_eq!(store.memory().curr_items, 1);
}

#[test]
fn without_evictions_a_full_node_refuses() {
    let store = store_with(|config| {
        config.memory = 2 << 20;
        config.evictions = false;
    });
    for number in 0..2 * PER_PAGE {
        assert!(matches!(
            store.set(&format!("key{number:05}"), LENGTH),
            StoreOutcome::Stored(_)
        ));
    }
    assert!(matches!(
        store.set("key00000", LENGTH),
        StoreOutcome::NoMemory
    ));
    assert!(
        !store.read("key00000"),
        "the old value must not be read for the new one"
    );
    let memory = store.memory();
    assert_eq!(memory.stats[Segment::Hot.list(12)].outofmemory, 1);
    assert_eq!(memory.stats[Segment::Hot.list(12)].direct_reclaims, 10);
}

#[test]
fn a_value_being_sent_outlives_its_item() {
    let store = store_with(|_| {});
    store.set("a", 100);
    let item = store
        .fetch(store.key(b"a"), store.at(), |_, found| found.cloned())
        .expect("the item");
    store.with_item(store.key(b"a"), store.at(), |memory, shard, found| {
        store.unlink(memory, shard, found.expect("the item"));
    });
    assert_eq!(item.value(), [b'x'; 100]);
    assert!(!item.has(Marks::LINKED));
    assert_eq!(store.memory().curr_bytes, 0);
}

#[test]
fn a_large_value_takes_and_gives_back_several_chunks() {
    let store = store_with(|_| {});
    let used = || -> Vec<usize> {
        let memory = store.memory();
        memory
            .slabs
            .ids()
            .map(|id| memory.slabs.class(id).used_chunks())
            .collect()
    };
    store.set("large", 900_000);
    // A small header, one chunk of 512 KiB, and the rest in a smaller one.
    assert_eq!(used().iter().sum::<usize>(), 3);
    assert_eq!(used().last(), Some(&1));
    store.with_item(store.key(b"large"), store.at(), |memory, shard, found| {
        store.unlink(memory, shard, found.expect("the item"));
    });
    assert_eq!(used().iter().sum::<usize>(), 0);
}

#[test]
fn a_page_moves_to_another_class() {
    let store = store_with(|config| config.memory = 4 << 20);
    for number in 0..3 * PER_PAGE {
        store.set(&format!("key{number:05}"), LENGTH);
    }
    assert_eq!(store.memory().reassign(12, 1), Ok(()));
    assert_eq!(store.memory().reassign(12, 2), Err(ReassignError::Running));
    store.settle();
    let memory = store.memory();
    assert_eq!(memory.slabs.class(12).pages, 2);
    assert_eq!(memory.slabs.class(1).pages, 1);
    assert_eq!(memory.reassign.pages_moved, 1);
    assert_eq!(memory.reassign.evictions as usize, PER_PAGE);
    assert_eq!(memory.curr_items as usize, 2 * PER_PAGE);
}

#[test]
fn idle_pages_go_back_to_the_pool() {
    let store = store_with(|config| config.memory = 8 << 20);
    for number in 0..4 * PER_PAGE {
        store.set(&format!("key{number:05}"), LENGTH);
    }
    for number in 0..4 * PER_PAGE {
        let key = format!("key{number:05}");
        store.with_item(
            store.key(key.as_bytes()),
            store.at(),
            |memory, shard, found| {
                store.unlink(memory, shard, found.expect("the item"));
            },
        );
    }
    let mut maintainer = Maintainer::new(&store);
    for _ in 0..120 {
        store.clock.advance(1);
        maintainer.run(&store);
        maintainer.run(&store);
    }
    let memory = store.memory();
    assert!(memory.slabs.pool_pages() > 0);
    assert_eq!(memory.slabs.pool_pages() + memory.slabs.class(12).pages, 4);
}

#[test]
fn a_crawl_reaps_what_expired_and_leaves_the_rest() {
    let store = store_with(|_| {});
    for number in 0..3000 {
        store.set(&format!("key{number}"), 10);
        store.fetch(
            store.key(format!("key{number}").as_bytes()),
            store.at(),
            |_, found| {
                let exptime = if number % 3 == 0 {
                    store.clock.now() + 10
                } else {
                    0
                };
                found.expect("the item").set_exptime(exptime);
            },
        );
    }
    store.clock.advance(11);
    let now = store.clock.now();
    let mut memory = store.memory();
    assert_eq!(memory.start_reap(CrawlTarget::all(), 0, false, now), Ok(()));
    assert_eq!(
        memory.start_reap(CrawlTarget::all(), 0, false, now),
        Err(CrawlError::Running)
    );
    let mut steps = 1;
    while store.reap_step(&mut memory, now).is_none() {
        steps += 1;
    }
    assert!(steps > 1, "a long walk gives way to others");
    assert_eq!(memory.curr_items, 2000);
    let hot = &memory.stats[Segment::Hot.list(1)];
    assert_eq!(
        (hot.crawler_reclaimed, hot.crawler_items_checked),
        (1000, 3000)
    );
    assert_eq!(hot.expired_unfetched, 1000);
}

#[test]
fn a_listing_has_every_live_item_once() {
    let store = store_with(|_| {});
    for number in 0..5000 {
        store.set(&format!("key{number}"), number % 300);
    }
    for target in [CrawlTarget::all(), CrawlTarget::Hash] {
        let mut dump = store.start_dump(target).expect("nothing else runs");
        assert!(store.start_dump(CrawlTarget::all()).is_err());
        let mut keys = Vec::new();
        while let Some(items) = dump.next_batch() {
            keys.extend(items.iter().map(|item| item.key().to_vec()));
        }
        drop(dump);
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 5000);
    }
}

#[test]
fn a_listing_survives_changes_under_its_feet() {
    let store = store_with(|_| {});
    for number in 0..3000 {
        store.set(&format!("key{number}"), 10);
    }
    let mut dump = store
        .start_dump(CrawlTarget::all())
        .expect("nothing else runs");
    let mut seen = dump.next_batch().expect("items").len();
    for number in 0..2900 {
        let key = format!("key{number}");
        store.with_item(
            store.key(key.as_bytes()),
            store.at(),
            |memory, shard, found| {
                store.unlink(memory, shard, found.expect("the item"));
            },
        );
        store.set(&format!("new{number}"), 10);
    }
    while let Some(items) = dump.next_batch() {
        seen += items.len();
    }
    assert!((1000..=3000).contains(&seen), "{seen}");
}

#[test]
fn concurrent_writers_and_readers_keep_the_books() {
    let store = store_with(|config| config.memory = 4 << 20);
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..5000 {
                    let key = format!("key{}", (number * 7 + writer * 13) % 3000);
                    match number % 5 {
                        0 | 1 => drop(store.set(&key, number % 2000)),
                        2 => store.with_item(
                            store.key(key.as_bytes()),
                            store.at(),
                            |memory, shard, found| {
                                found.inspect(|item| store.unlink(memory, shard, item));
                            },
                        ),
                        _ => drop(store.read(&key)),
                    }
                }
            });
        }
        scope.spawn(|| store.settle());
    });
    let memory = store.memory();
    let in_lists: u32 = (0..super::lru::LISTS)
        .map(|list| memory.lru.items(list))
        .sum();
    let used: usize = memory
        .slabs
        .ids()
        .map(|id| memory.slabs.class(id).used_chunks())
        .sum();
    assert_eq!(u64::from(in_lists), memory.curr_items);
    assert_eq!(used as u64, memory.curr_items);
    drop(memory);
    let in_tables: usize = store
        .shards
        .iter()
        .map(|shard| shard.lock().table.len())
        .sum();
    assert_eq!(in_tables as u64, u64::from(in_lists));
}
