//! Walking the LRU lists: to reap what expired, or to list every item.

use std::sync::Arc;

use super::item::{Item, Marks};
use super::lru::{LISTS, Segment};
use super::memory::Memory;
use super::slabs::CLASSES;
use super::{SHARDS, Store};
use crate::clock::Seconds;

/// How many items a walk looks at before it gives way to others.
pub(crate) const BATCH: usize = 1000;
/// After a crawl was refused for another, the node's own crawls wait this long.
const BACK_OFF: Seconds = 60;
/// Expiry times are counted by the minute, for the coming hour.
pub(super) const HISTOGRAM: usize = 60;

/// What a walk covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CrawlTarget {
    /// These LRU lists.
    Lists(Vec<usize>),
    /// Every hash table: also finds what is in no list.
    Hash,
}

impl CrawlTarget {
    /// Every list.
    pub(crate) fn all() -> Self {
        Self::Lists((0..LISTS).collect())
    }

    /// Every list of some classes; `None` where one is not a class.
    pub(crate) fn classes(ids: impl Iterator<Item = Option<u32>>) -> Option<Self> {
        let mut wanted = vec![false; LISTS];
        for id in ids {
            let id = id.filter(|&id| (1..CLASSES as u32).contains(&id))?;
            for segment in Segment::ALL {
                wanted[segment.list(id as usize)] = true;
            }
        }
        Some(Self::Lists(
            (0..LISTS).filter(|&list| wanted[list]).collect(),
        ))
    }
}

/// Why a walk does not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CrawlError {
    Running,
    /// Only a listing can walk the hash tables.
    Unsupported,
}

/// The crawler's switches and what it does now.
#[derive(Debug)]
pub(crate) struct CrawlerState {
    pub(crate) enabled: bool,
    pub(crate) running: bool,
    pub(crate) starts: u64,
    /// The pause between batches, in microseconds.
    pub(crate) sleep: u32,
    /// The most items to look at in each list; 0 is all.
    pub(crate) tocrawl: u32,
    /// No crawl of the node's own accord before this second.
    pub(super) no_auto_before: Seconds,
    /// The reaping walk for the maintainer to carry out.
    pub(super) job: Option<Reap>,
}

impl Default for CrawlerState {
    fn default() -> Self {
        Self {
            enabled: true,
            running: false,
            starts: 0,
            sleep: 100,
            tocrawl: 0,
            no_auto_before: 0,
            job: None,
        }
    }
}

/// What a reaping walk saw in one list.
#[derive(Debug, Clone)]
pub(super) struct ListReport {
    pub(super) list: usize,
    remaining: Option<u32>,
    done: bool,
    checked: u64,
    pub(super) reclaimed: u64,
    unfetched: u64,
    pub(super) seen: u64,
    pub(super) without_expiry: u64,
    /// Items by the minute in which they expire.
    pub(super) histogram: [u64; HISTOGRAM],
}

/// A walk that drops expired and flushed items.
#[derive(Debug)]
pub(super) struct Reap {
    pub(super) lists: Vec<ListReport>,
    /// Whether the node started it itself, and plans the next one by what it finds.
    pub(super) automatic: bool,
}

impl Memory {
    fn claim_crawler(&mut self, now: Seconds) -> Result<(), CrawlError> {
        if self.crawler.running {
            self.crawler.no_auto_before = now + BACK_OFF;
            return Err(CrawlError::Running);
        }
        self.crawler.running = true;
        self.crawler.starts += 1;
        Ok(())
    }

    /// Starts a walk that reaps; the maintainer carries it out.
    pub(crate) fn start_reap(
        &mut self,
        target: CrawlTarget,
        limit: u32,
        automatic: bool,
        now: Seconds,
    ) -> Result<(), CrawlError> {
        let CrawlTarget::Lists(lists) = target else {
            return Err(CrawlError::Unsupported);
        };
        self.claim_crawler(now)?;
        let report = |list| {
            self.lru.start_cursor(list);
            ListReport {
                list,
                remaining: (limit > 0).then_some(limit),
                done: false,
                checked: 0,
                reclaimed: 0,
                unfetched: 0,
                seen: 0,
                without_expiry: 0,
                histogram: [0; HISTOGRAM],
            }
        };
        let lists = lists.into_iter().map(report).collect();
        self.crawler.job = Some(Reap { lists, automatic });
        Ok(())
    }
}

impl Store {
    /// Works on the reaping walk in progress. Returns it when it is complete.
    pub(super) fn reap_step(&self, memory: &mut Memory, now: Seconds) -> Option<Reap> {
        let mut reap = memory.crawler.job.take()?;
        let mut budget = BATCH;
        while budget > 0 && reap.lists.iter().any(|report| !report.done) {
            for report in reap.lists.iter_mut().filter(|report| !report.done) {
                self.reap_one(memory, report, now);
                budget = budget.saturating_sub(1);
            }
        }
        if reap.lists.iter().any(|report| !report.done) {
            memory.crawler.job = Some(reap);
            return None;
        }
        memory.crawler.running = false;
        Some(reap)
    }

    fn reap_one(&self, memory: &mut Memory, report: &mut ListReport, now: Seconds) {
        let exhausted = report.remaining == Some(0);
        let next = if exhausted {
            None
        } else {
            memory.lru.advance_cursor(report.list)
        };
        let Some(item) = next else {
            memory.lru.stop_cursor(report.list);
            report.done = true;
            let stats = &mut memory.stats[report.list];
            stats.crawler_reclaimed += report.reclaimed;
            stats.crawler_items_checked += report.checked;
            stats.expired_unfetched += report.unfetched;
            return;
        };
        report.remaining = report.remaining.map(|remaining| remaining - 1);
        report.checked += 1;
        let flushed = self.is_flushed(&item, now);
        if item.is_past(now) || flushed {
            report.reclaimed += 1;
            report.unfetched += u64::from(!item.has(Marks::FETCHED) && !flushed);
            self.unlink_unlocked(memory, &item);
            return;
        }
        report.seen += 1;
        if item.exptime() == 0 {
            report.without_expiry += 1;
        } else {
            let minute = item.exptime().wrapping_sub(now) as usize / 60;
            if let Some(count) = report.histogram.get_mut(minute) {
                *count += 1;
            }
        }
    }

    /// Starts a listing of all live items.
    pub(crate) fn start_dump(&self, target: CrawlTarget) -> Result<Dump<'_>, CrawlError> {
        let mut memory = self.memory();
        memory.claim_crawler(self.clock.now())?;
        let walk = match target {
            CrawlTarget::Hash => Walk::Hash { next_shard: 0 },
            CrawlTarget::Lists(lists) => {
                let lists = lists
                    .into_iter()
                    .map(|list| {
                        memory.lru.start_cursor(list);
                        DumpList {
                            list,
                            remaining: memory.lru.items(list),
                            checked: 0,
                        }
                    })
                    .collect();
                Walk::Lists(lists)
            }
        };
        Ok(Dump { store: self, walk })
    }
}

#[derive(Debug)]
struct DumpList {
    list: usize,
    /// What the list held at the start: items that come in meanwhile do not prolong the walk.
    remaining: u32,
    checked: u64,
}

#[derive(Debug)]
enum Walk {
    Lists(Vec<DumpList>),
    Hash { next_shard: usize },
}

/// A listing in progress. The crawler is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Dump<'a> {
    store: &'a Store,
    walk: Walk,
}

impl Dump<'_> {
    /// The next live items; `None` at the end. One item of each list in turn, as memcached walks them.
    pub(crate) fn next_batch(&mut self) -> Option<Vec<Arc<Item>>> {
        let now = self.store.clock.now();
        let mut items = match &mut self.walk {
            Walk::Lists(lists) => Self::walk_lists(self.store, lists)?,
            Walk::Hash { next_shard } => {
                let shard = self.store.shards.get(*next_shard)?;
                *next_shard += 1;
                debug_assert!(*next_shard <= SHARDS);
                shard.lock().table.iter().cloned().collect()
            }
        };
        items.retain(|item| !item.is_past(now) && !self.store.is_flushed(item, now));
        Some(items)
    }

    fn walk_lists(store: &Store, lists: &mut Vec<DumpList>) -> Option<Vec<Arc<Item>>> {
        if lists.is_empty() {
            return None;
        }
        let mut memory = store.memory();
        let mut items = Vec::new();
        while items.len() < BATCH && !lists.is_empty() {
            lists.retain_mut(|walk| {
                let next = match walk.remaining {
                    0 => None,
                    _ => memory.lru.advance_cursor(walk.list),
                };
                let Some(item) = next else {
                    memory.lru.stop_cursor(walk.list);
                    memory.stats[walk.list].crawler_items_checked += walk.checked;
                    return false;
                };
                walk.remaining -= 1;
                walk.checked += 1;
                items.push(item);
                true
            });
        }
        Some(items)
    }
}

impl Drop for Dump<'_> {
    fn drop(&mut self) {
        let mut memory = self.store.memory();
        memory.crawler.running = false;
        if let Walk::Lists(lists) = &self.walk {
            lists
                .iter()
                .for_each(|walk| memory.lru.stop_cursor(walk.list));
        }
    }
}
