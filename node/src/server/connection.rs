//! One client's socket: reads, serves, writes.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

use super::connections::{ConnectionInfo, ConnectionState, Transport};
use super::session::{Next, Session};
use super::{ServerStats, Shared};
use crate::commands::{BUSY, Flow};
use crate::store::{CrawlTarget, Item, Marks};
use crate::text::uri_encode;
use crate::watchers::{Event, Topics, WatchQueue};

/// The size of a connection's read buffer, which grows only for a value that is being received.
pub(crate) const READ_BUFFER: usize = 16 * 1024;

/// A buffer that grew beyond this for a value is given up once it is empty.
const LARGE_BUFFER: usize = 4 * READ_BUFFER;

/// Why a connection ends, as log lines put it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CloseReason {
    /// The socket failed, or the client broke the protocol beyond repair.
    Error,
    Normal,
    IdleTimeout,
    Shutdown,
}

impl CloseReason {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Normal => "normal",
            Self::IdleTimeout => "idle_timeout",
            Self::Shutdown => "shutdown",
        }
    }
}

/// Takes a connection off the books when its task ends, however it ends.
struct Registration {
    shared: Arc<Shared>,
    info: Arc<ConnectionInfo>,
    reason: CloseReason,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.shared.connections.leave(&self.info);
        self.shared
            .watchers
            .log(&Event::Closed(self.info.peer(), self.reason.name()));
    }
}

/// Serves a client until it or the node goes away.
pub(super) async fn serve<S>(
    socket: S,
    shared: Arc<Shared>,
    info: Arc<ConnectionInfo>,
    stop: watch::Sender<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    shared.watchers.log(&Event::Connected(info.peer()));
    let mut registration = Registration {
        shared: Arc::clone(&shared),
        info: Arc::clone(&info),
        reason: CloseReason::Shutdown,
    };
    let session = Session::new(Arc::clone(&shared), info);
    let mut connection = Connection {
        socket,
        shared,
        session,
        input: BytesMut::with_capacity(READ_BUFFER),
    };
    registration.reason = connection.run(&stop).await.unwrap_or(CloseReason::Error);
}

struct Connection<S> {
    socket: S,
    shared: Arc<Shared>,
    session: Session,
    /// Bytes received and not yet served.
    input: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(&mut self, stop: &watch::Sender<bool>) -> io::Result<CloseReason> {
        loop {
            self.shared.running().await;
            let (consumed, next) = self.session.serve(&self.input);
            self.input.advance(consumed);
            match next {
                Next::Read => {
                    self.send().await?;
                    if let Some(reason) = self.read().await? {
                        return Ok(reason);
                    }
                }
                Next::ReadHoldingBack => {
                    self.send_due().await?;
                    if let Some(reason) = self.read().await? {
                        return Ok(reason);
                    }
                }
                Next::Send => self.send().await?,
                Next::Flow(flow) => {
                    if let Some(reason) = self.follow(flow, stop).await? {
                        return Ok(reason);
                    }
                }
            }
        }
    }

    /// Does what a command asked of the connection. Returns why to close it, if so.
    async fn follow(
        &mut self,
        flow: Flow,
        stop: &watch::Sender<bool>,
    ) -> io::Result<Option<CloseReason>> {
        match flow {
            Flow::Abort => {
                // What was answered before still goes out.
                self.send().await?;
                return Ok(Some(CloseReason::Error));
            }
            Flow::Close => {
                self.send().await?;
                return Ok(Some(CloseReason::Normal));
            }
            Flow::Shutdown => {
                stop.send_replace(true);
                return Ok(Some(CloseReason::Shutdown));
            }
            Flow::Watch(topics) => return self.watch(topics).await,
            Flow::Dump(target) => self.dump(target).await?,
            Flow::Continue | Flow::Sent => {}
        }
        Ok(None)
    }

    /// Sends all replies.
    async fn send(&mut self) -> io::Result<()> {
        self.session.replies.mark_sent();
        self.send_due().await
    }

    /// Sends the replies that memcached would have sent by now.
    async fn send_due(&mut self) -> io::Result<()> {
        let due = self.session.replies.due();
        if due == 0 {
            return Ok(());
        }
        let state = self.session.info.state();
        self.session.info.set_state(ConnectionState::Write);
        ServerStats::add(&self.shared.stats.bytes_written, due as u64);
        let config = &self.shared.config;
        let limit =
            Some(config.idle_timeout()).filter(|limit| config.is_remote() && !limit.is_zero());
        let mut due = (&mut self.session.replies).take(due);
        let sending = self.socket.write_all_buf(&mut due);
        match limit {
            None => sending.await?,
            // Another machine that reads nothing would hold its replies here for ever.
            Some(limit) => tokio::time::timeout(limit, sending).await??,
        }
        self.session.info.set_state(state);
        Ok(())
    }

    /// Reads more. Returns why to close the connection, if so.
    async fn read(&mut self) -> io::Result<Option<CloseReason>> {
        if self.input.is_empty() && self.input.capacity() > LARGE_BUFFER {
            self.input = BytesMut::with_capacity(READ_BUFFER);
        }
        // A value that is being received is given room as it arrives, never ahead of it.
        let missing = self.session.needed().saturating_sub(self.input.len());
        let room = missing.clamp(READ_BUFFER / 2, READ_BUFFER.max(self.input.len()));
        self.input.reserve(room);
        let count = match self.idle_limit() {
            None => self.socket.read_buf(&mut self.input).await?,
            Some(limit) => {
                let read = self.socket.read_buf(&mut self.input);
                let Ok(read) = tokio::time::timeout(limit, read).await else {
                    ServerStats::add(&self.shared.stats.idle_kicks, 1);
                    return Ok(Some(CloseReason::IdleTimeout));
                };
                read?
            }
        };
        ServerStats::add(&self.shared.stats.bytes_read, count as u64);
        Ok((count == 0).then_some(CloseReason::Normal))
    }

    /// How long a client may still be silent. Like memcached, this counts from its last command, and
    /// hurries neither a data block nor clients on a Unix socket; but other machines could hold a
    /// connection for ever by a data block that never ends.
    fn idle_limit(&self) -> Option<Duration> {
        let limit = self.shared.config.idle_timeout();
        let info = &self.session.info;
        let is_idle = info.state() == ConnectionState::Read || self.shared.config.is_remote();
        if limit.is_zero() || !is_idle || info.transport != Transport::Tcp {
            return None;
        }
        let idle = self
            .shared
            .store
            .clock
            .now()
            .saturating_sub(info.last_command());
        // It is over once more whole seconds than the limit have passed.
        let second = Duration::from_secs(1);
        Some(limit.saturating_sub(second * idle) + second)
    }

    /// Sends log lines until the client goes away.
    async fn watch(&mut self, topics: Topics) -> io::Result<Option<CloseReason>> {
        let Ok(queue) = self.shared.watchers.add(topics) else {
            self.session
                .replies
                .line("WATCHER_TOO_MANY log watcher limit reached");
            return Ok(None);
        };
        self.session.replies.line("OK");
        let sent = self.send_lines(&queue).await;
        self.shared.watchers.remove(&queue);
        sent.map(Some)
    }

    async fn send_lines(&mut self, queue: &WatchQueue) -> io::Result<CloseReason> {
        self.send().await?;
        self.session.info.set_state(ConnectionState::Watch);
        let mut ignored = [0; 512];
        loop {
            tokio::select! {
                lines = queue.next() => {
                    ServerStats::add(&self.shared.stats.bytes_written, lines.len() as u64);
                    self.socket.write_all(lines.as_bytes()).await?;
                }
                // What a watching client sends is thrown away; its end is what is awaited.
                count = self.socket.read(&mut ignored) => {
                    if count? == 0 {
                        return Ok(CloseReason::Normal);
                    }
                }
            }
        }
    }

    /// Lists items, batch by batch, as fast as the client takes them.
    async fn dump(&mut self, target: CrawlTarget) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let Ok(mut dump) = shared.store.start_dump(target) else {
            self.session.replies.line(BUSY);
            return Ok(());
        };
        self.session.info.set_state(ConnectionState::Watch);
        while let Some(items) = dump.next_batch() {
            let mut listing = String::new();
            for item in &items {
                list_item(&shared, item, &mut listing);
            }
            self.session.replies.bytes(listing.as_bytes());
            self.send().await?;
        }
        self.session.replies.line("END");
        Ok(())
    }
}

/// One line of `lru_crawler metadump`, which ends in a bare line feed.
fn list_item(shared: &Shared, item: &Item, listing: &mut String) {
    let clock = &shared.store.clock;
    listing.push_str("key=");
    uri_encode(item.key(), listing);
    let expires = match item.exptime() {
        0 => -1,
        exptime => clock.unix(exptime),
    };
    // Writing to a String does not fail.
    let _ = writeln!(
        listing,
        " exp={expires} la={} cas={} fetch={} cls={} size={}",
        clock.unix(item.time()),
        item.cas(),
        if item.has(Marks::FETCHED) {
            "yes"
        } else {
            "no"
        },
        item.class(),
        item.size,
    );
}
