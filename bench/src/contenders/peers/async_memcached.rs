//! The crate `async-memcached`. A client is one connection for one caller at a time: alone, with one
//! for each caller, and pooled, with as many as a pool usually has, for all callers to share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use async_memcached::{AsciiProtocol as _, Client};
use tokio::sync::Semaphore;

use super::super::{AsyncClient, Kind};
use super::POOL;
use crate::workload::{Item, Workload};

pub(super) struct Peer {
    client: Client,
}

async fn connect(servers: &[SocketAddr]) -> Result<Client> {
    let server = servers.first().context("no server")?;
    Ok(Client::new(format!("tcp://{server}")).await?)
}

async fn get(client: &mut Client, item: &'static Item) -> Result<()> {
    let value = client.get(&item.key).await?;
    item.check_hit(value.and_then(|value| value.data))
}

async fn set(client: &mut Client, item: &'static Item) -> Result<()> {
    Ok(client
        .set(&item.key, item.value.as_slice(), None, None)
        .await?)
}

impl AsyncClient for Peer {
    const NAME: &'static str = "async-memcached";
    const KIND: Kind = Kind::Peer;

    /// memcached takes 1,024 connections unless told otherwise.
    fn takes_part_in(workload: Workload) -> bool {
        workload.callers() <= POOL
    }

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let mut peers = Vec::new();
        for _ in 0..callers {
            let client = connect(servers).await?;
            peers.push(Self { client });
        }
        Ok(peers)
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        get(&mut self.client, item).await
    }

    async fn set(&mut self, item: &'static Item) -> Result<()> {
        set(&mut self.client, item).await
    }

    async fn get_many(&mut self, items: &'static [Item]) -> Result<()> {
        let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
        let values = self.client.get_multi(keys).await?;
        ensure!(values.len() == items.len(), "not all values");
        // They come in the order of the keys.
        std::iter::zip(items, values).try_for_each(|(item, value)| {
            ensure!(value.key == item.key.as_bytes(), "keys in disorder");
            item.check_hit(value.data)
        })
    }
}

/// One of the callers who share the pool.
#[derive(Clone)]
pub(super) struct Pooled {
    pool: Arc<Pool>,
}

struct Pool {
    idle: Mutex<Vec<Client>>,
    permits: Semaphore,
}

impl Pool {
    async fn lend<T>(&self, work: impl AsyncFnOnce(&mut Client) -> Result<T>) -> Result<T> {
        let _permit = self.permits.acquire().await?;
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut client = idle().pop().context("no connection for a permit")?;
        let done = work(&mut client).await;
        idle().push(client);
        done
    }
}

impl AsyncClient for Pooled {
    const NAME: &'static str = "async-memcached-pool";
    const KIND: Kind = Kind::Peer;

    fn takes_part_in(workload: Workload) -> bool {
        workload.callers() > 1
    }

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let mut idle = Vec::new();
        for _ in 0..POOL.min(callers) {
            idle.push(connect(servers).await?);
        }
        let permits = Semaphore::new(idle.len());
        let idle = Mutex::new(idle);
        let pool = Arc::new(Pool { idle, permits });
        Ok(vec![Self { pool }; callers])
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        self.pool.lend(async |client| get(client, item).await).await
    }

    async fn set(&mut self, item: &'static Item) -> Result<()> {
        self.pool.lend(async |client| set(client, item).await).await
    }

    async fn get_many(&mut self, _items: &'static [Item]) -> Result<()> {
        bail!("takes no part in multi-gets")
    }
}
