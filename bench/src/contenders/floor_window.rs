//! The perfect multiplexer of single requests: as many of them as there are callers are always
//! under way, on one blocking socket a server. They are meta commands, because memcached up to 1.6.34 sends
//! the reply to every `get` line by itself.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use super::wire::{Inbox, put_meta_get, put_meta_set};
use super::{Contender, Kind};
use crate::meter::Meter;
use crate::workload::{Step, Workload};

pub(super) struct Floor;

impl Contender for Floor {
    fn name(&self) -> String {
        "floor/window".to_owned()
    }

    fn kind(&self) -> Kind {
        Kind::Floor
    }

    fn takes_part_in(&self, workload: Workload, _servers: usize) -> bool {
        workload.callers() > 1
    }

    fn run(&self, meter: &Arc<Meter>, servers: &[SocketAddr]) -> Result<()> {
        let caller = &mut meter.callers(1)[0];
        let window = meter.workload().callers();
        let lines = servers.iter().map(|server| Line::connect(*server));
        let mut lines = lines.collect::<Result<Vec<_>>>()?;
        loop {
            let mut count: usize = lines.iter().map(|line| line.under_way.len()).sum();
            while count < window
                && let Some(step) = caller.next()
            {
                let place = match step {
                    Step::Get(item) | Step::Set(item) => item.place(lines.len()),
                    Step::GetMany(_) => bail!("only single keys"),
                };
                lines[place].put(step)?;
                count += 1;
            }
            if count == 0 {
                return Ok(());
            }
            for line in &mut lines {
                line.send()?;
            }
            for line in lines.iter_mut().filter(|line| !line.under_way.is_empty()) {
                caller.count(line.receive()?);
            }
        }
    }
}

/// To one server.
struct Line {
    stream: TcpStream,
    under_way: VecDeque<Step>,
    out: Vec<u8>,
    inbox: Inbox,
}

impl Line {
    fn connect(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            under_way: VecDeque::new(),
            out: Vec::new(),
            inbox: Inbox::new(),
        })
    }

    fn put(&mut self, step: Step) -> Result<()> {
        put(&mut self.out, step)?;
        self.under_way.push_back(step);
        Ok(())
    }

    fn send(&mut self) -> Result<()> {
        if !self.out.is_empty() {
            self.stream.write_all(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    /// Takes in the replies that are there, and waits if there are none.
    fn receive(&mut self) -> Result<u64> {
        let count = self.stream.read(self.inbox.room())?;
        self.inbox.received(count)?;
        let mut answered = 0;
        while let Some(frame) = self.inbox.next()? {
            match self.under_way.pop_front().context("a reply too many")? {
                Step::Get(item) => frame.expect_value(item)?,
                _ => frame.expect(b"HD")?,
            }
            answered += 1;
        }
        Ok(answered)
    }
}

fn put(out: &mut Vec<u8>, step: Step) -> Result<()> {
    match step {
        Step::Get(item) => put_meta_get(out, item),
        Step::Set(item) => put_meta_set(out, item)?,
        Step::GetMany(_) => bail!("only single keys"),
    }
    Ok(())
}
