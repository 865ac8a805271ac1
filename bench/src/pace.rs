//! Operations that fall due at a fixed rate, whether those before them have ended or not.
//!
//! A caller that asks again only after its answer asks less while the client is slow, and so leaves
//! out of its figures what everybody else would have waited for. Here an operation's time begins
//! when it falls due, not when a caller gets round to it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

const TICK: Duration = Duration::from_millis(1);

/// Operations of the first ticks aren't counted: connections are made, and buffers grow.
const WARM_UP: u64 = 200;

pub(crate) struct Pace {
    /// So many fall due each tick.
    rate: u32,
    start: Instant,
    due: Semaphore,
    taken: AtomicU64,
    took: Mutex<Vec<u32>>,
}

impl Pace {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            rate,
            start: Instant::now(),
            due: Semaphore::new(0),
            taken: AtomicU64::new(0),
            took: Mutex::new(Vec::new()),
        }
    }

    /// Lets operations fall due, until it is over.
    pub(crate) fn tick(&self, is_over: &AtomicBool) {
        for tick in 0.. {
            if is_over.load(Ordering::Relaxed) {
                return self.due.close();
            }
            let at = self.start + TICK * tick;
            thread::sleep(at.saturating_duration_since(Instant::now()));
            self.due.add_permits(self.rate as usize);
        }
    }

    /// Waits for the next operation, and tells since when it is due; nothing when it is over.
    pub(crate) async fn due(&self) -> Option<Instant> {
        self.due.acquire().await.ok()?.forget();
        let tick = self.taken.fetch_add(1, Ordering::Relaxed) / u64::from(self.rate);
        (tick >= WARM_UP).then(|| self.start + TICK * tick as u32)
    }

    pub(crate) fn record(&self, took: Duration) {
        if let Ok(mut all) = self.took.lock() {
            all.push(took.as_micros() as u32);
        }
    }

    /// The median, the 99th and the 99.9th percentile, in microseconds.
    pub(crate) fn percentiles(&self) -> [f64; 3] {
        let mut took = self
            .took
            .lock()
            .map_or_else(|_| Vec::new(), |all| all.clone());
        took.sort_unstable();
        [0.5, 0.99, 0.999].map(|share| {
            let rank = (took.len() as f64 * share).ceil() as usize;
            took.get(rank.saturating_sub(1))
                .map_or(f64::NAN, |&it| f64::from(it))
        })
    }
}
