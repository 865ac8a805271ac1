//! The keys of the nodes, by `lru_crawler metadump`: on demand, bounded, and stopped at any time.
//!
//! The server walks through its memory in a thread of its own and waits for the reader, so reading
//! slower makes the scan gentler. While it lasts, the server's crawler does nothing else, and
//! another scan is refused. Every node's scan has a connection of its own.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use futures_util::StreamExt;
use memlens::{Client, ItemMetadata, NodeClient};
use tokio::select;
use tokio::sync::{Mutex, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::trouble::{Asked, trouble};
use crate::model::{
    Failure, KeyQuery, KeyScan, NodeScan, PrefixTree, ScanOptions, ScanStage, ScannedKey,
    StreamTrouble,
};

/// Nodes that are scanned at the same time.
const AT_ONCE: usize = 4;

/// Keys that are handed on together at most.
const BATCH: usize = 256;

/// Batches that wait for the collector. Beyond them, reading waits.
const WAITING_BATCHES: usize = 16;

/// How long a server may say nothing in the middle of its list.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a scan that goes on is published.
const PUBLISH_EVERY: Duration = Duration::from_millis(400);

/// A scan under way, or done. Dropping it stops it and closes its connections.
#[derive(Debug)]
pub struct Scan {
    states: watch::Receiver<Arc<KeyScan>>,
    queries: mpsc::UnboundedSender<KeyQuery>,
    stop: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl Scan {
    /// Begins to scan. Must be called inside a tokio runtime.
    #[must_use]
    pub fn start(client: &Client, options: ScanOptions) -> Self {
        let limit = options.limit.clamp(1, ScanOptions::HIGHEST_LIMIT);
        let first = KeyScan {
            nodes: options.nodes.iter().map(waiting).collect(),
            limit,
            ..KeyScan::default()
        };
        let (publish, states) = watch::channel(Arc::new(first.clone()));
        let (queries, asked) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let (news, incoming) = mpsc::channel(WAITING_BATCHES);
        let mut tasks = JoinSet::new();
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let pace = Arc::new(Pace::new(options.keys_per_second));
        let nodes = u64::try_from(options.nodes.len()).unwrap_or(1).max(1);
        for (index, name) in (0_u16..).zip(options.nodes) {
            let reader = NodeReader {
                index,
                node: client
                    .node(&name)
                    .map_err(|error| trouble(Asked::Metadump, &error)),
                quota: limit.div_ceil(nodes),
                places: Arc::clone(&places),
                pace: Arc::clone(&pace),
                news: news.clone(),
                stopped: stopped.clone(),
            };
            tasks.spawn(reader.run());
        }
        drop(news);
        tasks.spawn(collect(first, incoming, asked, publish));
        Self {
            states,
            queries,
            stop,
            _tasks: tasks,
        }
    }

    /// The scan as it stands at any time, and news when it goes on.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<Arc<KeyScan>> {
        self.states.clone()
    }

    /// Lists other keys, or in another order.
    pub fn select(&self, query: KeyQuery) {
        let _ = self.queries.send(query);
    }

    /// Ends reading. What came in stays, and can still be [`select`](Self::select)ed from.
    pub fn stop(&self) {
        let _ = self.stop.send(true);
    }
}

fn waiting(name: &Arc<str>) -> NodeScan {
    NodeScan {
        name: Arc::clone(name),
        stage: ScanStage::Waiting,
        seen: 0,
        expected: None,
    }
}

/// What the reader of a node tells the collector.
enum News {
    Begun { node: u16, expected: Option<u64> },
    Keys { node: u16, keys: Vec<OwnedKey> },
    Over { node: u16, stage: ScanStage },
}

struct OwnedKey {
    key: Vec<u8>,
    class: u8,
    size: u64,
    time_to_live: Option<u64>,
    idle: u64,
    is_fetched: bool,
}

impl OwnedKey {
    /// Reads an item's line; `now` is the server's clock, in seconds since 1970.
    fn new(item: &ItemMetadata, now: u64) -> Self {
        let since_1970 = |time: std::time::SystemTime| {
            time.duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs())
        };
        Self {
            key: item.key(),
            class: item
                .slab_class()
                .and_then(|class| u8::try_from(class).ok())
                .unwrap_or(0),
            size: item.size().unwrap_or(0),
            time_to_live: item.expires().map(|at| since_1970(at).saturating_sub(now)),
            idle: item
                .last_access()
                .map_or(0, |at| now.saturating_sub(since_1970(at))),
            is_fetched: item.is_fetched(),
        }
    }

    fn as_scanned(&self, node: u16) -> ScannedKey<'_> {
        ScannedKey {
            key: &self.key,
            node,
            class: self.class,
            size: self.size,
            time_to_live: self.time_to_live,
            idle: self.idle,
            is_fetched: self.is_fetched,
        }
    }
}

/// Spreads reading over time, for all nodes together.
struct Pace {
    per_second: f64,
    next: Mutex<Instant>,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        Self {
            per_second: f64::from(per_second.max(1)),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits until so many more keys may be read.
    async fn wait_for(&self, keys: usize) {
        let mut next = self.next.lock().await;
        let turn = (*next).max(Instant::now());
        *next = turn + Duration::from_secs_f64(keys as f64 / self.per_second);
        drop(next);
        sleep_until(turn).await;
    }
}

struct NodeReader {
    index: u16,
    node: Result<NodeClient, StreamTrouble>,
    quota: u64,
    places: Arc<Semaphore>,
    pace: Arc<Pace>,
    news: mpsc::Sender<News>,
    stopped: watch::Receiver<bool>,
}

impl NodeReader {
    async fn run(mut self) {
        let mut stopped = self.stopped.clone();
        let stage = select! {
            stage = self.read() => stage,
            _ = stopped.wait_for(|stopped| *stopped) => ScanStage::Stopped,
        };
        self.tell(News::Over {
            node: self.index,
            stage,
        })
        .await;
    }

    async fn read(&mut self) -> ScanStage {
        let places = Arc::clone(&self.places);
        let Ok(_place) = places.acquire().await else {
            return ScanStage::Stopped;
        };
        match self.read_all().await {
            Ok(stage) => stage,
            Err(trouble) => ScanStage::Failed(trouble),
        }
    }

    async fn read_all(&self) -> Result<ScanStage, StreamTrouble> {
        let node = self.node.as_ref().map_err(Clone::clone)?;
        let failed = |error: memlens::Error| trouble(Asked::Metadump, &error);
        let general = node.stats().await.map_err(failed)?;
        let begun = Instant::now();
        self.tell(News::Begun {
            node: self.index,
            expected: general.curr_items,
        })
        .await;
        let items = node.metadump(None).await.map_err(failed)?;
        let mut batches = items.ready_chunks(BATCH);
        let mut left = self.quota;
        loop {
            let late = |_| StreamTrouble::Failed(Failure::TimedOut);
            let Some(batch) = timeout(PATIENCE, batches.next()).await.map_err(late)? else {
                return Ok(ScanStage::Finished);
            };
            let now = general.time.unwrap_or(0) + begun.elapsed().as_secs();
            let mut keys = Vec::with_capacity(batch.len());
            let mut broken = None;
            for item in batch {
                match item {
                    Ok(item) => keys.push(OwnedKey::new(&item, now)),
                    Err(error) => broken = Some(failed(error)),
                }
            }
            let is_enough = u64::try_from(keys.len()).unwrap_or(u64::MAX) > left;
            keys.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left -= keys.len() as u64;
            self.pace.wait_for(keys.len()).await;
            self.tell(News::Keys {
                node: self.index,
                keys,
            })
            .await;
            if let Some(trouble) = broken {
                return Err(trouble);
            }
            if is_enough {
                return Ok(ScanStage::Capped);
            }
        }
    }

    /// Hands something on. That nobody collects any more ends the scan elsewhere.
    async fn tell(&self, news: News) {
        let _ = self.news.send(news).await;
    }
}

/// Collects until nobody looks any more; publishes at most so often while keys come in, and at once
/// when something ends or another query is asked.
async fn collect(
    mut scan: KeyScan,
    mut incoming: mpsc::Receiver<News>,
    mut asked: mpsc::UnboundedReceiver<KeyQuery>,
    publish: watch::Sender<Arc<KeyScan>>,
) {
    let mut tree = PrefixTree::default();
    let mut ticks = interval(PUBLISH_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_behind = false;
    let mut is_reading = true;
    loop {
        let publish_now = select! {
            news = incoming.recv(), if is_reading => match news {
                Some(news) => {
                    take_in(&mut scan, &mut tree, news);
                    is_behind = true;
                    false
                }
                None => {
                    is_reading = false;
                    true
                }
            },
            query = asked.recv() => match query {
                Some(query) => {
                    scan.query = query;
                    true
                }
                None => return,
            },
            _ = ticks.tick(), if is_behind => true,
        };
        if publish_now {
            is_behind = false;
            scan = selected(scan, &tree).await;
            if publish.send(Arc::new(scan.clone())).is_err() {
                return;
            }
        }
    }
}

/// The scan with its query answered anew. Sorting takes a while, which the threads for that have.
async fn selected(mut scan: KeyScan, tree: &PrefixTree) -> KeyScan {
    scan.tree = Arc::new(tree.clone());
    let (table, query) = (scan.table.clone(), scan.query.clone());
    if let Ok(rows) = tokio::task::spawn_blocking(move || query.select(&table)).await {
        scan.selected = rows.into();
    }
    scan
}

fn take_in(scan: &mut KeyScan, tree: &mut PrefixTree, news: News) {
    let (News::Begun { node, .. } | News::Keys { node, .. } | News::Over { node, .. }) = news;
    let Some(state) = scan.nodes.get_mut(usize::from(node)) else {
        return;
    };
    match news {
        News::Begun { expected, .. } => {
            state.stage = ScanStage::Running;
            state.expected = expected;
        }
        News::Keys { keys, .. } => {
            state.seen += keys.len() as u64;
            for key in &keys {
                let scanned = key.as_scanned(node);
                scan.table.push(&scanned);
                tree.add(scanned.key, scanned.size);
                scan.summary.add(&scanned);
            }
        }
        News::Over { stage, .. } => state.stage = stage,
    }
}
