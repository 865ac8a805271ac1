//! Lets clients work: one task, or one thread, a caller.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use anyhow::{Result, anyhow};

use super::{AsyncClient, BlockingClient, Contender, Kind};
use crate::meter::{Caller, Meter};
use crate::workload::{Step, Workload};

#[derive(Clone, Copy)]
pub(super) enum Runtime {
    /// Everything on the thread that started it.
    Current,
    /// Two worker threads.
    Two,
}

impl Runtime {
    const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Two => "two",
        }
    }

    fn build(self) -> Result<tokio::runtime::Runtime> {
        let mut builder = match self {
            Self::Current => tokio::runtime::Builder::new_current_thread(),
            Self::Two => tokio::runtime::Builder::new_multi_thread(),
        };
        if matches!(self, Self::Two) {
            builder.worker_threads(2);
        }
        Ok(builder.enable_all().build()?)
    }
}

/// One task a caller.
pub(super) struct Tasks<C> {
    runtime: Runtime,
    client: PhantomData<fn() -> C>,
}

impl<C> Tasks<C> {
    pub(super) const fn new(runtime: Runtime) -> Self {
        Self {
            runtime,
            client: PhantomData,
        }
    }
}

impl<C: AsyncClient> Contender for Tasks<C> {
    fn name(&self) -> String {
        format!("{}@{}", C::NAME, self.runtime.name())
    }

    fn kind(&self) -> Kind {
        C::KIND
    }

    fn is_async(&self) -> bool {
        true
    }

    fn takes_part_in(&self, workload: Workload, servers: usize) -> bool {
        C::takes_part_in(workload) && (servers == 1 || C::SEVERAL_SERVERS)
    }

    fn run(&self, meter: &Arc<Meter>, servers: &[SocketAddr]) -> Result<()> {
        let callers = meter.callers(meter.workload().callers());
        self.runtime.build()?.block_on(async {
            let clients = C::open(servers, callers.len()).await?;
            let tasks: Vec<_> = std::iter::zip(clients, callers)
                .map(|(client, caller)| tokio::spawn(work(client, caller)))
                .collect();
            for task in tasks {
                task.await??;
            }
            Ok(())
        })
    }
}

async fn work<C: AsyncClient>(mut client: C, mut caller: Caller) -> Result<()> {
    while let Some(step) = caller.next() {
        let due = caller.due().await;
        match step {
            Step::Get(item) => client.get(item).await?,
            Step::Set(item) => client.set(item).await?,
            Step::GetMany(items) => client.get_many(items).await?,
        }
        caller.took(due);
        caller.count(1);
    }
    Ok(())
}

/// One thread a caller.
pub(super) struct Threads<C> {
    client: PhantomData<fn() -> C>,
}

impl<C> Threads<C> {
    pub(super) const fn new() -> Self {
        Self {
            client: PhantomData,
        }
    }
}

impl<C: BlockingClient> Contender for Threads<C> {
    fn name(&self) -> String {
        C::NAME.to_owned()
    }

    fn kind(&self) -> Kind {
        C::KIND
    }

    fn takes_part_in(&self, workload: Workload, servers: usize) -> bool {
        C::takes_part_in(workload) && (servers == 1 || C::SEVERAL_SERVERS)
    }

    fn run(&self, meter: &Arc<Meter>, servers: &[SocketAddr]) -> Result<()> {
        let callers = meter.callers(meter.workload().callers());
        let clients = C::open(servers, callers.len())?;
        let threads: Vec<_> = std::iter::zip(clients, callers)
            .map(|(client, caller)| thread::spawn(|| work_blocking(client, caller)))
            .collect();
        for thread in threads {
            thread.join().map_err(|_| anyhow!("a caller panicked"))??;
        }
        Ok(())
    }
}

fn work_blocking<C: BlockingClient>(mut client: C, mut caller: Caller) -> Result<()> {
    while let Some(step) = caller.next() {
        match step {
            Step::Get(item) => client.get(item)?,
            Step::Set(item) => client.set(item)?,
            Step::GetMany(items) => client.get_many(items)?,
        }
        caller.count(1);
    }
    Ok(())
}
