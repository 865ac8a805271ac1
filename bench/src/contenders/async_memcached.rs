//! The crate `async-memcached`. A client is one connection for one caller at a time, so every
//! caller gets its own: what a pool of that size could give at best, without the cost of sharing it.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use async_memcached::{AsciiProtocol as _, Client};

use super::{AsyncClient, Kind};
use crate::workload::Item;

pub(super) struct Peer {
    client: Client,
}

impl AsyncClient for Peer {
    const NAME: &'static str = "async-memcached";
    const KIND: Kind = Kind::Peer;

    async fn open(server: SocketAddr, callers: usize) -> Result<Vec<Self>> {
        let mut peers = Vec::new();
        for _ in 0..callers {
            let client = Client::new(format!("tcp://{server}")).await?;
            peers.push(Self { client });
        }
        Ok(peers)
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        let value = self.client.get(&item.key).await?;
        item.check_hit(value.and_then(|value| value.data))
    }

    async fn set(&mut self, item: &'static Item) -> Result<()> {
        Ok(self
            .client
            .set(&item.key, item.value.as_slice(), None, None)
            .await?)
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
