//! The perfect multiplexer of single requests: as many of them as there are callers are always
//! under way on one blocking socket. They are meta commands, because memcached up to 1.6.34 sends
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

    fn takes_part_in(&self, workload: Workload) -> bool {
        workload.callers() > 1
    }

    fn run(&self, meter: &Arc<Meter>, server: SocketAddr) -> Result<()> {
        let caller = &mut meter.callers(1)[0];
        let window = meter.workload().callers();
        let mut stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        let mut under_way: VecDeque<Step> = VecDeque::with_capacity(window);
        let mut out = Vec::new();
        let mut inbox = Inbox::new();
        loop {
            while under_way.len() < window
                && let Some(step) = caller.next()
            {
                put(&mut out, step)?;
                under_way.push_back(step);
            }
            if under_way.is_empty() {
                return Ok(());
            }
            stream.write_all(&out)?;
            out.clear();
            let count = stream.read(inbox.room())?;
            inbox.received(count)?;
            let mut answered = 0;
            while let Some(frame) = inbox.next()? {
                match under_way.pop_front().context("a reply too many")? {
                    Step::Get(item) => frame.expect_value(item)?,
                    _ => frame.expect(b"HD")?,
                }
                answered += 1;
            }
            caller.count(answered);
        }
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
