//! Reading: `get`, `gets`, `gat` and `gats`.

use super::Client;
use crate::error::Result;
use crate::expiry::Expiry;
use crate::key::ToKey;
use crate::observe::Operation;
use crate::proto::command::item::GetAndTouch;
use crate::proto::group::Retrieval;
use crate::proto::reply::Item;
use crate::value::{FromValue, Value};

/// The state in which an item was read: memcached's *cas unique*.
///
/// It comes from a read ([`gets`](Client::gets)) and goes into [`cas`](Client::cas), which stores
/// only if the item has not changed since. Two of them can be compared for equality; their order
/// means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cas(u64);

impl Cas {
    pub(super) const fn new(unique: u64) -> Self {
        Self(unique)
    }

    pub(super) const fn unique(self) -> u64 {
        self.0
    }

    /// Whether the server keeps no cas uniques (memcached's option `-C`), so that a
    /// [`cas`](Client::cas) with this can't tell whether the item changed.
    #[must_use]
    pub const fn is_disabled(self) -> bool {
        self.0 == 0
    }
}

impl Client {
    /// Reads the value of `key`; `None` is a miss.
    ///
    /// Reads of several tasks that come together share one request line, and so cost the server
    /// and the client a fraction of what single requests cost.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// let name: Option<String> = client.get("user:42:name").await?;
    /// let visits: u64 = client.get("user:42:visits").await?.unwrap_or(0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Decode`](crate::ErrorKind::Decode) when the stored value is no `V`; otherwise those of
    /// [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the reply is read and thrown away.
    pub async fn get<V: FromValue>(&self, key: impl ToKey) -> Result<Option<V>> {
        let item = self
            .cluster
            .get(self.begin(Operation::Get), Retrieval::Get, key.to_key())
            .await?;
        item.map(|item| self.decode(item)).transpose()
    }

    /// Reads the value of `key` together with the state that [`cas`](Self::cas) compares.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use memlens::{CasOutcome, Expiry};
    ///
    /// if let Some((list, cas)) = client.gets::<String>("online").await? {
    ///     let longer = format!("{list},zoe");
    ///     match client.cas("online", &longer, Expiry::Never, cas).await? {
    ///         CasOutcome::Stored => println!("done"),
    ///         CasOutcome::Exists => println!("somebody was faster: read it again"),
    ///         CasOutcome::NotFound => println!("it is gone"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    /// As [`get`](Self::get).
    pub async fn gets<V: FromValue>(&self, key: impl ToKey) -> Result<Option<(V, Cas)>> {
        let item = self
            .cluster
            .get(self.begin(Operation::Gets), Retrieval::Gets, key.to_key())
            .await?;
        item.map(|item| self.decode_with_cas(item)).transpose()
    }

    /// Reads the value of `key` and gives it a new expiry.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// let session: Option<Vec<u8>> = client.gat("session:7", Duration::from_secs(1800)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`InvalidInput`](crate::ErrorKind::InvalidInput) for an expiry
    /// that memcached can't keep.
    ///
    /// # Cancel safety
    /// When the future is dropped, the expiry may have been changed or not.
    pub async fn gat<V: FromValue>(
        &self,
        key: impl ToKey,
        expiry: impl Into<Expiry>,
    ) -> Result<Option<V>> {
        let item = self
            .get_and_touch(Retrieval::Get, &key, expiry.into())
            .await?;
        item.map(|item| self.decode(item)).transpose()
    }

    /// [`gat`](Self::gat), together with the state that [`cas`](Self::cas) compares.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// let hour = Duration::from_secs(3600);
    /// if let Some((cart, cas)) = client.gats::<String>("cart:7", hour).await? {
    ///     client.cas("cart:7", cart + ",book", hour, cas).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`gat`](Self::gat).
    ///
    /// # Cancel safety
    /// As [`gat`](Self::gat).
    pub async fn gats<V: FromValue>(
        &self,
        key: impl ToKey,
        expiry: impl Into<Expiry>,
    ) -> Result<Option<(V, Cas)>> {
        let item = self
            .get_and_touch(Retrieval::Gets, &key, expiry.into())
            .await?;
        item.map(|item| self.decode_with_cas(item)).transpose()
    }

    async fn get_and_touch(
        &self,
        retrieval: Retrieval,
        key: &(impl ToKey + ?Sized),
        expiry: Expiry,
    ) -> Result<Option<Item>> {
        let operation = match retrieval {
            Retrieval::Get => Operation::GetAndTouch,
            Retrieval::Gets => Operation::GetsAndTouch,
        };
        let made = key.to_key().and_then(|key| {
            let command = GetAndTouch {
                retrieval,
                exptime: super::exptime(expiry)?,
                key: self.cluster.text_key(key)?,
            };
            Ok((key, command))
        });
        self.cluster.execute(self.begin(operation), made).await
    }

    pub(super) fn decode<V: FromValue>(&self, item: Item) -> Result<V> {
        V::from_value(Value::new(item.data, item.flags), &self.codec)
    }

    pub(super) fn decode_with_cas<V: FromValue>(&self, item: Item) -> Result<(V, Cas)> {
        let cas = Cas::new(item.cas);
        Ok((self.decode(item)?, cas))
    }
}
