//! `watch`: what happens on a node, as it happens.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_core::Stream;

use super::NodeClient;
use super::fields::{Fields, decode_key};
use crate::error::{Error, ErrorKind, Result};
use crate::net::{Line, Lines};
use crate::observe::Operation;

/// What to watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WatchTopic {
    /// Reads.
    Fetchers,
    /// Writes.
    Mutations,
    /// Items evicted from memory.
    Evictions,
    /// Connections opened and closed. Needs memcached 1.6.11 or later.
    ConnectionEvents,
    /// Deletions. Needs memcached 1.6.20 or later.
    Deletions,
}

impl WatchTopic {
    const fn word(self) -> &'static str {
        match self {
            Self::Fetchers => "fetchers",
            Self::Mutations => "mutations",
            Self::Evictions => "evictions",
            Self::ConnectionEvents => "connevents",
            Self::Deletions => "deletions",
        }
    }
}

/// What an event tells of its item. Its `Debug` form leaves out the key.
#[derive(Clone, PartialEq, Eq)]
pub struct WatchedItem {
    /// The key, percent-decoded. With the namespace, if there is one.
    pub key: Vec<u8>,
    /// `found`, `not_found`, `stored`, `exists`, `too_large` and others, as the server says it.
    pub status: Option<Box<str>>,
    /// The command that wrote it, such as `set`.
    pub command: Option<Box<str>>,
    /// What is left of its life; `None` for no end, or where the event doesn't tell.
    pub ttl: Option<Duration>,
    /// Whether it was read since it was written, where the event tells.
    pub is_fetched: Option<bool>,
    /// How long ago it was used last, where the event tells.
    pub idle: Option<Duration>,
    /// The slab class it lies in, or would.
    pub slab_class: Option<u32>,
    /// The length of its value, in bytes, where the event tells.
    pub size: Option<u64>,
}

impl fmt::Debug for WatchedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedItem")
            .field("key_len", &self.key.len())
            .field("status", &self.status)
            .field("command", &self.command)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// One event on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchEvent {
    /// An item was asked for.
    Get(WatchedItem),
    /// An item was to be stored.
    Store(WatchedItem),
    /// An item was evicted to make room.
    Eviction(WatchedItem),
    /// An item was moved to external storage.
    ExternalWrite(WatchedItem),
    /// An item was deleted.
    Deletion(WatchedItem),
    /// A connection was opened.
    ConnectionOpened {
        /// The other side's address, unless it is a unix socket.
        peer: Option<IpAddr>,
        /// The other side's port.
        port: Option<u16>,
    },
    /// A connection was closed.
    ConnectionClosed {
        /// The other side's address, unless it is a unix socket.
        peer: Option<IpAddr>,
        /// The other side's port.
        port: Option<u16>,
        /// Why, in the server's words: `normal`, `error`, `idle timeout` and others.
        reason: Box<str>,
    },
    /// This many events were left out, because they were not read fast enough.
    Skipped(u64),
    /// A line that is none of these, as it came.
    Other(Bytes),
}

/// An event with its place in the order of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// When it happened, by the server's clock.
    pub time: Option<SystemTime>,
    /// Events of one server are in the order of these numbers.
    pub gid: Option<u64>,
    /// What happened.
    pub event: WatchEvent,
}

impl Watched {
    fn parse(line: &Bytes) -> Self {
        let fields = Fields::of(line);
        Self {
            time: fields.text("ts").and_then(time),
            gid: fields.number("gid"),
            event: event(fields, line),
        }
    }
}

/// Seconds, a point, and microseconds *without* leading zeros: `6.27877` is 6 s and 27,877 µs.
fn time(text: &str) -> Option<SystemTime> {
    let (seconds, micros) = text.split_once('.')?;
    let since_1970 = Duration::from_secs(seconds.parse().ok()?)
        .checked_add(Duration::from_micros(micros.parse().ok()?))?;
    UNIX_EPOCH.checked_add(since_1970)
}

fn event(fields: Fields<'_>, line: &Bytes) -> WatchEvent {
    match fields.get("type") {
        Some(b"item_get") => WatchEvent::Get(item(fields)),
        Some(b"item_store") => WatchEvent::Store(item(fields)),
        Some(b"eviction") => WatchEvent::Eviction(item(fields)),
        Some(b"extwrite") => WatchEvent::ExternalWrite(item(fields)),
        Some(b"deleted") => WatchEvent::Deletion(item(fields)),
        Some(b"conn_new") => WatchEvent::ConnectionOpened {
            peer: fields.number("rip"),
            port: fields.number("rport"),
        },
        Some(b"conn_close") => WatchEvent::ConnectionClosed {
            peer: fields.number("rip"),
            port: fields.number("rport"),
            reason: fields.text("reason").unwrap_or_default().into(),
        },
        _ => match fields.number("skipped") {
            Some(skipped) => WatchEvent::Skipped(skipped),
            None => WatchEvent::Other(line.clone()),
        },
    }
}

fn item(fields: Fields<'_>) -> WatchedItem {
    let seconds = |name| fields.number(name).map(Duration::from_secs);
    WatchedItem {
        key: fields.get("key").map(decode_key).unwrap_or_default(),
        status: fields.text("status").map(Into::into),
        command: fields.text("cmd").map(Into::into),
        // A store says 0 where there is no end, an eviction -1.
        ttl: seconds("ttl").filter(|ttl| !ttl.is_zero()),
        is_fetched: fields.get("fetch").map(|fetched| fetched == b"yes"),
        idle: seconds("la"),
        slab_class: fields.number("clsid"),
        size: fields.number("size"),
    }
}

/// What happens on a node, as it happens.
///
/// Made by [`NodeClient::watch`]. The stream has a connection of its own, which ends with it. It
/// ends by itself when the server ends the connection.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Watch {
    lines: Lines,
    is_done: bool,
}

impl Stream for Watch {
    type Item = Result<Watched>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let event = match ready!(self.lines.poll_next(context)) {
            Some(Ok(Line::Text(line))) => return Poll::Ready(Some(Ok(Watched::parse(&line)))),
            Some(Ok(_)) => Some(Err(Error::protocol("a line that is no event"))),
            Some(Err(error)) => Some(Err(error)),
            None => None,
        };
        self.is_done = true;
        Poll::Ready(event)
    }
}

impl NodeClient {
    /// Watches what happens on the node.
    ///
    /// Watching costs the server time for each event; fetchers on a busy server are many. Events
    /// that aren't read fast enough are left out, and counted as [`WatchEvent::Skipped`].
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::future::poll_fn;
    /// use std::pin::pin;
    /// use futures_core::Stream;
    /// use memlens::{WatchEvent, WatchTopic};
    ///
    /// let node = client.node("cache-01:11211")?;
    /// let mut events = pin!(node.watch(&[WatchTopic::Evictions]).await?);
    /// while let Some(watched) = poll_fn(|context| events.as_mut().poll_next(context)).await {
    ///     if let WatchEvent::Eviction(item) = watched?.event {
    ///         println!("evicted {} bytes", item.size.unwrap_or(0));
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) without a topic,
    /// [`ClientError`](crate::ErrorKind::ClientError) when the server was started with `-W`, which
    /// forbids it, [`UnknownCommand`](crate::ErrorKind::UnknownCommand) for a topic that it doesn't
    /// know; otherwise those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// Dropping future or stream closes the stream's connection; nothing else is touched.
    pub async fn watch(&self, topics: &[WatchTopic]) -> Result<Watch> {
        if topics.is_empty() {
            return self.refused(
                Operation::Watch,
                "nothing to watch: give at least one topic",
            );
        }
        let words: Vec<&str> = topics.iter().map(|topic| topic.word()).collect();
        let request = format!("watch {}\r\n", words.join(" "));
        let start = self.begin(Operation::Watch);
        let opening = self.open_watch(&request, start.deadline);
        Ok(Watch {
            lines: self.node.observe(start, opening).await?,
            is_done: false,
        })
    }

    async fn open_watch(&self, request: &str, deadline: Instant) -> Result<Lines> {
        let mut lines = self.open_lines(request, deadline).await?;
        match lines.next(deadline).await? {
            Some(Line::Ok) => Ok(lines),
            Some(_) => Err(Error::protocol("no OK in answer to watch")),
            None => Err(Error::new(ErrorKind::ConnectionClosed).sent(true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &'static str) -> Watched {
        Watched::parse(&Bytes::from_static(line.as_bytes()))
    }

    #[test]
    fn microseconds_are_not_padded() {
        let watched = parse("ts=1795212006.27877 gid=2 type=eviction key=page%3A%2F249 ttl=-1");
        let since_1970 = watched.time.unwrap().duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(since_1970, Duration::new(1_795_212_006, 27_877_000));
        let WatchEvent::Eviction(item) = watched.event else {
            panic!("{:?}", watched.event)
        };
        assert_eq!((item.key.as_slice(), item.ttl), (&b"page:/249"[..], None));
    }

    #[test]
    fn a_connection_number_may_be_garbage() {
        let watched = parse(
            "ts=1.2 gid=312 type=item_store key=big status=too_large cmd=set ttl=0 clsid=24 \
             cfd=-903767392 size=0",
        );
        let WatchEvent::Store(item) = watched.event else {
            panic!("{:?}", watched.event)
        };
        assert_eq!(item.status.as_deref(), Some("too_large"));
        assert_eq!(item.command.as_deref(), Some("set"));
    }

    #[test]
    fn what_is_unknown_stays_as_it_came() {
        let line = "ts=1.2 gid=3 type=proxy_req elapsed=7";
        assert_eq!(parse(line).event, WatchEvent::Other(line.into()));
        assert_eq!(parse("skipped=12").event, WatchEvent::Skipped(12));
        let closed = parse("ts=1.0 gid=4 type=conn_close rip=127.0.0.1 rport=9 reason=error cfd=2");
        assert!(matches!(
            closed.event,
            WatchEvent::ConnectionClosed { port: Some(9), .. }
        ));
    }
}
