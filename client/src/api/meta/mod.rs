//! The meta commands with typed flags: everything memcached can do with one item, in one round trip.

mod arithmetic;
mod delete;
mod get;
mod reply;
mod set;

use super::{Client, Multi};
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::key::{Key, ToKey};
use crate::observe::Operation;
use crate::proto::command::Effect;
use crate::proto::command::meta::{FlagWriter, Meta, MetaFlags, MetaVerb};
use crate::proto::reply::MetaReply;
use crate::value::{Payload, ToValue};

pub use arithmetic::MetaArithmetic;
pub use delete::MetaDelete;
pub use get::MetaGet;
pub use reply::{MetaCount, MetaItem, MetaOutcome, MetaStatus, TimeToLive};
pub use set::{MetaMode, MetaSet};

/// An expiry among the flags, before and after it was turned into an exptime.
#[derive(Clone, Copy, Debug, Default)]
struct ExpiryFlag(Option<Expiry>);

impl ExpiryFlag {
    fn exptime(self) -> Result<Option<i32>> {
        self.0.map(super::exptime).transpose()
    }
}

/// Flags with a token of the caller's own bytes.
fn check_opaque(opaque: &[u8]) -> Result<()> {
    // protocol.txt speaks of 32 bytes, but memcached counts the flag's letter as one of them.
    const LONGEST: usize = 31;
    let is_word = opaque.iter().all(|byte| crate::key::is_legal(*byte));
    if opaque.is_empty() || opaque.len() > LONGEST || !is_word {
        return Err(Error::invalid_input(format!(
            "an opaque token is a word of 1 to {LONGEST} bytes"
        )));
    }
    Ok(())
}

/// A checked set of flags that can be written.
trait Checked {
    type Flags<'a>: MetaFlags + Copy + Send + Sync
    where
        Self: 'a;

    fn check(&self) -> Result<Self::Flags<'_>>;
}

impl Client {
    /// `mg`: reads an item, and what `flags` ask about it; `None` is a miss.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use memlens::{Expiry, MetaGet};
    ///
    /// // Only a look: how long will it live, and does anybody read it?
    /// let look = MetaGet::new().time_to_live().is_hit_before().leave_lru_alone();
    /// if let Some(item) = client.meta_get("report", &look).await? {
    ///     println!("{:?} {:?}", item.time_to_live, item.was_hit_before);
    /// }
    /// // A lease: one caller of all that miss wins, and computes the value for the others.
    /// let lease = MetaGet::new().value().vivify(Expiry::secs(30));
    /// if let Some(item) = client.meta_get("report", &lease).await? {
    ///     println!("mine to compute: {}", item.has_won);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for flags that contradict each other or
    /// can't be sent; otherwise those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing, but for the flags that change the item: then it may have
    /// been changed or not.
    pub async fn meta_get(&self, key: impl ToKey, flags: &MetaGet) -> Result<Option<MetaItem>> {
        let reply = self
            .meta(MetaVerb::Get, key.to_key(), flags, Ok(None))
            .await?;
        reply::item(reply, &self.codec)
    }

    /// `ms`: stores an item as `flags` say.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use memlens::{Expiry, MetaMode, MetaSet, MetaStatus};
    ///
    /// let flags = MetaSet::new().mode(MetaMode::Add).expiry(Expiry::secs(60)).cas();
    /// let outcome = client.meta_set("lock", "me", &flags).await?;
    /// if outcome.status == MetaStatus::Done {
    ///     println!("stored with {:?}", outcome.cas);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`meta_get`](Self::meta_get), and as [`set`](Self::set).
    ///
    /// # Cancel safety
    /// When the future is dropped, the item may have been stored or not.
    pub async fn meta_set(
        &self,
        key: impl ToKey,
        value: impl ToValue,
        flags: &MetaSet,
    ) -> Result<MetaOutcome> {
        let encoded = if flags.is_addition() {
            self.encode_piece(&value)
        } else {
            self.encode(&value)
        };
        let encoded = encoded.as_ref().map_err(Clone::clone);
        let client_flags = encoded.as_ref().map_or(0, |encoded| encoded.flags);
        let flags = flags.clone().default_client_flags(client_flags);
        let payload = encoded.map(|encoded| Some(&encoded.payload));
        let reply = self
            .meta(MetaVerb::Set, key.to_key(), &flags, payload)
            .await?;
        reply::outcome(&reply)
    }

    /// `md`: deletes an item, or marks it as stale.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use memlens::{Expiry, MetaDelete};
    ///
    /// // Readers get the old value for 30 s more, and one of them is told to make a new one.
    /// let stale = MetaDelete::new().invalidate().expiry(Expiry::secs(30));
    /// client.meta_delete("report", &stale).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`meta_get`](Self::meta_get).
    ///
    /// # Cancel safety
    /// When the future is dropped, the item may have been deleted or not.
    pub async fn meta_delete(&self, key: impl ToKey, flags: &MetaDelete) -> Result<MetaOutcome> {
        let reply = self
            .meta(MetaVerb::Delete, key.to_key(), flags, Ok(None))
            .await?;
        reply::outcome(&reply)
    }

    /// `ma`: counts up or down.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use memlens::{Expiry, MetaArithmetic};
    ///
    /// let flags = MetaArithmetic::new().delta(5).vivify(Expiry::secs(60), 100).value();
    /// let count = client.meta_arithmetic("points", &flags).await?;
    /// println!("{:?}", count.number);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`meta_get`](Self::meta_get), and as [`incr`](Self::incr).
    ///
    /// # Cancel safety
    /// When the future is dropped, the server may have counted or not.
    pub async fn meta_arithmetic(
        &self,
        key: impl ToKey,
        flags: &MetaArithmetic,
    ) -> Result<MetaCount> {
        let reply = self
            .meta(MetaVerb::Arithmetic, key.to_key(), flags, Ok(None))
            .await?;
        reply::count(reply, &self.codec)
    }

    /// `me`: what the server tells of an item for debugging, as names and values; `None` is a miss.
    ///
    /// Which fields there are depends on the server's version. memcached 1.6.18 has `exp`, `la`,
    /// `cas`, `fetch`, `cls` and `size`; its `exp` is negative for an item that will expire.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// if let Some(fields) = client.meta_debug("report").await? {
    ///     println!("{fields:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`meta_get`](Self::meta_get).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn meta_debug(&self, key: impl ToKey) -> Result<Option<Vec<(String, String)>>> {
        let reply = self
            .meta(MetaVerb::Debug, key.to_key(), &NoFlags, Ok(None))
            .await?;
        reply::debug(&reply)
    }

    /// [`meta_get`](Self::meta_get) of many keys, from all their nodes at once.
    ///
    /// For values alone [`get_multi`](Self::get_multi) is twice as fast.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use memlens::MetaGet;
    ///
    /// let sizes = MetaGet::new().size().leave_lru_alone();
    /// for (key, item) in client.meta_get_multi(["a", "b"], &sizes).await.hits() {
    ///     println!("{key}: {:?} bytes", item.size);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None as a whole; each key has its own answer. See [`Multi`].
    ///
    /// # Cancel safety
    /// As [`meta_get`](Self::meta_get).
    pub async fn meta_get_multi<K: ToKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
        flags: &MetaGet,
    ) -> Multi<K, Option<MetaItem>> {
        let keys: Vec<K> = keys.into_iter().collect();
        let flags = flags.check();
        let meta_get = |_, key| {
            let flags = *flags.as_ref().map_err(Clone::clone)?;
            let key = self.cluster.wire_key(key)?;
            Ok(Meta {
                verb: MetaVerb::Get,
                key,
                flags,
                data: None,
            })
        };
        let replies = self
            .each_key(Operation::MetaGetMulti, &keys, meta_get)
            .await;
        let items = replies
            .into_iter()
            .map(|reply| reply::item(reply?, &self.codec));
        Multi::new(keys, items)
    }

    async fn meta<T: Checked>(
        &self,
        verb: MetaVerb,
        key: Result<Key<'_>>,
        flags: &T,
        data: Result<Option<&Payload<'_>>>,
    ) -> Result<MetaReply> {
        let operation = match verb {
            MetaVerb::Get => Operation::MetaGet,
            MetaVerb::Set => Operation::MetaSet,
            MetaVerb::Delete => Operation::MetaDelete,
            MetaVerb::Arithmetic => Operation::MetaArithmetic,
            MetaVerb::Debug => Operation::MetaDebug,
        };
        let made = key.and_then(|key| {
            let command = Meta {
                verb,
                key: self.cluster.wire_key(key)?,
                flags: flags.check()?,
                data: data?,
            };
            Ok((key, command))
        });
        self.cluster.execute(self.begin(operation), made).await
    }
}

#[derive(Clone, Copy)]
struct NoFlags;

impl MetaFlags for NoFlags {
    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn write(&self, _: &mut FlagWriter<'_>) {}
}

impl Checked for NoFlags {
    type Flags<'a> = Self;

    fn check(&self) -> Result<Self> {
        Ok(*self)
    }
}
