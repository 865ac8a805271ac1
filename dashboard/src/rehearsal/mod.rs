//! A cluster that never was: answers of as many nodes as wanted, second by second, always the same.
//!
//! Tests, benchmarks and pictures look at it, where real servers would show something else each
//! time.

mod on_demand;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use memlens::stats::{General, Items, Settings, Slabs};

use crate::model::{Alerts, Cluster, Failure, Known, Monitor, Observation, findings};
use crate::published::{PollCost, Published};

pub use on_demand::{asked, scan_under_way};

/// Slab classes of each node, with their chunk sizes.
const CLASSES: [(u32, u64); 8] = [
    (2, 120),
    (4, 192),
    (8, 480),
    (12, 1184),
    (15, 2320),
    (19, 5680),
    (23, 13880),
    (27, 33872),
];

/// The page of a slab, in bytes.
const PAGE: u64 = 1 << 20;

/// Memory of each node, in bytes.
const LIMIT: u64 = 64 << 20;

/// What is amiss in the cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trouble {
    /// The first node stops answering after two thirds of the time.
    pub down: bool,
    /// The second node evicts from one class.
    pub evicts: bool,
    /// The third node gets three times its share.
    pub skew: bool,
    /// The fourth node wants a login.
    pub login: bool,
    /// The fifth node, or the last of fewer, restarts after half of the time.
    pub restart: bool,
}

impl Trouble {
    /// Everything at once.
    pub const ALL: Self = Self {
        down: true,
        evicts: true,
        skew: true,
        login: true,
        restart: true,
    };
}

/// A cluster of `nodes`, watched for `seconds`.
///
/// # Panics
/// When `nodes` is 0.
#[must_use]
pub fn published(nodes: usize, seconds: u64, trouble: Trouble) -> Published {
    let interval = Duration::from_secs(1);
    let names: Vec<String> = (1..=nodes)
        .map(|node| format!("cache-{node:02}:11211"))
        .collect();
    let config = names.join(",").parse();
    let cluster = config
        .ok()
        .and_then(|config| Cluster::new("rehearsal", config).ok());
    let mut monitor = Monitor::new(names.iter().map(|name| name.as_str().into()), interval);
    let mut alerts = Alerts::default();
    let mut snapshot = monitor.publish(Duration::ZERO);
    for second in 1..=seconds {
        let at = Duration::from_secs(second);
        for node in 0..nodes {
            for observation in observations(node, nodes, second, seconds, trouble) {
                monitor.observe(node, at, observation);
            }
        }
        snapshot = monitor.publish(at);
        alerts.update(&snapshot, cluster.as_ref().map(Cluster::ring_shares));
    }
    let mut judged = Published::default();
    if let Some(cluster) = &cluster {
        let ring = Some(cluster.ring_shares());
        let known = Known {
            snapshot: &snapshot,
            ring,
            cluster_ring: Some(cluster.ring()),
            client: None,
            usual_time_to_live: None,
            sizes: &BTreeMap::new(),
        };
        judged.advice = findings(&known).into();
    }
    Published {
        cluster: cluster.map(Arc::new),
        snapshot: Some(Arc::new(snapshot)),
        alerts: Arc::new(alerts),
        cost: PollCost {
            requests_per_second: nodes as f64 * 2.4,
            bytes_per_second: nodes as f64 * 9_300.0,
            ..PollCost::default()
        },
        ..judged
    }
}

fn observations(
    node: usize,
    nodes: usize,
    second: u64,
    seconds: u64,
    trouble: Trouble,
) -> Vec<Observation> {
    if trouble.down && node == 0 && second > seconds * 2 / 3 {
        return vec![Observation::Failed(Failure::Refused)];
    }
    if trouble.login && node == 3 {
        return vec![Observation::Failed(Failure::Unauthenticated)];
    }
    let restarts = trouble.restart && node == 4.min(nodes - 1);
    let began = if restarts && second >= seconds / 2 {
        seconds / 2
    } else {
        0
    };
    let mut found = vec![Observation::General {
        general: Arc::new(general(node, second, began, trouble)),
        round_trip: Some(Duration::from_micros(
            90 + wave(node, second, 60) + 7 * (node as u64 % 13),
        )),
    }];
    if second == 1 || second.is_multiple_of(5) {
        let (items, slabs) = classes(node, second, trouble);
        found.push(Observation::Classes {
            items: Arc::new(items),
            slabs: Arc::new(slabs),
        });
    }
    if second == 1 {
        found.push(Observation::Settings(Arc::new(settings(node))));
    }
    found
}

/// Something that goes up and down between 0 and `most`, differently for each node.
fn wave(node: usize, second: u64, most: u64) -> u64 {
    let turn = (second as f64 / 37.0 + node as f64 * 0.7).sin()
        + (second as f64 / 5.3 + node as f64).sin() * 0.4;
    ((turn + 1.4) / 2.8 * most as f64) as u64
}

/// A counter that began at 0 in the second `began` and grows by about `rate` a second, sometimes
/// faster and sometimes slower, but never falls.
fn counter(node: usize, began: u64, second: u64, rate: u64) -> u64 {
    let until = |second: u64| {
        let (time, phase) = (second as f64, node as f64 * 0.7);
        let slow = 37.0 * (phase.cos() - (time / 37.0 + phase).cos());
        let fast = 5.3 * (phase.cos() - (time / 5.3 + phase).cos());
        rate as f64 * (time + 0.2 * slow + 0.1 * fast)
    };
    (until(second) - until(began)).max(0.0) as u64
}

fn general(node: usize, second: u64, began: u64, trouble: Trouble) -> General {
    let load = if trouble.skew && node == 2 { 3 } else { 1 };
    let gets = counter(node, began, second, 4_600 * load);
    let misses = counter(
        node + 31,
        began,
        second,
        (180 + 11 * (node as u64 % 17)) * load,
    );
    let sets = misses + counter(node, began, second, 260);
    let evictions = if trouble.evicts && node == 1 {
        counter(node, began, second, 210)
    } else {
        0
    };
    let stored = LIMIT * (52 + node as u64 % 23) / 100;
    let since_start = second - began;
    let fields = [
        ("pid", 4_000 + node as u64 + began),
        ("uptime", 86_400 * u64::from(began == 0) + since_start),
        ("time", 1_790_000_000 + second),
        ("curr_connections", 118 + wave(node, second, 20)),
        ("max_connections", 1_024),
        ("total_connections", 9_000 + second),
        ("rejected_connections", 0),
        ("listen_disabled_num", 0),
        ("accepting_conns", 1),
        ("cmd_get", gets),
        ("cmd_set", sets),
        ("cmd_touch", counter(node, began, second, 40)),
        ("cmd_flush", 0),
        ("cmd_meta", 0),
        ("get_hits", gets.saturating_sub(misses)),
        ("get_misses", misses),
        ("touch_hits", counter(node, began, second, 38)),
        ("touch_misses", counter(node, began, second, 2)),
        ("delete_hits", counter(node, began, second, 30)),
        ("delete_misses", counter(node, began, second, 5)),
        ("incr_hits", counter(node, began, second, 20)),
        ("incr_misses", counter(node, began, second, 1)),
        ("decr_hits", 0),
        ("decr_misses", 0),
        ("cas_hits", counter(node, began, second, 6)),
        ("cas_misses", 0),
        ("cas_badval", counter(node, began, second, 1)),
        ("evictions", evictions),
        ("evicted_unfetched", evictions / 25),
        ("bytes", stored),
        ("curr_items", stored / 900),
        ("total_items", sets),
        ("limit_maxbytes", LIMIT),
        ("threads", 4),
        ("bytes_read", gets * 60 + sets * 900),
        ("bytes_written", gets * 840),
        ("slab_global_page_pool", 0),
    ];
    let mut pairs: Vec<_> = fields.map(|(name, value)| (name, value.to_string())).into();
    pairs.push(("version", "1.6.18".to_owned()));
    pairs.push((
        "rusage_user",
        format!("{:.6}", since_start as f64 * 0.05 * load as f64),
    ));
    pairs.push((
        "rusage_system",
        format!("{:.6}", since_start as f64 * 0.08 * load as f64),
    ));
    General::parse(pairs.iter().map(|(name, value)| (*name, value.as_str())))
}

fn classes(node: usize, second: u64, trouble: Trouble) -> (Items, Slabs) {
    let mut items: Vec<(String, u64)> = Vec::new();
    let mut slabs: Vec<(String, u64)> = Vec::new();
    let mut allocated = 0;
    for ((class, chunk), place) in CLASSES.into_iter().zip(0..) {
        let pages = 2 + (place * 3 + node as u64) % 9;
        let per_page = PAGE / chunk;
        let chunks = pages * per_page;
        let starves = trouble.evicts && node == 1 && class == 12;
        let used = if starves {
            chunks
        } else {
            chunks * (61 + (place * 7 + node as u64 * 3) % 38) / 100
        };
        allocated += pages * PAGE;
        for (field, value) in [
            ("chunk_size", chunk),
            ("chunks_per_page", per_page),
            ("total_pages", pages),
            ("total_chunks", chunks),
            ("used_chunks", used),
            ("free_chunks", chunks - used),
            ("get_hits", counter(node, 0, second, 500)),
            ("cmd_set", counter(node, 0, second, 40)),
        ] {
            slabs.push((format!("{class}:{field}"), value));
        }
        let evicted = if starves {
            counter(node, 0, second, 210)
        } else {
            0
        };
        for (field, value) in [
            ("number", used),
            ("number_hot", used / 5),
            ("number_warm", used * 2 / 5),
            ("number_cold", used - used / 5 - used * 2 / 5),
            ("age", if starves { 41 } else { 3_600 + 60 * place }),
            ("mem_requested", used * chunk * (82 + place) / 100),
            ("evicted", evicted),
            ("evicted_nonzero", evicted),
            ("evicted_time", if starves { 40 } else { 0 }),
            ("evicted_unfetched", evicted / 25),
            ("outofmemory", 0),
            ("hits_to_hot", counter(node, 0, second, 120)),
            ("hits_to_warm", counter(node, 0, second, 230)),
            ("hits_to_cold", counter(node, 0, second, 150)),
        ] {
            items.push((format!("items:{class}:{field}"), value));
        }
    }
    slabs.push(("active_slabs".to_owned(), CLASSES.len() as u64));
    slabs.push(("total_malloced".to_owned(), allocated));
    let text = |pairs: Vec<(String, u64)>| -> Vec<(String, String)> {
        pairs
            .into_iter()
            .map(|(name, value)| (name, value.to_string()))
            .collect()
    };
    let (items, slabs) = (text(items), text(slabs));
    (
        Items::parse(
            items
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        ),
        Slabs::parse(
            slabs
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        ),
    )
}

fn settings(node: usize) -> Settings {
    let automove = if node == 1 { "0" } else { "1" };
    Settings::parse([
        ("maxbytes", "67108864"),
        ("maxconns", "1024"),
        ("tcpport", "11211"),
        ("udpport", "0"),
        ("evictions", "on"),
        ("growth_factor", "1.25"),
        ("chunk_size", "48"),
        ("num_threads", "4"),
        ("reqs_per_event", "20"),
        ("cas_enabled", "yes"),
        ("item_size_max", "1048576"),
        ("slab_reassign", "yes"),
        ("slab_automove", automove),
        ("lru_crawler", "yes"),
        ("lru_segmented", "yes"),
        ("flush_enabled", "yes"),
        ("dump_enabled", "yes"),
        ("hash_algorithm", "murmur3"),
        ("track_sizes", "no"),
        ("ssl_enabled", "no"),
    ])
}

#[cfg(test)]
mod tests {
    use super::{Trouble, published};
    use crate::model::{MarkKind, NodeState};

    #[test]
    fn trouble_shows_in_the_snapshot() {
        let snapshot = published(6, 60, Trouble::ALL).snapshot.unwrap();
        let node = |index: usize| &snapshot.nodes[index];
        assert!(matches!(node(0).state, NodeState::Down(_)));
        assert!(node(1).class_rates[&12].evictions_per_second > Some(100.0));
        assert_eq!(node(3).state, NodeState::Unauthenticated);
        assert_eq!(node(4).marks[0].kind, MarkKind::Restarted);
        let hit_rate = snapshot.totals.hit_rate.unwrap();
        assert!((0.9..1.0).contains(&hit_rate), "{hit_rate}");
    }

    #[test]
    fn memory_adds_up() {
        let snapshot = published(3, 10, Trouble::default()).snapshot.unwrap();
        for node in &snapshot.nodes {
            assert_eq!(node.memory.unwrap().adds_up(), Some(true));
        }
    }

    #[test]
    fn it_is_always_the_same() {
        let rate = || {
            published(4, 30, Trouble::ALL)
                .snapshot
                .unwrap()
                .totals
                .operations_per_second
        };
        assert_eq!(rate(), rate());
    }
}
