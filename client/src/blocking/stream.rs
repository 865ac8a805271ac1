//! Streams as iterators.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;

use super::runtime::Runtime;
use crate::error::Result;

/// A stream of the async client as an iterator that blocks until there is another item.
///
/// Made by [`metadump`](super::NodeClient::metadump), [`mgdump`](super::NodeClient::mgdump) and
/// [`watch`](super::NodeClient::watch). No deadline ends the waiting; the iterator ends with its
/// stream, and after its first error. Dropping it closes the stream's connection.
#[derive(Debug)]
#[must_use = "iterators do nothing unless they are advanced"]
pub struct BlockingStream<S> {
    /// Before `runtime`: its socket belongs there.
    stream: Option<S>,
    runtime: Arc<Runtime>,
}

impl<S> BlockingStream<S> {
    pub(super) const fn new(stream: S, runtime: Arc<Runtime>) -> Self {
        Self {
            stream: Some(stream),
            runtime,
        }
    }
}

impl<S, T> Iterator for BlockingStream<S>
where
    S: Stream<Item = Result<T>> + Unpin,
{
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let stream = self.stream.as_mut()?;
        let next = poll_fn(|context| Pin::new(&mut *stream).poll_next(context));
        let item = self
            .runtime
            .wait(next)
            .unwrap_or_else(|error| Some(Err(error)));
        if !matches!(item, Some(Ok(_))) {
            self.stream = None;
        }
        item
    }
}
