//! What one measurement takes down, in a process of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::allocations;
use crate::contenders::Contender;
use crate::pace::Pace;
use crate::workload::{Step, Steps, Workload};

/// What happened while it was measured.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) operations: u64,
    pub(crate) seconds: f64,
    /// CPU time of the client, in user space and in the kernel.
    pub(crate) cpu_seconds: f64,
    pub(crate) allocations: u64,
    /// What the slowest caller got done, by what callers got done on average.
    pub(crate) fairness: f64,
    /// Of operations that fell due at a fixed rate: their median, 99th and 99.9th percentile, in
    /// microseconds.
    pub(crate) latency: Option<[f64; 3]>,
}

/// When a measurement ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After this time, which begins when everything has warmed up.
    Elapsed(Duration),
    /// After this many operations, counted from the start.
    Operations(u64),
    /// After this time, at the given rate: so many operations fall due each millisecond, whether the
    /// ones before them have ended or not.
    Paced(Duration, u32),
}

/// A counter on cache lines of its own: callers on several CPUs write theirs all the time.
#[repr(align(128))]
#[derive(Default)]
struct Counter(AtomicU64);

pub(crate) struct Meter {
    workload: Workload,
    counters: Vec<Counter>,
    is_over: AtomicBool,
    until: Until,
    pace: Option<Pace>,
}

impl Meter {
    /// Lets `contender` work, and tells how it went.
    pub(crate) fn measure(
        workload: Workload,
        until: Until,
        contender: &dyn Contender,
        servers: &[SocketAddr],
    ) -> Result<Tally> {
        if let Some(tally) = contender.measure_itself(workload, until, servers)? {
            return Ok(tally);
        }
        let meter = Arc::new(Self {
            workload,
            counters: (0..workload.callers())
                .map(|_| Counter::default())
                .collect(),
            is_over: AtomicBool::new(false),
            until,
            pace: match until {
                Until::Paced(_, rate) => Some(Pace::new(rate)),
                _ => None,
            },
        });
        let time = match until {
            Until::Elapsed(time) | Until::Paced(time, _) => time,
            Until::Operations(_) => {
                allocations::start();
                let before = meter.now();
                contender.run(&meter, servers)?;
                return Ok(meter.now().since(&before));
            }
        };
        let ticker = thread::spawn({
            let meter = Arc::clone(&meter);
            move || meter.tick()
        });
        let clock = thread::spawn({
            let meter = Arc::clone(&meter);
            move || meter.watch_the_clock(time)
        });
        // On failure the process ends, and the clock with it.
        contender.run(&meter, servers)?;
        let mut tally = clock
            .join()
            .map_err(|_| anyhow::anyhow!("the clock stopped"))?;
        ticker
            .join()
            .map_err(|_| anyhow::anyhow!("the ticker stopped"))?;
        tally.latency = meter.pace.as_ref().map(Pace::percentiles);
        Ok(tally)
    }

    fn tick(&self) {
        if let Some(pace) = &self.pace {
            pace.tick(&self.is_over);
        }
    }

    fn watch_the_clock(&self, time: Duration) -> Tally {
        while self.now().operations == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(time / 4);
        let before = self.now();
        thread::sleep(time);
        let after = self.now();
        self.is_over.store(true, Ordering::Relaxed);
        after.since(&before)
    }

    fn now(&self) -> Reading {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let counts = self.counters.iter();
        let done: Vec<u64> = counts
            .map(|counter| counter.0.load(Ordering::Relaxed))
            .collect();
        Reading {
            operations: done.iter().sum(),
            done,
            at: Instant::now(),
            cpu_seconds: cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9,
            allocations: allocations::count(),
        }
    }

    /// The callers; `count` of them share the work.
    pub(crate) fn callers(self: &Arc<Self>, count: usize) -> Vec<Caller> {
        let items = self.workload.items();
        (0..count)
            .map(|index| Caller {
                steps: Steps::new(self.workload, items, index),
                meter: Arc::clone(self),
                index,
                done: 0,
                quota: match self.until {
                    Until::Elapsed(_) | Until::Paced(..) => u64::MAX,
                    Until::Operations(all) => all / count as u64,
                },
            })
            .collect()
    }

    pub(crate) fn workload(&self) -> Workload {
        self.workload
    }
}

struct Reading {
    operations: u64,
    /// By each caller.
    done: Vec<u64>,
    at: Instant,
    cpu_seconds: f64,
    allocations: u64,
}

impl Reading {
    fn since(&self, before: &Self) -> Tally {
        let operations = self.operations - before.operations;
        let each = std::iter::zip(&self.done, &before.done).map(|(after, before)| after - before);
        let slowest = each.min().unwrap_or(0) as f64;
        Tally {
            operations,
            fairness: slowest * self.done.len() as f64 / operations as f64,
            latency: None,
            seconds: (self.at - before.at).as_secs_f64(),
            cpu_seconds: self.cpu_seconds - before.cpu_seconds,
            allocations: self.allocations - before.allocations,
        }
    }
}

/// One who asks, over and over, until the measurement ends.
pub(crate) struct Caller {
    meter: Arc<Meter>,
    steps: Steps,
    index: usize,
    done: u64,
    quota: u64,
}

impl Caller {
    /// The next operation, or none when it is over.
    pub(crate) fn next(&mut self) -> Option<Step> {
        if self.done >= self.quota || self.meter.is_over.load(Ordering::Relaxed) {
            return None;
        }
        Some(self.steps.next())
    }

    /// Waits until the next operation falls due, where they do so at a rate, and tells since when it
    /// is.
    pub(crate) async fn due(&self) -> Option<Instant> {
        match &self.meter.pace {
            Some(pace) => pace.due().await,
            None => None,
        }
    }

    /// Notes how long an operation took that fell due at `since`.
    pub(crate) fn took(&self, since: Option<Instant>) {
        if let (Some(pace), Some(since)) = (&self.meter.pace, since) {
            pace.record(since.elapsed());
        }
    }

    /// Notes that operations were carried out, and answered as they should.
    pub(crate) fn count(&mut self, operations: u64) {
        self.done += operations;
        self.meter.counters[self.index]
            .0
            .store(self.done, Ordering::Relaxed);
    }
}
