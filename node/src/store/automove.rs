//! Which slab page should move where, decided once a second from the age of each class's coldest
//! items, as memcached's default page mover decides.

use super::lru::Segment;
use super::memory::Memory;
use super::slabs::CLASSES;
use crate::clock::Seconds;

/// The seconds a decision looks back on (`slab_automove_window`).
pub(crate) const WINDOW: usize = 30;
/// A class with fewer pages keeps them.
const MIN_PAGES: usize = 2;
/// A class with more free than this many pages' chunks gives one back to the pool.
const SPARE_PAGES: f64 = 2.5;
/// A class with more than this share of all evictions of the window is starved.
const EVICTED_SHARE: f64 = 0.25;

/// One class in one second of the window.
#[derive(Debug, Clone, Copy, Default)]
struct Second {
    age: u64,
    dirty: bool,
    evicted: bool,
    evicted_share: f64,
}

/// Counters of one class a second ago.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    evicted: u64,
    outofmemory: u64,
    pages: usize,
}

/// The page mover's memory.
#[derive(Debug)]
pub(crate) struct Automove {
    seconds: Vec<[Second; WINDOW]>,
    before: [Before; CLASSES],
    elapsed: usize,
}

/// A page to move; target 0 is the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Move {
    source: usize,
    target: usize,
}

impl Automove {
    pub(crate) fn new(memory: &Memory) -> Self {
        let mut before = [Before::default(); CLASSES];
        for class in memory.slabs.ids() {
            before[class] = Before::of(memory, class);
        }
        Self {
            seconds: vec![[Second::default(); WINDOW]; CLASSES],
            before,
            elapsed: 0,
        }
    }

    /// Looks at the last second, and asks for at most one page to be moved.
    pub(crate) fn run(&mut self, memory: &mut Memory, now: Seconds) {
        if memory.automove.level != 1 {
            return;
        }
        let decision = self.decide(memory, now);
        if let Some(Move { source, target }) = decision {
            // A move still in progress is no harm: the decision comes up again.
            let _ = memory.reassign(source as i32, target as i32);
        }
    }

    fn decide(&mut self, memory: &Memory, second: Seconds) -> Option<Move> {
        self.elapsed += 1;
        let ids = memory.slabs.ids();
        let now: Vec<Before> = (0..ids.end)
            .map(|class| {
                if class == 0 {
                    Before::default()
                } else {
                    Before::of(memory, class)
                }
            })
            .collect();
        let evicted_total: u64 = ids
            .clone()
            .map(|class| {
                now[class]
                    .evicted
                    .saturating_sub(self.before[class].evicted)
            })
            .sum();
        let mut oldest: Option<(usize, u64)> = None;
        let mut youngest: Option<(usize, u64, bool)> = None;
        let mut spare = None;
        for class in ids {
            let last = self.record(memory, class, now[class], evicted_total, second);
            let window = &self.seconds[class];
            let age = window.iter().map(|second| second.age).sum::<u64>() / WINDOW as u64;
            let slab = memory.slabs.class(class);
            let has_spare = slab.free_chunks as f64 > slab.chunks_per_page as f64 * SPARE_PAGES;
            if has_spare && window.iter().all(|second| !second.dirty) {
                spare = Some(Move {
                    source: class,
                    target: 0,
                });
                break;
            }
            if age > oldest.map_or(0, |(_, age)| age) && slab.pages > MIN_PAGES {
                oldest = Some((class, age));
            }
            let evicting = window.iter().filter(|second| second.evicted).count();
            let share = window
                .iter()
                .map(|second| second.evicted_share)
                .sum::<f64>()
                / WINDOW as f64;
            let starved = evicting > WINDOW / 2 || share > EVICTED_SHARE;
            if starved && age < youngest.map_or(u64::MAX, |(_, age, _)| age) {
                youngest = Some((class, age, last.evicted));
            }
        }
        for (before, now) in self.before.iter_mut().zip(now) {
            *before = now;
        }
        if spare.is_some() || self.elapsed <= WINDOW {
            return spare;
        }
        let ((source, oldest_age), (target, youngest_age, evicting)) = (oldest?, youngest?);
        let out_of_ratio = (youngest_age as f64) < oldest_age as f64 * memory.automove.ratio;
        (out_of_ratio && evicting).then_some(Move { source, target })
    }

    fn record(
        &mut self,
        memory: &Memory,
        class: usize,
        now: Before,
        evicted_total: u64,
        second: Seconds,
    ) -> Second {
        let before = self.before[class];
        let evicted = now.evicted.saturating_sub(before.evicted);
        let second = Second {
            age: memory.cold_age(class, second),
            dirty: evicted > 0 || now.outofmemory > before.outofmemory || now.pages != before.pages,
            evicted: evicted > 0,
            evicted_share: if evicted > 0 {
                evicted as f64 / evicted_total as f64
            } else {
                0.0
            },
        };
        self.seconds[class][self.elapsed % WINDOW] = second;
        second
    }
}

impl Before {
    fn of(memory: &Memory, class: usize) -> Self {
        Self {
            evicted: memory.stats[Segment::Cold.list(class)].evicted,
            outofmemory: memory.stats[Segment::Hot.list(class)].outofmemory,
            pages: memory.slabs.class(class).pages,
        }
    }
}
