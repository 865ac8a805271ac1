//! What connections and requests take of the heap.

use std::pin::Pin;
use std::task::{Context, Waker};

use anyhow::{Context as _, Result, ensure};
use memlens::Client;
use rustix::process::{Pid, Signal, kill_process};

use crate::allocations;
use crate::contenders::list;
use crate::server::{Server, Servers};
use crate::table::{Table, number};
use crate::workload::{Item, Workload};

const CLIENTS: usize = 200;
const REQUESTS: usize = 1_000;
const NODES: usize = 3;

pub(crate) fn run(memcached: &str) -> Result<()> {
    let servers = Servers::start(memcached, NODES, &[Workload::Get])?;
    let addresses = servers.addresses();
    let items = Workload::Get.items();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // So that what is made once is not counted.
    runtime.block_on(clients(1, &list(&addresses), items))?;
    allocations::start();
    let of_one = runtime.block_on(clients(CLIENTS, &list(&addresses[..1]), items))?;
    let of_three = runtime.block_on(clients(CLIENTS, &list(&addresses), items))?;
    let node = (of_three - of_one) / (NODES - 1) as f64;
    let process = servers.process().context("no server")?;
    let process = Pid::from_raw(process as i32).context("no process")?;
    kill_process(process, Signal::STOP)?;
    let taken = runtime.block_on(requests(&list(&addresses[..1]), items));
    kill_process(process, Signal::CONT)?;
    let (future, waiting) = taken?;

    let mut table = Table::new(["on the heap", "bytes"]);
    table.row([
        "a client without its nodes".to_owned(),
        number(of_one - node),
    ]);
    table.row(["a node with its idle connection".to_owned(), number(node)]);
    table.row([
        "a `get` that waits for its reply".to_owned(),
        number(waiting),
    ]);
    table.row(["the future of such a `get`".to_owned(), number(future)]);
    print!("{}.\n\n{table}", Server::version(memcached)?);
    Ok(())
}

/// What each of many clients takes that have worked and now have nothing to do.
async fn clients(count: usize, servers: &str, items: &'static [Item]) -> Result<f64> {
    let before = allocations::bytes();
    let mut clients = Vec::with_capacity(count);
    for _ in 0..count {
        let client = Client::connect(servers).await?;
        let keys = items[..100].iter().map(|item| item.key.as_str());
        let found = client.get_multi::<Vec<u8>, _>(keys).await.into_hits();
        ensure!(found.len() == 100, "not all values");
        clients.push(client);
    }
    let taken = allocations::bytes() - before;
    for client in &clients {
        client.close().await;
    }
    Ok(taken as f64 / count as f64)
}

/// How large the future of a request is, and what it takes besides while it waits.
async fn requests(servers: &str, items: &'static [Item]) -> Result<(f64, f64)> {
    let client = Client::connect(servers).await?;
    let get = |item: &'static Item| {
        let client = client.clone();
        Box::pin(async move { client.get::<Vec<u8>>(&item.key).await })
    };
    let size = size_of_val(&*get(&items[0]));
    let mut waiting: Vec<Pin<Box<dyn Future<Output = _>>>> = Vec::with_capacity(REQUESTS);
    waiting.extend(items[..REQUESTS].iter().map(|item| get(item) as _));
    let before = allocations::bytes();
    let mut context = Context::from_waker(Waker::noop());
    for request in &mut waiting {
        let polled = request.as_mut().poll(&mut context);
        ensure!(
            polled.is_pending(),
            "a reply from a server that stands still"
        );
        tokio::task::yield_now().await;
    }
    let taken = allocations::bytes() - before;
    Ok((size as f64, taken as f64 / REQUESTS as f64))
}
