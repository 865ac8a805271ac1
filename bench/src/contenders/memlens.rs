//! memlens as it is used: one client with one connection, shared by all callers.

use std::net::SocketAddr;

use ::memlens::{Client, Expiry};
use anyhow::{Result, ensure};
use bytes::Bytes;

use super::{AsyncClient, Kind};
use crate::workload::Item;

pub(super) struct Handle {
    client: Client,
}

impl Handle {
    #[cfg(feature = "tls")]
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }
}

/// `servers` as a client is told of them.
pub(crate) fn list(servers: &[SocketAddr]) -> String {
    let names: Vec<String> = servers.iter().map(ToString::to_string).collect();
    names.join(",")
}

impl AsyncClient for Handle {
    const NAME: &'static str = "memlens";
    const KIND: Kind = Kind::Memlens;

    const SEVERAL_SERVERS: bool = true;

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let client = Client::connect(&list(servers)).await?;
        Ok((0..callers)
            .map(|_| Self {
                client: client.clone(),
            })
            .collect())
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        item.check_hit(self.client.get::<Bytes>(&item.key).await?)
    }

    async fn set(&mut self, item: &'static Item) -> Result<()> {
        Ok(self
            .client
            .set(&item.key, item.value.as_slice(), Expiry::Never)
            .await?)
    }

    async fn get_many(&mut self, items: &'static [Item]) -> Result<()> {
        let keys = items.iter().map(|item| item.key.as_str());
        let values = self.client.get_multi::<Bytes, _>(keys).await;
        ensure!(values.len() == items.len(), "not all values");
        std::iter::zip(items, values).try_for_each(|(item, (_, value))| item.check_hit(value?))
    }
}
