//! Four memcached processes: what the window shows is what they say, also of one that is killed and
//! of one that is started anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use egui::{Key, Theme};
use egui_kittest::kittest::{NodeT, Queryable};
use memlens::stats::{General, Items, Settings, Slabs};
use memlens::{Client, Expiry};
use memlens_dashboard::model::{
    AdviceKind, Attention, Cluster, Failure, Known, MarkKind, NodeSnapshot, NodeState, Series,
    Snapshot, Tier,
};
use memlens_dashboard::poller::{ClientSource, Poller, StatsSource};
use memlens_dashboard::published::Published;
use memlens_dashboard::views::View;
use tokio::sync::watch;

use super::memcached::Memcached;
use super::stand::{Stand, press, stand};

/// How often the servers are asked.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long anything may take before the test fails.
const DEADLINE: Duration = Duration::from_secs(60);

/// Polls within which a killed server has to show as down.
const POLLS_UNTIL_DOWN: usize = 3;

/// Fields that nothing but the test's own load changes.
const COMPARED: [&str; 20] = [
    "pid",
    "version",
    "limit_maxbytes",
    "max_connections",
    "threads",
    "cmd_get",
    "cmd_set",
    "cmd_touch",
    "get_hits",
    "get_misses",
    "delete_hits",
    "delete_misses",
    "incr_hits",
    "incr_misses",
    "touch_hits",
    "touch_misses",
    "curr_items",
    "total_items",
    "bytes",
    "evictions",
];

/// Asks the servers, and counts how often each was asked.
struct Counting {
    source: ClientSource,
    polls: Arc<[AtomicUsize; 4]>,
}

impl StatsSource for Counting {
    async fn general(&self, node: usize) -> Result<General, Failure> {
        let answer = self.source.general(node).await;
        self.polls[node].fetch_add(1, Ordering::SeqCst);
        answer
    }

    async fn classes(&self, node: usize) -> Result<(Items, Slabs), Failure> {
        self.source.classes(node).await
    }

    async fn settings(&self, node: usize) -> Result<Settings, Failure> {
        self.source.settings(node).await
    }

    async fn round_trip(&self, node: usize) -> Result<Duration, Failure> {
        self.source.round_trip(node).await
    }
}

/// Names and values as a server printed them.
struct Stats(Vec<(String, String)>);

impl Stats {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> u64 {
        self.get(name).unwrap().parse().unwrap()
    }
}

/// The servers, and what polls them.
struct Cache {
    servers: Vec<Memcached>,
    cluster: Arc<Cluster>,
    polls: Arc<[AtomicUsize; 4]>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    poller: Poller,
}

impl Cache {
    async fn start() -> Self {
        let servers: Vec<_> = (0..4).map(|_| Memcached::start()).collect();
        let list: Vec<_> = servers.iter().map(Memcached::address).collect();
        let list = list.join(",");
        let source = ClientSource::connect(&list, INTERVAL).await.unwrap();
        let names = source.names();
        let polls: Arc<[AtomicUsize; 4]> = Arc::default();
        let counting = Counting {
            source,
            polls: Arc::clone(&polls),
        };
        let poller = Poller::start(counting, names, INTERVAL);
        Self {
            servers,
            cluster: Arc::new(Cluster::new("real", list.parse().unwrap()).unwrap()),
            polls,
            snapshots: poller.snapshots(),
            poller,
        }
    }

    /// Waits for a snapshot like this.
    async fn until(&mut self, reached: impl FnMut(&Arc<Snapshot>) -> bool) -> Arc<Snapshot> {
        let waited = tokio::time::timeout(DEADLINE, self.snapshots.wait_for(reached)).await;
        Arc::clone(&waited.expect("in time").unwrap())
    }

    /// What a server says itself, asked past everything under test.
    fn stats(&self, node: usize, argument: &str) -> Stats {
        Stats(self.servers[node].stats(argument))
    }

    fn published(&self, snapshot: &Arc<Snapshot>) -> Published {
        let advice = Attention::default().update(&Known {
            snapshot,
            ring: None,
            cluster_ring: None,
            client: None,
            usual_time_to_live: None,
            sizes: &std::collections::BTreeMap::new(),
        });
        Published {
            cluster: Some(Arc::clone(&self.cluster)),
            snapshot: Some(Arc::clone(snapshot)),
            advice,
            ..Published::default()
        }
    }
}

/// Sends what an application would: reads of which every fifth misses, and others.
async fn load(cluster: &Cluster) {
    let client = Client::with_config(cluster.config().clone()).await.unwrap();
    let value = "x".repeat(700);
    for number in 0..400_u32 {
        let key = format!("user:{number}");
        client
            .set(&key, value.as_str(), Expiry::secs(600))
            .await
            .unwrap();
        let read = if number % 5 == 0 {
            format!("absent:{number}")
        } else {
            key.clone()
        };
        client.get::<String>(&read).await.unwrap();
        if number % 10 == 0 {
            client.touch(&key, Expiry::secs(900)).await.unwrap();
            client.delete(&key).await.unwrap();
        }
    }
    client.close().await;
}

fn operations(snapshot: &Snapshot) -> u64 {
    let generals = snapshot
        .nodes
        .iter()
        .filter_map(|node| node.general.as_ref());
    generals.filter_map(|general| general.cmd_get).sum()
}

fn is_down(node: &NodeSnapshot) -> bool {
    matches!(node.state, NodeState::Down(_))
}

/// Whether the drawer tells what the server says of its reads since it started.
fn shows_reads(stand: &Stand, stats: &Stats) {
    let ends = format!(
        ", {}, {}",
        stats.number("get_hits"),
        stats.number("get_misses")
    );
    let rows = stand.get_all_by_label_contains("get, ");
    let told: Vec<_> = rows
        .filter_map(|row| row.accesskit_node().label())
        .collect();
    assert!(
        told.iter().any(|row| row.ends_with(&ends)),
        "{ends} in none of {told:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_window_shows_what_real_servers_say() {
    let mut cache = Cache::start().await;
    cache
        .until(|snapshot| {
            snapshot
                .nodes
                .iter()
                .all(|node| node.state == NodeState::Up)
        })
        .await;
    load(&cache.cluster).await;
    // Everything was answered before it is waited for, and nothing else reads.
    let snapshot = cache.until(|snapshot| operations(snapshot) == 400).await;
    assert_eq!(snapshot.totals.items, Some(360));
    for (index, node) in snapshot.nodes.iter().enumerate() {
        let said = cache.stats(index, "");
        let general = node.general.as_ref().unwrap();
        let fields = general.fields();
        for name in COMPARED {
            let known = fields.iter().find(|(known, _)| *known == name);
            let known = known.map(|(_, value)| value.as_str());
            assert_eq!(known, said.get(name), "{name} of server {index}");
        }
    }
    let settled = cache
        .until(|snapshot| {
            let items = snapshot.nodes.iter().filter_map(|node| node.items.as_ref());
            let numbers = items.flat_map(|items| items.classes.values());
            numbers.filter_map(|class| class.number).sum::<u64>() == 360
        })
        .await;
    for (index, node) in settled.nodes.iter().enumerate() {
        let slabs = cache.stats(index, "slabs");
        let memory = node.memory.unwrap();
        assert_eq!(memory.allocated, Some(slabs.number("total_malloced")));
        assert_eq!(memory.adds_up(), Some(true));
    }

    let mut window = stand(View::Nodes, cache.published(&settled), Theme::Dark);
    for index in 0..4 {
        press(&mut window, Key::N);
        shows_reads(&window, &cache.stats(index, ""));
    }
    press(&mut window, Key::Num5);
    for index in 0..4 {
        let allocated = cache.stats(index, "slabs").number("total_malloced") as f64 / 1_048_576.0;
        let label = cache.cluster.label(index);
        window.get_by_label_contains(&format!("memory of {label}: allocated {allocated:.1} MiB"));
    }
    cache.poller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_shows_as_down_and_one_started_anew_as_restarted() {
    let mut cache = Cache::start().await;
    cache
        .until(|snapshot| {
            snapshot
                .nodes
                .iter()
                .all(|node| node.state == NodeState::Up)
        })
        .await;
    load(&cache.cluster).await;
    cache.until(|snapshot| operations(snapshot) == 400).await;

    cache.servers[1].kill();
    let polls_before = cache.polls[1].load(Ordering::SeqCst);
    let mut polls_seen = Vec::new();
    let polls = Arc::clone(&cache.polls);
    let snapshot = cache
        .until(|snapshot| {
            let down = is_down(&snapshot.nodes[1]);
            if !down {
                polls_seen.push(polls[1].load(Ordering::SeqCst) - polls_before);
            }
            down
        })
        .await;
    // A poll may have been under way when the server was killed, and one may wait to be published.
    let most = polls_seen.iter().max().copied().unwrap_or(0);
    assert!(most < POLLS_UNTIL_DOWN + 2, "not down after {most} polls");
    let mut window = stand(View::Overview, cache.published(&snapshot), Theme::Dark);
    let name = &snapshot.nodes[1].name;
    window.get_by_label_contains(&format!("node {name}, down, "));
    press(&mut window, Key::Num4);
    window.get_by_label_contains(&format!("{name}, down: "));

    cache.servers[1].start_anew();
    let snapshot = cache
        .until(|snapshot| snapshot.nodes[1].state == NodeState::Up)
        .await;
    let node = &snapshot.nodes[1];
    let kinds: Vec<_> = node.marks.iter().map(|mark| mark.kind).collect();
    assert!(
        kinds.contains(&MarkKind::Restarted) && kinds.contains(&MarkKind::WentDown),
        "{kinds:?}"
    );
    assert_eq!(node.general.as_ref().unwrap().curr_items, Some(0));
    let published = cache.published(&snapshot);
    let advised = published.advice.iter().map(|advice| advice.kind);
    assert!(advised.clone().any(|kind| kind == AdviceKind::Restarted));

    load(&cache.cluster).await;
    let snapshot = cache
        .until(|snapshot| {
            let general = snapshot.nodes[1].general.as_ref();
            snapshot.nodes[1].deltas.is_some() && general.is_some_and(|it| it.cmd_set > Some(0))
        })
        .await;
    for series in [
        Series::Operations,
        Series::Gets,
        Series::Sets,
        Series::Evictions,
    ] {
        for history in [&snapshot.nodes[1].history, &snapshot.history] {
            let mut points = history.points(Tier::Seconds, series);
            assert!(points.all(|point| point.value >= 0.0), "{series:?}");
        }
    }
    cache.poller.stop().await;
}
