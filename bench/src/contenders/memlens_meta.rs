//! memlens with meta commands, which are pipelined but never merged into one line.

use std::net::SocketAddr;

use ::memlens::{Client, MetaGet, MetaSet, MetaStatus, Value};
use anyhow::{Result, bail, ensure};

use super::memlens::list;
use super::{AsyncClient, Kind};
use crate::workload::{Item, Workload};

pub(super) struct Handle {
    client: Client,
    get: MetaGet,
    set: MetaSet,
}

impl AsyncClient for Handle {
    const NAME: &'static str = "memlens-meta";
    const KIND: Kind = Kind::Memlens;

    fn takes_part_in(workload: Workload) -> bool {
        workload.callers() > 1
    }

    const SEVERAL_SERVERS: bool = true;

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let client = Client::connect(&list(servers)).await?;
        Ok((0..callers)
            .map(|_| Self {
                client: client.clone(),
                get: MetaGet::new().value(),
                set: MetaSet::new(),
            })
            .collect())
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        let found = self.client.meta_get(&item.key, &self.get).await?;
        let value = found.and_then(|found| found.value);
        item.check_hit(value.map(Value::into_data))
    }

    async fn set(&mut self, item: &'static Item) -> Result<()> {
        let value = item.value.as_slice();
        let outcome = self.client.meta_set(&item.key, value, &self.set).await?;
        ensure!(outcome.status == MetaStatus::Done, "not stored");
        Ok(())
    }

    async fn get_many(&mut self, _items: &'static [Item]) -> Result<()> {
        bail!("takes no part in multi-gets")
    }
}
