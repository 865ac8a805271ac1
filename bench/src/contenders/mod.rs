//! Those who are measured: the floors, the other clients, and memlens.

mod async_memcached;
mod floor_blocking;
mod floor_merged;
mod floor_tokio;
mod floor_window;
mod memcache;
mod memcache_exp;
mod memlens;
mod memlens_by_hand;
mod memlens_meta;
mod memlens_traced;
mod providers;
mod runners;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;

use self::runners::{Runtime, Tasks, Threads};
use crate::meter::Meter;
use crate::workload::{Item, Workload};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Written by hand for one workload; it can do nothing else.
    Floor,
    Peer,
    Memlens,
    /// memlens with telemetry, to compare with memlens without.
    Traced,
}

pub(crate) trait Contender {
    fn name(&self) -> String;
    fn kind(&self) -> Kind;
    fn takes_part_in(&self, workload: Workload) -> bool;

    /// Connects, and works until the meter says that it is over.
    fn run(&self, meter: &Arc<Meter>, server: SocketAddr) -> Result<()>;
}

/// A client for tasks. Every answer is checked.
trait AsyncClient: Sized + Send + 'static {
    const NAME: &'static str;
    const KIND: Kind;

    fn takes_part_in(_workload: Workload) -> bool {
        true
    }

    /// A handle for each caller.
    async fn open(server: SocketAddr, callers: usize) -> Result<Vec<Self>>;

    fn get(&mut self, item: &'static Item) -> impl Future<Output = Result<()>> + Send;
    fn set(&mut self, item: &'static Item) -> impl Future<Output = Result<()>> + Send;
    fn get_many(&mut self, items: &'static [Item]) -> impl Future<Output = Result<()>> + Send;
}

/// A client for threads. Every answer is checked.
trait BlockingClient: Sized + Send + 'static {
    const NAME: &'static str;
    const KIND: Kind;

    fn takes_part_in(_workload: Workload) -> bool {
        true
    }

    /// A handle for each caller.
    fn open(server: SocketAddr, callers: usize) -> Result<Vec<Self>>;

    fn get(&mut self, item: &'static Item) -> Result<()>;
    fn set(&mut self, item: &'static Item) -> Result<()>;
    fn get_many(&mut self, items: &'static [Item]) -> Result<()>;
}

/// Sets all `items` on the server, whose flags are then 0.
pub(crate) fn store(server: SocketAddr, items: &'static [Item]) -> Result<()> {
    let mut clients = floor_blocking::Floor::open(server, 1)?;
    for client in &mut clients {
        items.iter().try_for_each(|item| client.set(item))?;
    }
    Ok(())
}

/// All of them, in the order of the report.
pub(crate) fn all() -> Vec<Box<dyn Contender>> {
    let mut all: Vec<Box<dyn Contender>> = vec![
        Box::new(Threads::<floor_blocking::Floor>::new()),
        Box::new(Tasks::<floor_tokio::Floor>::new(Runtime::Current)),
        Box::new(floor_window::Floor),
        Box::new(floor_merged::Floor),
        Box::new(Threads::<memcache::Peer>::new()),
    ];
    for runtime in [Runtime::Current, Runtime::Two] {
        all.push(Box::new(Tasks::<memcache_exp::Peer>::new(runtime)));
    }
    for runtime in [Runtime::Current, Runtime::Two] {
        all.push(Box::new(Tasks::<async_memcached::Peer>::new(runtime)));
    }
    for runtime in [Runtime::Current, Runtime::Two] {
        all.push(Box::new(Tasks::<memlens::Handle>::new(runtime)));
    }
    for runtime in [Runtime::Current, Runtime::Two] {
        all.push(Box::new(Tasks::<memlens_meta::Handle>::new(runtime)));
    }
    all.extend(traced());
    all
}

/// memlens with telemetry, and the same telemetry written by hand.
fn traced() -> Vec<Box<dyn Contender>> {
    use memlens_traced::{Metrics, MetricsAndSpans, Nothing};

    let runtime = Runtime::Current;
    vec![
        Box::new(Tasks::<memlens_traced::Handle<Nothing>>::new(runtime)),
        Box::new(Tasks::<memlens_traced::Handle<Metrics>>::new(runtime)),
        Box::new(Tasks::<memlens_by_hand::Handle<Metrics>>::new(runtime)),
        Box::new(Tasks::<memlens_traced::Handle<MetricsAndSpans>>::new(
            runtime,
        )),
        Box::new(Tasks::<memlens_by_hand::Handle<MetricsAndSpans>>::new(
            runtime,
        )),
    ]
}
