//! The polls of one node.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::collector::Answer;
use super::source::{StatsSource, StatsTopic};
use crate::model::parse::{General, Items, Settings, Slabs};
use crate::model::{Failure, Observation};

/// How often slab classes are asked for, at most.
const CLASSES_EVERY: Duration = Duration::from_secs(5);

/// The least time that an answer gets, however short the interval is.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);

/// What the task of a node needs.
pub(super) struct NodePoller<S> {
    pub(super) node: usize,
    pub(super) source: Arc<S>,
    pub(super) dialling: Arc<Semaphore>,
    pub(super) answers: mpsc::Sender<Answer>,
    pub(super) start: Instant,
    pub(super) interval: Duration,
}

type Pairs = Vec<(String, String)>;

impl<S: StatsSource> NodePoller<S> {
    /// Polls until nobody collects the answers any more.
    pub(super) async fn run(self, first: Instant) {
        let mut ticks = interval_at(first, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut connected = false;
        let mut classes_at: Option<Instant> = None;
        loop {
            ticks.tick().await;
            let was_connected = connected;
            connected = match self.poll_general(connected).await {
                Ok(observation) => self.report(observation).await,
                Err(failure) => {
                    classes_at = None;
                    self.report(Observation::Failed(failure)).await;
                    false
                }
            };
            if self.answers.is_closed() {
                return;
            }
            if connected && !was_connected {
                self.poll_settings().await;
            }
            if connected && classes_at.is_none_or(|at| at.elapsed() >= CLASSES_EVERY) {
                classes_at = Some(Instant::now());
                self.poll_classes().await;
            }
        }
    }

    async fn poll_general(&self, connected: bool) -> Result<Observation, Failure> {
        // Only a node that may have to be dialled takes one of the places for dialling.
        let _place = match connected {
            true => None,
            false => self.dialling.acquire().await.ok(),
        };
        let asked = Instant::now();
        let pairs = self.ask(StatsTopic::General).await?;
        let general = General::parse(borrowed(&pairs));
        if general.pid.is_none() && general.uptime.is_none() {
            return Err(Failure::Unexpected("not a memcached".into()));
        }
        Ok(Observation::General {
            general: Arc::new(general),
            round_trip: asked.elapsed(),
        })
    }

    /// Asks for the settings. A server that does not tell is not down for it.
    async fn poll_settings(&self) {
        if let Ok(pairs) = self.ask(StatsTopic::Settings).await {
            let settings = Settings::parse(borrowed(&pairs));
            self.report(Observation::Settings(Arc::new(settings))).await;
        }
    }

    /// Asks for the slab classes. A server that does not tell is not down for it.
    async fn poll_classes(&self) {
        let Ok(items) = self.ask(StatsTopic::Items).await else {
            return;
        };
        let Ok(slabs) = self.ask(StatsTopic::Slabs).await else {
            return;
        };
        let items = Arc::new(Items::parse(borrowed(&items)));
        let slabs = Arc::new(Slabs::parse(borrowed(&slabs)));
        self.report(Observation::Classes { items, slabs }).await;
    }

    async fn ask(&self, topic: StatsTopic) -> Result<Pairs, Failure> {
        let patience = self.interval.max(LEAST_PATIENCE);
        match timeout(patience, self.source.stats(self.node, topic)).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::TimedOut),
        }
    }

    /// Hands an observation on; false when nobody wants it any more.
    async fn report(&self, observation: Observation) -> bool {
        let at = self.start.elapsed();
        self.answers
            .send(Answer {
                node: self.node,
                at,
                observation,
            })
            .await
            .is_ok()
    }
}

fn borrowed(pairs: &Pairs) -> impl Iterator<Item = (&str, &str)> {
    pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}
