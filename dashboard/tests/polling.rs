//! The poller on embedded nodes, through the client.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;
use std::time::Duration;

use memlens_dashboard::load::{Load, LoadMeter, WorkloadSettings};
use memlens_dashboard::model::{Deltas, Failure, MarkKind, NodeState, Snapshot};
use memlens_dashboard::poller::{ClientSource, Poller};
use memlens_node::Node;

const INTERVAL: Duration = Duration::from_millis(100);

async fn watch(nodes: &[&Node]) -> Poller {
    let addresses: Vec<_> = nodes.iter().map(|node| node.addr().to_string()).collect();
    let source = ClientSource::connect(&addresses.join(","), INTERVAL)
        .await
        .unwrap();
    Poller::start(source.clone(), source.names(), INTERVAL)
}

async fn wait_until(poller: &Poller, reached: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let mut snapshots = poller.snapshots();
    let snapshot = snapshots
        .wait_for(|snapshot| reached(snapshot))
        .await
        .unwrap();
    Arc::clone(&snapshot)
}

fn marks(snapshot: &Snapshot, node: usize) -> Vec<MarkKind> {
    snapshot.nodes[node]
        .marks
        .iter()
        .map(|mark| mark.kind)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_ends_is_down_and_one_that_returns_is_up() {
    let steady = Node::builder().start().await.unwrap();
    let ending = Node::builder().start().await.unwrap();
    let port = ending.addr().port();
    let poller = watch(&[&steady, &ending]).await;
    wait_until(&poller, |now| {
        now.nodes.iter().all(|node| node.deltas.is_some())
    })
    .await;

    ending.shutdown().await;
    let down = NodeState::Down(Failure::Refused);
    let snapshot = wait_until(&poller, |now| now.nodes[1].state == down).await;
    assert_eq!(snapshot.nodes[0].state, NodeState::Up);
    assert_eq!(snapshot.totals.answering, 1);
    assert_eq!(snapshot.nodes[1].deltas, None);

    let _returned = Node::builder().port(port).start().await.unwrap();
    let snapshot = wait_until(&poller, |now| now.nodes[1].state == NodeState::Up).await;
    let happened = marks(&snapshot, 1);
    assert_eq!(happened.first(), Some(&MarkKind::WentDown));
    assert_eq!(happened.last(), Some(&MarkKind::CameBack));
    assert!(marks(&snapshot, 0).is_empty());
    poller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_login_says_so() {
    let node = Node::builder()
        .auth_user("dash", "secret")
        .start()
        .await
        .unwrap();
    let poller = watch(&[&node]).await;
    wait_until(&poller, |now| {
        now.nodes[0].state == NodeState::Unauthenticated
    })
    .await;
    poller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_adds_up_on_embedded_nodes_under_load() {
    let node = Node::builder().memory(2 << 20).start().await.unwrap();
    let client = memlens::Client::connect(&node.addr().to_string())
        .await
        .unwrap();
    let load = Load::start(
        &client,
        WorkloadSettings {
            items: 20_000,
            seed: 1,
        },
        40_000,
    );
    while client.nodes()[0].stats().await.unwrap().evictions == Some(0) {}
    let poller = watch(&[&node]).await;
    let snapshot = wait_until(&poller, |now| {
        let node = &now.nodes[0];
        node.tail_age.is_some() && node.rate(Deltas::hit_rate).is_some()
    })
    .await;
    let report = LoadMeter::new(40_000).read(&load.counters(), snapshot.at);
    load.stop().await;
    assert_eq!(report.failed, 0);
    let node = &snapshot.nodes[0];
    assert_eq!(node.memory.unwrap().adds_up(), Some(true));
    assert!(node.memory.unwrap().waste_in_chunks > Some(0));
    let share_of_reads = node.rate(|deltas| {
        let gets = deltas.cmd_get? as f64;
        Some(gets / (deltas.operations()? - deltas.cmd_set?) as f64)
    });
    assert!(share_of_reads > Some(0.9), "{share_of_reads:?}");
    poller.stop().await;
}
