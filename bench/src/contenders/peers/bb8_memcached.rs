//! The crate `bb8-memcached`, with its settings as they are: a connection is checked when it is lent,
//! and small packets wait for acknowledgements. It does not wait for the reply to a set, so sets are
//! left out.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use bb8_memcached::MemcacheConnectionManager;
use bb8_memcached::bb8::Pool;

use super::super::{AsyncClient, Kind};
use super::POOL;
use crate::workload::{Item, Workload};

pub(super) struct Peer {
    pool: Pool<MemcacheConnectionManager>,
}

impl AsyncClient for Peer {
    const NAME: &'static str = "bb8-memcached";
    const KIND: Kind = Kind::Peer;

    fn takes_part_in(workload: Workload) -> bool {
        !workload.has_sets()
    }

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let server = servers.first().context("no server")?;
        let manager = MemcacheConnectionManager::new(format!("tcp://{server}"))?;
        let size = POOL.min(callers) as u32;
        let pool = Pool::builder().max_size(size).min_idle(size).build(manager);
        let pool = pool.await?;
        Ok((0..callers).map(|_| Self { pool: pool.clone() }).collect())
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        let mut client = self.pool.get().await?;
        item.check(&client.get(&item.key).await?)
    }

    async fn set(&mut self, _item: &'static Item) -> Result<()> {
        bail!("its sets have no reply")
    }

    async fn get_many(&mut self, items: &'static [Item]) -> Result<()> {
        let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
        let values = self.pool.get().await?.get_multi(&keys).await?;
        ensure!(values.len() == items.len(), "not all values");
        items
            .iter()
            .try_for_each(|item| item.check_hit(values.get(&item.key)))
    }
}
