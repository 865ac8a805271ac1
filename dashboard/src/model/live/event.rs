//! One event, as it is listed and counted.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use memlens::{WatchEvent, Watched, WatchedItem};

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LiveKind {
    /// It was read.
    Hit,
    /// It was asked for, and not there: never was, expired, or flushed.
    Miss,
    /// It was stored.
    Stored,
    /// It was offered and not stored: the condition was not met, or it is too large.
    NotStored,
    /// It was evicted.
    Evicted,
    /// It was deleted.
    Deleted,
    /// It was moved to external storage.
    External,
}

impl LiveKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Hit,
        Self::Miss,
        Self::Stored,
        Self::NotStored,
        Self::Evicted,
        Self::Deleted,
        Self::External,
    ];

    /// In a word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stored => "store",
            Self::NotStored => "refused",
            Self::Evicted => "evict",
            Self::Deleted => "delete",
            Self::External => "to disk",
        }
    }
}

/// One event.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveEvent {
    /// The node it happened on.
    pub node: Arc<str>,
    /// When, by that server's clock, since 1970.
    pub time: Option<Duration>,
    /// Its place in the order of the node's events.
    pub gid: Option<u64>,
    /// What happened.
    pub kind: LiveKind,
    /// The key.
    pub key: Box<[u8]>,
    /// The server's word for how it ended, where `kind` does not say it all: `too_large`, `exists`.
    pub status: Option<Box<str>>,
    /// The command that stored it.
    pub command: Option<Box<str>>,
    /// What is left of its life.
    pub time_to_live: Option<Duration>,
    /// Whether an evicted item had been read.
    pub is_fetched: Option<bool>,
    /// How long an evicted item had not been used.
    pub idle: Option<Duration>,
    /// Its slab class.
    pub slab_class: Option<u32>,
    /// The length of its value, in bytes.
    pub size: Option<u64>,
}

/// Leaves out the key.
impl std::fmt::Debug for LiveEvent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LiveEvent")
            .field("node", &self.node)
            .field("gid", &self.gid)
            .field("kind", &self.kind)
            .field("key_len", &self.key.len())
            .finish_non_exhaustive()
    }
}

impl LiveEvent {
    /// The event, if it is about an item.
    #[must_use]
    pub fn of(node: &Arc<str>, watched: &Watched) -> Option<Self> {
        let (kind, item) = match &watched.event {
            WatchEvent::Get(item) if item.status.as_deref() == Some("found") => {
                (LiveKind::Hit, item)
            }
            WatchEvent::Get(item) => (LiveKind::Miss, item),
            WatchEvent::Store(item) if item.status.as_deref() == Some("stored") => {
                (LiveKind::Stored, item)
            }
            WatchEvent::Store(item) => (LiveKind::NotStored, item),
            WatchEvent::Eviction(item) => (LiveKind::Evicted, item),
            WatchEvent::Deletion(item) => (LiveKind::Deleted, item),
            WatchEvent::ExternalWrite(item) => (LiveKind::External, item),
            _ => return None,
        };
        let since_1970 = watched
            .time
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Some(Self::new(node, since_1970, watched.gid, kind, item))
    }

    fn new(
        node: &Arc<str>,
        time: Option<Duration>,
        gid: Option<u64>,
        kind: LiveKind,
        item: &WatchedItem,
    ) -> Self {
        let says_more = |status: &&str| !matches!(*status, "found" | "not_found" | "stored");
        Self {
            node: Arc::clone(node),
            time,
            gid,
            kind,
            key: item.key.as_slice().into(),
            status: item.status.as_deref().filter(says_more).map(Into::into),
            command: item.command.clone(),
            time_to_live: item.ttl,
            is_fetched: item.is_fetched,
            idle: item.idle,
            slab_class: item.slab_class,
            size: item.size,
        }
    }

    /// The time of day by the server's clock, in UTC: hours, minutes, seconds and milliseconds.
    #[must_use]
    pub fn time_of_day(&self) -> Option<String> {
        let time = self.time?;
        let seconds = time.as_secs() % 86_400;
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        Some(format!(
            "{hours:02}:{minutes:02}:{seconds:02}.{:03}",
            time.subsec_millis()
        ))
    }
}
