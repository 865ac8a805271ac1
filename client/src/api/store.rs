//! Writing: `set`, `add`, `replace`, `append`, `prepend`, `cas`, `delete` and `touch`.

use super::get::Cas;
use super::{CasOutcome, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::expiry::Expiry;
use crate::key::ToKey;
use crate::observe::Operation;
use crate::proto::command::item::{Delete, Touch};
use crate::proto::command::store::{CompareAndSwap, NewItem, Store, StoreVerb};
use crate::value::{Codec, Encoded, ToValue};

impl Client {
    /// Stores `value` under `key`, whatever was there before.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::time::Duration;
    /// use memlens::Expiry;
    ///
    /// client.set("user:42:name", "Ada", Duration::from_secs(300)).await?;
    /// client.set("user:42:visits", 1, Expiry::Never).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TooLarge`](crate::ErrorKind::TooLarge) when the value is larger than the server, or the
    /// setting `max_value_size`, allows. When it was the server that refused it, the old value is
    /// gone: memcached unlinks it. Otherwise those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// When the future is dropped, the value may have been stored or not.
    pub async fn set(
        &self,
        key: impl ToKey,
        value: impl ToValue,
        expiry: impl Into<Expiry>,
    ) -> Result<()> {
        match self
            .store(StoreVerb::Set, &key, &value, expiry.into())
            .await?
        {
            true => Ok(()),
            false => Err(Error::protocol("NOT_STORED in answer to set")),
        }
    }

    /// Stores `value` only if there is nothing under `key`; tells whether it did.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// if client.add("lock:report", "me", Duration::from_secs(10)).await? {
    ///     println!("the lock is mine");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`set`](Self::set).
    ///
    /// # Cancel safety
    /// As [`set`](Self::set).
    pub async fn add(
        &self,
        key: impl ToKey,
        value: impl ToValue,
        expiry: impl Into<Expiry>,
    ) -> Result<bool> {
        self.store(StoreVerb::Add, &key, &value, expiry.into())
            .await
    }

    /// Stores `value` only if there is something under `key`; tells whether it did.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// let was_there = client.replace("motd", "closed today", memlens::Expiry::Never).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`set`](Self::set).
    ///
    /// # Cancel safety
    /// As [`set`](Self::set).
    pub async fn replace(
        &self,
        key: impl ToKey,
        value: impl ToValue,
        expiry: impl Into<Expiry>,
    ) -> Result<bool> {
        self.store(StoreVerb::Replace, &key, &value, expiry.into())
            .await
    }

    /// Adds bytes behind those stored under `key`; tells whether there were some.
    ///
    /// The item keeps its expiry and flags. Values that were stored compressed can't be added to.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// if !client.append("log", "second line\n").await? {
    ///     client.add("log", "first line\n", memlens::Expiry::Never).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`set`](Self::set).
    ///
    /// # Cancel safety
    /// As [`set`](Self::set).
    pub async fn append(&self, key: impl ToKey, value: impl ToValue) -> Result<bool> {
        self.store(StoreVerb::Append, &key, &value, Expiry::Never)
            .await
    }

    /// Adds bytes in front of those stored under `key`; tells whether there were some.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// client.prepend("news", "just in: ").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`append`](Self::append).
    ///
    /// # Cancel safety
    /// As [`set`](Self::set).
    pub async fn prepend(&self, key: impl ToKey, value: impl ToValue) -> Result<bool> {
        self.store(StoreVerb::Prepend, &key, &value, Expiry::Never)
            .await
    }

    /// Stores `value` only if the item is unchanged since [`gets`](Self::gets) read it.
    ///
    /// See [`gets`](Self::gets) for an example.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// # use memlens::Expiry;
    /// if let Some((stock, cas)) = client.gets::<u64>("stock").await? {
    ///     let outcome = client.cas("stock", stock.saturating_sub(1), Expiry::Never, cas).await?;
    ///     println!("{outcome:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) when the server that `cas` came from keeps
    /// no cas uniques (memcached's option `-C`); otherwise as [`set`](Self::set).
    ///
    /// # Cancel safety
    /// As [`set`](Self::set).
    pub async fn cas(
        &self,
        key: impl ToKey,
        value: impl ToValue,
        expiry: impl Into<Expiry>,
        cas: Cas,
    ) -> Result<CasOutcome> {
        let encoded = self.encode(&value);
        let made = key.to_key().and_then(|key| {
            if cas.is_disabled() {
                return Err(Error::invalid_input(
                    "the server keeps no cas uniques (option -C)",
                ));
            }
            let encoded = encoded.as_ref().map_err(Clone::clone)?;
            let item = self.new_item(key, encoded, expiry.into())?;
            let cas = cas.unique();
            Ok((key, CompareAndSwap { item, cas }))
        });
        let start = self.begin(Operation::CompareAndSwap);
        self.cluster.execute(start, made).await
    }

    /// Deletes what is under `key`; tells whether there was something.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// let was_there = client.delete("user:42:name").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// When the future is dropped, the item may have been deleted or not.
    pub async fn delete(&self, key: impl ToKey) -> Result<bool> {
        let made = key.to_key().and_then(|key| {
            let command = Delete {
                key: self.cluster.text_key(key)?,
            };
            Ok((key, command))
        });
        let start = self.begin(Operation::Delete);
        self.cluster.execute(start, made).await
    }

    /// Gives what is under `key` a new expiry; tells whether there was something.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// let is_alive = client.touch("session:7", Duration::from_secs(1800)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an expiry that memcached can't keep;
    /// otherwise those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// When the future is dropped, the expiry may have been changed or not.
    pub async fn touch(&self, key: impl ToKey, expiry: impl Into<Expiry>) -> Result<bool> {
        let made = key.to_key().and_then(|key| {
            let command = Touch {
                key: self.cluster.text_key(key)?,
                exptime: super::exptime(expiry.into())?,
            };
            Ok((key, command))
        });
        let start = self.begin(Operation::Touch);
        self.cluster.execute(start, made).await
    }

    async fn store(
        &self,
        verb: StoreVerb,
        key: &(impl ToKey + ?Sized),
        value: &(impl ToValue + ?Sized),
        expiry: Expiry,
    ) -> Result<bool> {
        let operation = match verb {
            StoreVerb::Set => Operation::Set,
            StoreVerb::Add => Operation::Add,
            StoreVerb::Replace => Operation::Replace,
            StoreVerb::Append => Operation::Append,
            StoreVerb::Prepend => Operation::Prepend,
        };
        let encoded = match verb {
            StoreVerb::Set | StoreVerb::Add | StoreVerb::Replace => self.encode(value),
            StoreVerb::Append | StoreVerb::Prepend => self.encode_piece(value),
        };
        let made = key.to_key().and_then(|key| {
            let encoded = encoded.as_ref().map_err(Clone::clone)?;
            let item = self.new_item(key, encoded, expiry)?;
            Ok((key, Store { verb, item }))
        });
        self.cluster.execute(self.begin(operation), made).await
    }

    /// What to store for `value`, refused here if no server could be asked to keep it.
    pub(super) fn encode<'v>(&self, value: &'v (impl ToValue + ?Sized)) -> Result<Encoded<'v>> {
        let encoded = self.codec.encode(value.to_value()?)?;
        self.check_size(&encoded)?;
        Ok(encoded)
    }

    /// What to add to a stored value for `value`. Never compressed: the item keeps its flags, so
    /// nobody would know.
    pub(super) fn encode_piece<'v>(
        &self,
        value: &'v (impl ToValue + ?Sized),
    ) -> Result<Encoded<'v>> {
        let plain = Codec::new(self.codec.profile());
        let encoded = plain.encode(value.to_value()?)?;
        self.check_size(&encoded)?;
        Ok(encoded)
    }

    fn check_size(&self, encoded: &Encoded<'_>) -> Result<()> {
        let length = encoded.payload.len();
        if length > self.max_value_size {
            let detail = format!("{length} bytes; max_value_size is {}", self.max_value_size);
            return Err(Error::with_detail(ErrorKind::TooLarge, detail));
        }
        Ok(())
    }

    pub(super) fn new_item<'a>(
        &'a self,
        key: crate::Key<'a>,
        encoded: &'a Encoded<'a>,
        expiry: Expiry,
    ) -> Result<NewItem<'a>> {
        Ok(NewItem {
            key: self.cluster.text_key(key)?,
            payload: &encoded.payload,
            flags: encoded.flags,
            exptime: super::exptime(expiry)?,
        })
    }
}

#[cfg(all(test, feature = "zlib"))]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_not_compressed() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let config = "memcache://cache-01?compress_above=10".parse().unwrap();
        let client = Client::start(&config, runtime.unwrap().handle()).unwrap();
        let text = "a".repeat(100);
        assert!(client.encode(&text).unwrap().payload.len() < 100);
        assert_eq!(client.encode_piece(&text).unwrap().payload.len(), 100);
    }
}
