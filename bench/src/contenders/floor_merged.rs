//! What a server gives at most when the keys of all callers go into one `get` line.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, bail};

use super::wire::{Inbox, put_get};
use super::{Contender, Kind};
use crate::meter::Meter;
use crate::workload::{Item, Step, Workload};

pub(super) struct Floor;

impl Contender for Floor {
    fn name(&self) -> String {
        "floor/merged".to_owned()
    }

    fn kind(&self) -> Kind {
        Kind::Floor
    }

    fn takes_part_in(&self, workload: Workload, servers: usize) -> bool {
        matches!(workload, Workload::Get64) && servers == 1
    }

    fn run(&self, meter: &Arc<Meter>, servers: &[SocketAddr]) -> Result<()> {
        use std::io::{Read as _, Write as _};

        let caller = &mut meter.callers(1)[0];
        let mut stream = std::net::TcpStream::connect(servers)?;
        stream.set_nodelay(true)?;
        let mut out = Vec::new();
        let mut inbox = Inbox::new();
        let mut items: Vec<&Item> = Vec::new();
        loop {
            items.clear();
            while items.len() < meter.workload().callers()
                && let Some(step) = caller.next()
            {
                let Step::Get(item) = step else {
                    bail!("only gets")
                };
                items.push(item);
            }
            if items.is_empty() {
                return Ok(());
            }
            put_get(&mut out, items.iter().copied());
            stream.write_all(&out)?;
            out.clear();
            let mut answered = 0;
            while answered <= items.len() {
                let Some(frame) = inbox.next()? else {
                    let count = stream.read(inbox.room())?;
                    inbox.received(count)?;
                    continue;
                };
                match items.get(answered) {
                    Some(item) => frame.expect_value(item)?,
                    None => frame.expect(b"END")?,
                }
                answered += 1;
            }
            caller.count(items.len() as u64);
        }
    }
}
