//! What-if measured against reality: embedded nodes on sockets, the demo's load, real changes of the
//! client's servers. Each prediction is made before its change, from what the servers tell and from
//! reads that were watched; it knows nothing of the load.
//!
//! The load is driven by counts, not by the clock: a "second" is so many reads, however long they take.

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use memlens::config::Server;
use memlens::ring::Profile;
use memlens::stats::General;
use memlens::{Client, Expiry, WatchTopic};
use memlens_dashboard::load::{Action, Item, Workload, WorkloadSettings};
use memlens_dashboard::model::whatif::{
    Baseline, Change, ClusterLoad, ClusterSpec, FetchSample, HitForecast, NodeLoad, Plan,
    Popularity, ReadSampler, ReadStage, Verdict,
};
use memlens_dashboard::poller::ReadWatch;
use memlens_node::Node;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Memory of a node and number of items: they are to have room for about half of what is read. With
/// less memory the pages of the slab classes become too few, and each class a cache of its own, which
/// the model does not know.
const MEMORY: usize = 16 << 20;
const ITEMS: u64 = 90_000;

/// Reads of one second.
const SECOND: u64 = 10_000;

/// For how long the steady state is awaited at most, and over how long it is measured.
const LONGEST_WAIT: u64 = 120;
const STEADY_SECONDS: u64 = 10;

/// Series of actions that run beside each other, and what each may have under way.
const TASKS: u64 = 8;
const UNDER_WAY: usize = 16;

/// What every value is a part of; that of a counter is one digit.
static DIGITS: [u8; 128 * 1024] = [b'1'; 128 * 1024];

/// Reads and hits, as the application counts them.
#[derive(Default)]
struct Counts {
    reads: AtomicU64,
    hits: AtomicU64,
}

/// An application with a cache.
struct Application {
    client: Client,
    workloads: Vec<Workload>,
}

impl Application {
    fn new(client: Client) -> Self {
        let settings = WorkloadSettings {
            items: ITEMS,
            seed: 11,
        };
        Self {
            client,
            workloads: (0..TASKS)
                .map(|task| Workload::new(settings, task))
                .collect(),
        }
    }

    /// Goes on until so many reads more were made; gives the hit rate.
    async fn run(&mut self, reads: u64) -> f64 {
        let counts = Arc::new(Counts::default());
        let mut tasks = JoinSet::new();
        for mut workload in std::mem::take(&mut self.workloads) {
            let (client, counts) = (self.client.clone(), Arc::clone(&counts));
            tasks.spawn(async move {
                let mut under_way = FuturesUnordered::new();
                while counts.reads.load(Ordering::Relaxed) < reads {
                    let (action, item) = workload.next_action();
                    under_way.push(perform(&client, &counts, action, item));
                    if under_way.len() == UNDER_WAY {
                        under_way.next().await;
                    }
                }
                while under_way.next().await.is_some() {}
                workload
            });
        }
        while let Some(workload) = tasks.join_next().await {
            self.workloads.push(workload.unwrap());
        }
        let (hits, reads) = (
            counts.hits.load(Ordering::Relaxed),
            counts.reads.load(Ordering::Relaxed),
        );
        hits as f64 / reads as f64
    }
}

async fn perform(client: &Client, counts: &Counts, action: Action, item: Item) {
    let key = item.key();
    let expiry = item.kind.lifetime().map_or(Expiry::Never, Expiry::After);
    let value = Bytes::from_static(&DIGITS[..item.size]);
    match action {
        Action::Read => {
            counts.reads.fetch_add(1, Ordering::Relaxed);
            let found: Option<Bytes> = client.get(&key).await.unwrap();
            if found.is_some() {
                counts.hits.fetch_add(1, Ordering::Relaxed);
            } else {
                client.set(&key, &value, expiry).await.unwrap();
            }
        }
        Action::Store => client.set(&key, &value, expiry).await.unwrap(),
        Action::Delete => {
            client.delete(&key).await.unwrap();
        }
        Action::Touch => {
            client.touch(&key, expiry).await.unwrap();
        }
        Action::Increment => {
            client.incr_or_init(&key, 1, 1, expiry).await.unwrap();
        }
    }
}

async fn stats(client: &Client) -> BTreeMap<String, General> {
    let mut stats = BTreeMap::new();
    for node in client.nodes() {
        stats.insert(node.name().to_owned(), node.stats().await.unwrap());
    }
    stats
}

/// What the servers told before and after `seconds`, as the dashboard's poller would see it.
fn load(
    before: &BTreeMap<String, General>,
    after: &BTreeMap<String, General>,
    seconds: f64,
) -> ClusterLoad {
    let node = |(name, after): (&String, &General)| {
        let before = &before[name];
        let moved = |read: fn(&General) -> Option<u64>| {
            (read(after).unwrap() - read(before).unwrap()) as f64
        };
        let gets = moved(|general| general.cmd_get);
        NodeLoad {
            name: name.clone(),
            operations_per_second: Some((gets + moved(|general| general.cmd_set)) / seconds),
            reads_per_second: Some(gets / seconds),
            hit_rate: Some(moved(|general| general.get_hits) / gets),
            items: after.curr_items.map(|items| items as f64),
            stored_bytes: after.bytes.map(|bytes| bytes as f64),
            allocated_bytes: None,
            limit_bytes: after.limit_maxbytes.map(|bytes| bytes as f64),
            is_evicting: moved(|general| general.evictions) > 0.0,
            tail_age: None,
        }
    };
    ClusterLoad {
        nodes: after.iter().map(node).collect(),
    }
}

/// Watches the reads while the application goes on for `seconds`.
async fn observe(application: &mut Application, seconds: u64) -> (ClusterLoad, FetchSample) {
    let client = application.client.clone();
    let (stop, stopped) = watch::channel(false);
    let mut watchers = JoinSet::new();
    for node in client.nodes() {
        let mut stopped = stopped.clone();
        let topics = [WatchTopic::Fetchers, WatchTopic::Mutations];
        let mut events = node.watch(&topics).await.unwrap();
        let name: Arc<str> = node.name().into();
        watchers.spawn(async move {
            let mut watched = Vec::new();
            loop {
                tokio::select! {
                    event = events.next() => match event {
                        Some(event) => watched.push(event.unwrap()),
                        None => break,
                    },
                    _ = stopped.changed() => break,
                }
            }
            (name, watched)
        });
    }
    let before = stats(&client).await;
    application.run(seconds * SECOND).await;
    let after = stats(&client).await;
    stop.send(true).unwrap();
    let mut sampler = ReadSampler::default();
    while let Some(events) = watchers.join_next().await {
        let (name, events) = events.unwrap();
        for event in &events {
            assert!(sampler.add(&name, event));
        }
    }
    let sample = sampler.finish(seconds as f64);
    assert!(
        sample.reads() > seconds * SECOND / 10,
        "watched {} reads",
        sample.reads()
    );
    (load(&before, &after, seconds as f64), sample)
}

fn spec(client: &Client) -> ClusterSpec {
    let members = client.servers().ring().members().to_vec();
    ClusterSpec::new(members, Profile::default()).unwrap()
}

/// What was predicted of a change before it was made, what was measured after it, and which part of the
/// keys really went to another node.
struct Trial {
    forecast: HitForecast,
    moved: f64,
    counted: f64,
    /// The hit rate of each second from the change until the steady state that is predicted.
    curve: Vec<f64>,
    /// The hit rate from then on.
    steady: f64,
}

impl Trial {
    async fn run(application: &mut Application, change: Change) -> Self {
        let (load, sample) = observe(application, 10).await;
        let spec = spec(&application.client);
        let popularity = Popularity::from_sample(&sample, &load);
        let baseline = Baseline::new(&spec, &load, popularity, 1.0);
        let mut plan = Plan::default();
        plan.add(&spec, change.clone()).unwrap();
        let forecast = baseline.forecast(&plan).unwrap();

        let before = owners(&application.client);
        let servers = application.client.servers();
        match &change {
            Change::Remove { node } => servers.remove(node).unwrap(),
            Change::Add { server } => servers.add(&server.to_string()).unwrap(),
            _ => unreachable!("no such trial"),
        };
        let after = owners(&application.client);
        let both = before.iter().zip(&after);
        let moved = both.filter(|(before, after)| before != after).count();

        let hit_rate = forecast.hit_rate.unwrap();
        // The forecast says for how long to wait. Should it be wrong, this ends nevertheless.
        let until_steady = hit_rate.steady_in.unwrap_or(f64::INFINITY) * 1.2;
        let seconds = (until_steady.ceil() as u64).clamp(10, LONGEST_WAIT);
        let mut curve = Vec::new();
        for _ in 0..seconds {
            curve.push(application.run(SECOND).await);
        }
        Self {
            moved: forecast.movement.moved.fraction,
            forecast: hit_rate,
            counted: moved as f64 / before.len() as f64,
            steady: application.run(STEADY_SECONDS * SECOND).await,
            curve,
        }
    }

    /// The moved share, the dip and the new steady state.
    #[track_caller]
    fn assert_predicted(&self) {
        let lowest = self.curve.iter().copied().fold(f64::INFINITY, f64::min);
        let middles = (0..).map(|second| f64::from(second) + 0.5);
        let verdict = Verdict::of(&self.forecast, middles.zip(self.curve.iter().copied())).unwrap();
        let told = format!(
            "moved {:.4} counted {:.4}; before {:.4}; steady {:.4} predicted after {:?} s, {:.4} measured \
             after {} s; lowest {:.4} predicted, {lowest:.4} measured; {verdict:?}; {}",
            self.moved,
            self.counted,
            self.forecast.before,
            self.forecast.steady,
            self.forecast.steady_in,
            self.steady,
            self.curve.len(),
            self.forecast.lowest,
            self.forecast.inputs
        );
        let is_within = |predicted: f64, measured: f64, points: f64| {
            (predicted - measured).abs() <= points / 100.0
        };
        assert!(
            is_within(self.moved, self.counted, 0.5),
            "moved share: {told}"
        );
        assert!(is_within(self.forecast.lowest, lowest, 4.0), "dip: {told}");
        assert!(
            is_within(self.forecast.steady, self.steady, 2.0),
            "steady state: {told}"
        );
        assert!(verdict.mean_error <= 0.02, "on the way: {told}");
    }
}

/// Who owns each of many keys.
fn owners(client: &Client) -> Vec<String> {
    let owner = |number| {
        let key = format!("counted:{number}");
        client.node_for(key).unwrap().to_string()
    };
    (0..100_000).map(owner).collect()
}

#[tokio::test]
async fn reads_are_watched_on_demand() {
    let node = Node::builder().start().await.unwrap();
    let client = Client::connect(&node.addr().to_string()).await.unwrap();
    client.set("known", "value", Expiry::Never).await.unwrap();
    let names = vec![Arc::from(client.nodes()[0].name())];
    let mut reads = ReadWatch::start(&client, names, Duration::from_secs(2));
    assert!(reads.state().is_running());
    // Somebody reads for as long as it is watched.
    let application = async {
        loop {
            let _: Option<Bytes> = client.get("known").await.unwrap();
            let _: Option<Bytes> = client.get("unknown").await.unwrap();
            client.set("other", "value", Expiry::Never).await.unwrap();
        }
    };
    let done = tokio::select! {
        done = reads.done() => done,
        () = application => unreachable!("it never ends"),
    };
    assert_eq!(done.stage, ReadStage::Done);
    let sample = done.sample.clone().unwrap();
    assert!(sample.reads() > 0);
    assert!(sample.distinct() <= 3);
    client.close().await;
    node.shutdown().await;
}

#[tokio::test]
async fn a_server_that_forbids_watching_is_told_with_its_reason() {
    let node = Node::builder().allow_watch(false).start().await.unwrap();
    let client = Client::connect(&node.addr().to_string()).await.unwrap();
    let names = vec![Arc::from(client.nodes()[0].name())];
    let mut reads = ReadWatch::start(&client, names, Duration::from_secs(3600));
    let done = reads.done().await;
    let ReadStage::Failed(reason) = &done.stage else {
        panic!("{done:?}");
    };
    assert!(reason.contains("-W"), "{reason}");
    client.close().await;
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_leaves_and_one_that_comes_are_predicted() {
    let mut nodes = Vec::new();
    for _ in 0..5 {
        nodes.push(Node::builder().memory(MEMORY).start().await.unwrap());
    }
    let address = |node: usize| nodes[node].addr().to_string();
    let servers: Vec<String> = (0..4).map(address).collect();
    let client = Client::connect(&servers.join(",")).await.unwrap();
    let mut application = Application::new(client.with_timeout(Duration::from_secs(30)));
    application.run(50 * SECOND).await;

    let leaves = Change::Remove {
        node: servers[1].parse::<Server>().unwrap().member().name(),
    };
    Trial::run(&mut application, leaves)
        .await
        .assert_predicted();
    let comes = Change::add(&address(4)).unwrap();
    Trial::run(&mut application, comes).await.assert_predicted();

    application.client.close().await;
    for node in nodes {
        node.shutdown().await;
    }
}
