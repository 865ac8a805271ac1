//! Answers in, a snapshot per interval out.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::model::{Monitor, Observation, Snapshot};

/// What one poll learned.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) node: usize,
    pub(super) at: Duration,
    pub(super) observation: Observation,
}

/// How soon after the beginning there is something to show, even if not all nodes have answered.
const FIRST_LOOK: Duration = Duration::from_millis(250);

/// Feeds the monitor and publishes, until nobody polls or nobody looks any more. Then the monitor
/// is handed back.
///
/// Somebody waits for the first figures: they are published as soon as every node has been heard of,
/// and those that came by then after a moment. While polling is paused nothing is published, so that
/// nothing grows stale meanwhile; but for what somebody asked for.
pub(super) async fn collect(
    mut monitor: Monitor,
    mut answers: mpsc::Receiver<Answer>,
    publish: watch::Sender<Arc<Snapshot>>,
    paused: watch::Receiver<bool>,
    mut refreshes: watch::Receiver<u64>,
    start: Instant,
    interval: Duration,
) -> Monitor {
    let begun = Instant::now();
    let mut ticks = interval_at(begun + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut first_look = pin!(sleep_until(begun + FIRST_LOOK.min(interval)));
    let mut awaited = Some(Awaited::all_of(&publish.borrow()));
    let mut is_looking = true;
    let mut asked_for = 0;
    loop {
        let is_due = select! {
            // What has arrived belongs into the snapshot that is due.
            biased;
            answer = answers.recv() => match answer {
                Some(Answer { node, at, observation }) => {
                    monitor.observe(node, at, observation);
                    awaited.as_mut().is_some_and(|awaited| awaited.came(node))
                }
                None => return monitor,
            },
            () = &mut first_look, if is_looking => true,
            _ = ticks.tick() => {
                // What is asked for just before a tick is answered just after it.
                if refreshes.has_changed().unwrap_or(false) {
                    refreshes.mark_unchanged();
                    asked_for = 2;
                }
                let is_wanted = !*paused.borrow() || asked_for > 0;
                asked_for = asked_for.max(1) - 1;
                is_wanted
            }
        };
        if !is_due {
            continue;
        }
        is_looking = false;
        awaited = awaited.filter(|awaited| awaited.left > 0);
        let snapshot = monitor.publish(start.elapsed());
        if publish.send(Arc::new(snapshot)).is_err() {
            return monitor;
        }
    }
}

/// The nodes that were never heard of.
struct Awaited {
    nodes: Vec<bool>,
    left: usize,
}

impl Awaited {
    fn all_of(snapshot: &Snapshot) -> Self {
        let nodes = snapshot.nodes.len();
        Self {
            nodes: vec![true; nodes],
            left: nodes,
        }
    }

    /// Takes note that something came of a node; true if it was the last one.
    fn came(&mut self, node: usize) -> bool {
        let was_awaited = self.nodes.get_mut(node).is_some_and(std::mem::take);
        self.left -= usize::from(was_awaited);
        was_awaited && self.left == 0
    }
}
