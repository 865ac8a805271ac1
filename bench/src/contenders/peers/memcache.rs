//! The crate `memcache`: blocking, with a pool of connections that its threads share.

use std::net::SocketAddr;

use ::memcache::Client;
use anyhow::{Result, ensure};

use super::super::{BlockingClient, Kind};
use super::POOL;
use crate::workload::{Item, Workload};

pub(super) struct Peer {
    client: Client,
}

impl BlockingClient for Peer {
    const NAME: &'static str = "memcache";
    const KIND: Kind = Kind::Peer;

    const SEVERAL_SERVERS: bool = true;

    /// A thread a caller: not a thousand.
    fn takes_part_in(workload: Workload) -> bool {
        workload.callers() <= POOL
    }

    fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let url = |server| format!("memcache://{server}?protocol=ascii&tcp_nodelay=true");
        let urls: Vec<String> = servers.iter().map(url).collect();
        let client = Client::with_pool_size(urls, callers as u32)?;
        Ok((0..callers)
            .map(|_| Self {
                client: client.clone(),
            })
            .collect())
    }

    fn get(&mut self, item: &'static Item) -> Result<()> {
        item.check_hit(self.client.get::<Vec<u8>>(&item.key)?)
    }

    fn set(&mut self, item: &'static Item) -> Result<()> {
        Ok(self.client.set(&item.key, item.value.as_slice(), 0)?)
    }

    fn get_many(&mut self, items: &'static [Item]) -> Result<()> {
        let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
        let values = self.client.gets::<Vec<u8>>(&keys)?;
        ensure!(values.len() == items.len(), "not all values");
        items
            .iter()
            .try_for_each(|item| item.check_hit(values.get(&item.key)))
    }
}
