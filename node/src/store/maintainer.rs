//! The housekeeping memcached's LRU maintainer thread does: balancing the segments, applying access
//! bumps, reaping, and moving pages. A plain object with injected time; the server drives it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Store;
use super::automove::Automove;
use super::crawler::{CrawlTarget, HISTOGRAM, ListReport, Reap};
use super::item::{Item, Marks};
use super::lru::{LISTS, Segment};
use super::memory::Memory;
use super::pull::Pull;
use super::slabs::CLASSES;
use crate::clock::Seconds;

/// Without segments, an item's place is renewed at most this often.
pub(super) const FLAT_BUMP_INTERVAL: Seconds = 60;
/// The most items moved in one list before others get the lock.
const JUGGLES_MAX: u32 = 500;
/// The pause between two looks at a class, when there is much to do and when there is nothing.
const MIN_PAUSE: Duration = Duration::from_millis(1);
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// Every list is crawled at least this often.
const MAX_CRAWL_WAIT: Seconds = 60 * 60;
/// And at most this often.
const MIN_CRAWL_WAIT: Seconds = 5;

/// When a class is looked at next, and how that pause grows.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    next: Duration,
    backoff: Duration,
}

/// When a list is crawled next.
#[derive(Debug, Clone, Copy, Default)]
struct CrawlPlan {
    next: Seconds,
    wait: Seconds,
}

/// The housekeeper of one store.
#[derive(Debug)]
pub(crate) struct Maintainer {
    paces: [Pace; CLASSES],
    plans: Vec<CrawlPlan>,
    automove: Automove,
    last_second: Seconds,
    last_pause: Duration,
}

impl Maintainer {
    pub(crate) fn new(store: &Store) -> Self {
        Self {
            paces: [Pace::default(); CLASSES],
            plans: vec![CrawlPlan::default(); LISTS],
            automove: Automove::new(&store.memory()),
            last_second: 0,
            last_pause: MIN_PAUSE,
        }
    }

    /// Does what is due, and returns how long nothing is.
    pub(crate) fn run(&mut self, store: &Store) -> Duration {
        let now = store.clock.now();
        store.memory().maintainer_juggles += 1;
        let mut pause = self.juggle_all(store, now);
        if store.apply_bumps(now) {
            pause = pause.min(MIN_PAUSE);
        }
        let mut memory = store.memory();
        if self.last_second != now {
            self.last_second = now;
            self.plan_crawl(&mut memory, now);
            self.automove.run(&mut memory, now);
        }
        if let Some(reap) = store.reap_step(&mut memory, now) {
            if reap.automatic {
                self.learn(&reap, now);
            }
        } else if memory.crawler.job.is_some() {
            pause = pause.min(Duration::from_micros(u64::from(memory.crawler.sleep)));
        }
        if store.reassign_step(&mut memory) {
            pause = Duration::ZERO;
        }
        self.last_pause = pause.max(MIN_PAUSE);
        pause
    }

    fn juggle_all(&mut self, store: &Store, now: Seconds) -> Duration {
        let mut pause = MAX_PAUSE;
        let ids = store.memory().slabs.ids();
        for class in ids {
            let pace = &mut self.paces[class];
            pace.next = pace.next.saturating_sub(self.last_pause);
            if pace.next.is_zero() {
                let moved = store.juggle(class, now);
                pace.backoff = if moved > 0 {
                    let halved = pace.backoff / 2;
                    if halved < MIN_PAUSE {
                        Duration::ZERO
                    } else {
                        halved
                    }
                } else if pace.backoff.is_zero() {
                    MIN_PAUSE
                } else {
                    (pace.backoff + pace.backoff / 8).min(MAX_PAUSE)
                };
                pace.next = pace.backoff;
            }
            pause = pause.min(pace.next);
        }
        pause.max(MIN_PAUSE)
    }

    /// Starts a reaping walk over the lists whose time has come.
    fn plan_crawl(&mut self, memory: &mut Memory, now: Seconds) {
        let crawler = &memory.crawler;
        if !crawler.enabled || crawler.running || crawler.no_auto_before > now {
            return;
        }
        let due: Vec<usize> = (1..LISTS)
            .filter(|&list| now > self.plans[list].next)
            .collect();
        if due.is_empty() {
            return;
        }
        for &list in &due {
            self.plans[list].next = now + MIN_CRAWL_WAIT;
        }
        let longest = due
            .iter()
            .map(|&list| memory.lru.items(list))
            .max()
            .unwrap_or(0);
        let limit = match memory.crawler.tocrawl {
            0 => longest,
            tocrawl => tocrawl.min(longest),
        };
        let started = memory.start_reap(CrawlTarget::Lists(due), limit, true, now);
        debug_assert!(started.is_ok(), "nothing was running");
    }

    /// Plans the next walks: soon where much will expire, later where nothing does.
    fn learn(&mut self, reap: &Reap, now: Seconds) {
        for report in &reap.lists {
            let plan = &mut self.plans[report.list];
            plan.wait = next_wait(plan.wait, report).min(MAX_CRAWL_WAIT);
            plan.next = now + plan.wait + MIN_CRAWL_WAIT;
        }
    }
}

/// How long to wait after a walk that saw this, given the wait before it.
fn next_wait(wait: Seconds, report: &ListReport) -> Seconds {
    // Reaping pays off where more than a hundredth of what can expire will have.
    let worthwhile = (report.seen - report.without_expiry) / 100 + 1;
    let mut expiring = 0;
    for minute in 0..HISTOGRAM {
        expiring += report.histogram[minute];
        if expiring > worthwhile {
            return if wait < minute as Seconds * 60 {
                wait + 60
            } else {
                wait.saturating_sub(60)
            };
        }
    }
    if expiring == 0 { wait + 60 } else { wait }
}

impl Store {
    /// Balances the segments of one class. Returns how many rounds moved something.
    fn juggle(&self, class: usize, now: Seconds) -> u32 {
        let mut memory = self.memory();
        let segmented = self.is_segmented();
        if memory.tuning.temp_lru {
            let pull = Pull {
                segment: Segment::Temp,
                total_bytes: 0,
                evict: false,
                max_age: 0,
            };
            for _ in 0..JUGGLES_MAX {
                if self.pull_tail(&mut memory, class, pull, now, None) == 0 {
                    break;
                }
            }
        }
        let (mut total_bytes, mut cold_age) = (0, 0);
        if segmented {
            let cold = Segment::Cold.list(class);
            cold_age = memory
                .lru
                .tail(cold)
                .map_or(0, |item| now.wrapping_sub(item.time()));
            total_bytes = [Segment::Hot, Segment::Warm, Segment::Cold]
                .iter()
                .map(|segment| memory.lru.bytes(segment.list(class)))
                .sum();
        }
        let max_age = |factor: f64| (f64::from(cold_age) * factor) as Seconds;
        let hot_age = max_age(memory.tuning.hot_max_factor);
        let warm_age = max_age(memory.tuning.warm_max_factor);
        let pull = |segment, max_age| Pull {
            segment,
            total_bytes,
            evict: false,
            max_age,
        };
        for rounds in 0..JUGGLES_MAX {
            let memory = &mut *memory;
            let hot = self.pull_tail(memory, class, pull(Segment::Hot, hot_age), now, None);
            let mut moved = hot > 0
                || self.pull_tail(memory, class, pull(Segment::Warm, warm_age), now, None) > 0;
            if segmented {
                moved |= self.pull_tail(memory, class, pull(Segment::Cold, 0), now, None) > 0;
            }
            if !moved {
                return rounds;
            }
        }
        JUGGLES_MAX
    }

    /// Moves the items that were read twice while cold. Returns whether there were any.
    fn apply_bumps(&self, now: Seconds) -> bool {
        let bumped = std::mem::take(&mut self.bumps.lock().queue);
        if bumped.is_empty() {
            return false;
        }
        let mut memory = self.memory();
        for item in bumped.iter().filter_map(Weak::upgrade) {
            self.touch_lru(&mut memory, &item, now);
        }
        true
    }

    /// Records an access: a cold, active item becomes warm. Without segments, the item becomes the
    /// most recent of its list.
    pub(super) fn touch_lru(&self, memory: &mut Memory, item: &Arc<Item>, now: Seconds) {
        if !item.has(Marks::LINKED) {
            return;
        }
        if !self.is_segmented() {
            if item.time().saturating_add(FLAT_BUMP_INTERVAL) < now {
                item.set_time(now);
                memory.lru.relink(item, item.segment());
            }
            return;
        }
        item.set_time(now);
        if item.segment() == Segment::Cold && item.has(Marks::ACTIVE) {
            item.unmark(Marks::ACTIVE);
            memory.lru.relink(item, Segment::Warm);
            memory.stats[Segment::Warm.list(usize::from(item.class()))].moves_to_warm += 1;
        }
    }
}
