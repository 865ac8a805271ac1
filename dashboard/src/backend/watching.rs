//! A cluster that is being polled.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::processor_time;
use crate::model::{Cluster, Monitor, Snapshot};
use crate::poller::{ClientSource, Poller, ReadWatch, delete};
use crate::published::{PollCost, Write, WriteCommand};

/// How long connections get to close in good order.
const CLOSE_PATIENCE: Duration = Duration::from_millis(500);

/// Over how long costs are averaged at least: what is published in between would make them jump.
const METERED_OVER: Duration = Duration::from_millis(500);

/// A cluster, and the poller that watches it.
#[derive(Debug)]
pub(super) struct Watching {
    pub(super) cluster: Arc<Cluster>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) is_paused: bool,
    source: ClientSource,
    poller: Poller,
    cost: PollCost,
    metered: Option<Meter>,
}

/// What was read off the meters at one moment.
#[derive(Debug)]
struct Meter {
    at: Instant,
    requests_and_bytes: (u64, u64),
    processor: Option<Duration>,
}

impl Watching {
    /// Begins to watch `cluster`.
    pub(super) async fn begin(cluster: Cluster, interval: Duration) -> memlens::Result<Self> {
        let names = cluster.node_names().to_vec();
        let monitor = Monitor::new(names, interval);
        Self::with(cluster, monitor, Instant::now(), interval).await
    }

    async fn with(
        cluster: Cluster,
        monitor: Monitor,
        start: Instant,
        interval: Duration,
    ) -> memlens::Result<Self> {
        let source = ClientSource::with_config(cluster.config().clone(), interval).await?;
        let poller = Poller::go_on(source.clone(), monitor, start, interval);
        Ok(Self {
            cluster: Arc::new(cluster),
            snapshots: poller.snapshots(),
            is_paused: false,
            source,
            poller,
            cost: PollCost::default(),
            metered: None,
        })
    }

    /// Goes on with other servers or another interval. What is known of nodes that stay is kept,
    /// and `note` marks the moment.
    pub(super) async fn change(
        self,
        cluster: Cluster,
        interval: Duration,
        note: Option<String>,
    ) -> memlens::Result<Self> {
        let start = self.poller.start_time();
        let names = cluster.node_names().to_vec();
        let kept = self.poller.stop_and_keep().await;
        let mut monitor = kept.unwrap_or_else(|| Monitor::new(names.clone(), interval));
        monitor.set_nodes(names);
        monitor.set_interval(interval);
        if let Some(note) = note {
            monitor.note_change(start.elapsed(), note);
        }
        close(&self.source).await;
        Self::with(cluster, monitor, start, interval).await
    }

    /// The client that polls.
    pub(super) fn client(&self) -> &memlens::Client {
        self.source.client()
    }

    pub(super) fn pause(&mut self, pause: bool) {
        self.is_paused = pause;
        self.poller.pause(pause);
    }

    /// Asks every node now.
    pub(super) fn refresh(&self) {
        self.poller.refresh();
    }

    /// What polling costs, over the last moments. Called by the thread that polls.
    pub(super) fn cost(&mut self) -> PollCost {
        let now = Meter {
            at: Instant::now(),
            requests_and_bytes: self.source.cost(),
            processor: processor_time::of_this_thread(),
        };
        let Some(before) = &self.metered else {
            self.metered = Some(now);
            return self.cost;
        };
        let seconds = now.at.duration_since(before.at).as_secs_f64();
        if seconds < METERED_OVER.as_secs_f64() {
            return self.cost;
        }
        let processor = now.processor.zip(before.processor);
        let (count, earlier) = (now.requests_and_bytes, before.requests_and_bytes);
        self.cost = PollCost {
            requests_per_second: count.0.saturating_sub(earlier.0) as f64 / seconds,
            bytes_per_second: count.1.saturating_sub(earlier.1) as f64 / seconds,
            cores: processor.map(|(now, before)| (now - before).as_secs_f64() / seconds),
            late: self.poller.take_latest(),
        };
        self.metered = Some(now);
        self.cost
    }

    /// Begins to watch which keys are read.
    pub(super) fn reads(&self, length: Duration) -> ReadWatch {
        let nodes = self.cluster.node_names().to_vec();
        ReadWatch::start(self.source.client(), nodes, length)
    }

    /// Changes a server, and says what it objected.
    pub(super) async fn write(&self, command: &WriteCommand) -> Result<(), String> {
        let client = self.source.client();
        let node = client
            .node(&command.node)
            .map_err(|error| error.to_string())?;
        let outcome = match &command.write {
            Write::FlushAll => node.flush_all().await,
            Write::SlabsReassign { from, to } => node.slabs_reassign(Some(*from), *to).await,
            Write::MemoryLimit(mebibytes) => node.cache_memlimit(*mebibytes).await,
            Write::Delete(key) => {
                let settings = self.cluster.config();
                return match delete(settings, &command.node, key).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err("it was not there".to_owned()),
                    Err(error) => Err(error.to_string()),
                };
            }
        };
        outcome.map_err(|error| error.to_string())
    }

    pub(super) async fn end(self) {
        self.poller.stop().await;
        close(&self.source).await;
    }
}

async fn close(source: &ClientSource) {
    // What is still under way then, ends with its connection.
    let _ = timeout(CLOSE_PATIENCE, source.close()).await;
}
