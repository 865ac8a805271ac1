//! Operations on many keys: one logical span, with a child for each node where there are several.

use memlens::{Expiry, TracedClient};
use memlens_tests::telemetry::{Recorder, attributes_of};
use memlens_tests::{EmbeddedNode, RefusingPort};
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;

use super::traced;

async fn cluster(count: usize) -> (Vec<EmbeddedNode>, Recorder, TracedClient) {
    let nodes: Vec<EmbeddedNode> = (0..count).map(|_| EmbeddedNode::start()).collect();
    let list: Vec<String> = nodes
        .iter()
        .map(|node| node.address().to_string())
        .collect();
    let recorder = Recorder::new();
    let client = traced(&recorder, &list.join(",")).await;
    (nodes, recorder, client)
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("key:{index}")).collect()
}

/// The span without a parent, and the others.
fn family(spans: Vec<SpanData>) -> (SpanData, Vec<SpanData>) {
    let is_root = |span: &SpanData| span.parent_span_id == opentelemetry::trace::SpanId::INVALID;
    let (mut roots, children): (Vec<_>, Vec<_>) = spans.into_iter().partition(is_root);
    assert_eq!(roots.len(), 1);
    (roots.remove(0), children)
}

#[tokio::test]
async fn each_node_has_a_child_under_a_read_of_many() {
    let (_nodes, recorder, client) = cluster(3).await;
    let keys = keys(60);
    let items = keys.iter().take(40).map(|key| (key.clone(), 1));
    assert!(client.set_multi(items, Expiry::Never).await.is_complete());
    recorder.take_spans();

    let found = client.get_multi::<u64, _>(&keys).await;
    assert_eq!(found.hits().count(), 40);
    let (whole, children) = family(recorder.take_spans());
    assert_eq!(whole.name, "get_multi");
    let attributes = attributes_of(&whole);
    assert_eq!(attributes["db.operation.name"], "get_multi");
    assert_eq!(attributes["memcached.keys.count"], "60");
    assert_eq!(attributes["memcached.nodes.count"], "3");
    assert_eq!(attributes["memcached.nodes.failed"], "0");
    assert_eq!(attributes["db.response.returned_rows"], "40");
    assert!(
        !attributes.contains_key("server.address"),
        "of none in particular"
    );
    assert!(
        !attributes.contains_key("db.operation.batch.size"),
        "one logical operation"
    );

    assert_eq!(children.len(), 3);
    let mut sums = (0, 0);
    for child in &children {
        assert_eq!(child.parent_span_id, whole.span_context.span_id());
        assert_eq!(child.span_context.trace_id(), whole.span_context.trace_id());
        let attributes = attributes_of(child);
        let (address, port) = (&attributes["server.address"], &attributes["server.port"]);
        assert_eq!(child.name, format!("get {address}:{port}"));
        sums.0 += attributes["memcached.keys.count"].parse::<u32>().unwrap();
        sums.1 += attributes["db.response.returned_rows"]
            .parse::<u32>()
            .unwrap();
    }
    assert_eq!(sums, (60, 40));
}

#[tokio::test]
async fn writes_of_many_are_a_batch() {
    let (_nodes, recorder, client) = cluster(2).await;
    let items = keys(20).into_iter().map(|key| (key, 1));
    client
        .set_multi(items, Expiry::Never)
        .await
        .into_result()
        .unwrap();
    let (whole, children) = family(recorder.take_spans());
    assert_eq!(whole.name, "BATCH set");
    let attributes = attributes_of(&whole);
    assert_eq!(attributes["db.operation.name"], "BATCH set");
    assert_eq!(attributes["db.operation.batch.size"], "20");
    assert_eq!(children.len(), 2);
    assert!(
        children
            .iter()
            .all(|child| child.name.starts_with("set 127.0.0.1:"))
    );
}

#[tokio::test]
async fn a_batch_of_one_is_no_batch() {
    let (_nodes, recorder, client) = cluster(1).await;
    let set = client.set_multi([("key", 1)], Expiry::Never).await;
    assert!(set.is_complete());
    let span = recorder.take_span();
    let name = client.node_names().remove(0);
    assert_eq!(span.name, format!("set {name}"));
    let attributes = attributes_of(&span);
    assert_eq!(attributes["db.operation.name"], "set");
    assert!(!attributes.contains_key("db.operation.batch.size"));
    let method = [("method", "set_multi"), ("status", "ok")];
    assert_eq!(recorder.sum("memcached.client.calls", &method), 1.0);
}

#[tokio::test]
async fn a_single_node_is_named_and_has_no_child() {
    let (nodes, recorder, client) = cluster(1).await;
    client.delete_multi(keys(5)).await.into_result().unwrap();
    let span = recorder.take_span();
    assert_eq!(span.name, format!("delete_multi {}", nodes[0].address()));
    let attributes = attributes_of(&span);
    assert_eq!(attributes["memcached.nodes.count"], "1");
    let port = nodes[0].address().port().to_string();
    assert_eq!(attributes["server.port"], port);
}

#[tokio::test]
async fn a_node_that_fails_shows_in_its_child_and_in_the_whole() {
    let (port, node) = (RefusingPort::take(), EmbeddedNode::start());
    let dead = port.address().to_string();
    let recorder = Recorder::new();
    let client = traced(&recorder, &format!("{dead},{}", node.address())).await;
    let found = client.get_multi::<u64, _>(keys(40)).await;
    assert!(found.failed().count() > 0 && found.misses().count() > 0);
    let (whole, children) = family(recorder.take_spans());
    let attributes = attributes_of(&whole);
    assert_eq!(attributes["memcached.nodes.failed"], "1");
    assert_eq!(attributes["error.type"], "connection_refused");
    assert_eq!(whole.status, Status::error("could not connect"));
    for child in &children {
        let is_dead = child.name.ends_with(&dead);
        assert_eq!(attributes_of(child).contains_key("error.type"), is_dead);
    }
}

#[tokio::test]
async fn keys_that_are_refused_count_as_failures_of_the_whole() {
    let (_nodes, recorder, client) = cluster(1).await;
    let found = client.get_multi::<u64, _>(["good", "not good"]).await;
    assert_eq!(found.failed().count(), 1);
    let span = recorder.take_span();
    let attributes = attributes_of(&span);
    assert_eq!(attributes["error.type"], "invalid_key");
    assert_eq!(attributes["memcached.keys.count"], "2");
    assert_eq!(attributes["memcached.nodes.failed"], "0");
}
