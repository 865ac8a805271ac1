//! memlens with spans and metrics: without providers, under a parent that is not sampled, and under one
//! that is.

use std::net::SocketAddr;

use ::memlens::{Expiry, Telemetry, TracedClient};
use anyhow::{Result, ensure};
use bytes::Bytes;

use super::memlens::list;
use super::providers::{Parent, providers};
use super::{AsyncClient, Kind};
use crate::workload::Item;

/// What is recorded.
pub(super) trait Recorded: Send + 'static {
    const NAME: &'static str;

    /// None: the application has no providers.
    const PARENT: Option<Parent>;
}

pub(super) struct Nothing;

impl Recorded for Nothing {
    const NAME: &'static str = "memlens-traced/none";
    const PARENT: Option<Parent> = None;
}

pub(super) struct Metrics;

impl Recorded for Metrics {
    const NAME: &'static str = "memlens-traced/unsampled";
    const PARENT: Option<Parent> = Some(Parent::Unsampled);
}

pub(super) struct MetricsAndSpans;

impl Recorded for MetricsAndSpans {
    const NAME: &'static str = "memlens-traced/sampled";
    const PARENT: Option<Parent> = Some(Parent::Sampled);
}

pub(super) struct Handle<R> {
    client: TracedClient,
    recorded: std::marker::PhantomData<R>,
}

impl<R: Recorded> AsyncClient for Handle<R> {
    const NAME: &'static str = R::NAME;
    const KIND: Kind = Kind::Extended;

    const SEVERAL_SERVERS: bool = true;

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let builder = match R::PARENT {
            None => TracedClient::builder(),
            Some(parent) => {
                let (tracer_provider, meter_provider) = providers(parent)?;
                TracedClient::builder().telemetry(Telemetry::new(tracer_provider, meter_provider))
            }
        };
        let client = builder.connect(&list(servers)).await?;
        Ok((0..callers)
            .map(|_| Self {
                client: client.clone(),
                recorded: std::marker::PhantomData,
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
