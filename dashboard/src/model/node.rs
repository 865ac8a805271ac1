//! One node: what is known of it, and how an observation changes that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::classes::{ClassRates, ClassSample, class_rates, tail_age};
use super::deltas::{Deltas, Gap, restarted};
use super::history::{History, Measurement, Series};
use super::memory::Memory;
use super::state::{Failure, Health, INTERVALS_UNTIL_STALE, NodeState};
use memlens::stats::{General, Items, Settings, Slabs};

/// Marks kept per node; older ones are forgotten.
const MARKS_KEPT: usize = 64;

/// Something that was learned about a node.
#[derive(Debug, Clone)]
pub enum Observation {
    /// It answered `stats`.
    General {
        /// The answer.
        general: Arc<General>,
        /// How long it took to answer a request that is no work (`mn`), where that was measured.
        round_trip: Option<Duration>,
    },
    /// It answered `stats items` and `stats slabs`.
    Classes {
        /// The answer of `stats items`.
        items: Arc<Items>,
        /// The answer of `stats slabs`.
        slabs: Arc<Slabs>,
    },
    /// It answered `stats settings`.
    Settings(Arc<Settings>),
    /// It did not answer.
    Failed(Failure),
}

/// What happened to a node at one moment; charts draw it as a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// When, since the watch began.
    pub at: Duration,
    /// What.
    pub kind: MarkKind,
}

/// A kind of [`Mark`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// The process is another one than before.
    Restarted,
    /// Somebody sent `stats reset`.
    CountersReset,
    /// Somebody sent `flush_all`.
    Flushed,
    /// It stopped answering.
    WentDown,
    /// It answers again.
    CameBack,
}

/// What is known of a node at the moment of a [`Snapshot`](super::Snapshot).
#[derive(Debug, Clone)]
pub struct NodeSnapshot {
    /// The node's name, as it was configured.
    pub name: Arc<str>,
    /// How it is doing.
    pub state: NodeState,
    /// When it last answered, since the watch began.
    pub last_answer: Option<Duration>,
    /// How long it took to answer a request that is no work.
    pub round_trip: Option<Duration>,
    /// Its last answer to `stats`.
    pub general: Option<Arc<General>>,
    /// What happened between its last two answers. `None` when they do not compare, and while
    /// the node is not answering.
    pub deltas: Option<Deltas>,
    /// Its last answer to `stats items`.
    pub items: Option<Arc<Items>>,
    /// Its last answer to `stats slabs`.
    pub slabs: Option<Arc<Slabs>>,
    /// Its last answer to `stats settings`.
    pub settings: Option<Arc<Settings>>,
    /// Where its memory goes.
    pub memory: Option<Memory>,
    /// What happened in each slab class between the last two polls of them.
    pub class_rates: Arc<BTreeMap<u32, ClassRates>>,
    /// How long items live in the class that evicts youngest, in seconds.
    pub tail_age: Option<u64>,
    /// What happened to it, oldest first.
    pub marks: Vec<Mark>,
    /// What was measured over time.
    pub history: History,
}

impl NodeSnapshot {
    /// The last answer to `stats`, while the node answers.
    #[must_use]
    pub fn current(&self) -> Option<&General> {
        self.general
            .as_deref()
            .filter(|_| self.state.is_answering())
    }

    /// A rate from the last two answers, while there is one.
    #[must_use]
    pub fn rate(&self, rate: impl FnOnce(&Deltas) -> Option<f64>) -> Option<f64> {
        rate(self.deltas.as_ref()?)
    }

    fn measure(&self) -> Measurement {
        let mut measurement = Measurement::default();
        if let Some(general) = &self.general {
            let gauge = |value: Option<u64>| value.map(|value| value as f64);
            measurement.set(Series::StoredBytes, gauge(general.bytes));
            measurement.set(Series::Items, gauge(general.curr_items));
            measurement.set(Series::Connections, gauge(general.curr_connections));
        }
        if let Some(deltas) = &self.deltas {
            let reads = deltas.lookups().unwrap_or(0) as f64;
            measurement.set_weighted(Series::HitRate, deltas.hit_rate(), reads);
            measurement.set(Series::Operations, deltas.operations_per_second());
            measurement.set(Series::Gets, deltas.per_second(deltas.cmd_get));
            measurement.set(Series::Sets, deltas.per_second(deltas.cmd_set));
            measurement.set(Series::Evictions, deltas.per_second(deltas.evictions));
            measurement.set(Series::CpuCores, deltas.cpu_cores());
            measurement.set(Series::BytesRead, deltas.per_second(deltas.bytes_read));
            measurement.set(
                Series::BytesWritten,
                deltas.per_second(deltas.bytes_written),
            );
        }
        measurement.set(
            Series::RoundTrip,
            self.round_trip.map(|trip| trip.as_secs_f64()),
        );
        measurement
    }
}

/// A node with what is needed to judge the next observation.
#[derive(Debug)]
pub(super) struct NodeRecord {
    health: Health,
    classes_at: Option<Duration>,
    snapshot: Arc<NodeSnapshot>,
}

impl NodeRecord {
    pub(super) fn new(name: Arc<str>) -> Self {
        let snapshot = NodeSnapshot {
            name,
            state: NodeState::Connecting,
            last_answer: None,
            round_trip: None,
            general: None,
            deltas: None,
            items: None,
            slabs: None,
            settings: None,
            memory: None,
            class_rates: Arc::default(),
            tail_age: None,
            marks: Vec::new(),
            history: History::default(),
        };
        Self {
            health: Health::default(),
            classes_at: None,
            snapshot: Arc::new(snapshot),
        }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.snapshot.name
    }

    /// Takes in what was learned at `at`.
    pub(super) fn observe(&mut self, at: Duration, interval: Duration, observation: Observation) {
        match observation {
            Observation::General {
                general,
                round_trip,
            } => {
                self.take_general(at, interval, general, round_trip);
            }
            Observation::Classes { items, slabs } => self.take_classes(at, items, slabs),
            Observation::Settings(settings) => {
                Arc::make_mut(&mut self.snapshot).settings = Some(settings);
            }
            Observation::Failed(failure) => self.health.failed(failure),
        }
        self.refresh(at, interval);
    }

    /// What is known of the node at `now`.
    pub(super) fn at(&mut self, now: Duration, interval: Duration) -> Arc<NodeSnapshot> {
        self.refresh(now, interval);
        Arc::clone(&self.snapshot)
    }

    fn take_general(
        &mut self,
        at: Duration,
        interval: Duration,
        general: Arc<General>,
        round_trip: Option<Duration>,
    ) {
        let node = Arc::make_mut(&mut self.snapshot);
        let earlier = node.general.as_deref().zip(self.health.last_answer());
        let compared = earlier.map(|(before, before_at)| {
            // One interval more than silence may last: polls are not exactly an interval apart.
            let farthest = interval * (INTERVALS_UNTIL_STALE + 1);
            let process_changed = restarted(before, &general);
            (
                process_changed,
                Deltas::between(before, &general, at - before_at, farthest),
            )
        });
        node.deltas = None;
        match compared {
            Some((true, _)) => {
                add_mark(&mut node.marks, at, MarkKind::Restarted);
                self.classes_at = None;
                node.class_rates = Arc::default();
                node.tail_age = None;
            }
            Some((false, Ok(deltas))) => {
                if deltas.cmd_flush.is_some_and(|flushes| flushes > 0) {
                    add_mark(&mut node.marks, at, MarkKind::Flushed);
                }
                node.deltas = Some(deltas);
            }
            Some((false, Err(Gap::CountersReset))) => {
                add_mark(&mut node.marks, at, MarkKind::CountersReset);
            }
            Some((false, Err(_))) | None => {}
        }
        node.general = Some(general);
        node.round_trip = round_trip;
        let measurement = node.measure();
        node.history.add(at, &measurement);
        self.health.answered(at);
    }

    fn take_classes(&mut self, at: Duration, items: Arc<Items>, slabs: Arc<Slabs>) {
        let node = Arc::make_mut(&mut self.snapshot);
        let after = ClassSample {
            items: &items,
            slabs: &slabs,
        };
        let rates = match (&node.items, &node.slabs, self.classes_at) {
            (Some(items_before), Some(slabs_before), Some(before_at)) => {
                let before = ClassSample {
                    items: items_before,
                    slabs: slabs_before,
                };
                class_rates(before, after, at.saturating_sub(before_at))
            }
            _ => BTreeMap::new(),
        };
        let pool = node
            .general
            .as_ref()
            .and_then(|general| general.slab_global_page_pool);
        node.memory = Some(Memory::new(&slabs, Some(&items), pool.unwrap_or(0)));
        node.tail_age = tail_age(&items, &rates);
        node.class_rates = Arc::new(rates);
        node.items = Some(items);
        node.slabs = Some(slabs);
        self.classes_at = Some(at);
    }

    /// Brings the state up to `now`, and marks when the node went down or came back.
    fn refresh(&mut self, now: Duration, interval: Duration) {
        let state = self.health.state(now, interval);
        let last_answer = self.health.last_answer();
        if self.snapshot.state == state && self.snapshot.last_answer == last_answer {
            return;
        }
        let node = Arc::make_mut(&mut self.snapshot);
        let was_down = matches!(node.state, NodeState::Down(_));
        match &state {
            NodeState::Down(_) if !was_down => add_mark(&mut node.marks, now, MarkKind::WentDown),
            NodeState::Up if was_down => add_mark(&mut node.marks, now, MarkKind::CameBack),
            _ => {}
        }
        if !state.is_answering() {
            node.deltas = None;
        }
        node.last_answer = last_answer;
        node.state = state;
    }
}

fn add_mark(marks: &mut Vec<Mark>, at: Duration, kind: MarkKind) {
    if marks.len() == MARKS_KEPT {
        marks.remove(0);
    }
    marks.push(Mark { at, kind });
}
