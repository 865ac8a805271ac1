//! The poller against scripted nodes, on a clock that stands still until everybody waits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use memlens::stats::{General, Items, Settings, Slabs};
use memlens_dashboard::model::{Deltas, Failure, MarkKind, NodeState, Snapshot};
use memlens_dashboard::poller::{Poller, StatsSource};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// How a scripted node behaves now.
#[derive(Debug, Clone, Copy)]
enum Behaviour {
    /// Answers; `pid` tells which process it is.
    Answers { pid: u32 },
    /// Takes the request and says nothing, until whoever asked gives up.
    Hangs,
    /// Fails like this.
    Fails(fn() -> Failure),
}

/// When each node was asked for what.
type Asked = HashMap<(usize, Topic), Vec<Instant>>;

#[derive(Debug, Clone)]
struct Script {
    behaviour: Arc<Mutex<Behaviour>>,
    asked: Arc<Mutex<Asked>>,
    dialling: Arc<AtomicUsize>,
    most_dialling: Arc<AtomicUsize>,
    begun: Instant,
}

impl Script {
    fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour: Arc::new(Mutex::new(behaviour)),
            asked: Arc::default(),
            dialling: Arc::default(),
            most_dialling: Arc::default(),
            begun: Instant::now(),
        }
    }

    fn becomes(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    fn asked(&self, node: usize, topic: Topic) -> Vec<Instant> {
        self.asked
            .lock()
            .unwrap()
            .get(&(node, topic))
            .cloned()
            .unwrap_or_default()
    }
}

/// What a node is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Topic {
    General,
    Classes,
    Settings,
}

impl Script {
    /// Takes note of the question and behaves; gives the process that answers, and the time.
    async fn ask(&self, node: usize, topic: Topic) -> Result<(u32, u128), Failure> {
        let now = Instant::now();
        self.asked
            .lock()
            .unwrap()
            .entry((node, topic))
            .or_default()
            .push(now);
        let behaviour = *self.behaviour.lock().unwrap();
        let here = self.dialling.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_dialling.fetch_max(here, Ordering::SeqCst);
        sleep(match behaviour {
            Behaviour::Hangs => SECOND,
            Behaviour::Answers { .. } | Behaviour::Fails(_) => Duration::from_millis(1),
        })
        .await;
        self.dialling.fetch_sub(1, Ordering::SeqCst);
        match behaviour {
            Behaviour::Answers { pid } => Ok((pid, (now - self.begun).as_millis())),
            Behaviour::Hangs => Err(Failure::TimedOut),
            Behaviour::Fails(failure) => Err(failure()),
        }
    }
}

impl StatsSource for Script {
    async fn general(&self, node: usize) -> Result<General, Failure> {
        let (pid, millis) = self.ask(node, Topic::General).await?;
        let (pid, millis) = (pid.to_string(), millis.to_string());
        Ok(General::parse([
            ("pid", pid.as_str()),
            ("cmd_get", &millis),
            ("cmd_set", "0"),
            ("get_hits", &millis),
            ("get_misses", "0"),
        ]))
    }

    async fn classes(&self, node: usize) -> Result<(Items, Slabs), Failure> {
        self.ask(node, Topic::Classes).await?;
        let slabs = [("1:chunk_size", "96"), ("total_malloced", "0")];
        Ok((Items::default(), Slabs::parse(slabs)))
    }

    async fn settings(&self, node: usize) -> Result<Settings, Failure> {
        self.ask(node, Topic::Settings).await?;
        Ok(Settings::parse([("maxbytes", "1048576")]))
    }

    async fn round_trip(&self, _: usize) -> Result<Duration, Failure> {
        Ok(Duration::from_millis(2))
    }
}

fn watch(script: &Script, nodes: usize) -> Poller {
    let names = (0..nodes)
        .map(|node| Arc::from(format!("node-{node}")))
        .collect();
    Poller::start(script.clone(), names, SECOND)
}

async fn snapshot_with(poller: &Poller, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let mut snapshots = poller.snapshots();
    let published = snapshots.wait_for(|snapshot| wanted(snapshot)).await;
    Arc::clone(&published.unwrap())
}

/// The snapshot published when `count` intervals have passed since the watch began.
async fn snapshot_after(poller: &Poller, count: u32) -> Arc<Snapshot> {
    let mut snapshots = poller.snapshots();
    let published = snapshots
        .wait_for(|snapshot| snapshot.at >= SECOND * count)
        .await
        .unwrap();
    Arc::clone(&published)
}

#[tokio::test(start_paused = true)]
async fn rates_come_with_the_second_answer() {
    let script = Script::new(Behaviour::Answers { pid: 1 });
    let poller = watch(&script, 2);
    assert_eq!(
        poller.snapshots().borrow().nodes[0].state,
        NodeState::Connecting
    );
    let first = snapshot_after(&poller, 1).await;
    assert_eq!(first.nodes[1].state, NodeState::Up);
    assert_eq!(first.nodes[1].deltas, None);
    let second = snapshot_after(&poller, 2).await;
    assert_eq!(
        second.nodes[1].rate(Deltas::operations_per_second),
        Some(1000.0)
    );
    assert_eq!(second.totals.operations_per_second, Some(2000.0));
    poller.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_first_polls_come_at_once_and_the_others_are_spread_over_the_interval() {
    let script = Script::new(Behaviour::Answers { pid: 1 });
    let poller = watch(&script, 4);
    snapshot_after(&poller, 12).await;
    let asked = |poll: usize| -> Vec<_> {
        let at = |node| script.asked(node, Topic::General)[poll] - script.begun;
        (0..4).map(|node| at(node).as_millis()).collect()
    };
    assert_eq!(asked(0), [0, 0, 0, 0]);
    assert_eq!(asked(1), [1000, 1250, 1500, 1750]);
    assert_eq!(asked(2), [2000, 2250, 2500, 2750]);
    poller.stop().await;
}

#[tokio::test(start_paused = true)]
async fn there_is_something_to_show_as_soon_as_every_node_was_heard_of() {
    let script = Script::new(Behaviour::Answers { pid: 1 });
    let poller = watch(&script, 3);
    let first = snapshot_with(&poller, |snapshot| snapshot.totals.answering == 3).await;
    assert!(first.at < Duration::from_millis(100), "{:?}", first.at);
    poller.stop().await;

    // Nobody waits for those that say nothing.
    let hanging = Script::new(Behaviour::Hangs);
    let poller = watch(&hanging, 3);
    let first = snapshot_with(&poller, |snapshot| !snapshot.at.is_zero()).await;
    assert_eq!(first.at, Duration::from_millis(250));
    poller.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_large_is_asked_for_less_often() {
    let script = Script::new(Behaviour::Answers { pid: 1 });
    let poller = watch(&script, 1);
    let snapshot = snapshot_after(&poller, 12).await;
    assert!(script.asked(0, Topic::General).len() >= 11);
    assert_eq!(script.asked(0, Topic::Classes).len(), 4);
    assert_eq!(script.asked(0, Topic::Settings).len(), 1);
    let node = &snapshot.nodes[0];
    assert_eq!(node.settings.as_ref().unwrap().maxbytes, Some(1 << 20));
    assert_eq!(node.memory.unwrap().adds_up(), Some(true));
    poller.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_asks_for_is_asked_at_once_and_shown_even_while_paused() {
    let script = Script::new(Behaviour::Answers { pid: 1 });
    let poller = watch(&script, 1);
    let before = snapshot_after(&poller, 2).await;
    poller.pause(true);
    sleep(SECOND * 3).await;
    let counts = || [Topic::General, Topic::Classes].map(|topic| script.asked(0, topic).len());
    let [general, classes] = counts();
    let snapshots = poller.snapshots();
    let at = snapshots.borrow().at;
    assert!(at < before.at + SECOND * 2, "paused: {at:?}");
    poller.refresh();
    sleep(SECOND * 3).await;
    assert_eq!(counts(), [general + 1, classes + 1]);
    assert!(snapshots.borrow().at > at, "what came is shown");
    poller.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_hangs_grows_stale_then_down_then_comes_back() {
    let script = Script::new(Behaviour::Answers { pid: 1 });
    let poller = watch(&script, 1);
    snapshot_after(&poller, 3).await;
    script.becomes(Behaviour::Hangs);
    let mut states = Vec::new();
    for count in 4..9 {
        states.push(snapshot_after(&poller, count).await.nodes[0].state.clone());
    }
    assert!(states.contains(&NodeState::Stale), "{states:?}");
    assert_eq!(states.last(), Some(&NodeState::Down(Failure::TimedOut)));

    script.becomes(Behaviour::Answers { pid: 2 });
    let back = snapshot_after(&poller, 13).await;
    assert_eq!(back.nodes[0].state, NodeState::Up);
    let marks: Vec<_> = back.nodes[0].marks.iter().map(|mark| mark.kind).collect();
    assert_eq!(
        marks,
        [MarkKind::WentDown, MarkKind::Restarted, MarkKind::CameBack]
    );
    assert_eq!(script.asked(0, Topic::Settings).len(), 2);
    poller.stop().await;
}

#[tokio::test(start_paused = true)]
async fn refused_and_unauthenticated_show_at_the_first_poll() {
    let script = Script::new(Behaviour::Fails(|| Failure::Refused));
    let poller = watch(&script, 1);
    let snapshot = snapshot_after(&poller, 1).await;
    assert_eq!(snapshot.nodes[0].state, NodeState::Down(Failure::Refused));
    assert_eq!(snapshot.totals.answering, 0);
    script.becomes(Behaviour::Fails(|| Failure::Unauthenticated));
    let snapshot = snapshot_after(&poller, 3).await;
    assert_eq!(snapshot.nodes[0].state, NodeState::Unauthenticated);
    poller.stop().await;
}

#[tokio::test(start_paused = true)]
async fn no_more_than_a_few_nodes_are_dialled_at_once() {
    let script = Script::new(Behaviour::Hangs);
    let names = (0..500)
        .map(|node| Arc::from(format!("node-{node}")))
        .collect();
    let poller = Poller::start(script.clone(), names, Duration::from_millis(10));
    sleep(Duration::from_millis(500)).await;
    let most = script.most_dialling.load(Ordering::SeqCst);
    assert!((1..=32).contains(&most), "{most}");
    poller.stop().await;
}
