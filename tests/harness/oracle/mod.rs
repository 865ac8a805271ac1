//! The cross-talk oracle: many tasks share one client of four memcached processes while everything goes
//! wrong, and every answer is held against what its key, its writer and its order allow.
//!
//! Futures are dropped at random points, deadlines are too short, proxies inject faults, processes are
//! stopped, continued, killed and restarted. An operation may fail; it may not answer wrongly, and it may
//! not stay unanswered.

mod claims;
mod task;
mod trouble;
mod value;

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use memlens::{Client, Config};
use tokio::sync::mpsc;

use crate::faults::FaultProxy;
use crate::{Memcached, Seed};
use task::Worker;
use trouble::Trouble;

const NODES: usize = 4;
const TASKS: usize = 64;

/// A future that takes so much longer than its deadline is lost.
const LOST: Duration = Duration::from_secs(20);

/// How long the oracle goes on.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Operations, over all tasks.
    pub operations: u64,
    /// Faults, spread evenly over the operations.
    pub faults: u64,
    /// How long an operation may take.
    pub timeout: Duration,
}

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Operations that answered; each answer was checked.
    pub answered: u64,
    /// Operations whose future was dropped.
    pub cancelled: u64,
    /// Operations that failed, by the name of their error's kind.
    pub failed: BTreeMap<&'static str, u64>,
    /// Faults, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// By how much an operation ended after its deadline, at the worst.
    pub latest: Duration,
}

impl Report {
    /// Operations that ended, in whatever way.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.answered + self.cancelled + self.failed.values().sum::<u64>()
    }

    /// Faults of all kinds.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.faults.values().sum()
    }

    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.cancelled += other.cancelled;
        self.latest = self.latest.max(other.latest);
        for (kind, count) in other.failed {
            *self.failed.entry(kind).or_default() += count;
        }
    }
}

/// Runs it; fails the test at the first wrong answer and at a future that is lost.
pub fn run(plan: Plan, seed: &Seed) -> Report {
    let nodes: Vec<Memcached> = (0..NODES).map(|_| Memcached::start()).collect();
    let proxies: Vec<FaultProxy> = nodes
        .iter()
        .map(|node| FaultProxy::start(node.address()))
        .collect();
    let config = config(&proxies, plan.timeout);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let client = Client::with_config(config).await.expect("a client");
        let (due, dues) = mpsc::channel(4);
        let trouble = Trouble::new(nodes, proxies, seed.generator(u64::MAX));
        let trouble = tokio::spawn(trouble.make(dues));
        let share = plan.operations / TASKS as u64;
        let stride = (plan.operations / plan.faults.max(1)).max(1);
        let tasks: Vec<_> = (0..TASKS)
            .map(|number| {
                let random: Rng = seed.generator(number as u64);
                let worker = Worker::new(client.clone(), number, random, plan.timeout);
                tokio::spawn(worker.work(share, stride, due.clone()))
            })
            .collect();
        drop(due);
        let mut report = Report::default();
        for task in tasks {
            report.add(task.await.expect("a task without a wrong answer"));
        }
        report.faults = trouble.await.expect("trouble that ends");
        client.close().await;
        report
    })
}

fn config(proxies: &[FaultProxy], timeout: Duration) -> Config {
    let list: Vec<String> = proxies
        .iter()
        .map(|proxy| proxy.address().to_string())
        .collect();
    let mut config: Config = list.join(",").parse().expect("addresses");
    config.operation_timeout = timeout;
    config.connect_timeout = timeout;
    config.drain_timeout = timeout / 2;
    config.backoff_base = Duration::from_millis(1);
    config.backoff_cap = Duration::from_millis(20);
    config
}
