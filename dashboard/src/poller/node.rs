//! The polls of one node.

use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::Lateness;
use super::collector::Answer;
use super::source::StatsSource;
use crate::model::{Failure, Observation};

/// How often slab classes are asked for, at most.
const CLASSES_EVERY: Duration = Duration::from_secs(5);

/// How soon after the first time they are asked for again: rates need two answers.
const CLASSES_AGAIN: Duration = Duration::from_secs(1);

/// What the task of a node needs.
pub(super) struct NodePoller<S> {
    pub(super) node: usize,
    pub(super) source: Arc<S>,
    pub(super) dialling: Arc<Semaphore>,
    pub(super) answers: mpsc::Sender<Answer>,
    pub(super) paused: watch::Receiver<bool>,
    pub(super) lateness: Arc<Lateness>,
    pub(super) refreshes: watch::Receiver<u64>,
    pub(super) start: Instant,
    pub(super) interval: Duration,
}

impl<S: StatsSource> NodePoller<S> {
    /// Polls at once and from `second` on, until nobody collects the answers any more.
    pub(super) async fn run(mut self, second: Instant) {
        let mut ticks = interval_at(second, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut connected = false;
        let mut classes_due: Option<Instant> = None;
        let mut is_first = true;
        while !self.answers.is_closed() {
            let is_at_once = std::mem::take(&mut is_first);
            let Some(is_asked_for) = self.next(&mut ticks, is_at_once).await else {
                return;
            };
            if is_asked_for {
                classes_due = None;
            }
            let was_connected = connected;
            connected = self.poll_general(connected).await;
            if !connected {
                classes_due = None;
                continue;
            }
            if !was_connected {
                self.poll_settings().await;
            }
            let now = Instant::now();
            let pause = match classes_due {
                None => Some(CLASSES_AGAIN),
                // At the poll nearest to the moment, so that jitter does not cost an interval.
                Some(due) => (due <= now + self.interval / 2).then_some(CLASSES_EVERY),
            };
            if let Some(pause) = pause {
                classes_due = Some(now + pause);
                self.poll_classes().await;
            }
        }
    }

    /// Waits for the next poll; true when somebody asked for it, `None` when nobody polls any more.
    async fn next(&mut self, ticks: &mut Interval, is_at_once: bool) -> Option<bool> {
        let (paused, refreshes) = (&mut self.paused, &mut self.refreshes);
        let lateness = &self.lateness;
        let due = async {
            if !is_at_once {
                let due = ticks.tick().await;
                lateness.note(due.elapsed());
            }
            paused.wait_for(|paused| !paused).await.is_ok()
        };
        select! {
            goes_on = due => goes_on.then_some(false),
            asked = refreshes.changed() => asked.is_ok().then_some(true),
        }
    }

    /// Asks for `stats` and reports what came of it; false when nothing good did.
    async fn poll_general(&self, connected: bool) -> bool {
        match self.general(connected).await {
            Ok(observation) => {
                self.report(observation).await;
                true
            }
            Err(failure) => {
                self.report(Observation::Failed(failure)).await;
                false
            }
        }
    }

    async fn general(&self, connected: bool) -> Result<Observation, Failure> {
        // Only a node that may have to be dialled takes one of the places for dialling.
        let _place = if connected {
            None
        } else {
            self.dialling.acquire().await.ok()
        };
        let general = self.source.general(self.node).await?;
        if general.pid.is_none() && general.uptime.is_none() {
            return Err(Failure::Unexpected("not a memcached".into()));
        }
        let round_trip = self.source.round_trip(self.node).await.ok();
        Ok(Observation::General {
            general: Arc::new(general),
            round_trip,
        })
    }

    /// Asks for the settings. A server that does not tell is not down for it.
    async fn poll_settings(&self) {
        if let Ok(settings) = self.source.settings(self.node).await {
            self.report(Observation::Settings(Arc::new(settings))).await;
        }
    }

    /// Asks for the slab classes. A server that does not tell is not down for it.
    async fn poll_classes(&self) {
        if let Ok((items, slabs)) = self.source.classes(self.node).await {
            let (items, slabs) = (Arc::new(items), Arc::new(slabs));
            self.report(Observation::Classes { items, slabs }).await;
        }
    }

    /// Hands an observation on. That nobody wants it any more shows before the next poll.
    async fn report(&self, observation: Observation) {
        let at = self.start.elapsed();
        let _ = self
            .answers
            .send(Answer {
                node: self.node,
                at,
                observation,
            })
            .await;
    }
}
