//! The asynchronous client in the module `exp` of the crate `memcache`, with its own pool.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use memcache::exp::{AsyncMemcache, Ttl};

use super::super::{AsyncClient, Kind};
use super::POOL;
use crate::workload::{Item, Workload};

pub(super) struct Peer {
    client: AsyncMemcache,
}

impl AsyncClient for Peer {
    const NAME: &'static str = "memcache-exp";
    const KIND: Kind = Kind::Peer;

    const SEVERAL_SERVERS: bool = true;

    /// It makes as many connections as there are callers; memcached takes 1,024.
    fn takes_part_in(workload: Workload) -> bool {
        workload.callers() <= POOL
    }

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let builder = AsyncMemcache::builder().max_idle(callers);
        let client = builder.connect_async(servers.to_vec()).await?;
        Ok((0..callers)
            .map(|_| Self {
                client: client.clone(),
            })
            .collect())
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        item.check_hit(self.client.get::<Vec<u8>>(&item.key).await?)
    }

    async fn set(&mut self, item: &'static Item) -> Result<()> {
        Ok(self.client.set(&item.key, &item.value, Ttl::NEVER).await?)
    }

    async fn get_many(&mut self, items: &'static [Item]) -> Result<()> {
        let keys = items.iter().map(|item| item.key.as_str());
        let values = self.client.get_many::<Vec<u8>, _>(keys).await?;
        ensure!(values.len() == items.len(), "not all values");
        items
            .iter()
            .try_for_each(|item| item.check_hit(values.get(item.key.as_str())))
    }
}
