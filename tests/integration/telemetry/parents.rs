//! Whose children the client's spans are.

use memlens::TracedClient;
use memlens_tests::EmbeddedNode;
use memlens_tests::telemetry::Recorder;
use opentelemetry::Context;
use opentelemetry::trace::{
    FutureExt as _, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry_sdk::trace::SpanData;
use tracing::{Instrument as _, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

use super::traced;

async fn setup() -> (EmbeddedNode, Recorder, TracedClient) {
    let node = EmbeddedNode::start();
    let recorder = Recorder::new();
    let client = traced(&recorder, &node.address().to_string()).await;
    (node, recorder, client)
}

fn find<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    let mut found = spans.iter().filter(|span| span.name.starts_with(name));
    found.next().unwrap_or_else(|| panic!("no span {name}"))
}

fn assert_child(child: &SpanData, parent: &SpanData) {
    assert_eq!(child.parent_span_id, parent.span_context.span_id());
    assert_eq!(
        child.span_context.trace_id(),
        parent.span_context.trace_id()
    );
}

#[tokio::test]
async fn spans_of_tracing_are_parents() {
    let (_node, recorder, client) = setup().await;
    let tracer = recorder.tracer_provider.tracer("tracing");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    async {
        client.get::<String>("first").await.unwrap();
        async { client.delete("second").await.unwrap() }
            .instrument(info_span!("inner"))
            .await;
    }
    .instrument(info_span!("outer"))
    .await;
    let spans = recorder.take_spans();
    assert_child(find(&spans, "get "), find(&spans, "outer"));
    assert_child(find(&spans, "inner"), find(&spans, "outer"));
    assert_child(find(&spans, "delete "), find(&spans, "inner"));
}

#[tokio::test]
async fn a_context_goes_with_a_spawned_task() {
    let (_node, recorder, client) = setup().await;
    let tracer = recorder.tracer_provider.tracer("test");
    let context = Context::current_with_span(tracer.start("request"));
    let task = {
        let client = client.clone();
        async move { client.get::<String>("key").await }
    };
    tokio::spawn(task.with_context(context.clone()))
        .await
        .unwrap()
        .unwrap();
    context.span().end();
    let spans = recorder.take_spans();
    assert_child(find(&spans, "get "), find(&spans, "request"));
}

#[tokio::test]
async fn operations_side_by_side_have_one_parent() {
    let (_node, recorder, client) = setup().await;
    let tracer = recorder.tracer_provider.tracer("test");
    let context = Context::current_with_span(tracer.start("request"));
    let both = async {
        let (first, second) = tokio::join!(client.get::<String>("a"), client.delete("b"));
        first.unwrap();
        second.unwrap();
    };
    both.with_context(context.clone()).await;
    context.span().end();
    let spans = recorder.take_spans();
    let request = find(&spans, "request");
    assert_child(find(&spans, "get "), request);
    assert_child(find(&spans, "delete "), request);
}

#[tokio::test]
async fn without_a_parent_each_operation_is_a_trace_of_its_own() {
    let (_node, recorder, client) = setup().await;
    client.get::<String>("a").await.unwrap();
    client.get::<String>("b").await.unwrap();
    let spans = recorder.take_spans();
    assert_eq!(spans.len(), 2);
    let traces = [0, 1].map(|index| spans[index].span_context.trace_id());
    assert_ne!(traces[0], traces[1]);
}

#[test]
fn the_blocking_client_has_parents_too() {
    let node = EmbeddedNode::start();
    let recorder = Recorder::new();
    let builder = TracedClient::builder().telemetry(recorder.telemetry());
    let config = super::patient(&node.address().to_string());
    let client = memlens::blocking::TracedClient::build(builder, config).unwrap();
    let tracer = recorder.tracer_provider.tracer("test");
    tracer.in_span("request", |_| client.get::<String>("key").unwrap());
    let spans = recorder.take_spans();
    assert_child(find(&spans, "get "), find(&spans, "request"));
    let statistics = client.statistics();
    assert_eq!(
        statistics
            .operation(memlens::Operation::Get)
            .unwrap()
            .misses,
        1
    );
}
