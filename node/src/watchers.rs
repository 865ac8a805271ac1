//! `watch`: log lines for whoever listens.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::clock::Seconds;
use crate::store::{Item, Marks};
use crate::text::uri_encode;

/// The most watchers at once.
const WATCHERS_MAX: usize = 20;
/// The bytes that may wait for one watcher; lines beyond are skipped and counted.
pub(crate) const QUEUE_MAX: usize = 256 * 1024;
/// Room kept in the queue for the line that says how many were skipped.
const SKIP_LINE: usize = 128;

/// What a watcher wants to hear about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Topics(u16);

impl Topics {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const FETCHERS: Self = Self(1);
    const MUTATIONS: Self = Self(1 << 1);
    const EVICTIONS: Self = Self(1 << 2);
    const CONNEVENTS: Self = Self(1 << 3);
    /// Topics memcached knows and this node has nothing to say about.
    const SILENT: Self = Self(1 << 4);

    /// The topic of this name.
    pub(crate) fn parse(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"fetchers" => Self::FETCHERS,
            b"mutations" => Self::MUTATIONS,
            b"evictions" => Self::EVICTIONS,
            b"connevents" => Self::CONNEVENTS,
            b"rawcmds" | b"sysevents" | b"proxyreqs" | b"proxyevents" | b"proxyuser" => {
                Self::SILENT
            }
            _ => return None,
        })
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The client an event is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// `tcp` or `local`.
    pub(crate) transport: &'static str,
    /// The connection's number.
    pub(crate) connection: i32,
}

/// Something a watcher may want to hear about.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    Fetch {
        key: &'a [u8],
        status: &'static str,
        class: u8,
        size: usize,
        connection: i32,
    },
    Store {
        key: &'a [u8],
        status: &'static str,
        command: &'static str,
        ttl: Seconds,
        class: u8,
        size: usize,
        connection: i32,
    },
    Eviction {
        item: &'a Item,
        now: Seconds,
    },
    Connected(Peer<'a>),
    Closed(Peer<'a>, &'static str),
}

impl Event<'_> {
    fn topic(&self) -> Topics {
        match self {
            Self::Fetch { .. } => Topics::FETCHERS,
            Self::Store { .. } => Topics::MUTATIONS,
            Self::Eviction { .. } => Topics::EVICTIONS,
            Self::Connected(_) | Self::Closed(..) => Topics::CONNEVENTS,
        }
    }

    fn describe(&self, line: &mut String) -> std::fmt::Result {
        match self {
            Self::Fetch {
                key,
                status,
                class,
                size,
                connection,
            } => {
                line.push_str("type=item_get key=");
                uri_encode(key, line);
                write!(
                    line,
                    " status={status} clsid={class} cfd={connection} size={size}"
                )
            }
            Self::Store {
                key,
                status,
                command,
                ttl,
                class,
                size,
                connection,
            } => {
                line.push_str("type=item_store key=");
                uri_encode(key, line);
                write!(
                    line,
                    " status={status} cmd={command} ttl={ttl} clsid={class}"
                )?;
                write!(line, " cfd={connection} size={size}")
            }
            Self::Eviction { item, now } => {
                let fetched = if item.has(Marks::FETCHED) {
                    "yes"
                } else {
                    "no"
                };
                let ttl = match item.exptime() {
                    0 => -1,
                    exptime => i64::from(exptime.wrapping_sub(*now)),
                };
                let idle = now.wrapping_sub(item.time());
                line.push_str("type=eviction key=");
                uri_encode(item.key(), line);
                write!(
                    line,
                    " fetch={fetched} ttl={ttl} la={idle} clsid={}",
                    item.class()
                )?;
                write!(line, " size={}", item.value().len())
            }
            Self::Connected(peer) => {
                line.push_str("type=conn_new ");
                peer.describe(line)?;
                write!(line, " cfd={}", peer.connection)
            }
            Self::Closed(peer, reason) => {
                line.push_str("type=conn_close ");
                peer.describe(line)?;
                write!(line, " reason={reason} cfd={}", peer.connection)
            }
        }
    }
}

impl Peer<'_> {
    fn describe(&self, line: &mut String) -> std::fmt::Result {
        let Self {
            host,
            port,
            transport,
            ..
        } = self;
        write!(line, "rip={host} rport={port} transport={transport}")
    }
}

#[derive(Debug, Default)]
struct Pending {
    lines: String,
    skipped: u64,
}

/// The lines on their way to one watcher.
#[derive(Debug)]
pub(crate) struct WatchQueue {
    topics: Topics,
    pending: Mutex<Pending>,
    ready: Notify,
}

impl WatchQueue {
    /// Waits for lines.
    pub(crate) async fn next(&self) -> String {
        loop {
            let lines = std::mem::take(&mut self.pending.lock().lines);
            if !lines.is_empty() {
                return lines;
            }
            self.ready.notified().await;
        }
    }

    /// Queues a line; returns whether it found room.
    fn push(&self, line: &str) -> bool {
        let mut pending = self.pending.lock();
        if pending.lines.len() + line.len() + SKIP_LINE > QUEUE_MAX {
            pending.skipped += 1;
            return false;
        }
        let skipped = std::mem::take(&mut pending.skipped);
        if skipped > 0 {
            // Writing to a String does not fail.
            let _ = writeln!(pending.lines, "skipped={skipped}");
        }
        pending.lines.push_str(line);
        drop(pending);
        self.ready.notify_one();
        true
    }
}

/// Why there is no new watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WatchError {
    TooMany,
}

/// All watchers. Where nobody watches, an event costs one relaxed load.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    wanted: AtomicU16,
    list: Mutex<Vec<Arc<WatchQueue>>>,
    last_id: AtomicU64,
    pub(crate) written: AtomicU64,
    pub(crate) skipped: AtomicU64,
    pub(crate) sent: AtomicU64,
}

impl Watchers {
    pub(crate) fn wants_fetches(&self) -> bool {
        self.wants(Topics::FETCHERS)
    }

    pub(crate) fn wants_mutations(&self) -> bool {
        self.wants(Topics::MUTATIONS)
    }

    pub(crate) fn wants_evictions(&self) -> bool {
        self.wants(Topics::EVICTIONS)
    }

    fn wants(&self, topic: Topics) -> bool {
        self.wanted.load(Ordering::Relaxed) & topic.0 != 0
    }

    pub(crate) fn len(&self) -> usize {
        self.list.lock().len()
    }

    pub(crate) fn add(&self, topics: Topics) -> Result<Arc<WatchQueue>, WatchError> {
        let mut list = self.list.lock();
        if list.len() >= WATCHERS_MAX {
            return Err(WatchError::TooMany);
        }
        // memcached numbers the arrival of a watcher like a log line.
        self.last_id.fetch_add(1, Ordering::Relaxed);
        let queue = Arc::new(WatchQueue {
            topics,
            pending: Mutex::default(),
            ready: Notify::new(),
        });
        list.push(Arc::clone(&queue));
        self.update_wanted(&list);
        Ok(queue)
    }

    pub(crate) fn remove(&self, queue: &Arc<WatchQueue>) {
        let mut list = self.list.lock();
        list.retain(|other| !Arc::ptr_eq(other, queue));
        self.update_wanted(&list);
    }

    fn update_wanted(&self, list: &[Arc<WatchQueue>]) {
        let wanted = list
            .iter()
            .fold(Topics::NONE, |all, queue| all.and(queue.topics));
        self.wanted.store(wanted.0, Ordering::Relaxed);
    }

    /// Sends an event to whoever wants it. Never waits: a watcher that does not keep up misses lines.
    pub(crate) fn log(&self, event: &Event<'_>) {
        let topic = event.topic();
        if !self.wants(topic) {
            return;
        }
        let list = self.list.lock();
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        self.written.fetch_add(1, Ordering::Relaxed);
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let mut line = String::with_capacity(160);
        // The microseconds are not padded: memcached prints two plain numbers. Strings take any write.
        let _ = write!(
            line,
            "ts={}.{} gid={id} ",
            since.as_secs(),
            since.subsec_micros()
        );
        let _ = event.describe(&mut line);
        line.push('\n');
        for queue in list.iter().filter(|queue| queue.topics.0 & topic.0 != 0) {
            let counter = if queue.push(&line) {
                &self.sent
            } else {
                &self.skipped
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// `stats reset`.
    pub(crate) fn reset_stats(&self) {
        for counter in [&self.written, &self.skipped, &self.sent] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}
