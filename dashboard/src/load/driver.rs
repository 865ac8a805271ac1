//! Sends a workload through the client.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use memlens::{Client, Expiry};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::pace::Pace;
use super::report::LoadCounters;
use super::values::Values;
use super::workload::{Action, Item, Workload, WorkloadSettings};

/// Tasks that share the client, as the requests of an application do.
const TASKS: u32 = 32;

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
        loop {
            ticks.tick().await;
            let due = pace.due(first_tick.elapsed());
            let mut sent = 0;
            while sent < due {
                let (action, item) = workload.next_action();
                sent += self.perform(action, &item).await;
            }
            pace.sent(sent);
        }
    }

    /// Does what the application would, and tells how many commands that took.
    async fn perform(&self, action: Action, item: &Item) -> u64 {
        match action {
            Action::Read => {
                let found: memlens::Result<Option<Bytes>> = self.client.get(&item.key()).await;
                self.counters.count(found.is_ok());
                match found {
                    Ok(None) => 1 + self.store(item).await,
                    Ok(Some(_)) | Err(_) => 1,
                }
            }
            Action::Store => self.store(item).await,
            Action::Delete => self.count(self.client.delete(&item.key()).await.is_ok()),
            Action::Touch => self.count(self.client.touch(&item.key(), expiry(item)).await.is_ok()),
            Action::Increment => {
                let counted = self
                    .client
                    .incr_or_init(&item.key(), 1, 1, expiry(item))
                    .await;
                self.count(counted.is_ok())
            }
        }
    }

    /// Computes the item's value and stores it.
    async fn store(&self, item: &Item) -> u64 {
        let stored = self
            .client
            .set(&item.key(), &self.values.of(item), expiry(item))
            .await;
        self.count(stored.is_ok())
    }

    fn count(&self, succeeded: bool) -> u64 {
        self.counters.count(succeeded);
        1
    }
}

fn expiry(item: &Item) -> Expiry {
    item.kind.lifetime().map_or(Expiry::Never, Expiry::After)
}
