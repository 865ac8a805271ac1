//! memlens over encrypted connections. The client is the same; only its servers are not.

use std::net::SocketAddr;
use std::path::PathBuf;

use ::memlens::{Client, Config, config::Pem, config::Tls};
use anyhow::{Context as _, Result};

use super::memlens::{Handle, list};
use super::{AsyncClient, Kind};
use crate::workload::Item;

/// The environment variable with the file of the root certificate that signed the servers'.
pub(crate) const ROOTS: &str = "MEMLENS_BENCH_ROOTS";

pub(super) struct Encrypted(Handle);

/// The settings of a client for these servers.
pub(crate) fn settings(servers: &[SocketAddr], roots: impl Into<PathBuf>) -> Result<Config> {
    let mut config: Config = list(servers).parse()?;
    let mut tls = Tls::default();
    tls.roots = Some(Pem::file(roots));
    config.tls = Some(tls);
    Ok(config)
}

impl AsyncClient for Encrypted {
    const NAME: &'static str = "memlens-tls";
    const KIND: Kind = Kind::Extended;

    const SEVERAL_SERVERS: bool = true;

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let roots = std::env::var_os(ROOTS).context("only the command `tls` has servers for it")?;
        let client = Client::with_config(settings(servers, roots)?).await?;
        let handles = (0..callers).map(|_| Self(Handle::new(client.clone())));
        Ok(handles.collect())
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        self.0.get(item).await
    }

    async fn set(&mut self, item: &'static Item) -> Result<()> {
        self.0.set(item).await
    }

    async fn get_many(&mut self, items: &'static [Item]) -> Result<()> {
        self.0.get_many(items).await
    }
}
