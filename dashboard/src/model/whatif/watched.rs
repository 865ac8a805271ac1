//! From watched events to a sample of reads.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use memlens::{WatchEvent, Watched};

use super::sample::FetchSample;

/// How many later reads of a node a store may be away from the look-up that belongs to it: the
/// server's threads write into buffers of their own, which are emptied one after the other.
const APART: usize = 64;

/// Takes in what `watch fetchers mutations` tells, and keeps the reads.
///
/// Before a server stores an item it looks the key up, and tells watchers of that as if somebody had
/// read it. So a read is only taken in when no store of its key came right behind it; mutations have
/// to be watched too.
#[derive(Clone, Debug, Default)]
pub struct ReadSampler {
    sample: FetchSample,
    waiting: HashMap<Arc<str>, VecDeque<Read>>,
    skipped: u64,
}

#[derive(Clone, Debug)]
struct Read {
    key: Box<[u8]>,
    was_found: bool,
    bytes: Option<u64>,
}

impl ReadSampler {
    /// Takes in an event of a node. False when the sample is full and should end.
    pub fn add(&mut self, node: &Arc<str>, watched: &Watched) -> bool {
        match &watched.event {
            WatchEvent::Get(item) => {
                let read = Read {
                    key: item.key.as_slice().into(),
                    was_found: item.status.as_deref() == Some("found"),
                    bytes: item.size,
                };
                self.wait(node, read)
            }
            WatchEvent::Store(item) => {
                if let Some(waiting) = self.waiting.get_mut(node) {
                    let look_up = waiting.iter().rposition(|read| *read.key == *item.key);
                    look_up.map(|place| waiting.remove(place));
                }
                true
            }
            WatchEvent::Skipped(count) => {
                self.skipped = self.skipped.saturating_add(*count);
                true
            }
            _ => true,
        }
    }

    fn wait(&mut self, node: &Arc<str>, read: Read) -> bool {
        if !self.waiting.contains_key(node) {
            self.waiting.insert(Arc::clone(node), VecDeque::new());
        }
        let Some(waiting) = self.waiting.get_mut(node) else {
            return true;
        };
        waiting.push_back(read);
        if waiting.len() <= APART {
            return true;
        }
        waiting
            .pop_front()
            .is_none_or(|read| take(&mut self.sample, &read))
    }

    /// Reads taken in so far.
    #[must_use]
    pub const fn reads(&self) -> u64 {
        self.sample.reads()
    }

    /// Events that the servers left out, because they were not read fast enough.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The sample, watched for so many seconds.
    #[must_use]
    pub fn finish(mut self, seconds: f64) -> FetchSample {
        for read in self.waiting.into_values().flatten() {
            take(&mut self.sample, &read);
        }
        self.sample.set_seconds(seconds);
        self.sample
    }
}

fn take(sample: &mut FetchSample, read: &Read) -> bool {
    sample.add(&read.key, read.was_found, read.bytes)
}

/// How watching reads stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ReadStage {
    /// Under way.
    Watching {
        /// For how much longer.
        left: Duration,
    },
    /// Done: there is a sample.
    #[default]
    Done,
    /// It came to nothing; says why.
    Failed(String),
}

/// Reads that are being watched, or were.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    /// How it stands.
    pub stage: ReadStage,
    /// Reads taken in so far.
    pub reads: u64,
    /// Events that the servers left out, because they were not read fast enough.
    pub skipped: u64,
    /// Nodes that could not be watched.
    pub unwatched: usize,
    /// The sample, once it is done.
    pub sample: Option<Arc<FetchSample>>,
}

impl Reads {
    /// Whether reads are being watched right now.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        matches!(self.stage, ReadStage::Watching { .. })
    }
}

#[cfg(test)]
mod tests {
    use memlens::{WatchEvent, Watched, WatchedItem};

    use super::ReadSampler;

    fn event(key: &str, status: &str, is_store: bool) -> Watched {
        let item = WatchedItem {
            key: key.into(),
            status: Some(status.into()),
            command: None,
            ttl: None,
            is_fetched: None,
            idle: None,
            slab_class: None,
            size: Some(7),
        };
        Watched {
            time: None,
            gid: None,
            event: if is_store {
                WatchEvent::Store(item)
            } else {
                WatchEvent::Get(item)
            },
        }
    }

    #[test]
    fn the_look_up_of_a_store_is_no_read() {
        let node = "a:1".into();
        let mut sampler = ReadSampler::default();
        for watched in [
            event("k", "not_found", false),
            event("other", "found", false),
            // The application stores what it missed.
            event("k", "not_found", false),
            event("k", "stored", true),
            event("k", "found", false),
        ] {
            assert!(sampler.add(&node, &watched));
        }
        sampler.add(
            &node,
            &Watched {
                time: None,
                gid: None,
                event: WatchEvent::Skipped(9),
            },
        );
        assert_eq!(sampler.skipped(), 9);
        let sample = sampler.finish(3.0);
        assert_eq!((sample.reads(), sample.distinct()), (3, 2));
        assert!((sample.hit_rate().unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(sample.seconds(), 3.0);
    }
}
