//! Who is connected: what `stats conns` lists and the connection limit counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use parking_lot::Mutex;

use crate::clock::Seconds;
use crate::watchers::Peer;

/// How a client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Unix,
}

/// What a connection is doing, by memcached's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ConnectionState {
    Listening,
    Read,
    ParseCommand,
    ReadData,
    Swallow,
    Write,
    Watch,
}

impl ConnectionState {
    const ALL: [Self; 7] = [
        Self::Listening,
        Self::Read,
        Self::ParseCommand,
        Self::ReadData,
        Self::Swallow,
        Self::Write,
        Self::Watch,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Listening => "conn_listening",
            Self::Read => "conn_read",
            Self::ParseCommand => "conn_parse_cmd",
            Self::ReadData => "conn_nread",
            Self::Swallow => "conn_swallow",
            Self::Write => "conn_mwrite",
            Self::Watch => "conn_watch",
        }
    }
}

/// One connection, or the listener.
#[derive(Debug)]
pub(crate) struct ConnectionInfo {
    /// The file descriptor, which is what operators know connections by.
    pub(crate) id: i32,
    pub(crate) transport: Transport,
    /// The peer, or the listener's own address, as `stats conns` prints it.
    pub(crate) addr: String,
    /// The listener the connection came through; `None` for the listener itself.
    pub(crate) listen_addr: Option<String>,
    /// The peer's host and port, as log lines print them.
    remote: (String, u16),
    state: AtomicU8,
    last_command: AtomicU32,
}

impl ConnectionInfo {
    pub(crate) fn new(
        id: i32,
        transport: Transport,
        addr: String,
        listen_addr: Option<String>,
        remote: (String, u16),
        now: Seconds,
    ) -> Self {
        let state = if listen_addr.is_none() {
            ConnectionState::Listening
        } else {
            ConnectionState::Read
        };
        Self {
            id,
            transport,
            addr,
            listen_addr,
            remote,
            state: AtomicU8::new(state as u8),
            last_command: AtomicU32::new(now),
        }
    }

    /// The client, as log lines tell of it.
    pub(crate) fn peer(&self) -> Peer<'_> {
        Peer {
            host: &self.remote.0,
            port: self.remote.1,
            transport: match self.transport {
                Transport::Tcp => "tcp",
                Transport::Unix => "local",
            },
            connection: self.id,
        }
    }

    pub(crate) fn state(&self) -> ConnectionState {
        ConnectionState::ALL[usize::from(self.state.load(Ordering::Relaxed))]
    }

    pub(crate) fn set_state(&self, state: ConnectionState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    /// When the last command line came in.
    pub(crate) fn last_command(&self) -> Seconds {
        self.last_command.load(Ordering::Relaxed)
    }

    pub(crate) fn set_last_command(&self, now: Seconds) {
        self.last_command.store(now, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct Open {
    by_id: BTreeMap<i32, Arc<ConnectionInfo>>,
    /// The most there were at once.
    most: usize,
    total: u64,
    rejected: u64,
}

/// All open connections, the listener included.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: Mutex<Open>,
}

/// The connection counts of `stats`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionCounts {
    pub(crate) current: usize,
    pub(crate) most: usize,
    pub(crate) total: u64,
    pub(crate) rejected: u64,
}

impl Connections {
    /// Enters a connection, unless there are `limit` of them besides the listener.
    pub(crate) fn enter(&self, info: ConnectionInfo, limit: usize) -> Option<Arc<ConnectionInfo>> {
        let mut open = self.open.lock();
        if info.listen_addr.is_some() && open.by_id.len() > limit {
            open.rejected += 1;
            return None;
        }
        let info = Arc::new(info);
        open.by_id.insert(info.id, Arc::clone(&info));
        open.most = open.most.max(open.by_id.len());
        open.total += 1;
        Some(info)
    }

    pub(crate) fn leave(&self, info: &Arc<ConnectionInfo>) {
        let mut open = self.open.lock();
        // The system may have given the number to another connection already.
        if open
            .by_id
            .get(&info.id)
            .is_some_and(|entered| Arc::ptr_eq(entered, info))
        {
            open.by_id.remove(&info.id);
        }
    }

    /// Every connection, by number.
    pub(crate) fn all(&self) -> Vec<Arc<ConnectionInfo>> {
        self.open.lock().by_id.values().cloned().collect()
    }

    pub(crate) fn counts(&self) -> ConnectionCounts {
        let open = self.open.lock();
        ConnectionCounts {
            // memcached leaves the listener out.
            current: open.by_id.len().saturating_sub(1),
            most: open.most,
            total: open.total,
            rejected: open.rejected,
        }
    }

    pub(crate) fn reset_stats(&self) {
        let mut open = self.open.lock();
        open.total = 0;
        open.rejected = 0;
    }
}
