//! Which keys are read, by `watch fetchers mutations`: for some seconds, when somebody asks.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use memlens::{Client, WatchTopic, Watched};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::trouble::{Asked, trouble};
use crate::model::whatif::{ReadSampler, ReadStage, Reads};

/// Events that are handed on together at most.
const BATCH: usize = 512;

/// Batches that wait to be taken in.
const WAITING_BATCHES: usize = 16;

/// How often progress is told.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// Reads are watched, and the sample of them stays. Dropping it closes the connections.
#[derive(Debug)]
pub struct ReadWatch {
    state: watch::Receiver<Arc<Reads>>,
    _tasks: JoinSet<()>,
}

enum News {
    Events(Arc<str>, Vec<Watched>),
    Failed(String),
}

impl ReadWatch {
    /// Begins to watch the nodes, for `length`. Must be called inside a tokio runtime.
    #[must_use]
    pub fn start(client: &Client, nodes: Vec<Arc<str>>, length: Duration) -> Self {
        let begun = Reads {
            stage: ReadStage::Watching { left: length },
            ..Reads::default()
        };
        let (tell, state) = watch::channel(Arc::new(begun));
        let (news, incoming) = mpsc::channel(WAITING_BATCHES);
        let mut tasks = JoinSet::new();
        let count = nodes.len();
        for node in nodes {
            tasks.spawn(watch_node(client.clone(), node, news.clone()));
        }
        drop(news);
        tasks.spawn(collect(incoming, tell, length, count));
        Self {
            state,
            _tasks: tasks,
        }
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> Arc<Reads> {
        Arc::clone(&self.state.borrow())
    }

    /// Waits until it is done or came to nothing.
    ///
    /// Dropping the future changes nothing.
    pub async fn done(&mut self) -> Arc<Reads> {
        // The collector ends right after it has told the end.
        let _ = self.state.wait_for(|reads| !reads.is_running()).await;
        self.state()
    }
}

/// Hands on what a node tells until nobody listens. What breaks off is not begun again: a sample with
/// a gap would make the node's keys look rarer than they are.
async fn watch_node(client: Client, name: Arc<str>, news: mpsc::Sender<News>) {
    let asked = Asked::Watch { needs: "1.4.26" };
    let topics = [WatchTopic::Fetchers, WatchTopic::Mutations];
    let opened = match client.node(&name) {
        Ok(node) => node.watch(&topics).await,
        Err(error) => Err(error),
    };
    let mut batches = match opened {
        Ok(events) => events.ready_chunks(BATCH),
        Err(error) => {
            let reason = format!("{name}: {}", trouble(asked, &error));
            // Nobody listens any more: nobody wants to know either.
            let _ = news.send(News::Failed(reason)).await;
            return;
        }
    };
    while let Some(batch) = batches.next().await {
        let events = batch.into_iter().filter_map(Result::ok).collect();
        if news
            .send(News::Events(Arc::clone(&name), events))
            .await
            .is_err()
        {
            return;
        }
    }
}

async fn collect(
    mut incoming: mpsc::Receiver<News>,
    tell: watch::Sender<Arc<Reads>>,
    length: Duration,
    nodes: usize,
) {
    let begun = Instant::now();
    let end = begun + length;
    let mut ticks = interval(TOLD_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sampler = ReadSampler::default();
    let mut failures: Vec<String> = Vec::new();
    loop {
        let goes_on = select! {
            news = incoming.recv() => match news {
                Some(News::Events(node, events)) => events.iter().all(|event| sampler.add(&node, event)),
                Some(News::Failed(reason)) => {
                    failures.push(reason);
                    failures.len() < nodes
                }
                None => false,
            },
            () = sleep_until(end) => false,
            _ = ticks.tick() => {
                let left = end.saturating_duration_since(Instant::now());
                let told = Reads {
                    stage: ReadStage::Watching { left },
                    reads: sampler.reads(),
                    skipped: sampler.skipped(),
                    unwatched: failures.len(),
                    sample: None,
                };
                tell.send(Arc::new(told)).is_ok()
            }
        };
        if !goes_on {
            break;
        }
    }
    let mut told = Reads {
        stage: ReadStage::Done,
        reads: sampler.reads(),
        skipped: sampler.skipped(),
        unwatched: failures.len(),
        sample: None,
    };
    if failures.len() == nodes {
        told.stage = ReadStage::Failed(failures.swap_remove(0));
    } else {
        told.sample = Some(Arc::new(sampler.finish(begun.elapsed().as_secs_f64())));
    }
    // Whoever asked may have gone.
    let _ = tell.send(Arc::new(told));
}
