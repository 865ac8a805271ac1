//! The right to compute a key's value, among all processes that use the server.
//!
//! memcached gives it away: to the first of those that miss (flag `N` of `mg`), or that find the
//! value about to end (flag `R`); all others are told that somebody has it (`Z`). What it gives away
//! once it does not give again as long as the item lives. So the item of who computes is made to
//! live no longer than the lease, which is renewed as long as the computation is under way; and what
//! is computed is stored only if the item is still the same.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::flight::{Flights, KeptKey};
use super::freshness::Plan;
use crate::api::{Cas, Client, MetaDelete, MetaGet, MetaSet, MetaStatus, TimeToLive};
use crate::cluster::Cluster;
use crate::error::Result;
use crate::expiry::Expiry;
use crate::value::{Codec, Value};

/// A lease is renewed this often in its length.
const RENEWALS: u32 = 3;

/// Held while computing. Dropping it gives the lease back, in the background.
#[derive(Debug)]
pub(super) struct Lease {
    cas: Cas,
    ending: Option<oneshot::Sender<Ending>>,
    keeping: JoinHandle<()>,
}

/// How a computation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// There is a value, which is about to be stored.
    Done,
    /// It failed.
    Failed,
    /// Nobody waits for it any more.
    Dropped,
}

impl Lease {
    /// Keeps a lease that was won on an item in the state `cas`. `left`: what a value that is there
    /// already has to live; `None` if there is none.
    pub(super) fn keep(
        client: &Client,
        key: &KeptKey,
        cas: Cas,
        left: Option<TimeToLive>,
        plan: Plan,
    ) -> Self {
        let (ending, ended) = oneshot::channel();
        let keeper = Keeper {
            client: WeakClient::of(client),
            key: key.clone(),
            cas,
            left,
            plan,
        };
        Self {
            cas,
            ending: Some(ending),
            keeping: client.cluster.runtime().spawn(keeper.keep(ended)),
        }
    }

    /// Stores what was computed, unless the item was changed or deleted since the lease was won.
    /// Tells whether it was stored.
    pub(super) async fn store(
        mut self,
        client: &Client,
        key: &KeptKey,
        value: &Value,
        plan: Plan,
    ) -> Result<bool> {
        // The keeper first: its touch must not come after the value.
        self.end(Ending::Done).await;
        let flags = MetaSet::new().expiry(plan.total).compare(self.cas);
        let outcome = client.meta_set(key, value, &flags).await?;
        Ok(outcome.status == MetaStatus::Done)
    }

    /// Gives the lease back after a failure.
    pub(super) async fn fail(mut self) {
        self.end(Ending::Failed).await;
    }

    async fn end(&mut self, ending: Ending) {
        if let Some(tell) = self.ending.take() {
            // If the keeper has ended already, the lease is lost, and there is nothing to keep.
            let _ = tell.send(ending);
        }
        // It does not panic, and if the runtime ends there is nobody to wait for it.
        let _ = (&mut self.keeping).await;
    }
}

/// The task behind a lease.
struct Keeper {
    client: WeakClient,
    key: KeptKey,
    cas: Cas,
    left: Option<TimeToLive>,
    plan: Plan,
}

impl Keeper {
    async fn keep(self, mut ended: oneshot::Receiver<Ending>) {
        if self.left.is_some() {
            self.touch(self.plan.lease_on_server).await;
        }
        let ending = loop {
            match timeout(self.plan.lease / RENEWALS, &mut ended).await {
                Ok(ending) => break ending.unwrap_or(Ending::Dropped),
                Err(_) if self.is_mine().await => self.touch(self.plan.lease_on_server).await,
                Err(_) => return,
            }
        };
        match (ending, self.left) {
            (Ending::Done, _) => {}
            (_, None) => self.delete().await,
            (Ending::Dropped, Some(left)) => self.offer(left).await,
            (Ending::Failed, Some(left)) => {
                self.touch(lasting(left)).await;
                tokio::spawn(self.offer_later(left));
            }
        }
    }

    /// Lets the item live for this long from now.
    async fn touch(&self, left: Expiry) {
        let flags = MetaGet::new().touch(left).leave_lru_alone();
        if let Some(client) = self.client.upgrade() {
            // If it fails, the lease may end early: then somebody else computes too.
            let _ = client.meta_get(&self.key, &flags).await;
        }
    }

    /// Whether the item is still the one that the lease was won on, as far as is known.
    async fn is_mine(&self) -> bool {
        let Some(client) = self.client.upgrade() else {
            return false;
        };
        let look = MetaGet::new().cas().leave_lru_alone();
        match client.meta_get(&self.key, &look).await {
            Ok(Some(item)) if item.has_won => {
                // Somebody has marked it as stale, and this look was given what a reader should get.
                if let Some(cas) = item.cas {
                    let flags = MetaDelete::new().invalidate().compare(cas);
                    let _ = client.meta_delete(&self.key, &flags).await;
                }
                false
            }
            Ok(Some(item)) => item.cas == Some(self.cas),
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Removes the empty item, so that whoever comes next wins.
    async fn delete(&self) {
        if let Some(client) = self.client.upgrade() {
            let flags = MetaDelete::new().compare(self.cas);
            let _ = client.meta_delete(&self.key, &flags).await;
        }
    }

    /// Lets the next reader of the old value win.
    async fn offer(&self, left: TimeToLive) {
        if let Some(client) = self.client.upgrade() {
            let flags = MetaDelete::new()
                .invalidate()
                .expiry(lasting(left))
                .compare(self.cas);
            let _ = client.meta_delete(&self.key, &flags).await;
        }
    }

    /// Not at once: what just failed would be tried again and again.
    async fn offer_later(self, left: TimeToLive) {
        let passed = self.plan.lease;
        sleep(passed).await;
        let left = match left {
            TimeToLive::Left(left) => TimeToLive::Left(left.saturating_sub(passed)),
            TimeToLive::Unlimited => left,
        };
        if left != TimeToLive::Left(Duration::ZERO) && self.is_mine().await {
            self.offer(left).await;
        }
    }
}

/// At least a second: what has 0 to live ends within this one.
fn lasting(left: TimeToLive) -> Expiry {
    match left {
        TimeToLive::Left(left) => Expiry::After(left.max(Duration::from_secs(1))),
        TimeToLive::Unlimited => Expiry::Never,
    }
}

/// A client that does not keep the connections open: they end with the application's last handle.
struct WeakClient {
    cluster: Weak<Cluster>,
    flights: Weak<Flights>,
    codec: Codec,
    timeout: Duration,
    max_value_size: usize,
}

impl WeakClient {
    fn of(client: &Client) -> Self {
        Self {
            cluster: Arc::downgrade(&client.cluster),
            flights: Arc::downgrade(&client.flights),
            codec: client.codec.clone(),
            timeout: client.timeout,
            max_value_size: client.max_value_size,
        }
    }

    fn upgrade(&self) -> Option<Client> {
        Some(Client {
            cluster: self.cluster.upgrade()?,
            flights: self.flights.upgrade()?,
            codec: self.codec.clone(),
            timeout: self.timeout,
            max_value_size: self.max_value_size,
        })
    }
}
