//! The crate `memcache-async`: a connection a caller. It does not wait for the reply to a set, so
//! sets are left out.

use std::net::SocketAddr;

use anyhow::{Result, bail, ensure};
use memcache_async::ascii::Protocol;
use tokio::net::TcpStream;

use super::super::{AsyncClient, Kind};
use super::POOL;
use crate::workload::{Item, Workload};

pub(super) struct Peer {
    client: Protocol<TcpStream>,
}

impl AsyncClient for Peer {
    const NAME: &'static str = "memcache-async";
    const KIND: Kind = Kind::Peer;

    fn takes_part_in(workload: Workload) -> bool {
        workload.callers() <= POOL && !workload.has_sets()
    }

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let mut peers = Vec::new();
        for _ in 0..callers {
            let stream = TcpStream::connect(servers).await?;
            stream.set_nodelay(true)?;
            let client = Protocol::new(stream);
            peers.push(Self { client });
        }
        Ok(peers)
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        item.check(&self.client.get(&item.key).await?)
    }

    async fn set(&mut self, _item: &'static Item) -> Result<()> {
        bail!("its sets have no reply")
    }

    async fn get_many(&mut self, items: &'static [Item]) -> Result<()> {
        let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
        let values = self.client.get_multi(&keys).await?;
        ensure!(values.len() == items.len(), "not all values");
        items
            .iter()
            .try_for_each(|item| item.check_hit(values.get(&item.key)))
    }
}
