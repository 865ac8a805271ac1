//! Counting: `incr` and `decr`.

use super::Client;
use crate::error::Result;
use crate::expiry::Expiry;
use crate::key::ToKey;
use crate::observe::Operation;
use crate::proto::command::counter::{Count, CountFrom, Direction};

impl Client {
    /// Adds `delta` to the number under `key` and returns the sum; `None` when there is nothing.
    ///
    /// Numbers are unsigned, with 64 bits, and wrap to 0 beyond the largest.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// if client.incr("visits", 1).await?.is_none() {
    ///     client.add("visits", 1, memlens::Expiry::Never).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotNumeric`](crate::ErrorKind::NotNumeric) when what is stored is no number; otherwise
    /// those of [every operation](crate#failure-model). It is never sent twice: when
    /// [`was_sent`](crate::Error::was_sent) says so, the server may have counted or not.
    ///
    /// # Cancel safety
    /// When the future is dropped, the server may have counted or not.
    pub async fn incr(&self, key: impl ToKey, delta: u64) -> Result<Option<u64>> {
        self.count(Direction::Increment, &key, delta).await
    }

    /// Subtracts `delta` from the number under `key` and returns what is left, at least 0; `None`
    /// when there is nothing.
    ///
    /// The stored text keeps its length: 100 less 1 is stored as `"99 "`, with a space behind it.
    /// Reading it as a number copes with that.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// let left: Option<u64> = client.decr("tickets", 2).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`incr`](Self::incr).
    ///
    /// # Cancel safety
    /// As [`incr`](Self::incr).
    pub async fn decr(&self, key: impl ToKey, delta: u64) -> Result<Option<u64>> {
        self.count(Direction::Decrement, &key, delta).await
    }

    /// [`incr`](Self::incr) that stores `initial`, with this expiry, when there is nothing. Returns
    /// the number that is stored afterwards.
    ///
    /// It needs memcached 1.6 or later, for it is one `ma` command of the meta protocol.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// let attempts = client.incr_or_init("attempts:7", 1, 1, Duration::from_secs(60)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`incr`](Self::incr), and [`InvalidInput`](crate::ErrorKind::InvalidInput) for an expiry
    /// that memcached can't keep.
    ///
    /// # Cancel safety
    /// As [`incr`](Self::incr).
    pub async fn incr_or_init(
        &self,
        key: impl ToKey,
        delta: u64,
        initial: u64,
        expiry: impl Into<Expiry>,
    ) -> Result<u64> {
        self.count_from(Direction::Increment, &key, delta, initial, expiry.into())
            .await
    }

    /// [`decr`](Self::decr) that stores `initial`, with this expiry, when there is nothing. Returns
    /// the number that is stored afterwards.
    ///
    /// It needs memcached 1.6 or later, for it is one `ma` command of the meta protocol.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// let left = client.decr_or_init("quota:7", 1, 99, memlens::Expiry::Never).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`incr_or_init`](Self::incr_or_init).
    ///
    /// # Cancel safety
    /// As [`incr`](Self::incr).
    pub async fn decr_or_init(
        &self,
        key: impl ToKey,
        delta: u64,
        initial: u64,
        expiry: impl Into<Expiry>,
    ) -> Result<u64> {
        self.count_from(Direction::Decrement, &key, delta, initial, expiry.into())
            .await
    }

    async fn count(
        &self,
        direction: Direction,
        key: &(impl ToKey + ?Sized),
        delta: u64,
    ) -> Result<Option<u64>> {
        let operation = match direction {
            Direction::Increment => Operation::Increment,
            Direction::Decrement => Operation::Decrement,
        };
        let made = key.to_key().and_then(|key| {
            let command = Count {
                direction,
                key: self.cluster.text_key(key)?,
                delta,
            };
            Ok((key, command))
        });
        self.cluster.execute(self.begin(operation), made).await
    }

    async fn count_from(
        &self,
        direction: Direction,
        key: &(impl ToKey + ?Sized),
        delta: u64,
        initial: u64,
        expiry: Expiry,
    ) -> Result<u64> {
        let operation = match direction {
            Direction::Increment => Operation::IncrementOrInit,
            Direction::Decrement => Operation::DecrementOrInit,
        };
        let made = key.to_key().and_then(|key| {
            let command = CountFrom {
                direction,
                key: self.cluster.wire_key(key)?,
                delta,
                initial,
                exptime: super::exptime(expiry)?,
            };
            Ok((key, command))
        });
        self.cluster.execute(self.begin(operation), made).await
    }
}
