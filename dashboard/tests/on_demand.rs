//! Scans, watches and single questions by commands to the backend, on the embedded demo cluster.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use memlens::WatchTopic;
use memlens_dashboard::backend::{Backend, DemoSettings, Settings};
use memlens_dashboard::load::WorkloadSettings;
use memlens_dashboard::model::{
    Failure, LiveFilter, LiveOptions, NodeState, Rule, Rules, ScanOptions, StreamTrouble,
    WatchStage,
};
use memlens_dashboard::published::{Ask, Command, KeyQuestion, Published};

/// How long something may take before the test fails. Only a failure takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

struct Demo {
    backend: Backend,
    news: Receiver<()>,
}

impl Demo {
    /// Two nodes under load, all of which answer.
    fn start() -> (Self, Vec<Arc<str>>) {
        let settings = Settings {
            interval: Duration::from_millis(100),
            demo: DemoSettings {
                nodes: 2,
                memory_mib: 8,
                workload: WorkloadSettings {
                    items: 2_000,
                    seed: 1,
                },
                rate: 2_000,
            },
            may_write: false,
            first: vec![Command::StartDemo],
        };
        let backend = Backend::start(settings).unwrap();
        let (tell, news) = channel();
        backend.on_news(move || {
            let _ = tell.send(());
        });
        let demo = Self { backend, news };
        let published = demo.until("up", |published| {
            let nodes = published
                .snapshot
                .iter()
                .flat_map(|snapshot| &snapshot.nodes);
            let items = published.snapshot.as_ref().and_then(|it| it.totals.items);
            nodes.clone().count() == 2
                && nodes.clone().all(|node| node.state == NodeState::Up)
                && items > Some(100)
        });
        let nodes = &published.snapshot.as_ref().unwrap().nodes;
        let names = nodes.iter().map(|node| node.name.clone()).collect();
        (demo, names)
    }

    fn ask(&self, ask: Ask) {
        self.backend.send(Command::Ask(ask));
    }

    /// Waits until what is published is as wanted.
    fn until(&self, what: &str, wanted: impl Fn(&Published) -> bool) -> Arc<Published> {
        loop {
            let published = self.backend.published();
            if wanted(&published) {
                return published;
            }
            let told = self.news.recv_timeout(PATIENCE);
            assert!(told.is_ok(), "never {what}");
        }
    }
}

#[test]
fn a_scan_finds_keys_whose_values_can_be_asked_for() {
    let (demo, nodes) = Demo::start();
    let scan = loop {
        demo.ask(Ask::Scan(ScanOptions {
            nodes: nodes.clone(),
            limit: ScanOptions::USUAL_LIMIT,
            keys_per_second: 1_000_000,
        }));
        let published = demo.until("scanned", |published| {
            let scan = published.asked.scan.as_ref();
            scan.is_some_and(|scan| scan.is_over() && scan.selected.len() == scan.table.len())
        });
        let scan = published.asked.scan.clone().unwrap();
        // A busy machine may be too slow for a node once.
        let too_slow = StreamTrouble::Failed(Failure::TimedOut);
        assert!(scan.failures().all(|(_, trouble)| *trouble == too_slow));
        if scan.failures().count() == 0 {
            break scan;
        }
    };
    assert!(scan.table.len() > 100 && scan.summary.all.bytes > 0);

    // What was stored a moment ago may be evicted meanwhile; one of many will still be there.
    let found = (0..scan.table.len()).take(100).any(|index| {
        let row = scan.table.row(index).unwrap();
        let question = KeyQuestion {
            node: scan.nodes[usize::from(row.node)].name.clone(),
            key: row.key.into(),
            with_value: true,
        };
        demo.ask(Ask::Key(question.clone()));
        let published = demo.until("answered", |published| {
            let key = published.asked.key.as_ref();
            key.is_some_and(|key| key.question == question && key.answer.is_some())
        });
        // A busy machine may be too slow for one question; not for all.
        let answer = published.asked.key.as_ref().unwrap().answer.clone();
        let facts = answer.unwrap().unwrap_or(None);
        facts.is_some_and(|facts| facts.value.map(|value| value.len() as u64) == facts.size)
    });
    assert!(found, "no key of the scan has a value");
    demo.ask(Ask::ForgetScan);
    demo.until("forgotten", |published| published.asked.scan.is_none());
}

#[test]
fn a_watch_counts_what_the_load_does_until_it_is_ended() {
    let (demo, nodes) = Demo::start();
    demo.ask(Ask::Watch(LiveOptions {
        nodes,
        topics: vec![WatchTopic::Fetchers, WatchTopic::Evictions],
        filter: LiveFilter::default(),
    }));
    // A node that is slow to answer is watched a little later.
    demo.until("watched", |published| {
        published.asked.live.as_ref().is_some_and(|live| {
            let all_are_watched = live
                .nodes
                .iter()
                .all(|node| node.stage == WatchStage::Watching);
            let are_counted = live.counts.all() > 1_000 && !live.hits.is_empty();
            all_are_watched && are_counted && !live.prefixes.is_empty()
        })
    });
    demo.ask(Ask::EndWatch);
    demo.until("ended", |published| published.asked.live.is_none());
}

#[test]
fn single_questions_are_answered_or_refused_with_a_reason() {
    let (demo, nodes) = Demo::start();
    demo.ask(Ask::Sizes(nodes[0].clone()));
    demo.ask(Ask::Connections(nodes[1].clone()));
    let published = demo.until("answered", |published| {
        !published.asked.sizes.is_empty() && !published.asked.connections.is_empty()
    });
    let refused = StreamTrouble::NotCounted {
        option: "-o track_sizes",
    };
    assert_eq!(published.asked.sizes[&nodes[0]], Err(refused));
    let connections = published.asked.connections[&nodes[1]].clone().unwrap();
    // The socket on which the node listens, and the traffic's client.
    assert!(connections.others.len() >= 2);
    assert_eq!(connections.own, 1);
}

#[test]
fn other_thresholds_take_effect_and_alerts_are_told() {
    let (demo, _) = Demo::start();
    let mut rules = Rules::default();
    for rule in rules.all_mut() {
        // Any process uses more than no CPU.
        rule.enabled = rule.rule == Rule::CpuHigh;
        rule.threshold = 0.0;
        rule.hold = Duration::ZERO;
    }
    demo.backend.send(Command::SetRules(rules));
    let published = demo.until("fired", |published| {
        let alerts = published.alerts.active();
        !alerts.is_empty() && alerts.iter().all(|alert| alert.rule == Rule::CpuHigh)
    });
    let told = published.notices.iter();
    assert!(
        told.clone().any(|notice| notice.text.contains("CPU high")),
        "{:?}",
        published.notices
    );
}
