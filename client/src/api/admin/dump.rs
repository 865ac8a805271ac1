//! `lru_crawler metadump` and `mgdump`: the keys of a node, as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_core::Stream;

use super::NodeClient;
use super::fields::{Fields, decode_key};
use crate::api::Cas;
use crate::error::{Error, ErrorKind, Result};
use crate::net::{Line, Lines};
use crate::observe::Operation;
use crate::proto::command::admin::refusal;

/// What a node tells of one item without its value.
#[derive(Clone, PartialEq, Eq)]
pub struct ItemMetadata {
    line: Bytes,
}

impl ItemMetadata {
    /// The key, percent-decoded. With the namespace, if there is one.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        self.field("key").map(decode_key).unwrap_or_default()
    }

    /// When the item expires; `None` for never.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        self.number("exp").and_then(unix_time)
    }

    /// When the item was read last, or written if it was never read. The server's clock, in whole
    /// seconds.
    #[must_use]
    pub fn last_access(&self) -> Option<SystemTime> {
        self.number("la").and_then(unix_time)
    }

    /// The state that [`cas`](crate::Client::cas) compares.
    #[must_use]
    pub fn cas(&self) -> Option<Cas> {
        self.number("cas").map(Cas::new)
    }

    /// Whether the item was read since it was written.
    #[must_use]
    pub fn is_fetched(&self) -> bool {
        self.field("fetch") == Some(b"yes")
    }

    /// The slab class it lies in.
    #[must_use]
    pub fn slab_class(&self) -> Option<u64> {
        self.number("cls")
    }

    /// What it takes in memory, in bytes: header, key and value.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.number("size")
    }

    /// Any field of the line, as the server wrote it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        Fields::of(&self.line).get(name)
    }

    fn number(&self, name: &str) -> Option<u64> {
        Fields::of(&self.line).number(name)
    }
}

/// Leaves out the key.
impl fmt::Debug for ItemMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemMetadata")
            .field("expires", &self.expires())
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

fn unix_time(seconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// The items of a node, in no order that means anything.
///
/// Made by [`NodeClient::metadump`]. The stream has a connection of its own, which ends with it.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct MetadataDump(Dump);

/// The keys of a node, in no order that means anything.
///
/// Made by [`NodeClient::mgdump`]. The stream has a connection of its own, which ends with it.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct KeyDump(Dump);

#[derive(Debug)]
struct Dump {
    lines: Lines,
    is_done: bool,
}

impl Dump {
    fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let line = match ready!(self.lines.poll_next(context)) {
            Some(Ok(Line::Text(line))) => return Poll::Ready(Some(Ok(line))),
            Some(Ok(Line::End)) => None,
            Some(Ok(Line::Ok)) => Some(Err(Error::protocol("an OK in a list of items"))),
            Some(Err(error)) => Some(Err(error)),
            None => Some(Err(Error::with_detail(
                ErrorKind::ConnectionClosed,
                "the server closed the connection in the middle of a list",
            )
            .sent(true))),
        };
        self.is_done = true;
        Poll::Ready(line)
    }

    /// The next line, if it begins with `prefix`; any other one is a refusal.
    fn poll_item(
        &mut self,
        prefix: &[u8],
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes>>> {
        let polled = ready!(self.poll_line(context));
        Poll::Ready(polled.map(|line| {
            let line = line?;
            if line.starts_with(prefix) {
                return Ok(line);
            }
            self.is_done = true;
            Err(refusal(&line))
        }))
    }
}

impl Stream for MetadataDump {
    type Item = Result<ItemMetadata>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.0.poll_item(b"key=", context));
        Poll::Ready(item.map(|line| Ok(ItemMetadata { line: line? })))
    }
}

impl Stream for KeyDump {
    type Item = Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.0.poll_item(b"mg ", context));
        Poll::Ready(item.map(|line| Ok(decode_key(&line?[3..]))))
    }
}

/// Slab classes as the LRU crawler's commands take them.
pub(super) fn class_list(classes: Option<&[u8]>, all: &str) -> String {
    classes.map_or_else(
        || all.to_owned(),
        |classes| {
            classes
                .iter()
                .map(u8::to_string)
                .collect::<Vec<_>>()
                .join(",")
        },
    )
}

impl NodeClient {
    /// Lists the items of these slab classes, or of all, with what the node knows of each.
    ///
    /// The server walks through its memory, class by class, in a thread of its own; items that
    /// come and go meanwhile may be listed or not. A second list while one is under way is refused.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::future::poll_fn;
    /// use std::pin::pin;
    /// use futures_core::Stream;
    ///
    /// let mut items = pin!(client.node("cache-01:11211")?.metadump(None).await?);
    /// while let Some(item) = poll_fn(|context| items.as_mut().poll_next(context)).await {
    ///     println!("{:?} bytes", item?.size());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// While connecting, those of [every operation](crate#failure-model). From the stream, once,
    /// and then it ends: [`ServerError`](crate::ErrorKind::ServerError) when the crawler is busy or
    /// a class is not there, [`UnknownCommand`](crate::ErrorKind::UnknownCommand) when the server
    /// was started with `-X`, which forbids it.
    ///
    /// # Cancel safety
    /// Dropping future or stream closes the stream's connection; nothing else is touched.
    pub async fn metadump(&self, classes: Option<&[u8]>) -> Result<MetadataDump> {
        let request = format!("lru_crawler metadump {}\r\n", class_list(classes, "all"));
        Ok(MetadataDump(
            self.dump(Operation::Metadump, &request).await?,
        ))
    }

    /// Lists the keys of these slab classes, or of all. Needs memcached 1.6.22 or later.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// use std::future::poll_fn;
    /// use std::pin::pin;
    /// use futures_core::Stream;
    ///
    /// let mut keys = pin!(node.mgdump(None).await?);
    /// while let Some(key) = poll_fn(|context| keys.as_mut().poll_next(context)).await {
    ///     println!("a key of {} bytes", key?.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`metadump`](Self::metadump); older servers answer
    /// [`UnknownCommand`](crate::ErrorKind::UnknownCommand) or
    /// [`ClientError`](crate::ErrorKind::ClientError).
    ///
    /// # Cancel safety
    /// As [`metadump`](Self::metadump).
    pub async fn mgdump(&self, classes: Option<&[u8]>) -> Result<KeyDump> {
        let request = format!("lru_crawler mgdump {}\r\n", class_list(classes, "all"));
        Ok(KeyDump(self.dump(Operation::Mgdump, &request).await?))
    }

    async fn dump(&self, operation: Operation, request: &str) -> Result<Dump> {
        let start = self.begin(operation);
        let opening = self.open_lines(request, start.deadline);
        Ok(Dump {
            lines: self.node.observe(start, opening).await?,
            is_done: false,
        })
    }

    pub(super) async fn open_lines(&self, request: &str, deadline: Instant) -> Result<Lines> {
        let (endpoint, settings) = self.node.dial_settings();
        Lines::open(self.node.name(), endpoint, settings, request, deadline).await
    }
}
