//! The stream of events, taken in.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use memlens::{WatchEvent, Watched};

use super::event::{LiveEvent, LiveKind};
use super::filter::LiveFilter;
use super::top::{PrefixReads, TopKey, TopKeys};
use crate::model::keys::{Lives, first_segment};
use crate::model::trouble::StreamTrouble;

/// Events listed at most.
const LISTED: usize = 2_000;

/// How far back an event may have to be put to stand in its node's order: the server's threads
/// write into buffers of their own, which are emptied one after the other.
const REORDERED: usize = 256;

/// Keys that each tally tells apart.
const TOP_KEPT: usize = 2_000;

/// Keys of a tally that are published.
const TOP_SHOWN: usize = 50;

/// Prefixes whose reads are counted.
const PREFIXES_KEPT: usize = 256;

/// How the watch of one node stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchStage {
    /// Not answered yet.
    Connecting,
    /// Events come in.
    Watching,
    /// It came to nothing, or broke off.
    Failed(StreamTrouble),
}

/// The watch of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeWatch {
    /// The node.
    pub name: Arc<str>,
    /// How it stands.
    pub stage: WatchStage,
    /// Events that the server left out, because they were not read fast enough.
    pub skipped: u64,
}

/// How many events there were.
///
/// Before a server stores an item it looks the key up, and tells watchers of that as if somebody
/// had read it. Such a look-up comes right before the event of the store, and is taken for what it
/// is. Deletions, counters and touches look up too, and cannot be told from reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveCounts {
    /// Events about items that came in, by kind.
    pub by_kind: BTreeMap<LiveKind, u64>,
    /// Events that passed the filter, and were sampled out.
    pub sampled_out: u64,
    /// Events that the servers left out.
    pub skipped: u64,
    /// Look-ups that were part of a store. They are in no other count.
    pub looked_up_to_store: u64,
    /// Events about something else.
    pub others: u64,
}

impl LiveCounts {
    /// All events about items.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.by_kind.values().sum()
    }

    /// Events of one kind.
    #[must_use]
    pub fn of(&self, kind: LiveKind) -> u64 {
        self.by_kind.get(&kind).copied().unwrap_or(0)
    }
}

/// What is shown of a watch.
#[derive(Debug, Clone, Default)]
pub struct LiveDigest {
    /// The nodes that are watched.
    pub nodes: Vec<NodeWatch>,
    /// The newest events that the filter admits, the oldest first.
    pub events: Vec<Arc<LiveEvent>>,
    /// How many events there were.
    pub counts: LiveCounts,
    /// The keys read most.
    pub hits: Vec<TopKey>,
    /// The keys missed most.
    pub misses: Vec<TopKey>,
    /// The keys stored most.
    pub stored: Vec<TopKey>,
    /// The keys evicted most.
    pub evicted: Vec<TopKey>,
    /// Reads by the first segment of the key, the most read first: the hit rate that the server's
    /// own counters cannot tell.
    pub prefixes: Vec<PrefixReads>,
    /// The usual time to live of what is stored.
    pub usual_time_to_live: Option<Duration>,
    /// For how long it has been watched.
    pub watched_for: Duration,
    /// Whether the list stands still.
    pub is_paused: bool,
    /// What the list shows.
    pub filter: LiveFilter,
}

/// A read that may turn out to have been part of a store.
#[derive(Debug)]
struct Held {
    event: LiveEvent,
    has_settled_once: bool,
}

/// Takes in events and keeps what is shown.
#[derive(Debug)]
pub struct LiveFeed {
    nodes: Vec<NodeWatch>,
    held: BTreeMap<Arc<str>, Held>,
    filter: LiveFilter,
    events: VecDeque<Arc<LiveEvent>>,
    /// The highest gid that was listed, by node.
    newest: BTreeMap<Arc<str>, Option<u64>>,
    counts: LiveCounts,
    tops: [TopKeys; 4],
    prefixes: BTreeMap<Box<[u8]>, (u64, u64)>,
    lives: Lives,
    is_paused: bool,
}

impl LiveFeed {
    /// A watch of these nodes.
    #[must_use]
    pub fn new(nodes: impl IntoIterator<Item = Arc<str>>, filter: LiveFilter) -> Self {
        let watch = |name| NodeWatch {
            name,
            stage: WatchStage::Connecting,
            skipped: 0,
        };
        Self {
            nodes: nodes.into_iter().map(watch).collect(),
            held: BTreeMap::new(),
            filter,
            events: VecDeque::with_capacity(LISTED),
            newest: BTreeMap::new(),
            counts: LiveCounts::default(),
            tops: [(); 4].map(|()| TopKeys::new(TOP_KEPT)),
            prefixes: BTreeMap::new(),
            lives: Lives::default(),
            is_paused: false,
        }
    }

    /// The watch of a node stands otherwise.
    pub fn set_stage(&mut self, node: &str, stage: WatchStage) {
        if let Some(watch) = self.nodes.iter_mut().find(|watch| *watch.name == *node) {
            if stage == WatchStage::Watching {
                self.newest.remove(&watch.name);
            }
            watch.stage = stage;
        }
    }

    /// Lists by another filter from now on; what is listed and does not pass it goes.
    pub fn set_filter(&mut self, filter: LiveFilter) {
        self.events.retain(|event| filter.admits(event));
        self.filter = filter;
    }

    /// Lets the list stand still, or go on. Counting goes on either way.
    pub fn set_paused(&mut self, paused: bool) {
        self.is_paused = paused;
    }

    /// Takes in an event.
    pub fn add(&mut self, node: &Arc<str>, watched: &Watched) {
        if let WatchEvent::Skipped(skipped) = watched.event {
            self.counts.skipped = self.counts.skipped.saturating_add(skipped);
            if let Some(watch) = self.nodes.iter_mut().find(|watch| watch.name == *node) {
                watch.skipped = watch.skipped.saturating_add(skipped);
            }
            return;
        }
        match LiveEvent::of(node, watched) {
            Some(event) => self.add_event(event),
            None => self.counts.others += 1,
        }
    }

    /// Takes in an event about an item.
    pub fn add_event(&mut self, event: LiveEvent) {
        if let Some(Held { event: read, .. }) = self.held.remove(&event.node) {
            let is_store = matches!(event.kind, LiveKind::Stored | LiveKind::NotStored);
            if is_store && read.key == event.key {
                self.counts.looked_up_to_store += 1;
            } else {
                self.take_in(read);
            }
        }
        if matches!(event.kind, LiveKind::Hit | LiveKind::Miss) {
            let held = Held {
                has_settled_once: false,
                event,
            };
            self.held.insert(Arc::clone(&held.event.node), held);
        } else {
            self.take_in(event);
        }
    }

    /// Takes in reads after which nothing came from their node since the last call: they were no
    /// part of a store. Called before [`view`](Self::view); tells whether there are reads left that
    /// another call would take in.
    pub fn settle(&mut self) -> bool {
        let settled = self.held.extract_if(.., |_, held| held.has_settled_once);
        let settled: Vec<LiveEvent> = settled.map(|(_, held)| held.event).collect();
        for event in settled {
            self.take_in(event);
        }
        for held in self.held.values_mut() {
            held.has_settled_once = true;
        }
        !self.held.is_empty()
    }

    fn take_in(&mut self, event: LiveEvent) {
        *self.counts.by_kind.entry(event.kind).or_default() += 1;
        self.tally(&event);
        if self.is_paused || !self.filter.admits(&event) {
            return;
        }
        if self.filter.samples(&event) {
            self.list(Arc::new(event));
        } else {
            self.counts.sampled_out += 1;
        }
    }

    fn tally(&mut self, event: &LiveEvent) {
        let [hits, misses, stored, evicted] = &mut self.tops;
        match event.kind {
            LiveKind::Hit => hits.add(&event.key),
            LiveKind::Miss => misses.add(&event.key),
            LiveKind::Stored => stored.add(&event.key),
            LiveKind::Evicted => evicted.add(&event.key),
            LiveKind::NotStored | LiveKind::Deleted | LiveKind::External => return,
        }
        if event.kind == LiveKind::Stored
            && let Some(life) = event.time_to_live
        {
            self.lives.add(life.as_secs());
        }
        if matches!(event.kind, LiveKind::Hit | LiveKind::Miss) {
            self.count_prefix(first_segment(&event.key), event.kind == LiveKind::Hit);
        }
    }

    fn count_prefix(&mut self, prefix: &[u8], is_hit: bool) {
        if !self.prefixes.contains_key(prefix) {
            if self.prefixes.len() >= PREFIXES_KEPT {
                return;
            }
            self.prefixes.insert(prefix.into(), (0, 0));
        }
        let Some(counted) = self.prefixes.get_mut(prefix) else {
            return;
        };
        counted.0 += u64::from(is_hit);
        counted.1 += u64::from(!is_hit);
    }

    /// Puts an event behind those of its node that happened before it.
    fn list(&mut self, event: Arc<LiveEvent>) {
        if self.events.len() == LISTED {
            self.events.pop_front();
        }
        let newest = self.newest.entry(Arc::clone(&event.node)).or_default();
        if event.gid >= *newest {
            *newest = event.gid;
            self.events.push_back(event);
            return;
        }
        // A server that was restarted counts from 0 again; what came before that is not later.
        let later = |listed: &LiveEvent| {
            listed.node == event.node && listed.gid > event.gid && listed.time >= event.time
        };
        let from = self.events.len().saturating_sub(REORDERED);
        let first_later = self.events.range(from..).position(|listed| later(listed));
        let place = first_later.map_or(self.events.len(), |first| from + first);
        self.events.insert(place, event);
    }

    /// What is shown, after it has been watched for so long.
    #[must_use]
    pub fn view(&self, watched_for: Duration) -> LiveDigest {
        let [hits, misses, stored, evicted] = &self.tops;
        let mut prefixes: Vec<PrefixReads> = self
            .prefixes
            .iter()
            .map(|(prefix, (hits, misses))| PrefixReads {
                prefix: prefix.clone(),
                hits: *hits,
                misses: *misses,
            })
            .collect();
        prefixes.sort_by_key(|reads| std::cmp::Reverse(reads.hits + reads.misses));
        LiveDigest {
            nodes: self.nodes.clone(),
            events: self.events.iter().cloned().collect(),
            counts: self.counts.clone(),
            hits: hits.top(TOP_SHOWN),
            misses: misses.top(TOP_SHOWN),
            stored: stored.top(TOP_SHOWN),
            evicted: evicted.top(TOP_SHOWN),
            prefixes,
            usual_time_to_live: self.lives.median(),
            watched_for,
            is_paused: self.is_paused,
            filter: self.filter.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{LISTED, LiveFeed, LiveFilter, WatchStage};
    use crate::model::live::{LiveEvent, LiveKind};

    fn event(gid: u64, kind: LiveKind, key: &str) -> LiveEvent {
        LiveEvent {
            node: Arc::from("a:1"),
            time: Some(Duration::from_millis(gid)),
            gid: Some(gid),
            kind,
            key: key.as_bytes().into(),
            status: None,
            command: None,
            time_to_live: None,
            is_fetched: None,
            idle: None,
            slab_class: None,
            size: None,
        }
    }

    /// As if nothing came for a while.
    fn settle(feed: &mut LiveFeed) {
        feed.settle();
        assert!(!feed.settle());
    }

    fn feed(filter: LiveFilter) -> LiveFeed {
        LiveFeed::new([Arc::from("a:1")], filter)
    }

    fn gids(feed: &LiveFeed) -> Vec<u64> {
        let view = feed.view(Duration::ZERO);
        view.events.iter().filter_map(|event| event.gid).collect()
    }

    #[test]
    fn events_of_a_node_are_listed_in_the_order_in_which_they_happened() {
        let mut feed = feed(LiveFilter::default());
        for gid in [1, 4, 2, 5, 3] {
            feed.add_event(event(gid, LiveKind::Evicted, "k"));
        }
        feed.add_event(LiveEvent {
            node: Arc::from("b:1"),
            ..event(2, LiveKind::Evicted, "k")
        });
        assert_eq!(gids(&feed), [1, 2, 3, 4, 5, 2]);
    }

    #[test]
    fn a_restarted_server_counts_from_0_and_its_events_still_come_last() {
        let mut feed = feed(LiveFilter::default());
        for gid in [900, 902, 901] {
            feed.add_event(event(gid, LiveKind::Evicted, "k"));
        }
        feed.set_stage("a:1", WatchStage::Watching);
        for gid in [1, 3, 2] {
            feed.add_event(LiveEvent {
                time: Some(Duration::from_millis(5_000 + gid)),
                ..event(gid, LiveKind::Evicted, "k")
            });
        }
        assert_eq!(gids(&feed), [900, 901, 902, 1, 2, 3]);
    }

    #[test]
    fn the_list_is_bounded_and_filtered_and_the_counts_are_not() {
        let mut feed = feed(LiveFilter {
            contains: b"user:".to_vec(),
            ..LiveFilter::default()
        });
        for gid in 0..LISTED as u64 * 2 {
            let key = if gid % 4 == 0 { "page:1" } else { "user:1" };
            feed.add_event(event(gid, LiveKind::Hit, key));
        }
        settle(&mut feed);
        let view = feed.view(Duration::from_secs(1));
        assert_eq!(view.events.len(), LISTED);
        assert!(view.events.iter().all(|event| *event.key == *b"user:1"));
        assert_eq!(view.counts.of(LiveKind::Hit), LISTED as u64 * 2);
        let prefixes: Vec<_> = view.prefixes.iter().map(|reads| reads.hits).collect();
        assert_eq!(prefixes, [3000, 1000]);

        feed.set_filter(LiveFilter {
            kinds: vec![LiveKind::Miss],
            ..LiveFilter::default()
        });
        assert!(gids(&feed).is_empty());
        feed.add_event(event(9, LiveKind::Miss, "k"));
        settle(&mut feed);
        assert_eq!(gids(&feed), [9]);
    }

    #[test]
    fn a_sample_is_about_one_in_as_many_and_a_pause_only_stops_the_list() {
        let mut feed = feed(LiveFilter {
            one_in: 10,
            ..LiveFilter::default()
        });
        for gid in 0..10_000 {
            feed.add_event(event(gid, LiveKind::Miss, "k"));
        }
        settle(&mut feed);
        let view = feed.view(Duration::ZERO);
        assert!(
            (900..1100).contains(&view.events.len()),
            "{}",
            view.events.len()
        );
        assert_eq!(view.counts.sampled_out + view.events.len() as u64, 10_000);
        feed.set_paused(true);
        feed.add_event(event(10_000, LiveKind::Miss, "k"));
        settle(&mut feed);
        assert_eq!(feed.view(Duration::ZERO).events.len(), view.events.len());
        assert_eq!(feed.view(Duration::ZERO).misses[0].count, 10_001);
    }
    #[test]
    fn a_look_up_that_is_part_of_a_store_is_no_read() {
        let mut feed = feed(LiveFilter::default());
        feed.add_event(event(1, LiveKind::Miss, "k"));
        feed.add_event(event(2, LiveKind::Miss, "k"));
        feed.add_event(event(3, LiveKind::Stored, "k"));
        feed.add_event(event(4, LiveKind::Hit, "k"));
        feed.add_event(event(5, LiveKind::Stored, "other"));
        feed.add_event(event(6, LiveKind::Hit, "other"));
        assert_eq!(gids(&feed), [1, 3, 4, 5]);
        assert!(
            feed.settle(),
            "the last one may still be followed by its store"
        );
        assert!(!feed.settle());
        let view = feed.view(Duration::ZERO);
        let counted = [LiveKind::Hit, LiveKind::Miss, LiveKind::Stored];
        assert_eq!(counted.map(|kind| view.counts.of(kind)), [2, 1, 2]);
        assert_eq!(view.counts.looked_up_to_store, 1);
    }
}
