//! Answers in, a snapshot per interval out.

use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::model::{Monitor, Observation, Snapshot};

/// What one poll learned.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) node: usize,
    pub(super) at: Duration,
    pub(super) observation: Observation,
}

/// Feeds the monitor and publishes, until nobody polls or nobody looks any more. Then the monitor
/// is handed back.
///
/// While polling is paused nothing is published, so that nothing grows stale meanwhile.
pub(super) async fn collect(
    mut monitor: Monitor,
    mut answers: mpsc::Receiver<Answer>,
    publish: watch::Sender<Arc<Snapshot>>,
    paused: watch::Receiver<bool>,
    start: Instant,
    interval: Duration,
) -> Monitor {
    let mut ticks = interval_at(Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        select! {
            // What has arrived belongs into the snapshot that is due.
            biased;
            answer = answers.recv() => match answer {
                Some(Answer { node, at, observation }) => monitor.observe(node, at, observation),
                None => return monitor,
            },
            _ = ticks.tick() => {
                if *paused.borrow() {
                    continue;
                }
                let snapshot = monitor.publish(start.elapsed());
                if publish.send(Arc::new(snapshot)).is_err() {
                    return monitor;
                }
            }
        }
    }
}
