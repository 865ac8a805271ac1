//! What a scan and a watch of the cluster that never was would have found.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use memlens::TimeToLive;

use crate::model::{
    KeyFacts, KeyQuery, KeyScan, KeySummary, KeyTable, LiveEvent, LiveFeed, LiveFilter, LiveKind,
    NodeScan, PrefixTree, ScanOptions, ScanStage, ScannedKey, StreamTrouble, WatchStage,
};
use crate::published::{Asked, KeyAnswer, KeyQuestion, Published};

/// Keys of the scan.
const KEYS: u64 = 6_000;

/// Events of the watch.
const EVENTS: u64 = 9_000;

/// The key whose value is shown.
const SHOWN_KEY: &[u8] = b"user:17:profile";

/// A finished scan, a watch, and a key with its value, for what `published` shows. Nodes that do
/// not answer there failed.
#[must_use]
pub fn asked(published: &Published) -> Asked {
    let names = names(published);
    let question = KeyQuestion {
        node: names
            .first()
            .map_or_else(|| Arc::from(""), |(name, _)| Arc::clone(name)),
        key: SHOWN_KEY.into(),
        with_value: true,
    };
    let value = br#"{"id":17,"name":"Ada","tags":["admin","eu"],"visits":4211}"#;
    let facts = KeyFacts {
        size: Some(value.len() as u64),
        client_flags: Some(2),
        time_to_live: Some(TimeToLive::Left(Duration::from_secs(1_742))),
        last_access: Some(Duration::from_secs(4)),
        was_hit_before: Some(true),
        value: Some(Bytes::from_static(value)),
    };
    Asked {
        scan: Some(Arc::new(scan(&names, KEYS))),
        live: Some(Arc::new(watch(&names).view(Duration::from_secs(12)))),
        key: Some(Arc::new(KeyAnswer {
            question,
            answer: Some(Ok(Some(facts))),
        })),
        ..Asked::default()
    }
}

/// A scan that has come a third of its way.
#[must_use]
pub fn scan_under_way(published: &Published) -> Asked {
    let names = names(published);
    let mut scan = scan(&names, KEYS / 3);
    for node in &mut scan.nodes {
        if node.stage == ScanStage::Finished {
            node.stage = ScanStage::Running;
            node.expected = Some(KEYS / names.len().max(1) as u64);
        }
    }
    Asked {
        scan: Some(Arc::new(scan)),
        ..Asked::default()
    }
}

/// The nodes, and whether they answer.
fn names(published: &Published) -> Vec<(Arc<str>, bool)> {
    let nodes = published
        .snapshot
        .iter()
        .flat_map(|snapshot| &snapshot.nodes);
    nodes
        .map(|node| (node.name.clone(), node.state.is_answering()))
        .collect()
}

/// Numbers that look like chance and are always the same (SplitMix64's finaliser).
fn stirred(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A key as an application would name it, with its size and its life in seconds.
fn key(number: u64) -> (String, u64, Option<u64>) {
    let chance = stirred(number);
    // Low numbers are read more than high ones.
    let id = chance % 1_000 * (chance >> 20) % 997 % 800;
    match chance >> 40 & 15 {
        0..4 => (
            format!("user:{id}:profile"),
            380 + chance % 200,
            Some(1_800),
        ),
        4..6 => (format!("user:{id}:feed"), 2_100 + chance % 2_000, Some(300)),
        6..9 => (
            format!("session:{:08x}", chance as u32),
            520 + chance % 64,
            Some(86_400),
        ),
        9..12 => (
            format!("page:/item/{id}"),
            9_000 + chance % 24_000,
            Some(300),
        ),
        12..13 => (format!("img:{id}:thumb"), 60_000 + chance % 40_000, None),
        13..15 => (format!("geo:{}", id % 120), 96, Some(604_800)),
        _ => (format!("counter-{}", id % 40), 72, None),
    }
}

fn scan(names: &[(Arc<str>, bool)], keys: u64) -> KeyScan {
    let mut scan = KeyScan {
        nodes: Vec::new(),
        limit: ScanOptions::USUAL_LIMIT,
        table: KeyTable::default(),
        tree: Arc::default(),
        summary: KeySummary::default(),
        selected: Arc::default(),
        query: KeyQuery::default(),
    };
    for (name, answers) in names {
        let refused = StreamTrouble::Failed(crate::model::Failure::Refused);
        let stage = if *answers {
            ScanStage::Finished
        } else {
            ScanStage::Failed(refused)
        };
        scan.nodes.push(NodeScan {
            name: name.clone(),
            stage,
            seen: 0,
            expected: None,
        });
    }
    let answering: Vec<usize> = (0..names.len()).filter(|node| names[*node].1).collect();
    let mut tree = PrefixTree::default();
    let mut known = BTreeSet::new();
    for number in 0..keys {
        let Some(node) = answering.get(number as usize % answering.len().max(1)) else {
            break;
        };
        let (key, size, life) = key(number);
        if !known.insert((*node, key.clone())) {
            continue;
        }
        let idle = stirred(number + 7) % life.unwrap_or(9_000).min(9_000);
        let scanned = ScannedKey {
            key: key.as_bytes(),
            node: *node as u16,
            class: 5,
            size,
            time_to_live: life.map(|life| life - idle),
            idle,
            is_fetched: number % 3 != 0,
        };
        scan.table.push(&scanned);
        tree.add(scanned.key, scanned.size);
        scan.summary.add(&scanned);
        scan.nodes[*node].seen += 1;
    }
    scan.tree = Arc::new(tree);
    scan.selected = scan.query.select(&scan.table).into();
    scan
}

fn watch(names: &[(Arc<str>, bool)]) -> LiveFeed {
    let mut feed = LiveFeed::new(
        names.iter().map(|(name, _)| name.clone()),
        LiveFilter::default(),
    );
    for (name, answers) in names {
        let forbidden = StreamTrouble::Forbidden { option: "-W" };
        let stage = if *answers {
            WatchStage::Watching
        } else {
            WatchStage::Failed(forbidden)
        };
        feed.set_stage(name, stage);
    }
    let answering: Vec<_> = names.iter().filter(|(_, answers)| *answers).collect();
    for number in 0..EVENTS {
        let Some((node, _)) = answering.get(stirred(number) as usize % answering.len().max(1))
        else {
            break;
        };
        feed.add_event(event(node, number));
    }
    feed.settle();
    feed.settle();
    feed
}

fn event(node: &Arc<str>, number: u64) -> LiveEvent {
    let (key, size, life) = key(number);
    let kind = match stirred(number + 99) % 40 {
        0..33 => LiveKind::Hit,
        33..36 => LiveKind::Miss,
        36..39 => LiveKind::Stored,
        _ => LiveKind::Evicted,
    };
    let is_eviction = kind == LiveKind::Evicted;
    LiveEvent {
        node: node.clone(),
        time: Some(Duration::from_micros(
            1_790_000_000_000_000 + number * 1_333,
        )),
        gid: Some(number),
        kind,
        key: key.into_bytes().into(),
        status: None,
        command: (kind == LiveKind::Stored).then(|| "set".into()),
        time_to_live: life
            .filter(|_| kind != LiveKind::Hit)
            .map(Duration::from_secs),
        is_fetched: is_eviction.then_some(number.is_multiple_of(4)),
        idle: is_eviction.then(|| Duration::from_secs(41)),
        slab_class: Some(12),
        size: Some(if kind == LiveKind::Miss { 0 } else { size }),
    }
}
