//! Values that are computed when they are not there, once for all who want them.

mod flight;
mod freshness;
mod lease;

use std::error::Error as StdError;
use std::future::Future;
use std::time::Duration;

pub(super) use flight::Flights;
use flight::{KeptKey, Pilot, Seat};
pub use freshness::Freshness;
use freshness::Plan;
use lease::Lease;

use super::{Client, MetaGet, MetaItem};
use crate::error::{Error, ErrorKind, Result};
use crate::key::ToKey;
use crate::observe::{ErrorClass, log_of_no_refresh, log_of_no_store};
use crate::value::{FromValue, ToValue, Value};

/// How long to wait at first before looking whether another process is done.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);

/// Each wait is twice as long as the one before, up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What a first look finds.
enum Look {
    Found(Value),
    /// The caller is the one to renew the value. Without a cas unique it can't hold a lease.
    Mine(Value, Option<Lease>),
    Missing,
}

/// What came of trying to win the right to compute.
enum Race {
    Won(Lease),
    Found(Value),
    /// The cache is of no use, so everybody has the right.
    WithoutCache,
}

impl Client {
    /// Reads the value of `key`, or computes and stores it: once, however many callers wait for it.
    ///
    /// Of all the callers that find no value, one computes it, in this process and in all others that
    /// use the same servers; the others wait, and get what it got. How long the value is good for,
    /// whether it is renewed ahead of its end, and whether old values are served meanwhile, is said
    /// by `freshness`, a [`Duration`] or a [`Freshness`].
    ///
    /// ```no_run
    /// # struct Database;
    /// # impl Database { async fn report(&self) -> std::io::Result<String> { Ok(String::new()) } }
    /// # async fn example(client: memlens::Client, database: Database) -> memlens::Result<()> {
    /// use std::time::Duration;
    /// use memlens::Freshness;
    ///
    /// let report: String = client
    ///     .get_or_compute("report", Duration::from_secs(60), || async {
    ///         database.report().await
    ///     })
    ///     .await?;
    ///
    /// // Nobody waits for this one, as long as somebody asks for it once in an hour.
    /// let freshness = Freshness::new(Duration::from_secs(60)).serve_stale(Duration::from_secs(3600));
    /// let report: String = client
    ///     .get_or_compute("report:relaxed", freshness, || database.report())
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # How it works
    ///
    /// Callers that share a client (its clones included) share one computation, also when the servers
    /// are out of reach. Among processes, memcached's meta commands decide (1.6 or later): the winner
    /// has a *lease* of a few seconds ([`Freshness::lease`]), which is renewed while it computes. If
    /// its process dies, the lease ends, and another one wins. A process that waits looks every 5 to
    /// 100 ms whether the value is there.
    ///
    /// What was computed is not stored if the key was written or deleted meanwhile: it may be older
    /// than that. [`delete`](Self::delete) therefore is enough to make sure that the next value is a
    /// new one. With [`MetaDelete::invalidate`](crate::MetaDelete::invalidate), the old value is
    /// served until the new one is there, if the callers' freshness renews values at all.
    ///
    /// While a value is computed for the first time, the item on the server is an empty one. Plain
    /// reads such as [`get`](Self::get) see an empty value then: read such keys by this method only.
    /// An empty value that was computed is never told from one that is about to be.
    ///
    /// # Errors
    /// [`Compute`](ErrorKind::Compute) when the computation failed: everybody who waited for it gets
    /// that error, with the [same source](Error::computation), and nothing is stored. Who was only
    /// renewing an old value returns that one instead; the next attempt is made when a lease's length
    /// has passed.
    ///
    /// [`Decode`](ErrorKind::Decode) when the stored value is no `V`; [`InvalidKey`](ErrorKind::InvalidKey)
    /// and [`InvalidInput`](ErrorKind::InvalidInput) as usual. Failures of the cache are errors only
    /// if the freshness [says so](Freshness::require_cache); otherwise the value is computed without.
    /// That a value can't be stored is never an error.
    ///
    /// There is no deadline for the whole: each request to the cache has the usual one, and the
    /// computation takes what it takes. Put a timeout around it.
    ///
    /// # Cancel safety
    /// When the future is dropped, its computation is dropped as well, and one of those who waited
    /// for it begins their own at once.
    pub async fn get_or_compute<V, E, F>(
        &self,
        key: impl ToKey,
        freshness: impl Into<Freshness>,
        compute: impl FnOnce() -> F,
    ) -> Result<V>
    where
        V: ToValue + FromValue,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Future<Output = Result<V, E>>,
    {
        let plan = freshness.into().plan()?;
        let kept = KeptKey::from(key.to_key()?);
        let lease = match self.look(&kept, plan).await? {
            Look::Found(value) => return V::from_value(value, &self.codec),
            Look::Mine(value, lease) => Some((value, lease)),
            Look::Missing => None,
        };
        match lease {
            Some((old, lease)) => self.renew(&kept, plan, old, lease, compute).await,
            None => self.fill(&kept, plan, compute).await,
        }
    }

    /// Looks whether there is a value.
    async fn look(&self, key: &KeptKey, plan: Plan) -> Result<Look> {
        let item = match self.meta_get(key, &question(plan)).await {
            Ok(Some(item)) => item,
            Ok(None) => return Ok(Look::Missing),
            Err(error) if goes_without_cache(&error, plan) => return Ok(Look::Missing),
            Err(error) => return Err(error),
        };
        if item.has_won {
            let lease = item
                .cas
                .map(|cas| Lease::keep(self, key, cas, item.time_to_live, plan));
            return Ok(Look::Mine(item.value.unwrap_or_default(), lease));
        }
        Ok(usable(item, plan).map_or(Look::Missing, Look::Found))
    }

    /// Replaces a value that is there.
    async fn renew<V, E, F>(
        &self,
        key: &KeptKey,
        plan: Plan,
        old: Value,
        lease: Option<Lease>,
        compute: impl FnOnce() -> F,
    ) -> Result<V>
    where
        V: ToValue + FromValue,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Future<Output = Result<V, E>>,
    {
        match compute().await {
            Ok(new) => {
                let stored = self.to_stored(&new)?;
                self.keep_value(key, &stored, lease, plan).await;
                Ok(new)
            }
            Err(error) => {
                if let Some(lease) = lease {
                    lease.fail().await;
                }
                if old.is_empty() {
                    return Err(Error::of_computation(error.into()));
                }
                log_of_no_refresh();
                V::from_value(old, &self.codec)
            }
        }
    }

    /// Gets a value where there is none, from whoever computes it.
    async fn fill<V, E, F>(
        &self,
        key: &KeptKey,
        plan: Plan,
        compute: impl FnOnce() -> F,
    ) -> Result<V>
    where
        V: ToValue + FromValue,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Future<Output = Result<V, E>>,
    {
        let mut seat = self.flights.board(key);
        loop {
            let follower = match seat {
                Seat::Pilot(pilot) => return self.fly(key, plan, pilot, compute).await,
                Seat::Follower(follower) => follower,
            };
            match follower.landing().await {
                Ok(outcome) => return V::from_value(outcome?, &self.codec),
                Err(next) => seat = next,
            }
        }
    }

    async fn fly<V, E, F>(
        &self,
        key: &KeptKey,
        plan: Plan,
        mut pilot: Pilot,
        compute: impl FnOnce() -> F,
    ) -> Result<V>
    where
        V: ToValue + FromValue,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Future<Output = Result<V, E>>,
    {
        if pilot.lease.is_none() {
            match self.race(key, plan).await {
                Ok(Race::Won(lease)) => pilot.lease = Some(lease),
                Ok(Race::WithoutCache) => {}
                Ok(Race::Found(value)) => {
                    pilot.land(Ok(value.clone()));
                    return V::from_value(value, &self.codec);
                }
                Err(error) => {
                    pilot.land(Err(error.clone()));
                    return Err(error);
                }
            }
        }
        let computed = match compute().await {
            Ok(value) => self.to_stored(&value).map(|stored| (value, stored)),
            Err(error) => Err(Error::of_computation(error.into())),
        };
        match computed {
            Ok((value, stored)) => {
                let lease = pilot.lease.take();
                pilot.land(Ok(stored.clone()));
                self.keep_value(key, &stored, lease, plan).await;
                Ok(value)
            }
            Err(error) => {
                if let Some(lease) = pilot.lease.take() {
                    lease.fail().await;
                }
                pilot.land(Err(error.clone()));
                Err(error)
            }
        }
    }

    /// Wins the right to compute, or waits for who has it.
    async fn race(&self, key: &KeptKey, plan: Plan) -> Result<Race> {
        let question = question(plan).vivify(plan.lease_on_server);
        let mut pause = SHORTEST_PAUSE;
        loop {
            let item = match self.meta_get(key, &question).await {
                Ok(Some(item)) => item,
                Ok(None) => return Ok(Race::WithoutCache), // It does not know the flag `N`.
                Err(error) if goes_without_cache(&error, plan) => return Ok(Race::WithoutCache),
                Err(error) => return Err(error),
            };
            if item.has_won {
                let is_new = item.value.as_ref().is_none_or(Value::is_empty);
                let left = item.time_to_live.filter(|_| !is_new);
                return Ok(match item.cas {
                    Some(cas) => Race::Won(Lease::keep(self, key, cas, left, plan)),
                    None => Race::WithoutCache,
                });
            }
            if let Some(value) = usable(item, plan) {
                return Ok(Race::Found(value));
            }
            // A random part: processes that began to wait together should not look together.
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// What lies on the server for this value.
    fn to_stored(&self, value: &impl ToValue) -> Result<Value> {
        let encoded = self.codec.encode(value.to_value()?)?;
        Ok(Value::new(encoded.payload.into_bytes(), encoded.flags))
    }

    async fn keep_value(&self, key: &KeptKey, value: &Value, lease: Option<Lease>, plan: Plan) {
        let Some(lease) = lease else {
            return;
        };
        if let Err(error) = lease.store(self, key, value, plan).await {
            log_of_no_store(ErrorClass::of(&error));
        }
    }
}

fn question(plan: Plan) -> MetaGet {
    let question = MetaGet::new().value().cas().time_to_live();
    match plan.refresh {
        Some(left) => question.recache_below(left),
        None => question,
    }
}

/// The value of an item, unless it is one that has to be waited for: an empty one that somebody has
/// won, or a stale one, for callers that did not say that they would take those.
fn usable(item: MetaItem, plan: Plan) -> Option<Value> {
    let is_awaited = item.is_won_by_another && item.value.as_ref().is_none_or(Value::is_empty);
    let is_too_old = item.is_stale && plan.refresh.is_none();
    item.value.filter(|_| !is_awaited && !is_too_old)
}

/// Whether to go on as if there were no cache.
fn goes_without_cache(error: &Error, plan: Plan) -> bool {
    let is_of_cache = !matches!(
        error.kind(),
        ErrorKind::InvalidKey
            | ErrorKind::InvalidInput
            | ErrorKind::NoServer
            | ErrorKind::ClientClosed
    );
    is_of_cache && !plan.requires_cache
}
