//! Asks every node for its statistics, over and over, and publishes what comes of it.
//!
//! One task per node, begun one after the other over the interval so that the answers do not all
//! come at once; one task that collects and publishes a [`Snapshot`] per interval. `stats` is asked
//! for at every interval, `stats items` and `stats slabs` (ten to twenty times as large) less
//! often, `stats settings` whenever a node answers for the first time or again.

mod client;
mod collector;
mod live;
mod node;
mod questions;
mod scan;
mod source;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::model::{Monitor, Snapshot};
pub use client::ClientSource;
use collector::collect;
pub use live::{LiveOptions, LiveWatch};
use node::NodePoller;
pub use questions::{KeyFacts, LARGEST_VALUE, connections, look_up, sizes};
pub use scan::{Scan, ScanOptions};
pub use source::StatsSource;

/// Nodes that may be asked at once while they have no working connection.
const MOST_DIALLING: usize = 32;

/// Answers waiting for the collector. It only falls behind when the machine does; polls wait then.
const WAITING_ANSWERS: usize = 256;

/// The running poller. Dropping it stops all its tasks.
#[derive(Debug)]
pub struct Poller {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    tasks: JoinSet<()>,
}

impl Poller {
    /// Begins to poll the nodes with these names, each once per `interval`. `source` knows them by
    /// their position.
    ///
    /// Must be called inside a tokio runtime.
    pub fn start<S: StatsSource>(source: S, names: Vec<Arc<str>>, interval: Duration) -> Self {
        let count = u32::try_from(names.len().max(1)).unwrap_or(u32::MAX);
        let mut monitor = Monitor::new(names, interval);
        let first = monitor.publish(Duration::ZERO);
        let nodes = first.nodes.len();
        let (publish, snapshots) = watch::channel(Arc::new(first));
        let (answers, waiting) = mpsc::channel(WAITING_ANSWERS);
        let (source, dialling) = (Arc::new(source), Arc::new(Semaphore::new(MOST_DIALLING)));
        let start = Instant::now();

        let mut tasks = JoinSet::new();
        tasks.spawn(collect(monitor, waiting, publish, start, interval));
        for (node, place) in (0..nodes).zip(0..) {
            let poller = NodePoller {
                node,
                source: Arc::clone(&source),
                dialling: Arc::clone(&dialling),
                answers: answers.clone(),
                start,
                interval,
            };
            tasks.spawn(poller.run(start + interval * place / count));
        }
        Self { snapshots, tasks }
    }

    /// The newest snapshot at any time, and news when there is a newer one.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Stops polling, and waits until nothing of it runs any more.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}
