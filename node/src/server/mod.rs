//! The sockets: listening, connections, and what all connections share.

mod auth;
mod connection;
mod connections;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod listener;
mod replies;
mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

pub(crate) use connection::READ_BUFFER;
pub(crate) use connections::Connections;
pub(crate) use listener::{BACKLOG, start};
pub(crate) use replies::Replies;
pub(crate) use session::REQUESTS_PER_EVENT;

use crate::clock::Clock;
use crate::config::Config;
use crate::prefixes::{PrefixCounts, Prefixes};
use crate::store::Store;
use crate::watchers::Watchers;

/// Counters of connections and of commands that concern no key.
#[derive(Debug, Default)]
pub(crate) struct ServerStats {
    pub(crate) flush_cmds: AtomicU64,
    pub(crate) auth_cmds: AtomicU64,
    pub(crate) auth_errors: AtomicU64,
    pub(crate) idle_kicks: AtomicU64,
    pub(crate) bytes_read: AtomicU64,
    pub(crate) bytes_written: AtomicU64,
    pub(crate) conn_yields: AtomicU64,
}

impl ServerStats {
    pub(crate) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    /// `stats reset`.
    pub(crate) fn reset(&self) {
        let Self {
            flush_cmds,
            auth_cmds,
            auth_errors,
            idle_kicks,
            bytes_read,
            bytes_written,
            conn_yields,
        } = self;
        for counter in [
            flush_cmds,
            auth_cmds,
            auth_errors,
            idle_kicks,
            bytes_read,
            bytes_written,
            conn_yields,
        ] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// What all connections of a node share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// The bound TCP port, or 0.
    pub(crate) port: u16,
    pub(crate) store: Store,
    pub(crate) watchers: Arc<Watchers>,
    pub(crate) connections: Connections,
    pub(crate) stats: ServerStats,
    pub(crate) verbosity: AtomicU32,
    /// Whether `stats detail` counts by key prefix.
    pub(crate) detail: AtomicBool,
    pub(crate) prefixes: Mutex<Prefixes>,
    pub(crate) paused: watch::Sender<bool>,
    /// Wakes the maintainer when there is work it should not sleep over.
    pub(crate) work: Notify,
}

impl Shared {
    pub(crate) fn new(config: Config, port: u16, clock: Clock) -> Self {
        let watchers = Arc::new(Watchers::default());
        Self {
            port,
            store: Store::new(&config, clock, Arc::clone(&watchers)),
            watchers,
            connections: Connections::default(),
            stats: ServerStats::default(),
            verbosity: AtomicU32::new(config.verbosity),
            detail: AtomicBool::new(false),
            prefixes: Mutex::default(),
            paused: watch::Sender::new(false),
            work: Notify::new(),
            config,
        }
    }

    /// Whether reads and writes are counted by key prefix.
    pub(crate) fn counts_prefixes(&self) -> bool {
        self.detail.load(Ordering::Relaxed)
    }

    /// Counts an access to a key under its prefix, if that is on.
    pub(crate) fn count_prefix(&self, key: &[u8], count: impl FnOnce(&mut PrefixCounts)) {
        if self.counts_prefixes()
            && let Some(counts) = self.prefixes.lock().of(key)
        {
            count(counts);
        }
    }

    /// Waits while the node is paused.
    pub(crate) async fn running(&self) {
        if !*self.paused.borrow() {
            return;
        }
        let mut paused = self.paused.subscribe();
        // The sender lives as long as this does, so the channel cannot close.
        let _ = paused.wait_for(|&paused| !paused).await;
    }

    /// `stats reset`.
    pub(crate) fn reset_stats(&self) {
        self.store.reset_stats();
        self.stats.reset();
        self.connections.reset_stats();
        self.watchers.reset_stats();
        self.prefixes.lock().clear();
    }
}
