//! memlens by `get_or_compute`, where nothing ever has to be computed: what a hit costs more than by `get`.

use std::net::SocketAddr;
use std::time::Duration;

use ::memlens::{Client, Freshness};
use anyhow::{Result, bail};
use bytes::Bytes;

use super::memlens::list;
use super::{AsyncClient, Kind};
use crate::workload::{Item, Workload};

pub(super) struct Handle {
    client: Client,
    freshness: Freshness,
}

impl AsyncClient for Handle {
    const NAME: &'static str = "memlens-compute";
    const KIND: Kind = Kind::Extended;

    const SEVERAL_SERVERS: bool = true;

    fn takes_part_in(workload: Workload) -> bool {
        matches!(
            workload,
            Workload::Get | Workload::Get64 | Workload::Get1000 | Workload::Large
        )
    }

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let client = Client::connect(&list(servers)).await?;
        let freshness = Freshness::new(Duration::from_secs(60));
        Ok((0..callers)
            .map(|_| Self {
                client: client.clone(),
                freshness,
            })
            .collect())
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        let compute = || async { Err::<Bytes, _>("it is not there") };
        let value = self
            .client
            .get_or_compute(&item.key, self.freshness, compute)
            .await?;
        item.check(&value)
    }

    async fn set(&mut self, _item: &'static Item) -> Result<()> {
        bail!("takes no part in sets")
    }

    async fn get_many(&mut self, _items: &'static [Item]) -> Result<()> {
        bail!("takes no part in multi-gets")
    }
}
