//! What somebody asked for on top of the polls: a scan, a watch, and single questions.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use memlens::stats::Sizes;
use memlens::{Client, Config};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::model::{KeyFacts, KeyScan, LiveDigest, OpenConnections, StreamTrouble};
use crate::poller::{LiveWatch, Scan, connections, look_up, sizes};
use crate::published::{Ask, Asked, KeyAnswer, KeyQuestion};

/// An answer to a single question.
enum Answer {
    Key(KeyQuestion, Result<Option<KeyFacts>, StreamTrouble>),
    Sizes(Arc<str>, Result<Arc<Sizes>, StreamTrouble>),
    Connections(Arc<str>, Result<Arc<OpenConnections>, StreamTrouble>),
}

/// What is under way, and what came of it.
pub(super) struct OnDemand {
    asked: Asked,
    scan: Option<(Scan, watch::Receiver<Arc<KeyScan>>)>,
    live: Option<(LiveWatch, watch::Receiver<Arc<LiveDigest>>)>,
    tasks: JoinSet<()>,
    answers: mpsc::UnboundedSender<Answer>,
    arriving: mpsc::UnboundedReceiver<Answer>,
}

impl Default for OnDemand {
    fn default() -> Self {
        let (answers, arriving) = mpsc::unbounded_channel();
        Self {
            asked: Asked::default(),
            scan: None,
            live: None,
            tasks: JoinSet::new(),
            answers,
            arriving,
        }
    }
}

impl OnDemand {
    /// What came so far.
    pub(super) fn asked(&self) -> Asked {
        self.asked.clone()
    }

    /// The sizes of items, where they are known.
    pub(super) fn known_sizes(&self) -> BTreeMap<Arc<str>, Arc<Sizes>> {
        let known = self.asked.sizes.iter();
        known
            .filter_map(|(node, sizes)| Some((Arc::clone(node), Arc::clone(sizes.as_ref().ok()?))))
            .collect()
    }

    /// The usual time to live, where a watch or a scan has shown it.
    pub(super) fn usual_time_to_live(&self) -> Option<Duration> {
        let watched = self
            .asked
            .live
            .as_ref()
            .and_then(|live| live.usual_time_to_live);
        watched.or_else(|| self.asked.scan.as_ref()?.summary.usual_time_to_live())
    }

    /// Carries out what is asked for, by `client`, whose settings are `config`.
    pub(super) fn carry_out(&mut self, ask: Ask, client: &Client, config: &Config) {
        match ask {
            Ask::Scan(options) => {
                let scan = Scan::start(client, options);
                let states = scan.states();
                self.asked.scan = Some(Arc::clone(&states.borrow()));
                self.scan = Some((scan, states));
            }
            Ask::StopScan => {
                if let Some((scan, _)) = &self.scan {
                    scan.stop();
                }
            }
            Ask::Select(query) => {
                if let Some((scan, _)) = &self.scan {
                    scan.select(query);
                }
            }
            Ask::ForgetScan => {
                self.scan = None;
                self.asked.scan = None;
            }
            Ask::Watch(options) => {
                let live = LiveWatch::start(client, options);
                let views = live.views();
                self.asked.live = Some(Arc::clone(&views.borrow()));
                self.live = Some((live, views));
            }
            Ask::Filter(filter) => {
                if let Some((live, _)) = &self.live {
                    live.set_filter(filter);
                }
            }
            Ask::PauseWatch(paused) => {
                if let Some((live, _)) = &self.live {
                    live.set_paused(paused);
                }
            }
            Ask::EndWatch => {
                self.live = None;
                self.asked.live = None;
            }
            Ask::ForgetKey => self.asked.key = None,
            Ask::Key(question) => self.ask_key(question, config.clone()),
            Ask::Sizes(node) => {
                let (client, answers) = (client.clone(), self.answers.clone());
                self.tasks.spawn(async move {
                    let found = sizes(&client, &node).await;
                    let _ = answers.send(Answer::Sizes(node, found));
                });
            }
            Ask::Connections(node) => {
                let (client, answers) = (client.clone(), self.answers.clone());
                self.tasks.spawn(async move {
                    let found = connections(&client, &node).await;
                    let _ = answers.send(Answer::Connections(node, found));
                });
            }
        }
    }

    fn ask_key(&mut self, question: KeyQuestion, config: Config) {
        self.asked.key = Some(Arc::new(KeyAnswer {
            question: question.clone(),
            answer: None,
        }));
        let answers = self.answers.clone();
        self.tasks.spawn(async move {
            let KeyQuestion {
                node,
                key,
                with_value,
            } = &question;
            let found = look_up(&config, node, key, *with_value).await;
            let _ = answers.send(Answer::Key(question, found));
        });
    }

    /// Waits until there is something new, and takes it in.
    pub(super) async fn news(&mut self) {
        select! {
            scan = next(&mut self.scan) => self.asked.scan = Some(scan),
            live = next(&mut self.live) => self.asked.live = Some(live),
            Some(answer) = self.arriving.recv() => self.take_in(answer),
        }
        // Tasks that have ended are forgotten.
        while self.tasks.try_join_next().is_some() {}
    }

    fn take_in(&mut self, answer: Answer) {
        match answer {
            Answer::Key(question, answer) => {
                // Only the newest question counts.
                let is_awaited = self
                    .asked
                    .key
                    .as_ref()
                    .is_some_and(|key| key.question == question);
                if is_awaited {
                    self.asked.key = Some(Arc::new(KeyAnswer {
                        question,
                        answer: Some(answer),
                    }));
                }
            }
            Answer::Sizes(node, sizes) => {
                Arc::make_mut(&mut self.asked.sizes).insert(node, sizes);
            }
            Answer::Connections(node, connections) => {
                Arc::make_mut(&mut self.asked.connections).insert(node, connections);
            }
        }
    }
}

/// The next state of a stream; never, when there is none or it has ended.
async fn next<S, T>(stream: &mut Option<(S, watch::Receiver<Arc<T>>)>) -> Arc<T> {
    let Some((_, states)) = stream else {
        return pending().await;
    };
    if states.changed().await.is_err() {
        return pending().await;
    }
    Arc::clone(&states.borrow_and_update())
}
