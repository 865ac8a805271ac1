//! Sends a workload through the client.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use memlens::{Client, Expiry};
use tokio::select;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::pace::Pace;
use super::report::LoadCounters;
use super::values::Values;
use super::workload::{Action, Item, Workload, WorkloadSettings};

/// Tasks that share the client, as the requests of an application do.
const TASKS: u32 = 32;

/// Actions of one task that may wait for their answers. Together they are as many as requests arrive
/// at an application while a node hangs: the others still get theirs.
const MOST_UNDER_WAY: usize = 128;

/// How often a task looks what is due.
const TICK: Duration = Duration::from_millis(10);

/// A running load. Dropping it stops its tasks.
#[derive(Debug)]
pub struct Load {
    counters: Arc<LoadCounters>,
    tasks: JoinSet<()>,
}

impl Load {
    /// Begins to send `per_second` commands through `client`.
    ///
    /// Must be called inside a tokio runtime.
    #[must_use]
    pub fn start(client: &Client, settings: WorkloadSettings, per_second: u64) -> Self {
        let counters = Arc::new(LoadCounters::default());
        let values = Values::new(settings.seed);
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let sender = Sender {
                client: client.clone(),
                values: values.clone(),
                counters: Arc::clone(&counters),
            };
            // Spread over a tick, so that the tasks do not all send at the same moment.
            let first_tick = start + TICK * task / TASKS;
            tasks.spawn(sender.run(
                Workload::new(settings, u64::from(task)),
                per_second as f64 / f64::from(TASKS),
                first_tick,
            ));
        }
        Self { counters, tasks }
    }

    /// What has been sent.
    #[must_use]
    pub fn counters(&self) -> Arc<LoadCounters> {
        Arc::clone(&self.counters)
    }

    /// Stops sending, and waits until no task runs any more.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// One task's part of the load.
struct Sender {
    client: Client,
    values: Values,
    counters: Arc<LoadCounters>,
}

impl Sender {
    async fn run(self, mut workload: Workload, per_second: f64, first_tick: Instant) {
        let mut ticks = interval_at(first_tick, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut pace = Pace::new(per_second, Duration::ZERO);
        let mut under_way = FuturesUnordered::new();
        loop {
            select! {
                _ = ticks.tick() => {
                    let room = MOST_UNDER_WAY.saturating_sub(under_way.len());
                    let due = pace.due(first_tick.elapsed()).min(room as u64);
                    for _ in 0..due {
                        let (action, item) = workload.next_action();
                        under_way.push(self.perform(action, item));
                    }
                    pace.sent(due);
                }
                Some(further) = under_way.next() => pace.sent(further),
            }
        }
    }

    /// Does what the application would, and tells how many commands beyond the first that took.
    async fn perform(&self, action: Action, item: Item) -> u64 {
        let (key, expiry) = (item.key(), expiry(&item));
        let succeeded = match action {
            Action::Read => return self.read(&item, &key).await,
            Action::Store => self
                .client
                .set(&key, &self.values.of(&item), expiry)
                .await
                .is_ok(),
            Action::Delete => self.client.delete(&key).await.is_ok(),
            Action::Touch => self.client.touch(&key, expiry).await.is_ok(),
            Action::Increment => self.client.incr_or_init(&key, 1, 1, expiry).await.is_ok(),
        };
        self.counters.count(succeeded);
        0
    }

    /// Reads the item; computes its value and stores it when it is missing.
    async fn read(&self, item: &Item, key: &str) -> u64 {
        let found: memlens::Result<Option<Bytes>> = self.client.get(key).await;
        self.counters.count(found.is_ok());
        let Ok(None) = found else { return 0 };
        let stored = self
            .client
            .set(key, &self.values.of(item), expiry(item))
            .await;
        self.counters.count(stored.is_ok());
        1
    }
}

fn expiry(item: &Item) -> Expiry {
    item.kind.lifetime().map_or(Expiry::Never, Expiry::After)
}
