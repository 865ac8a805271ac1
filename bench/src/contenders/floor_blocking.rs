//! The least that a blocking socket takes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::Result;

use super::wire::{Frame, Inbox, put_get, put_set};
use super::{BlockingClient, Kind};
use crate::workload::{Item, Workload};

pub(super) struct Floor {
    stream: TcpStream,
    out: Vec<u8>,
    inbox: Inbox,
}

impl Floor {
    /// Sends what is in `out`.
    fn send(&mut self) -> Result<()> {
        self.stream.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    fn receive(&mut self, check: impl FnOnce(Frame<'_>) -> Result<()>) -> Result<()> {
        loop {
            if let Some(frame) = self.inbox.next()? {
                return check(frame);
            }
            let count = self.stream.read(self.inbox.room())?;
            self.inbox.received(count)?;
        }
    }
}

impl BlockingClient for Floor {
    const NAME: &'static str = "floor/blocking";
    const KIND: Kind = Kind::Floor;

    fn takes_part_in(workload: Workload) -> bool {
        workload.callers() == 1
    }

    fn open(server: SocketAddr, callers: usize) -> Result<Vec<Self>> {
        (0..callers)
            .map(|_| {
                let stream = TcpStream::connect(server)?;
                stream.set_nodelay(true)?;
                Ok(Self {
                    stream,
                    out: Vec::new(),
                    inbox: Inbox::new(),
                })
            })
            .collect()
    }

    fn get(&mut self, item: &'static Item) -> Result<()> {
        put_get(&mut self.out, [item]);
        self.send()?;
        self.receive(|frame| frame.expect_value(item))?;
        self.receive(|frame| frame.expect(b"END"))
    }

    fn set(&mut self, item: &'static Item) -> Result<()> {
        put_set(&mut self.out, item)?;
        self.send()?;
        self.receive(|frame| frame.expect(b"STORED"))
    }

    fn get_many(&mut self, items: &'static [Item]) -> Result<()> {
        put_get(&mut self.out, items);
        self.send()?;
        for item in items {
            self.receive(|frame| frame.expect_value(item))?;
        }
        self.receive(|frame| frame.expect(b"END"))
    }
}
