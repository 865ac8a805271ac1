//! What an operator asks for on demand, against embedded nodes and against recorded answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use memlens::{Client, Config, Expiry, WatchTopic};
use memlens_dashboard::model::{
    Failure, KeyColumn, KeyQuery, KeyScan, LiveDigest, LiveFilter, LiveKind, LiveOptions,
    PrefixTree, ScanOptions, ScanStage, StreamTrouble, WatchStage,
};
use memlens_dashboard::poller::{LARGEST_VALUE, LiveWatch, Scan, connections, look_up, sizes};
use memlens_node::Node;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A server that answers a line with the recorded bytes that go with it, and then says no more.
async fn recorded(answers: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (reading, mut writing) = socket.split();
                let mut lines = BufReader::new(reading).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    let known = answers.iter().find(|(asked, _)| line.starts_with(asked));
                    let answer = match known {
                        Some((_, capture)) if capture.ends_with('\n') => {
                            capture.as_bytes().to_vec()
                        }
                        Some((_, capture)) => fs::read(path(capture)).unwrap(),
                        None => b"ERROR\r\n".to_vec(),
                    };
                    if writing.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn path(capture: &str) -> String {
    format!(
        "{}/tests/data/captures/{capture}.txt",
        env!("CARGO_MANIFEST_DIR")
    )
}

async fn until<T: Clone + Send + Sync>(
    states: &mut watch::Receiver<Arc<T>>,
    reached: impl FnMut(&Arc<T>) -> bool,
) -> Arc<T> {
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, states.wait_for(reached))
        .await
        .expect("in time")
        .unwrap()
        .clone()
}

async fn node_with(items: &[(&str, &str, u32)]) -> (Node, Client, String) {
    let node = Node::builder().start().await.unwrap();
    let address = node.addr().to_string();
    let client = Client::connect(&address).await.unwrap();
    for (key, value, seconds) in items {
        let expiry = match *seconds {
            0 => Expiry::Never,
            seconds => Expiry::secs(u64::from(seconds)),
        };
        client.set(*key, *value, expiry).await.unwrap();
    }
    (node, client, address)
}

fn scan_of(client: &Client, nodes: &[&str]) -> Scan {
    let options = ScanOptions {
        nodes: nodes.iter().map(|name| Arc::from(*name)).collect(),
        limit: ScanOptions::USUAL_LIMIT,
        keys_per_second: 1_000_000,
    };
    Scan::start(client, options)
}

fn keys(scan: &KeyScan) -> Vec<String> {
    let row = |index: &u32| scan.table.row(*index as usize).unwrap();
    let key = |index| String::from_utf8_lossy(row(index).key).into_owned();
    scan.selected.iter().map(key).collect()
}

#[tokio::test]
async fn a_scan_reads_what_memcached_prints() {
    let answers = &[
        (
            "stats",
            "STAT time 1795212041\r\nSTAT curr_items 9000\r\nEND\r\n",
        ),
        ("lru_crawler metadump all", "a_metadump_all"),
    ];
    let address = recorded(answers).await;
    let client = Client::connect(&address).await.unwrap();
    let scan = scan_of(&client, &[&address]);
    let done = until(&mut scan.states(), |scan| scan.is_over()).await;
    assert_eq!(done.nodes[0].stage, ScanStage::Finished);
    assert_eq!(done.table.len(), 501);
    assert_eq!(done.nodes[0].seen, 501);
    assert!(
        done.nodes[0]
            .expected
            .is_some_and(|expected| expected > 501)
    );
    let odd = done.table.row(500).unwrap();
    assert_eq!(odd.key, "key%with,odd~charsé".as_bytes());
    assert_eq!((odd.size, odd.class, odd.time_to_live), (80, 1, None));
    let first = done.table.row(1).unwrap();
    assert_eq!((first.key, first.is_fetched), (&b"geo:10805"[..], false));
    assert_eq!(
        first
            .original_time_to_live()
            .map(|life| life.abs_diff(86_400) <= 60),
        Some(true)
    );
    let root = done.tree.node(PrefixTree::ROOT).unwrap();
    assert_eq!(root.keys, 501);
    let top: u64 = done
        .tree
        .children(PrefixTree::ROOT)
        .iter()
        .map(|child| done.tree.node(*child).unwrap().keys)
        .sum();
    assert_eq!(top, 500, "the odd key has no prefix");
}

#[tokio::test]
async fn a_scan_can_be_asked_for_other_keys_when_it_is_done() {
    let items = [
        ("user:1", "one", 0),
        ("user:2", "longer value", 300),
        ("page:9", "x", 60),
    ];
    let (_node, client, address) = node_with(&items).await;
    let scan = scan_of(&client, &[&address]);
    let mut states = scan.states();
    let done = until(&mut states, |scan| scan.is_over()).await;
    assert_eq!(keys(&done)[0], "user:2");
    assert_eq!(done.progress(), 1.0);
    scan.select(KeyQuery {
        prefix: b"user:".to_vec(),
        sort: KeyColumn::Key,
        descending: false,
        ..KeyQuery::default()
    });
    let other = until(&mut states, |scan| !scan.query.prefix.is_empty()).await;
    assert_eq!(keys(&other), ["user:1", "user:2"]);
}

#[tokio::test]
async fn a_scan_stops_at_its_limit_and_when_it_is_told() {
    let many: Vec<String> = (0..3000).map(|number| format!("k:{number}")).collect();
    let items: Vec<_> = many.iter().map(|key| (key.as_str(), "v", 0)).collect();
    let (_node, client, address) = node_with(&items).await;
    let options = ScanOptions {
        nodes: vec![Arc::from(address.as_str())],
        limit: 1000,
        keys_per_second: 1_000_000,
    };
    let scan = Scan::start(&client, options.clone());
    let capped = until(&mut scan.states(), |scan| scan.is_over()).await;
    assert_eq!(
        (capped.table.len(), &capped.nodes[0].stage),
        (1000, &ScanStage::Capped)
    );

    let slow = Scan::start(
        &client,
        ScanOptions {
            keys_per_second: 1,
            ..options
        },
    );
    let mut states = slow.states();
    until(&mut states, |scan| {
        scan.nodes[0].stage == ScanStage::Running
    })
    .await;
    slow.stop();
    let stopped = until(&mut states, |scan| scan.is_over()).await;
    assert_eq!(stopped.nodes[0].stage, ScanStage::Stopped);
    assert!(stopped.table.len() < 1000);
}

#[tokio::test]
async fn a_scan_that_is_refused_says_why() {
    let answers = [
        (
            "ERROR metadump not allowed\r\n",
            StreamTrouble::Forbidden { option: "-X" },
        ),
        (
            "BUSY currently processing crawler request\r\n",
            StreamTrouble::Busy,
        ),
        ("ERROR\r\n", StreamTrouble::TooOld { needs: "1.4.31" }),
        (
            "CLIENT_ERROR unauthenticated\r\n",
            StreamTrouble::Failed(Failure::Unauthenticated),
        ),
    ];
    for (answer, expected) in answers {
        let answers: &'static [_] =
            Box::leak(Box::new([("stats", "a_stats_t1"), ("lru_crawler", answer)]));
        let address = recorded(answers).await;
        let client = Client::connect(&address).await.unwrap();
        let scan = scan_of(&client, &[&address, "10.9.9.9:1"]);
        let done = until(&mut scan.states(), |scan| scan.is_over()).await;
        assert_eq!(done.nodes[0].stage, ScanStage::Failed(expected));
        assert_eq!(
            done.nodes[1].stage,
            ScanStage::Failed(StreamTrouble::NoSuchNode)
        );
        assert_eq!(done.failures().count(), 2);
    }
}

fn watch_of(client: &Client, nodes: &[&str], topics: &[WatchTopic]) -> LiveWatch {
    let options = LiveOptions {
        nodes: nodes.iter().map(|name| Arc::from(*name)).collect(),
        topics: topics.to_vec(),
        filter: LiveFilter::default(),
    };
    LiveWatch::start(client, options)
}

#[tokio::test]
async fn a_watch_reads_what_memcached_prints() {
    let evictions = recorded(&[("watch", "b_watch_evictions")]).await;
    let all = recorded(&[("watch", "b_watch_all")]).await;
    let external = recorded(&[("watch", "c_watch_evictions")]).await;
    let servers = [evictions.as_str(), &all, &external];
    let client = Client::connect(&servers.join(",")).await.unwrap();
    let watch = watch_of(&client, &servers, &[WatchTopic::Evictions]);
    // 199, 399 and 99 lines.
    let arrived = |view: &Arc<LiveDigest>| view.counts.all() + view.counts.looked_up_to_store;
    let view = until(&mut watch.views(), |view| arrived(view) == 697).await;
    assert_eq!(view.counts.looked_up_to_store, 50, "as many as stores");
    assert_eq!(view.counts.of(LiveKind::External), 99);
    assert_eq!(view.counts.of(LiveKind::Evicted), 215);
    assert!(
        view.nodes
            .iter()
            .all(|node| node.stage == WatchStage::Watching)
    );
    for server in servers {
        let events = view.events.iter().filter(|event| *event.node == *server);
        assert!(events.map(|event| event.gid).is_sorted());
    }
    assert_eq!(&*view.events[0].key, b"page:/item/249");
    assert!(!view.evicted.is_empty() && !view.misses.is_empty());
}

#[tokio::test]
async fn a_watch_follows_an_embedded_node() {
    let (_node, client, address) = node_with(&[]).await;
    let topics = [WatchTopic::Fetchers, WatchTopic::Mutations];
    let watch = watch_of(&client, &[&address], &topics);
    let mut views = watch.views();
    let is_watching = |view: &Arc<LiveDigest>| view.nodes[0].stage == WatchStage::Watching;
    until(&mut views, is_watching).await;
    client.set("user:1", "v", Expiry::Never).await.unwrap();
    for key in ["user:1", "user:1", "user:2"] {
        client.get::<String>(key).await.unwrap();
    }
    let view = until(&mut views, |view| view.counts.all() == 4).await;
    assert_eq!(
        (view.hits[0].count, &*view.hits[0].key),
        (2, &b"user:1"[..])
    );
    assert_eq!(&*view.misses[0].key, b"user:2");
    assert_eq!((view.prefixes[0].hits, view.prefixes[0].misses), (2, 1));
    watch.set_filter(LiveFilter {
        kinds: vec![LiveKind::Miss],
        ..LiveFilter::default()
    });
    assert_eq!(view.counts.looked_up_to_store, 1);
    let view = until(&mut views, |view| view.filter.kinds.len() == 1).await;
    assert_eq!(view.events.len(), 1);
}

#[tokio::test]
async fn a_watch_that_is_refused_says_why_and_skipped_events_are_counted() {
    let refusing = recorded(&[("watch", "CLIENT_ERROR watch commands not allowed\r\n")]).await;
    let old = recorded(&[]).await;
    let busy = recorded(&[(
        "watch",
        "OK\r\nskipped=41\nts=1.2 gid=9 type=item_get key=k status=found\n",
    )]);
    let busy = busy.await;
    let client = Client::connect(&[&*refusing, &old, &busy].join(","))
        .await
        .unwrap();
    let watch = watch_of(&client, &[&refusing, &old, &busy], &[WatchTopic::Deletions]);
    let settled = |view: &Arc<LiveDigest>| {
        let failed = |stage: &WatchStage| matches!(stage, WatchStage::Failed(_));
        view.nodes.iter().filter(|node| failed(&node.stage)).count() == 2 && view.counts.all() == 1
    };
    let view = until(&mut watch.views(), settled).await;
    let forbidden = StreamTrouble::Forbidden { option: "-W" };
    assert_eq!(view.nodes[0].stage, WatchStage::Failed(forbidden));
    assert_eq!(
        view.nodes[1].stage,
        WatchStage::Failed(StreamTrouble::TooOld { needs: "1.6.20" })
    );
    assert_eq!((view.nodes[2].skipped, view.counts.skipped), (41, 41));
}

#[tokio::test]
async fn a_value_is_looked_up_on_its_node_without_moving_it_in_the_lru() {
    let (node, client, address) = node_with(&[("user:1", "{\"a\":1}", 300)]).await;
    let settings: Config = address.parse().unwrap();
    let about = look_up(&settings, &address, b"user:1", false)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((about.size, about.value), (Some(7), None));
    assert_eq!(about.was_hit_before, Some(false));
    let found = look_up(&settings, &address, b"user:1", true)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.value.as_deref(), Some(&b"{\"a\":1}"[..]));
    assert_eq!(
        look_up(&settings, &address, b"absent", true).await.unwrap(),
        None
    );
    let unknown = look_up(&settings, "10.9.9.9:1", b"user:1", true).await;
    assert_eq!(unknown, Err(StreamTrouble::NoSuchNode));
    let endless = look_up(&settings, &address, &[b'k'; 251], true).await;
    assert!(
        matches!(endless, Err(StreamTrouble::BadKey(_))),
        "{endless:?}"
    );
    drop((node, client));
}

#[tokio::test]
async fn a_value_that_is_too_large_is_not_fetched() {
    let answers: &'static [_] = Box::leak(Box::new([("mg", "HD s1048577 f0 t-1 l3 h1\r\n")]));
    let address = recorded(answers).await;
    let settings: Config = address.parse().unwrap();
    let found = look_up(&settings, &address, b"big", true).await;
    let expected = StreamTrouble::TooLarge {
        size: LARGEST_VALUE + 1,
        most: LARGEST_VALUE,
    };
    assert_eq!(found, Err(expected));
}

#[tokio::test]
async fn connections_and_sizes_are_asked_on_demand() {
    let (_node, client, address) = node_with(&[("user:1", "v", 0)]).await;
    let open = connections(&client, &address).await.unwrap();
    assert!(open.own + open.others.len() >= 2, "{open:?}");
    let off = sizes(&client, &address).await;
    assert_eq!(
        off,
        Err(StreamTrouble::NotCounted {
            option: "-o track_sizes"
        })
    );
    let counting = recorded(&[("stats sizes", "a_stats_sizes")]).await;
    let client = Client::connect(&counting).await.unwrap();
    assert_eq!(sizes(&client, &counting).await.unwrap().histogram[&96], 552);
    let absent = connections(&client, "10.9.9.9:1").await;
    assert_eq!(absent, Err(StreamTrouble::NoSuchNode));
}
