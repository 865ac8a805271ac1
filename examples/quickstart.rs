//! The first steps, on two embedded nodes: `cargo run -p memlens-examples --example quickstart`

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use memlens::{Client, Expiry};
use memlens_node::Node;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Two servers in this process. Real ones are a list like "cache-01:11211,cache-02:11211".
    let [a, b] = [Node::builder(), Node::builder()];
    let (a, b) = (a.start().await?, b.start().await?);
    let client = Client::connect(&format!("{},{}", a.addr(), b.addr())).await?;

    // Text for five minutes. A key that is not there is `None`, no error.
    let five_minutes = Duration::from_secs(300);
    client.set("user:42:name", "Ada", five_minutes).await?;
    let name: Option<String> = client.get("user:42:name").await?;
    let server = client.node_for("user:42:name")?;
    println!("user 42 is called {name:?}, says {server}");
    let nobody: Option<String> = client.get("user:43:name").await?;
    println!("user 43 is called {nobody:?}");

    // A counter, made by the first visitor.
    for _ in 0..3 {
        let visits = client.incr_or_init("visits", 1, 1, Expiry::Never).await?;
        println!("visit number {visits}");
    }

    // Many keys at once, on all servers at the same time.
    let prices = (1..=10).map(|article| (format!("price:{article}"), article * 100));
    client.set_multi(prices, five_minutes).await.into_result()?;
    let keys = (1..=12).map(|article| format!("price:{article}"));
    let found = client.get_multi::<u32, _>(keys).await;
    let sum: u32 = found.hits().map(|(_, price)| price).sum();
    println!("{} prices add up to {sum}", found.hits().count());
    println!("{} prices are unknown", found.misses().count());

    // What the servers say about it.
    for (node, stats) in client.stats_per_node().await {
        let items = stats?.curr_items.unwrap_or_default();
        println!("{node} holds {items} items");
    }
    client.close().await;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn Error>> {
    main()
}
