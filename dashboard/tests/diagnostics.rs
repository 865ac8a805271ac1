//! Advice, alerts and slab figures on what memcached 1.6.18 really prints.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod captured;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use captured::{Capture, SECOND, general};
use memlens::ring::{Member, Profile, Ring};
use memlens::stats::Sizes;
use memlens_dashboard::model::{
    Advice, AdviceKind, Attention, ClassDetail, ClassMatrix, ClassMetric, Failure, GrowthAdvice,
    Known, MemoryBar, MemoryPart, Observation, RingShares, Severity, SlabLayout, Snapshot, Subject,
    findings,
};

fn known<'a>(snapshot: &'a Snapshot, sizes: &'a BTreeMap<Arc<str>, Arc<Sizes>>) -> Known<'a> {
    Known {
        snapshot,
        ring: None,
        cluster_ring: None,
        client: None,
        usual_time_to_live: None,
        sizes,
    }
}

fn advice(snapshot: &Snapshot) -> Vec<Advice> {
    findings(&known(snapshot, &BTreeMap::new()))
}

fn kinds(advice: &[Advice]) -> Vec<AdviceKind> {
    advice.iter().map(|advice| advice.kind).collect()
}

fn find(advice: &[Advice], kind: AdviceKind) -> &Advice {
    advice
        .iter()
        .find(|advice| advice.kind == kind)
        .unwrap_or_else(|| panic!("no {kind:?} in {:?}", kinds(advice)))
}

#[test]
fn the_slab_layout_is_the_one_that_memcached_makes() {
    for node in ['a', 'b', 'c'] {
        let mut capture = Capture::new(&[node]);
        let snapshot = capture.snapshot();
        let settings = snapshot.nodes[0].settings.as_ref().unwrap();
        let computed = SlabLayout::of(settings).unwrap().chunk_sizes();
        for class in ClassDetail::all(&snapshot.nodes[0]) {
            let place = class.class as usize - 1;
            assert_eq!(
                computed[place],
                class.chunk_size(),
                "{node}: class {}",
                class.class
            );
        }
    }
}

#[test]
fn class_figures_add_up_to_the_nodes() {
    for node in ['a', 'b', 'c'] {
        let snapshot = Capture::new(&[node]).snapshot();
        let node = &snapshot.nodes[0];
        let memory = node.memory.unwrap();
        assert_eq!(memory.adds_up(), Some(true));
        let (mut waste, mut free, mut used) = (0, 0, 0);
        for class in ClassDetail::all(node) {
            waste += class.waste_bytes().unwrap();
            free += class.free_bytes();
            used += class.used_bytes();
        }
        assert_eq!(Some(waste), memory.waste_in_chunks);
        assert_eq!((free, used), (memory.free_chunks, memory.used_chunks));
    }
}

#[test]
fn the_parts_of_the_memory_bar_add_up_beyond_the_limit() {
    let snapshot = Capture::new(&['a', 'c', 'd']).snapshot();
    let bar = MemoryBar::of(&snapshot.nodes[0]).unwrap();
    assert_eq!(bar.bytes(MemoryPart::WasteInChunks), 1_983_364);
    assert_eq!(bar.bytes(MemoryPart::FreeChunks), 18_107_360);
    assert_eq!(bar.bytes(MemoryPart::Padding), 425_616);
    assert_eq!(bar.bytes(MemoryPart::NotAllocated), 0);
    assert_eq!((bar.full, bar.allocated), (36_700_160, 36_700_160));
    assert_eq!(bar.limit, Some(25_165_824));
    let mark = bar.limit_mark().unwrap();
    assert!((mark - 0.686).abs() < 0.001, "{mark}");

    let external = MemoryBar::of(&snapshot.nodes[1]).unwrap();
    assert!(external.stored > external.limit, "most of it lies on disk");
    assert_eq!(MemoryBar::of(&snapshot.nodes[2]).unwrap().full, 4_194_304);
}

#[test]
fn the_matrix_lines_classes_of_different_servers_up_by_their_chunk_size() {
    let snapshot = Capture::new(&['a', 'b', 'd']).snapshot();
    let matrix = ClassMatrix::new(&snapshot, ClassMetric::Evictions);
    let row_of = |size| {
        matrix
            .chunk_sizes
            .iter()
            .position(|chunk| *chunk == size)
            .unwrap()
    };
    assert!(matrix.chunk_sizes.is_sorted());
    let largest = matrix.cell(row_of(524_288), 1).unwrap();
    assert_eq!(largest.class, 63);
    assert!(
        (largest.value.unwrap() - 2_518.0 / 17.0).abs() < 0.01,
        "{largest:?}"
    );
    assert_eq!(matrix.largest, largest.value);
    assert_eq!(matrix.shade(largest.value.unwrap()), 1.0);
    assert_eq!(matrix.cell(row_of(524_288), 0), None);
    // 152 bytes is class 3 of both.
    let both = [0, 1].map(|node| matrix.cell(row_of(152), node).map(|cell| cell.class));
    assert_eq!(both, [Some(3), Some(3)]);
    assert_eq!(
        matrix.cell(row_of(1184), 2).map(|cell| cell.class),
        Some(12)
    );
    assert_eq!(matrix.cell(0, 9), None);

    let used = ClassMatrix::new(&snapshot, ClassMetric::Used);
    assert_eq!(
        used.cell(row_of(524_288), 1).unwrap().value,
        Some(1_048_576.0)
    );
    for metric in ClassMetric::ALL {
        let matrix = ClassMatrix::new(&snapshot, metric);
        assert!(
            matrix.largest.is_some_and(|largest| largest > 0.0),
            "{metric:?}"
        );
    }
}

#[test]
fn a_class_that_starves_because_there_are_too_many_is_told_as_that() {
    let advice = advice(&Capture::new(&['b']).snapshot());
    let found = find(&advice, AdviceKind::TooManyClasses);
    assert_eq!(found.subject, Subject::Node("b:1".into()));
    assert!(
        found
            .evidence
            .starts_with("63 classes take a page each, 63.0 MiB"),
        "{found:?}"
    );
    assert!(
        found.evidence.contains("class 63 evicts 148/s"),
        "{found:?}"
    );
    assert!(found.remedy.text.contains("-f 1.08"), "{found:?}");
    assert!(!kinds(&advice).contains(&AdviceKind::Starvation));
}

#[test]
fn what_is_evicted_unread_is_told() {
    let advice = advice(&Capture::new(&['b']).snapshot());
    let found = find(&advice, AdviceKind::EvictedUnread);
    assert!(
        found.evidence.starts_with("92 % of 148/s evictions"),
        "{found:?}"
    );
    assert_eq!(found.severity, Severity::Notice);
    assert_eq!(
        found.remedy.command.as_deref(),
        Some(r"printf 'watch evictions\r\n' | nc b 1")
    );
}

#[test]
fn items_that_are_evicted_before_they_expire_are_told_when_the_expiry_is_known() {
    let snapshot = Capture::new(&['a']).snapshot();
    assert!(!kinds(&advice(&snapshot)).contains(&AdviceKind::EvictedBeforeExpiry));
    let sizes = BTreeMap::new();
    let with_lives = |life| Known {
        usual_time_to_live: Some(Duration::from_secs(life)),
        ..known(&snapshot, &sizes)
    };
    let found = findings(&with_lives(300));
    let found = find(&found, AdviceKind::EvictedBeforeExpiry);
    assert!(
        found
            .evidence
            .starts_with("items live 3 s unread, the usual expiry is 300 s")
            || found
                .evidence
                .starts_with("items live 3 s unread, the usual expiry is 5 min"),
        "{found:?}"
    );
    assert!(!kinds(&findings(&with_lives(2))).contains(&AdviceKind::EvictedBeforeExpiry));
}

#[test]
fn a_growth_factor_is_suggested_from_the_sizes_of_the_items() {
    let mut capture = Capture::new(&['a']);
    let snapshot = capture.snapshot();
    let node = &snapshot.nodes[0];
    let sizes = captured::sizes("a_stats_sizes");
    let settings = node.settings.as_ref().unwrap();
    let now = SlabLayout::of(settings).unwrap().fit(&sizes);
    // The histogram is from another moment than the slabs, so shares compare, not bytes.
    let estimated = now.waste as f64 / (now.requested + now.waste) as f64;
    let memory = node.memory.unwrap();
    let measured = memory.waste_in_chunks.unwrap() as f64 / memory.used_chunks as f64;
    assert!(
        (estimated - measured).abs() < 0.03,
        "{estimated} against {measured}"
    );
    if let Some(better) = GrowthAdvice::find(settings, &sizes) {
        assert!(better.factor < 1.25 && better.with_it.waste < now.waste);
    }
}

#[test]
fn a_server_that_does_not_evict_says_so() {
    let snapshot = Capture::new(&['d']).snapshot();
    let advice = advice(&snapshot);
    let found = find(&advice, AdviceKind::OutOfMemory);
    assert_eq!(found.severity, Severity::Critical);
    assert!(found.remedy.text.contains("-M"), "{found:?}");
}

#[test]
fn versions_and_settings_that_differ_are_one_finding_each() {
    let snapshot = Capture::new(&['a', 'b', 'c']).snapshot();
    let advice = advice(&snapshot);
    let found = find(&advice, AdviceKind::SettingsDrift);
    assert_eq!(found.subject, Subject::Cluster);
    assert!(
        found
            .evidence
            .contains("maxbytes = 16777216 on b:1, 25165824 elsewhere"),
        "{found:?}"
    );
    assert!(!kinds(&advice).contains(&AdviceKind::VersionDrift));
}

#[test]
fn a_restart_and_a_flush_are_told_for_five_minutes() {
    let mut capture = Capture::new(&['a', 'b']);
    capture.observe(0, general("a_stats_t2_after_restart"));
    capture.observe(1, general("b_stats_after_flush"));
    let found = advice(&capture.snapshot());
    assert_eq!(
        find(&found, AdviceKind::Restarted).subject,
        Subject::Node("a:1".into())
    );
    assert_eq!(
        find(&found, AdviceKind::Flushed).subject,
        Subject::Node("b:1".into())
    );
    let later = capture.later(Duration::from_secs(301));
    assert!(!kinds(&advice(&later)).contains(&AdviceKind::Restarted));
}

#[test]
fn a_node_that_is_down_comes_first_and_the_list_stands_still() {
    let mut capture = Capture::new(&['a', 'b', 'c']);
    let sizes = BTreeMap::new();
    let mut attention = Attention::default();
    let before = capture.snapshot();
    let list = attention.update(&known(&before, &sizes));
    let begun = find(&list, AdviceKind::TooManyClasses).since;
    assert_eq!(begun, before.at);

    capture.fail(2, Failure::Refused);
    let after = capture.snapshot();
    assert!(after.at > before.at);
    let list = attention.update(&known(&after, &sizes));
    assert_eq!(list[0].kind, AdviceKind::NotAnswering);
    assert_eq!(list[0].subject, Subject::Node("c:1".into()));
    assert!(
        list[0].evidence.starts_with("refused · last answer"),
        "{:?}",
        list[0]
    );
    assert_eq!(
        list[0].remedy.command.as_deref(),
        Some(r"printf 'version\r\n' | nc -w 2 c 1")
    );
    assert_eq!(find(&list, AdviceKind::TooManyClasses).since, begun);
    assert!(list.is_sorted_by(|one, other| one.severity >= other.severity));
}

#[test]
fn refused_connections_stay_listed_after_the_poll_that_saw_them() {
    let mut capture = Capture::new(&['d']);
    let mut refusing = general("d_stats");
    refusing.rejected_connections = Some(7);
    refusing.uptime = Some(10_000);
    capture.observe(0, refusing.clone());
    let sizes = BTreeMap::new();
    let mut attention = Attention::default();
    let list = attention.update(&known(&capture.snapshot(), &sizes));
    let found = find(&list, AdviceKind::Refusing);
    assert!(
        found.evidence.contains("7 refused since the last poll"),
        "{found:?}"
    );
    capture.observe(0, refusing.clone());
    let list = attention.update(&known(&capture.snapshot(), &sizes));
    assert!(kinds(&list).contains(&AdviceKind::Refusing));

    refusing.accepting_conns = Some(false);
    capture.observe(0, refusing);
    let list = attention.update(&known(&capture.snapshot(), &sizes));
    assert_eq!(
        find(&list, AdviceKind::Refusing).severity,
        Severity::Critical
    );
}

#[test]
fn a_node_with_more_requests_than_its_share_is_skewed() {
    let mut capture = Capture::new(&['a', 'b', 'c']);
    let snapshot = capture.snapshot();
    let member = |name: &str, weight| Member::tcp(name, 1).with_weight(weight);
    let ring = |weights: [u32; 3]| {
        let members = [
            member("a", weights[0]),
            member("b", weights[1]),
            member("c", weights[2]),
        ];
        let names = members.each_ref().map(|member| Arc::from(member.name()));
        RingShares::of(&Ring::new(members, Profile::default()).unwrap(), names)
    };
    let sizes = BTreeMap::new();
    let with_ring = |shares| {
        findings(&Known {
            ring: Some(shares),
            ..known(&snapshot, &sizes)
        })
    };
    let (even, heavy) = (ring([1, 1, 1]), ring([1, 10, 1]));
    assert!(!kinds(&with_ring(&even)).contains(&AdviceKind::Skew));
    let found = with_ring(&heavy);
    let skewed = find(&found, AdviceKind::Skew);
    assert_ne!(skewed.subject, Subject::Node("b:1".into()));
    assert!(skewed.title.contains("× its share"), "{skewed:?}");
}

#[test]
fn a_connecting_cluster_needs_nothing() {
    let monitor = memlens_dashboard::model::Monitor::new(["a:1".into()], SECOND).publish(SECOND);
    assert_eq!(advice(&monitor), []);
    let mut fresh = memlens_dashboard::model::Monitor::new(["a:1".into()], SECOND);
    fresh.observe(
        0,
        SECOND,
        Observation::General {
            general: Arc::new(general("fresh_stats")),
            round_trip: None,
        },
    );
    assert_eq!(advice(&fresh.publish(SECOND)), []);
}
