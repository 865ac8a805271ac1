//! The least that tokio's stream takes.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wire::{Frame, Inbox, put_get, put_set};
use super::{AsyncClient, Kind};
use crate::workload::{Item, Workload};

pub(super) struct Floor {
    stream: TcpStream,
    out: Vec<u8>,
    inbox: Inbox,
}

impl Floor {
    /// Sends what is in `out`.
    async fn send(&mut self) -> Result<()> {
        self.stream.write_all(&self.out).await?;
        self.out.clear();
        Ok(())
    }

    async fn receive(&mut self, check: impl FnOnce(Frame<'_>) -> Result<()>) -> Result<()> {
        loop {
            if let Some(frame) = self.inbox.next()? {
                return check(frame);
            }
            let count = self.stream.read(self.inbox.room()).await?;
            self.inbox.received(count)?;
        }
    }
}

impl AsyncClient for Floor {
    const NAME: &'static str = "floor/tokio";
    const KIND: Kind = Kind::Floor;

    fn takes_part_in(workload: Workload) -> bool {
        workload.callers() == 1
    }

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let mut floors = Vec::new();
        for _ in 0..callers {
            let stream = TcpStream::connect(servers).await?;
            stream.set_nodelay(true)?;
            floors.push(Self {
                stream,
                out: Vec::new(),
                inbox: Inbox::new(),
            });
        }
        Ok(floors)
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        put_get(&mut self.out, [item]);
        self.send().await?;
        self.receive(|frame| frame.expect_value(item)).await?;
        self.receive(|frame| frame.expect(b"END")).await
    }

    async fn set(&mut self, item: &'static Item) -> Result<()> {
        put_set(&mut self.out, item)?;
        self.send().await?;
        self.receive(|frame| frame.expect(b"STORED")).await
    }

    async fn get_many(&mut self, items: &'static [Item]) -> Result<()> {
        put_get(&mut self.out, items);
        self.send().await?;
        for item in items {
            self.receive(|frame| frame.expect_value(item)).await?;
        }
        self.receive(|frame| frame.expect(b"END")).await
    }
}
