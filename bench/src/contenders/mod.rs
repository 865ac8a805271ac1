//! Those who are measured: the floors, the other clients, and memlens.

mod floor_blocking;
mod floor_merged;
mod floor_tokio;
mod floor_window;
mod memlens;
mod memlens_by_hand;
mod memlens_compute;
mod memlens_meta;
#[cfg(feature = "tls")]
mod memlens_tls;
mod memlens_traced;
#[cfg(feature = "peers")]
mod peers;
mod providers;
mod runners;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;

pub(crate) use self::memlens::list;
#[cfg(feature = "tls")]
pub(crate) use self::memlens_tls::{ROOTS, settings};
use self::runners::{Runtime, Tasks, Threads};
use crate::meter::{Meter, Tally, Until};
use crate::workload::{Item, Workload};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Written by hand for one workload; it can do nothing else.
    Floor,
    Peer,
    /// Another client, in another language.
    Foreign,
    Memlens,
    /// memlens with something more, to compare with memlens without it.
    Extended,
}

pub(crate) trait Contender {
    fn name(&self) -> String;
    fn kind(&self) -> Kind;
    /// Whether it can do this, with so many servers.
    fn takes_part_in(&self, workload: Workload, servers: usize) -> bool;

    /// Connects, and works until the meter says that it is over.
    fn run(&self, meter: &Arc<Meter>, servers: &[SocketAddr]) -> Result<()>;

    /// What it measured itself, if it is a program of its own.
    fn measure_itself(
        &self,
        _workload: Workload,
        _until: Until,
        _servers: &[SocketAddr],
    ) -> Result<Option<Tally>> {
        Ok(None)
    }

    /// Whether its callers are tasks.
    fn is_async(&self) -> bool {
        false
    }

    /// Why it can't take part on this machine, if so.
    fn is_missing(&self) -> Option<String> {
        None
    }
}

/// A client for tasks. Every answer is checked.
trait AsyncClient: Sized + Send + 'static {
    const NAME: &'static str;
    const KIND: Kind;
    /// Whether it can spread keys over several servers.
    const SEVERAL_SERVERS: bool = false;

    fn takes_part_in(_workload: Workload) -> bool {
        true
    }

    /// A handle for each caller.
    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>>;

    fn get(&mut self, item: &'static Item) -> impl Future<Output = Result<()>> + Send;
    fn set(&mut self, item: &'static Item) -> impl Future<Output = Result<()>> + Send;
    fn get_many(&mut self, items: &'static [Item]) -> impl Future<Output = Result<()>> + Send;
}

/// A client for threads. Every answer is checked.
trait BlockingClient: Sized + Send + 'static {
    const NAME: &'static str;
    const KIND: Kind;
    /// Whether it can spread keys over several servers.
    const SEVERAL_SERVERS: bool = false;

    fn takes_part_in(_workload: Workload) -> bool {
        true
    }

    /// A handle for each caller.
    fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>>;

    fn get(&mut self, item: &'static Item) -> Result<()>;
    fn set(&mut self, item: &'static Item) -> Result<()>;
    fn get_many(&mut self, items: &'static [Item]) -> Result<()>;
}

/// Sets all `items` on the server, whose flags are then 0.
pub(crate) fn store(server: SocketAddr, items: &'static [Item]) -> Result<()> {
    let mut clients = floor_blocking::Floor::open(&[server], 1)?;
    for client in &mut clients {
        items.iter().try_for_each(|item| client.set(item))?;
    }
    Ok(())
}

/// The contender of this name, those included that only certain commands have servers for.
pub(crate) fn named(name: &str) -> Option<Box<dyn Contender>> {
    let all = all().into_iter();
    #[cfg(feature = "tls")]
    let all = all.chain([
        Box::new(Tasks::<memlens_tls::Encrypted>::new(Runtime::Current)) as Box<dyn Contender>,
    ]);
    let mut all = all;
    all.find(|known| known.name() == name)
}

/// All of them, in the order of the report.
pub(crate) fn all() -> Vec<Box<dyn Contender>> {
    let mut all: Vec<Box<dyn Contender>> = vec![
        Box::new(Threads::<floor_blocking::Floor>::new()),
        Box::new(Tasks::<floor_tokio::Floor>::new(Runtime::Current)),
        Box::new(floor_window::Floor),
        Box::new(floor_merged::Floor),
    ];
    #[cfg(feature = "peers")]
    peers::add_all(&mut all);
    on_both::<memlens::Handle>(&mut all);
    on_both::<memlens_meta::Handle>(&mut all);
    all.push(Box::new(Tasks::<memlens_compute::Handle>::new(
        Runtime::Current,
    )));
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

fn on_both<C: AsyncClient>(all: &mut Vec<Box<dyn Contender>>) {
    for runtime in [Runtime::Current, Runtime::Two] {
        all.push(Box::new(Tasks::<C>::new(runtime)));
    }
}
