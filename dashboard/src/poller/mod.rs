//! Asks every node for its statistics, over and over, and publishes what comes of it.
//!
//! One task per node. All nodes are asked once at the beginning, because somebody waits for the first
//! figures; from then on one after the other over the interval, so that the answers do not all come at
//! once. One task collects and publishes a [`Snapshot`] per interval. `stats` is asked for at every
//! interval, `stats items` and `stats slabs` (ten to twenty times as large) less
//! often, `stats settings` whenever a node answers for the first time or again.

mod client;
mod collector;
mod live;
mod node;
mod questions;
mod reads;
mod scan;
mod source;
mod trouble;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::model::{Monitor, Snapshot};
pub use client::ClientSource;
use collector::collect;
pub use live::LiveWatch;
use node::NodePoller;
pub use questions::{LARGEST_VALUE, connections, delete, look_up, sizes};
pub use reads::ReadWatch;
pub use scan::Scan;
pub use source::StatsSource;

/// Nodes that may be asked at once while they have no working connection.
const MOST_DIALLING: usize = 32;

/// Answers waiting for the collector. It only falls behind when the machine does; polls wait then.
const WAITING_ANSWERS: usize = 256;

/// By how much the latest poll came after its time.
#[derive(Debug, Default)]
struct Lateness(AtomicU64);

impl Lateness {
    fn note(&self, late: Duration) {
        let micros = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        self.0.fetch_max(micros, Ordering::Relaxed);
    }

    fn take(&self) -> Duration {
        Duration::from_micros(self.0.swap(0, Ordering::Relaxed))
    }
}

/// The running poller. Dropping it stops all its tasks.
#[derive(Debug)]
pub struct Poller {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    paused: watch::Sender<bool>,
    refreshes: watch::Sender<u64>,
    start: Instant,
    lateness: Arc<Lateness>,
    polls: JoinSet<()>,
    collector: JoinSet<Monitor>,
}

impl Poller {
    /// Begins to poll the nodes with these names, each once per `interval`. `source` knows them by
    /// their position.
    ///
    /// Must be called inside a tokio runtime.
    pub fn start<S: StatsSource>(source: S, names: Vec<Arc<str>>, interval: Duration) -> Self {
        Self::go_on(
            source,
            Monitor::new(names, interval),
            Instant::now(),
            interval,
        )
    }

    /// Goes on where another poller [ended](Self::stop_and_keep): `monitor` knows the nodes, and
    /// its moments count from `start`.
    ///
    /// Must be called inside a tokio runtime.
    pub fn go_on<S: StatsSource>(
        source: S,
        mut monitor: Monitor,
        start: Instant,
        interval: Duration,
    ) -> Self {
        let first = monitor.publish(start.elapsed());
        let nodes = first.nodes.len();
        let count = u32::try_from(nodes.max(1)).unwrap_or(u32::MAX);
        let (publish, snapshots) = watch::channel(Arc::new(first));
        let (pause, paused) = watch::channel(false);
        let (refresh, refreshes) = watch::channel(0);
        let (answers, waiting) = mpsc::channel(WAITING_ANSWERS);
        let (source, dialling) = (Arc::new(source), Arc::new(Semaphore::new(MOST_DIALLING)));

        let mut collector = JoinSet::new();
        collector.spawn(collect(
            monitor,
            waiting,
            publish,
            paused.clone(),
            refreshes.clone(),
            start,
            interval,
        ));
        let mut polls = JoinSet::new();
        let lateness = Arc::new(Lateness::default());
        // The first polls come at once, the second ones spread over the second interval.
        let second = Instant::now() + interval;
        for (node, place) in (0..nodes).zip(0..) {
            let poller = NodePoller {
                node,
                source: Arc::clone(&source),
                dialling: Arc::clone(&dialling),
                answers: answers.clone(),
                paused: paused.clone(),
                lateness: Arc::clone(&lateness),
                refreshes: refreshes.clone(),
                start,
                interval,
            };
            polls.spawn(poller.run(second + interval * place / count));
        }
        Self {
            snapshots,
            paused: pause,
            refreshes: refresh,
            start,
            lateness,
            polls,
            collector,
        }
    }

    /// The newest snapshot at any time, and news when there is a newer one.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// When the watch began: the moments of snapshots count from here.
    #[must_use]
    pub const fn start_time(&self) -> Instant {
        self.start
    }

    /// By how much the latest poll came after its time, since this was asked last.
    #[must_use]
    pub fn take_latest(&self) -> Duration {
        self.lateness.take()
    }

    /// Stops asking, or goes on. What is known stays as it is meanwhile.
    pub fn pause(&self, pause: bool) {
        // The receivers live as long as the tasks do, and a poller without tasks has nothing to do.
        let _ = self.paused.send(pause);
    }

    /// Asks every node for everything now, also while polling is paused.
    pub fn refresh(&self) {
        self.refreshes
            .send_modify(|asked| *asked = asked.wrapping_add(1));
    }

    /// Stops polling, and waits until nothing of it runs any more.
    pub async fn stop(mut self) {
        self.polls.shutdown().await;
        self.collector.shutdown().await;
    }

    /// As [`stop`](Self::stop), and gives back what is known. `None` when the collector failed.
    pub async fn stop_and_keep(mut self) -> Option<Monitor> {
        self.polls.shutdown().await;
        self.collector.join_next().await?.ok()
    }
}
