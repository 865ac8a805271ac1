//! A server that stands still: its own keys fail, by the deadline at first and soon at once; no other key
//! notices.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use memlens::{Client, Config, ErrorKind, Expiry, Result};
use memlens_tests::Memcached;

const KEYS: usize = 400;
const SHORT: Duration = Duration::from_millis(50);

/// What the configuration says by default.
const EJECT_AFTER: usize = 3;

struct Cluster {
    memcacheds: Vec<Memcached>,
    client: Client,
    /// The keys of each node.
    keys: HashMap<Arc<str>, Vec<String>>,
}

impl Cluster {
    async fn start(count: usize) -> Self {
        Self::with_drain_timeout(count, Duration::from_secs(20)).await
    }

    async fn with_drain_timeout(count: usize, drain_timeout: Duration) -> Self {
        let memcacheds: Vec<Memcached> = (0..count).map(|_| Memcached::start()).collect();
        let list: Vec<String> = memcacheds
            .iter()
            .map(|it| it.address().to_string())
            .collect();
        let mut config: Config = list.join(",").parse().expect("addresses");
        config.operation_timeout = Duration::from_secs(20);
        config.drain_timeout = drain_timeout;
        let client = Client::with_config(config).await.expect("a client");
        let mut keys: HashMap<Arc<str>, Vec<String>> = HashMap::new();
        for key in (0..KEYS).map(|number| format!("key-{number}")) {
            client.set(&key, &*key, Expiry::Never).await.expect("set");
            let owner = client.node_for(&key).expect("a legal key");
            keys.entry(owner).or_default().push(key);
        }
        Self {
            memcacheds,
            client,
            keys,
        }
    }

    fn name(&self, index: usize) -> Arc<str> {
        self.memcacheds[index].address().to_string().into()
    }

    fn keys_of(&self, index: usize) -> &[String] {
        &self.keys[&self.name(index)]
    }

    /// Reads a key of this node with little patience.
    async fn read_hastily(&self, index: usize) -> Result<Option<String>> {
        let key = &self.keys_of(index)[0];
        self.client.with_timeout(SHORT).get(key).await
    }

    async fn kind(&self, index: usize) -> ErrorKind {
        let result = self.read_hastily(index).await;
        result.expect_err("the server stands still").kind()
    }

    fn is_out(&self, index: usize) -> bool {
        let statistics = self.client.statistics();
        statistics
            .node(&self.name(index))
            .expect("it is known")
            .is_out
    }

    /// Lets a node stand still until it is left out.
    async fn stop(&self, index: usize) {
        self.memcacheds[index].pause();
        for _ in 0..EJECT_AFTER {
            assert_eq!(self.kind(index).await, ErrorKind::Timeout);
        }
        assert!(self.is_out(index));
    }

    async fn resume(&self, index: usize) {
        self.memcacheds[index].resume();
        while self.is_out(index) {
            tokio::task::yield_now().await;
        }
    }

    /// Every key of these nodes has its own value.
    async fn check(&self, nodes: impl IntoIterator<Item = usize>) {
        for key in nodes.into_iter().flat_map(|index| self.keys_of(index)) {
            let found: Option<String> = self.client.get(key).await.expect("an answer");
            assert_eq!(found.as_ref(), Some(key));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_four_that_stands_still_costs_its_own_keys_only_and_soon_little() {
    let cluster = Cluster::start(4).await;
    cluster.stop(0).await;

    // Load on all the others, and on the one that is out: its operations don't wait.
    let others = cluster.check(1..4);
    let out = async {
        for _ in 0..1_000 {
            let error = cluster.client.get::<String>(&cluster.keys_of(0)[0]).await;
            let error = error.expect_err("it is out");
            assert_eq!(
                (error.kind(), error.was_sent()),
                (ErrorKind::NodeDown, false)
            );
            assert!(error.is_retryable() && error.to_string().contains("has not answered"));
        }
    };
    tokio::join!(others, out);

    // Of many keys, those of the others are found, and its own failed.
    let all = cluster.keys.values().flatten().cloned();
    let answers = cluster.client.get_multi::<String, _>(all).await;
    assert_eq!(answers.hits().count(), KEYS - cluster.keys_of(0).len());
    assert_eq!(answers.misses().count(), 0);
    assert_eq!(answers.failed().count(), cluster.keys_of(0).len());
    let deleted = cluster.client.delete_multi(cluster.keys_of(0)).await;
    assert_eq!(deleted.failed().count(), cluster.keys_of(0).len());

    cluster.resume(0).await;
    cluster.check(0..4).await;
    let statistics = cluster.client.statistics();
    let node = statistics.node(&cluster.name(0)).expect("it is known");
    let ejections: u64 = node.ejections.iter().map(|(_, count)| count).sum();
    assert_eq!((ejections, node.returns), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_most_nodes_stand_still_none_is_left_out() {
    let cluster = Cluster::start(3).await;
    cluster.stop(0).await;
    assert_eq!(cluster.kind(0).await, ErrorKind::NodeDown);
    cluster.stop(1).await;
    // Two of three: more likely it is the client that hears nothing.
    assert_eq!(cluster.kind(0).await, ErrorKind::Timeout);
    assert_eq!(cluster.kind(1).await, ErrorKind::Timeout);
    cluster.check([2]).await;
    cluster.resume(0).await;
    assert_eq!(cluster.kind(1).await, ErrorKind::NodeDown);
    cluster.resume(1).await;
    cluster.check(0..3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_node_is_never_left_out() {
    let cluster = Cluster::start(1).await;
    cluster.memcacheds[0].pause();
    for _ in 0..3 * EJECT_AFTER {
        assert_eq!(cluster.kind(0).await, ErrorKind::Timeout);
    }
    cluster.memcacheds[0].resume();
    cluster.check([0]).await;
}

/// The system accepts connections and takes bytes for a process that stands still.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_alone_brings_no_node_back() {
    let cluster = Cluster::with_drain_timeout(2, Duration::from_millis(20)).await;
    let made = || {
        let statistics = cluster.client.statistics();
        let node = statistics.node(&cluster.name(0)).expect("it is known");
        node.connections_made
    };
    // Writes are not repeated, so it is time-outs that are counted.
    cluster.memcacheds[0].pause();
    while !cluster.is_out(0) {
        let key = &cluster.keys_of(0)[0];
        let hasty = cluster.client.with_timeout(SHORT);
        hasty.delete(key).await.expect_err("it stands still");
    }
    let before = made();
    let hasty = cluster.client.with_timeout(SHORT);
    let node = hasty.node(&cluster.name(0)).expect("it is there");
    while made() < before + 3 {
        node.version().await.expect_err("it stands still");
        assert!(cluster.is_out(0));
        tokio::task::yield_now().await;
    }
    cluster.resume(0).await;
    cluster.check([1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_in_between_keep_a_node_in() {
    let cluster = Cluster::start(2).await;
    for _ in 0..3 {
        cluster.memcacheds[0].pause();
        for _ in 0..EJECT_AFTER - 1 {
            assert_eq!(cluster.kind(0).await, ErrorKind::Timeout);
        }
        cluster.memcacheds[0].resume();
        cluster.check([0]).await;
    }
    assert!(!cluster.is_out(0));
}
