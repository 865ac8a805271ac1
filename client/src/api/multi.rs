//! Operations on many keys at once.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Cas, Client};
use crate::cluster::Answers;
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::key::{Key, ToKey};
use crate::observe::Operation;
use crate::proto::command::Command;
use crate::proto::command::counter::{Count, Direction};
use crate::proto::command::item::{Delete, Touch};
use crate::proto::command::store::{Store, StoreVerb};
use crate::proto::group::Retrieval;
use crate::proto::reply::Item;
use crate::value::{FromValue, ToValue};

/// What an operation on many keys did, key by key, in the order of the keys given.
///
/// A node that fails takes down its own keys only, and never turns a failure into a miss.
///
/// ```no_run
/// # async fn example(client: memlens::Client) -> memlens::Result<()> {
/// let answers = client.get_multi::<String, _>(["a", "b", "c"]).await;
/// for (key, value) in answers.hits() {
///     println!("{key} is {value}");
/// }
/// println!("{} keys are not cached", answers.misses().count());
/// for (key, error) in answers.failed() {
///     println!("{key} could not be read: {error}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "failures are only in the answers"]
pub struct Multi<K, T> {
    answers: Vec<(K, Result<T>)>,
}

/// An answer that is either a hit or a miss.
pub trait Lookup {
    /// What a hit brings.
    type Found;

    /// The hit, or `None` for a miss.
    fn found(&self) -> Option<&Self::Found>;
}

/// `Some` is a hit.
impl<T> Lookup for Option<T> {
    type Found = T;

    fn found(&self) -> Option<&T> {
        self.as_ref()
    }
}

/// `true` is a hit: there was an item to delete or to touch.
impl Lookup for bool {
    type Found = Self;

    fn found(&self) -> Option<&Self> {
        self.then_some(&true)
    }
}

/// Whatever could be stored is a hit.
impl Lookup for () {
    type Found = ();

    fn found(&self) -> Option<&()> {
        Some(&())
    }
}

impl<K, T> Multi<K, T> {
    pub(super) fn new(keys: Vec<K>, answers: impl IntoIterator<Item = Result<T>>) -> Self {
        Self {
            answers: keys.into_iter().zip(answers).collect(),
        }
    }

    /// The same failure for every key.
    #[cfg(feature = "blocking")]
    pub(crate) fn failure(keys: impl IntoIterator<Item = K>, error: &Error) -> Self {
        let failed = |key| (key, Err(error.clone()));
        Self {
            answers: keys.into_iter().map(failed).collect(),
        }
    }

    /// Every key with its answer.
    pub fn iter(&self) -> std::slice::Iter<'_, (K, Result<T>)> {
        self.answers.iter()
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there were no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// The keys whose operation failed, with the reasons.
    pub fn failed(&self) -> impl Iterator<Item = (&K, &Error)> {
        self.answers
            .iter()
            .filter_map(|(key, answer)| Some((key, answer.as_ref().err()?)))
    }

    /// Whether no key failed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.answers.iter().all(|(_, answer)| answer.is_ok())
    }

    /// The answers alone, if no key failed.
    ///
    /// # Errors
    /// The first failure.
    pub fn into_result(self) -> Result<Vec<(K, T)>> {
        self.answers
            .into_iter()
            .map(|(key, answer)| Ok((key, answer?)))
            .collect()
    }
}

impl<K, T: Lookup> Multi<K, T> {
    /// The keys that were there, with what was found.
    pub fn hits(&self) -> impl Iterator<Item = (&K, &T::Found)> {
        self.answers
            .iter()
            .filter_map(|(key, answer)| Some((key, answer.as_ref().ok()?.found()?)))
    }

    /// The keys that were not there.
    pub fn misses(&self) -> impl Iterator<Item = &K> {
        let is_miss = |answer: &Result<T>| answer.as_ref().is_ok_and(|it| it.found().is_none());
        self.answers
            .iter()
            .filter(move |(_, answer)| is_miss(answer))
            .map(|(key, _)| key)
    }
}

impl<K: Eq + Hash, T> Multi<K, Option<T>> {
    /// The hits as a map. Misses and failures are left out.
    #[must_use]
    pub fn into_hits(self) -> HashMap<K, T> {
        let hits = self.answers.into_iter();
        hits.filter_map(|(key, answer)| Some((key, answer.ok()??)))
            .collect()
    }
}

impl<K, T> IntoIterator for Multi<K, T> {
    type Item = (K, Result<T>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.answers.into_iter()
    }
}

impl<'a, K, T> IntoIterator for &'a Multi<K, T> {
    type Item = &'a (K, Result<T>);
    type IntoIter = std::slice::Iter<'a, (K, Result<T>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.answers.iter()
    }
}

impl Client {
    /// Reads the values of many keys: from all their nodes at once, up to 100 keys a request.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// let keys = (0..1000).map(|id| format!("user:{id}:name"));
    /// let names = client.get_multi::<String, _>(keys).await.into_hits();
    /// println!("{} names are cached", names.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None as a whole; each key has its own answer. See [`Multi`].
    ///
    /// # Cancel safety
    /// As [`get`](Self::get).
    pub async fn get_multi<V, K>(&self, keys: impl IntoIterator<Item = K>) -> Multi<K, Option<V>>
    where
        V: FromValue,
        K: ToKey,
    {
        self.read_many(Retrieval::Get, keys, |item| self.decode(item))
            .await
    }

    /// [`get_multi`](Self::get_multi), with the state that [`cas`](Self::cas) compares.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// for (key, (stock, cas)) in client.gets_multi::<u64, _>(["apples", "pears"]).await.hits() {
    ///     client.cas(key, stock + 10, memlens::Expiry::Never, *cas).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`get_multi`](Self::get_multi).
    ///
    /// # Cancel safety
    /// As [`get`](Self::get).
    pub async fn gets_multi<V, K>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Multi<K, Option<(V, Cas)>>
    where
        V: FromValue,
        K: ToKey,
    {
        self.read_many(Retrieval::Gets, keys, |item| self.decode_with_cas(item))
            .await
    }

    /// Stores many values with one expiry.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// let prices = [("apple", 30), ("pear", 40)];
    /// let stored = client.set_multi(prices, Duration::from_secs(60)).await;
    /// assert!(stored.is_complete());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None as a whole; each key has its own answer. See [`Multi`].
    ///
    /// # Cancel safety
    /// When the future is dropped, any of the values may have been stored or not.
    pub async fn set_multi<K, V>(
        &self,
        items: impl IntoIterator<Item = (K, V)>,
        expiry: impl Into<Expiry>,
    ) -> Multi<K, ()>
    where
        K: ToKey,
        V: ToValue,
    {
        let (keys, values): (Vec<K>, Vec<V>) = items.into_iter().unzip();
        let expiry = expiry.into();
        let encoded: Vec<_> = values.iter().map(|value| self.encode(value)).collect();
        let answers = self
            .each_key(Operation::SetMulti, &keys, |index, key| {
                let encoded = encoded[index].as_ref().map_err(Clone::clone)?;
                let item = self.new_item(key, encoded, expiry)?;
                Ok(Store {
                    verb: StoreVerb::Set,
                    item,
                })
            })
            .await;
        let refused = || Error::protocol("NOT_STORED in answer to set");
        let stored = answers
            .into_iter()
            .map(|stored| stored?.then_some(()).ok_or_else(refused));
        Multi::new(keys, stored)
    }

    /// Deletes many keys; a hit is a key that was there.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// let deleted = client.delete_multi(["a", "b"]).await;
    /// println!("{} were there", deleted.hits().count());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None as a whole; each key has its own answer. See [`Multi`].
    ///
    /// # Cancel safety
    /// When the future is dropped, any of the items may have been deleted or not.
    pub async fn delete_multi<K: ToKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Multi<K, bool> {
        let keys: Vec<K> = keys.into_iter().collect();
        let delete = |_, key| {
            Ok(Delete {
                key: self.cluster.text_key(key)?,
            })
        };
        let answers = self.each_key(Operation::DeleteMulti, &keys, delete).await;
        Multi::new(keys, answers)
    }

    /// Gives many keys a new expiry; a hit is a key that was there.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// let touched = client.touch_multi(["a", "b"], Duration::from_secs(60)).await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None as a whole; each key has its own answer. See [`Multi`].
    ///
    /// # Cancel safety
    /// When the future is dropped, any expiry may have been changed or not.
    pub async fn touch_multi<K: ToKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
        expiry: impl Into<Expiry>,
    ) -> Multi<K, bool> {
        let exptime = super::exptime(expiry.into());
        let keys: Vec<K> = keys.into_iter().collect();
        let touch = |_, key| {
            let exptime = exptime.clone()?;
            Ok(Touch {
                key: self.cluster.text_key(key)?,
                exptime,
            })
        };
        let answers = self.each_key(Operation::TouchMulti, &keys, touch).await;
        Multi::new(keys, answers)
    }

    /// Adds `delta` to many numbers; a hit brings the sum.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// for (page, views) in client.incr_multi(["views:/", "views:/about"], 1).await.hits() {
    ///     println!("{page}: {views}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None as a whole; each key has its own answer. See [`Multi`].
    ///
    /// # Cancel safety
    /// When the future is dropped, any of the numbers may have been changed or not.
    pub async fn incr_multi<K: ToKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
        delta: u64,
    ) -> Multi<K, Option<u64>> {
        self.count_many(Direction::Increment, keys, delta).await
    }

    /// Subtracts `delta` from many numbers; a hit brings what is left, at least 0.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// let left = client.decr_multi(["tickets:a", "tickets:b"], 1).await.into_hits();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`incr_multi`](Self::incr_multi).
    ///
    /// # Cancel safety
    /// As [`incr_multi`](Self::incr_multi).
    pub async fn decr_multi<K: ToKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
        delta: u64,
    ) -> Multi<K, Option<u64>> {
        self.count_many(Direction::Decrement, keys, delta).await
    }

    async fn count_many<K: ToKey>(
        &self,
        direction: Direction,
        keys: impl IntoIterator<Item = K>,
        delta: u64,
    ) -> Multi<K, Option<u64>> {
        let keys: Vec<K> = keys.into_iter().collect();
        let count = |_, key| {
            Ok(Count {
                direction,
                key: self.cluster.text_key(key)?,
                delta,
            })
        };
        let operation = match direction {
            Direction::Increment => Operation::IncrementMulti,
            Direction::Decrement => Operation::DecrementMulti,
        };
        let answers = self.each_key(operation, &keys, count).await;
        Multi::new(keys, answers)
    }
}

/// The part that all families share.
impl Client {
    async fn read_many<K: ToKey, T>(
        &self,
        retrieval: Retrieval,
        keys: impl IntoIterator<Item = K>,
        decode: impl Fn(Item) -> Result<T>,
    ) -> Multi<K, Option<T>> {
        let operation = match retrieval {
            Retrieval::Get => Operation::GetMulti,
            Retrieval::Gets => Operation::GetsMulti,
        };
        let keys: Vec<K> = keys.into_iter().collect();
        let check = |key| self.cluster.text_key(key).map(|_| key);
        let checked: Vec<Result<Key<'_>>> = keys
            .iter()
            .map(|key| key.to_key().and_then(check))
            .collect();
        let answers = self
            .cluster
            .get_many(self.begin(operation), retrieval, &checked)
            .await;
        let value = |item: Option<Item>| item.map(&decode).transpose();
        match answers {
            Answers::Found(items) => Multi::new(keys, items.into_iter().map(value)),
            Answers::Each(answers) => {
                let values = answers.into_iter().map(|answer| answer.and_then(value));
                Multi::new(keys, values)
            }
        }
    }

    /// Carries out the command that `command` makes for each key and its index.
    pub(super) async fn each_key<'a, K, C, F>(
        &'a self,
        operation: Operation,
        keys: &'a [K],
        command: F,
    ) -> Vec<Result<C::Output>>
    where
        K: ToKey,
        C: Command + Send + Sync,
        F: Fn(usize, Key<'a>) -> Result<C> + Sync,
    {
        let checked: Vec<Result<Key<'_>>> = keys.iter().map(ToKey::to_key).collect();
        self.cluster
            .execute_many(self.begin(operation), &checked, command)
            .await
    }
}
