//! What happens on the nodes, by `watch`: on demand, for as long as somebody looks.
//!
//! Each node's watch has a connection of its own. When events come faster than they are taken in,
//! they wait in the socket, then the server leaves some out and says how many: nothing here grows.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use memlens::{Client, WatchTopic, Watched};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::trouble::{Asked, trouble};
use crate::model::{
    Failure, LiveDigest, LiveFeed, LiveFilter, LiveOptions, StreamTrouble, WatchStage,
};

/// Events that are handed on together at most.
const BATCH: usize = 512;

/// Batches that wait for the collector.
const WAITING_BATCHES: usize = 16;

/// How often what is shown is published.
const PUBLISH_EVERY: Duration = Duration::from_millis(250);

/// How long to wait before a node is watched anew whose watch ended.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// A watch under way. Dropping it closes its connections.
#[derive(Debug)]
pub struct LiveWatch {
    views: watch::Receiver<Arc<LiveDigest>>,
    changes: mpsc::UnboundedSender<Change>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
enum Change {
    Filter(LiveFilter),
    Pause(bool),
}

enum News {
    Stage(WatchStage),
    Events(Vec<Watched>),
}

impl LiveWatch {
    /// Begins to watch. Must be called inside a tokio runtime.
    #[must_use]
    pub fn start(client: &Client, options: LiveOptions) -> Self {
        let feed = LiveFeed::new(options.nodes.iter().cloned(), options.filter);
        let (publish, views) = watch::channel(Arc::new(feed.view(Duration::ZERO)));
        let (changes, changed) = mpsc::unbounded_channel();
        let (news, incoming) = mpsc::channel(WAITING_BATCHES);
        let mut topics = options.topics;
        if topics.contains(&WatchTopic::Fetchers) && !topics.contains(&WatchTopic::Mutations) {
            topics.push(WatchTopic::Mutations);
        }
        let topics: Arc<[WatchTopic]> = topics.into();
        let mut tasks = JoinSet::new();
        for name in options.nodes {
            let (client, topics) = (client.clone(), Arc::clone(&topics));
            tasks.spawn(watch_node(client, name, topics, news.clone()));
        }
        drop(news);
        tasks.spawn(collect(feed, incoming, changed, publish));
        Self {
            views,
            changes,
            _tasks: tasks,
        }
    }

    /// What is shown at any time, and news when there is something new.
    #[must_use]
    pub fn views(&self) -> watch::Receiver<Arc<LiveDigest>> {
        self.views.clone()
    }

    /// Lists by another filter.
    pub fn set_filter(&self, filter: LiveFilter) {
        let _ = self.changes.send(Change::Filter(filter));
    }

    /// Lets the list stand still, or go on. Events are counted either way.
    pub fn set_paused(&self, paused: bool) {
        let _ = self.changes.send(Change::Pause(paused));
    }
}

/// The first version that knows all these topics.
fn needed_for(topics: &[WatchTopic]) -> &'static str {
    if topics.contains(&WatchTopic::Deletions) {
        "1.6.20"
    } else if topics.contains(&WatchTopic::ConnectionEvents) {
        "1.6.11"
    } else {
        "1.4.26"
    }
}

/// Watches a node, and again when the watch ends, until nobody collects any more. What is refused
/// once is not tried again.
async fn watch_node(
    client: Client,
    name: Arc<str>,
    topics: Arc<[WatchTopic]>,
    news: mpsc::Sender<(Arc<str>, News)>,
) {
    while !news.is_closed() {
        let ended = watch_once(&client, &name, &topics, &news).await;
        let is_worth_another_try = matches!(ended, StreamTrouble::Failed(_));
        let stage = News::Stage(WatchStage::Failed(ended));
        if news.send((Arc::clone(&name), stage)).await.is_err() || !is_worth_another_try {
            return;
        }
        sleep(AGAIN_AFTER).await;
    }
}

async fn watch_once(
    client: &Client,
    name: &Arc<str>,
    topics: &[WatchTopic],
    news: &mpsc::Sender<(Arc<str>, News)>,
) -> StreamTrouble {
    let asked = Asked::Watch {
        needs: needed_for(topics),
    };
    let node = match client.node(name) {
        Ok(node) => node,
        Err(error) => return trouble(asked, &error),
    };
    let events = match node.watch(topics).await {
        Ok(events) => events,
        Err(error) => return trouble(asked, &error),
    };
    let nobody_listens = StreamTrouble::Failed(Failure::Disconnected);
    let watching = News::Stage(WatchStage::Watching);
    if news.send((Arc::clone(name), watching)).await.is_err() {
        return nobody_listens;
    }
    let mut batches = events.ready_chunks(BATCH);
    while let Some(batch) = batches.next().await {
        let mut events = Vec::with_capacity(batch.len());
        let mut broken = None;
        for event in batch {
            match event {
                Ok(event) => events.push(event),
                Err(error) => broken = Some(trouble(asked, &error)),
            }
        }
        if news
            .send((Arc::clone(name), News::Events(events)))
            .await
            .is_err()
        {
            return nobody_listens;
        }
        if let Some(trouble) = broken {
            return trouble;
        }
    }
    StreamTrouble::Failed(Failure::Disconnected)
}

/// Collects and publishes until nobody looks any more.
async fn collect(
    mut feed: LiveFeed,
    mut incoming: mpsc::Receiver<(Arc<str>, News)>,
    mut changed: mpsc::UnboundedReceiver<Change>,
    publish: watch::Sender<Arc<LiveDigest>>,
) {
    let begun = Instant::now();
    let mut ticks = interval(PUBLISH_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_behind = false;
    let mut is_watching = true;
    loop {
        let publish_now = select! {
            news = incoming.recv(), if is_watching => {
                match news {
                    Some((node, News::Stage(stage))) => feed.set_stage(&node, stage),
                    Some((node, News::Events(events))) => {
                        for event in &events {
                            feed.add(&node, event);
                        }
                    }
                    None => is_watching = false,
                }
                is_behind = true;
                false
            }
            change = changed.recv() => {
                match change {
                    Some(Change::Filter(filter)) => feed.set_filter(filter),
                    Some(Change::Pause(paused)) => feed.set_paused(paused),
                    None => return,
                }
                true
            }
            _ = ticks.tick(), if is_behind => true,
        };
        if publish_now {
            is_behind = feed.settle();
            if publish.send(Arc::new(feed.view(begun.elapsed()))).is_err() {
                return;
            }
        }
    }
}
