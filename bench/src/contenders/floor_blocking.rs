//! The least that a blocking socket takes; with several servers, one for each.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::Result;

use super::wire::{Frame, Inbox, put_get, put_set};
use super::{BlockingClient, Kind};
use crate::workload::{Item, Workload};

pub(super) struct Floor {
    lines: Vec<Line>,
}

/// To one server.
struct Line {
    stream: TcpStream,
    out: Vec<u8>,
    inbox: Inbox,
}

impl Line {
    fn connect(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            out: Vec::new(),
            inbox: Inbox::new(),
        })
    }

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

impl Floor {
    fn line(&mut self, item: &Item) -> &mut Line {
        let place = item.place(self.lines.len());
        &mut self.lines[place]
    }
}

impl BlockingClient for Floor {
    const NAME: &'static str = "floor/blocking";
    const KIND: Kind = Kind::Floor;
    const SEVERAL_SERVERS: bool = true;

    fn takes_part_in(workload: Workload) -> bool {
        workload.callers() == 1
    }

    fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let connect = |_| {
            let lines = servers.iter().map(|server| Line::connect(*server));
            Ok(Self {
                lines: lines.collect::<Result<_>>()?,
            })
        };
        (0..callers).map(connect).collect()
    }

    fn get(&mut self, item: &'static Item) -> Result<()> {
        let line = self.line(item);
        put_get(&mut line.out, [item]);
        line.send()?;
        line.receive(|frame| frame.expect_value(item))?;
        line.receive(|frame| frame.expect(b"END"))
    }

    fn set(&mut self, item: &'static Item) -> Result<()> {
        let line = self.line(item);
        put_set(&mut line.out, item)?;
        line.send()?;
        line.receive(|frame| frame.expect(b"STORED"))
    }

    fn get_many(&mut self, items: &'static [Item]) -> Result<()> {
        let servers = self.lines.len();
        let of_line = |place: usize| items.iter().filter(move |it| it.place(servers) == place);
        for (place, line) in self.lines.iter_mut().enumerate() {
            put_get(&mut line.out, of_line(place));
            line.send()?;
        }
        for (place, line) in self.lines.iter_mut().enumerate() {
            for item in of_line(place) {
                line.receive(|frame| frame.expect_value(item))?;
            }
            line.receive(|frame| frame.expect(b"END"))?;
        }
        Ok(())
    }
}
