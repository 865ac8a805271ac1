//! The client's own statistics, without OpenTelemetry.

use std::time::Duration;

use memlens::{
    Client, ErrorClass, Expiry, NodeStatistics, Operation, OperationStatistics, TracedClient,
};
use memlens_tests::faults::{Fault, Injection, Stage};
use memlens_tests::{EmbeddedNode, FaultProxy};

use super::patient;

#[tokio::test]
async fn each_node_and_operation_is_counted() {
    let nodes = [EmbeddedNode::start(), EmbeddedNode::start()];
    let list = format!("{},{}", nodes[0].address(), nodes[1].address());
    let client = TracedClient::with_config(patient(&list)).await.unwrap();
    let keys: Vec<String> = (0..50).map(|index| format!("key:{index}")).collect();
    for key in &keys[..30] {
        client.set(key, 1, Expiry::Never).await.unwrap();
    }
    for key in &keys {
        client.get::<u64>(key).await.unwrap();
    }
    drop(client.get_multi::<u64, _>(&keys).await);
    client.get::<u64>("not a key").await.unwrap_err();

    let statistics = client.statistics();
    let get = statistics.operation(Operation::Get).unwrap();
    assert_eq!((get.ok(), get.hits, get.misses), (50, 30, 20));
    assert_eq!(get.failures, [(ErrorClass::InvalidKey, 1)]);
    assert_eq!((get.failed(), get.cancelled()), (1, 0));
    assert_eq!(get.hit_ratio(), Some(0.6));
    assert!(get.latency.percentile(50.0) <= get.latency.percentile(99.0));
    assert!(get.latency.longest() > Duration::ZERO);
    let many = statistics.operation(Operation::GetMulti).unwrap();
    assert_eq!((many.ok(), many.hits, many.misses), (1, 30, 20));
    assert_eq!(statistics.hit_ratio(), Some(0.6));

    assert_eq!(statistics.nodes.len(), 2);
    let on_nodes = |operation| {
        let nodes = statistics.nodes.iter();
        nodes.filter_map(move |node| node.operation(operation))
    };
    assert_eq!(
        on_nodes(Operation::Get)
            .map(OperationStatistics::ok)
            .sum::<u64>(),
        50
    );
    let parts = on_nodes(Operation::GetMulti);
    assert_eq!(
        parts
            .map(|it| (it.ok(), it.hits))
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
        (2, 30)
    );
    for node in &statistics.nodes {
        assert_eq!(node.is_up, Some(true));
        assert_eq!(
            (node.dials, node.connections_made, node.connections_lost),
            (1, 1, 0)
        );
        assert!(node.bytes_sent > 0 && node.bytes_received > 0);
    }
    let hits: u64 = statistics.nodes.iter().map(NodeStatistics::hits).sum();
    assert_eq!(hits, 60);
}

#[tokio::test]
async fn a_plain_client_counts_its_connections_alone() {
    let node = EmbeddedNode::start();
    let client = Client::connect(&node.address().to_string()).await.unwrap();
    client.get::<u64>("key").await.unwrap();
    let statistics = client.statistics();
    assert_eq!(statistics.operations, []);
    let node = statistics.node(&node.address().to_string()).unwrap();
    assert_eq!(
        (node.dials, node.bytes_sent, node.bytes_received),
        (1, 9, 5)
    );
}

#[tokio::test]
async fn a_server_knows_the_client_by_the_address_of_its_end() {
    let server = EmbeddedNode::start();
    let address = server.address().to_string();
    let client = Client::connect(&address).await.unwrap();
    let name = client.nodes()[0].name().to_owned();
    assert_eq!(client.statistics().node(&name).unwrap().local_addresses, []);
    let connections = client.nodes()[0].stats_conns().await.unwrap();
    let statistics = client.statistics();
    let [local] = statistics.node(&name).unwrap().local_addresses[..] else {
        panic!("{statistics:?}");
    };
    let expected = format!("tcp:{local}");
    let mut known = connections.by_descriptor.values();
    assert!(
        known.any(|connection| connection.addr.as_deref() == Some(&*expected)),
        "{connections:?}"
    );
}

#[tokio::test]
async fn a_connection_that_is_lost_is_counted() {
    let node = EmbeddedNode::start();
    let proxy = FaultProxy::start(node.address());
    let address = proxy.address().to_string();
    let client = TracedClient::connect(&address).await.unwrap();
    client.get::<u64>("key").await.unwrap();
    proxy.inject(Injection::new(Fault::Refuse, Stage::Sent));
    client.get::<u64>("key").await.unwrap_err();
    let statistics = client.statistics();
    let node = statistics.node(&address).unwrap();
    assert_eq!(node.connections_lost, 1);
    assert!(!node.errors.is_empty());
}
