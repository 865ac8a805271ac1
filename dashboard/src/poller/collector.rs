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

/// Feeds the monitor and publishes, until nobody polls or nobody looks any more.
pub(super) async fn collect(
    mut monitor: Monitor,
    mut answers: mpsc::Receiver<Answer>,
    publish: watch::Sender<Arc<Snapshot>>,
    start: Instant,
    interval: Duration,
) {
    let mut ticks = interval_at(start + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        select! {
            // What has arrived belongs into the snapshot that is due.
            biased;
            answer = answers.recv() => match answer {
                Some(Answer { node, at, observation }) => monitor.observe(node, at, observation),
                None => return,
            },
            _ = ticks.tick() => {
                let snapshot = monitor.publish(start.elapsed());
                if publish.send(Arc::new(snapshot)).is_err() {
                    return;
                }
            }
        }
    }
}
