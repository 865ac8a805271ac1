//! The model on what memcached 1.6.18 really prints (see `data/captures/README.md`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

#[macro_use]
mod captured;

use std::sync::Arc;
use std::time::Duration;

use captured::{general, pairs};
use memlens::stats::{Connections, General, Items, Settings, Sizes, Slabs};
use memlens_dashboard::model::{
    ClassSample, Deltas, Gap, MarkKind, Memory, Monitor, NodeState, Observation, class_rates,
    tail_age,
};

/// The time between the samples by the server's own clock: all that the captures tell.
fn deltas(node: char) -> Deltas {
    let before = general(&format!("{node}_stats_t0"));
    let after = general(&format!("{node}_stats_t1"));
    let apart = Duration::from_secs(after.uptime.unwrap() - before.uptime.unwrap());
    Deltas::between(&before, &after, apart, Duration::from_secs(60)).unwrap()
}

fn memory(node: char, time: &str) -> Memory {
    let slabs = parse!(Slabs, &format!("{node}_stats_slabs{time}"));
    let items = parse!(Items, &format!("{node}_stats_items{time}"));
    Memory::new(&slabs, Some(&items), 0)
}

#[test]
fn no_field_of_any_answer_is_lost() {
    let captures = [
        "fresh_stats",
        "a_stats_t0",
        "c_stats_t1",
        "d_stats",
        "a_stats_t2_after_restart",
    ];
    for capture in captures {
        let said = pairs(capture);
        let parsed = general(capture);
        let typed = format!("{parsed:?}").matches(": Some(").count();
        assert_eq!(typed + parsed.other.iter().count(), said.len(), "{capture}");
        for (name, value) in parsed.other.iter() {
            assert!(
                said.iter().any(|(n, v)| n == name && v == value),
                "{capture}: {name}"
            );
        }
    }
    let external = general("c_stats_t1");
    assert!(external.other.get("extstore_pages_used").is_some());
}

#[test]
fn every_documented_general_field_of_a_busy_server_is_typed() {
    let parsed = general("a_stats_t1");
    assert_eq!(parsed.pid, Some(2242));
    assert_eq!(parsed.version.as_deref(), Some("1.6.18"));
    assert_eq!(
        parsed
            .rusage_user
            .zip(parsed.rusage_system)
            .map(|(u, s)| u > 0.0 && s > 0.0),
        Some(true)
    );
    assert_eq!(parsed.accepting_conns, Some(true));
    assert_eq!(parsed.limit_maxbytes, Some(25_165_824));
    assert_eq!(parsed.evictions, Some(762));
}

#[test]
fn hit_rates_come_from_differences() {
    let expected = [
        ('a', 68_553, 5_822, 0.9217),
        ('b', 50_775, 6_786, 0.8821),
        ('c', 62_343, 5_053, 0.9250),
    ];
    for (node, hits, misses, rate) in expected {
        let deltas = deltas(node);
        assert_eq!(
            (deltas.get_hits, deltas.get_misses),
            (Some(hits), Some(misses))
        );
        let found = deltas.hit_rate().unwrap();
        assert!((found - rate).abs() < 0.00005, "{node}: {found}");
    }
}

#[test]
fn operations_count_every_command_once() {
    let deltas = deltas('a');
    let gets = 142_498 - 68_123;
    let stores = 22_378 - 11_614;
    let touches = 4_751 - 2_299;
    let deletions = (4_453 - 2_125) + (307 - 193);
    let increments = (9_238 - 4_298) + (545 - 373);
    let decrements = 980 - 451;
    let meta = 2_414 - 1_146;
    let sum = gets + stores + touches + deletions + increments + decrements + meta;
    assert_eq!(deltas.operations(), Some(sum));
    assert_eq!(deltas.operations_per_second(), Some(sum as f64 / 12.0));
    let reads = (68_553 + 4_434 - 2_112) as f64 / (gets + touches) as f64;
    assert_eq!(deltas.read_hit_rate(), Some(reads));
}

#[test]
fn evictions_are_seen_long_before_memory_is_full() {
    let (deltas, after) = (deltas('a'), general("a_stats_t1"));
    assert_eq!(deltas.per_second(deltas.evictions), Some(33.75));
    let share = after.bytes.unwrap() as f64 / after.limit_maxbytes.unwrap() as f64;
    assert!((share - 0.64).abs() < 0.005, "{share}");
    let external = general("c_stats_t1");
    assert!(external.bytes > external.limit_maxbytes);
}

#[test]
fn memory_adds_up_on_every_server() {
    for node in ['a', 'b', 'c'] {
        for time in ["_t0", "_t1"] {
            assert_eq!(memory(node, time).adds_up(), Some(true), "{node}{time}");
        }
    }
    assert_eq!(memory('d', "").adds_up(), Some(true));
    assert_eq!(
        memory('d', "").waste_in_chunks,
        Some(3540 * 1184 - 3_411_450)
    );
    let fresh = Memory::new(&parse!(Slabs, "fresh_stats_slabs"), None, 0);
    assert_eq!((fresh.adds_up(), fresh.used_chunks), (Some(true), 0));
}

#[test]
fn memory_is_divided_by_cause() {
    let memory = memory('a', "_t1");
    assert_eq!(memory.waste_in_chunks, Some(1_983_364));
    assert_eq!(memory.free_chunks, 18_107_360);
    assert_eq!(memory.padding, 425_616);
    assert_eq!(memory.allocated, Some(36_700_160));
}

#[test]
fn the_starving_class_is_found() {
    let (items, slabs) = (
        parse!(Items, "b_stats_items_t0"),
        parse!(Slabs, "b_stats_slabs_t0"),
    );
    let (items_after, slabs_after) = (
        parse!(Items, "b_stats_items_t1"),
        parse!(Slabs, "b_stats_slabs_t1"),
    );
    let rates = class_rates(
        ClassSample {
            items: &items,
            slabs: &slabs,
        },
        ClassSample {
            items: &items_after,
            slabs: &slabs_after,
        },
        Duration::from_secs(17),
    );
    assert_eq!(slabs_after.classes[&63].used_chunks, Some(2));
    let evicted = rates[&63].evictions_per_second.unwrap() * 17.0;
    assert!((evicted - 2_518.0).abs() < 1e-6, "{evicted}");
    let age = tail_age(&items_after, &rates);
    let youngest = rates
        .iter()
        .filter(|(_, class)| class.evictions_per_second > Some(0.0))
        .map(|(number, _)| items_after.classes[number].age.unwrap())
        .min();
    assert_eq!(age, youngest);
    assert!(age.is_some());
}

#[test]
fn classes_without_items_are_absent_from_one_answer_only() {
    let (items, slabs) = (
        parse!(Items, "d_stats_items"),
        parse!(Slabs, "d_stats_slabs"),
    );
    assert_eq!(items.classes.keys().collect::<Vec<_>>(), [&12]);
    assert_eq!(slabs.classes[&12].chunk_size, Some(1184));
    assert_eq!(
        (slabs.active_slabs, slabs.total_malloced),
        (Some(1), Some(4_194_304))
    );
    assert_eq!(items.classes[&12].outofmemory, Some(1));
    let flushed = parse!(Items, "b_stats_items_after_flush");
    assert!(flushed.classes.is_empty());
    let rates = class_rates(
        ClassSample {
            items: &items,
            slabs: &slabs,
        },
        ClassSample {
            items: &flushed,
            slabs: &slabs,
        },
        Duration::from_secs(1),
    );
    assert_eq!(rates[&12].evictions_per_second, None);
    assert_eq!(rates[&12].stores_per_second, Some(0.0));
}

#[test]
fn settings_sizes_and_connections_read() {
    let settings = parse!(Settings, "b_stats_settings");
    assert_eq!(settings.maxbytes, Some(16 << 20));
    assert_eq!(settings.growth_factor, Some(1.08));
    assert_eq!(settings.item_size_max, Some(2 << 20));
    assert_eq!(settings.slab_automove, Some(0));
    assert_eq!(settings.hash_algorithm.as_deref(), Some("xxh3"));
    assert_eq!(settings.other.get("domain_socket"), Some("NULL"));
    let refusing = parse!(Settings, "d_stats_settings");
    assert_eq!(
        (refusing.evictions, refusing.flush_enabled),
        (Some(false), Some(false))
    );

    let sizes = parse!(Sizes, "a_stats_sizes");
    assert!(sizes.enabled);
    assert_eq!((sizes.histogram[&96], sizes.histogram[&176_000]), (552, 1));
    let off = parse!(Sizes, "b_stats_sizes");
    assert!(!off.enabled && off.histogram.is_empty() && off.other.is_empty());

    let connections = parse!(Connections, "a_stats_conns_with_watcher");
    let watcher = &connections.by_descriptor[&24];
    assert_eq!(watcher.state.as_deref(), Some("conn_watch"));
    assert_eq!(watcher.secs_since_last_cmd, Some(2));
    assert_eq!(connections.by_descriptor[&23].listen_addr, None);
}

#[test]
fn a_restart_gives_a_mark_and_a_gap_and_no_negative_rate() {
    let before = general("a_stats_t1");
    let after = general("a_stats_t2_after_restart");
    let apart = Duration::from_secs(1);
    assert_eq!(
        Deltas::between(&before, &after, apart, apart * 4),
        Err(Gap::Restarted)
    );

    let mut monitor = Monitor::new([Arc::from("a")], apart);
    let answer = |general: &General| Observation::General {
        general: Arc::new(general.clone()),
        round_trip: None,
    };
    monitor.observe(0, apart, answer(&before));
    monitor.observe(0, apart * 2, answer(&before));
    assert_eq!(
        monitor.publish(apart * 2).totals.operations_per_second,
        Some(0.0)
    );
    monitor.observe(0, apart * 3, answer(&after));
    let snapshot = monitor.publish(apart * 3);
    let node = &snapshot.nodes[0];
    assert_eq!(node.state, NodeState::Up);
    assert_eq!(node.deltas, None);
    assert_eq!(
        node.marks.iter().map(|mark| mark.kind).collect::<Vec<_>>(),
        [MarkKind::Restarted]
    );
    assert_eq!(snapshot.totals.operations_per_second, None);
    assert_eq!(snapshot.totals.items, after.curr_items);
}

#[test]
fn the_clusters_hit_rate_is_not_the_mean_of_the_nodes() {
    let second = Duration::from_secs(1);
    let mut monitor = Monitor::new(["a", "b", "c"].map(Arc::from), second);
    for (index, node) in ["a", "b", "c"].into_iter().enumerate() {
        for (time, at) in [("t0", second), ("t1", second * 2)] {
            let general = Arc::new(general(&format!("{node}_stats_{time}")));
            let round_trip = None;
            monitor.observe(
                index,
                at,
                Observation::General {
                    general,
                    round_trip,
                },
            );
        }
    }
    let totals = monitor.publish(second * 2).totals;
    let hits = 68_553 + 50_775 + 62_343;
    let lookups = hits + 5_822 + 6_786 + 5_053;
    assert_eq!(totals.lookups, Some(lookups));
    assert_eq!(totals.hit_rate, Some(hits as f64 / lookups as f64));
    assert_eq!((totals.nodes, totals.answering), (3, 3));
}
