//! What turns spans on and off.

use memlens::{SpanMode, Telemetry, TracedClient};
use memlens_tests::EmbeddedNode;
use memlens_tests::telemetry::Recorder;
use opentelemetry::Context;
use opentelemetry::trace::{
    FutureExt as _, SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::Sampler;

use super::{built, traced};

fn parent(flags: TraceFlags) -> Context {
    let span = SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        flags,
        true,
        TraceState::NONE,
    );
    Context::new().with_remote_span_context(span)
}

async fn get(client: &TracedClient, context: Context) {
    let get = client.get::<String>("key");
    get.with_context(context).await.unwrap();
}

#[tokio::test]
async fn under_a_parent_that_is_not_sampled_there_is_no_span_but_measurements() {
    let node = EmbeddedNode::start();
    // Asked, this sampler says yes: so it is not asked.
    let recorder = Recorder::with_sampler(Sampler::AlwaysOn);
    let client = traced(&recorder, &node.address().to_string()).await;
    get(&client, parent(TraceFlags::default())).await;
    assert_eq!(recorder.take_spans(), []);
    let ok = [("method", "get"), ("status", "ok")];
    assert_eq!(recorder.sum("memcached.client.latency", &ok), 1.0);

    get(&client, parent(TraceFlags::SAMPLED)).await;
    let span = recorder.take_span();
    assert_eq!(span.parent_span_id, SpanId::from(2));

    client.set_spans(SpanMode::Always);
    get(&client, parent(TraceFlags::default())).await;
    recorder.take_span();
}

#[tokio::test]
async fn spans_can_be_switched_while_the_client_runs() {
    let node = EmbeddedNode::start();
    let recorder = Recorder::new();
    let builder = TracedClient::builder().spans(SpanMode::Off);
    let client = built(&recorder, builder, &node.address().to_string()).await;
    get(&client, parent(TraceFlags::SAMPLED)).await;
    assert_eq!(recorder.take_spans(), []);

    client.clone().set_spans(SpanMode::SampledParent);
    get(&client, parent(TraceFlags::SAMPLED)).await;
    recorder.take_span();

    client.set_root_spans(false);
    get(&client, Context::new()).await;
    assert_eq!(recorder.take_spans(), []);
    get(&client, parent(TraceFlags::SAMPLED)).await;
    recorder.take_span();
}

#[tokio::test]
async fn a_client_that_was_made_too_early_is_bound_anew() {
    let node = EmbeddedNode::start();
    let nothing = Telemetry::new(
        opentelemetry::trace::noop::NoopTracerProvider::new(),
        opentelemetry::metrics::noop::NoopMeterProvider::new(),
    );
    let client = TracedClient::builder()
        .telemetry(nothing)
        .connect(&node.address().to_string())
        .await
        .unwrap();
    get(&client, Context::new()).await;
    get(&client, parent(TraceFlags::SAMPLED)).await;

    let recorder = Recorder::new();
    client.rebind(recorder.telemetry());
    get(&client, Context::new()).await;
    recorder.take_span();
    let ok = [("method", "get"), ("status", "ok")];
    assert_eq!(
        recorder.sum("memcached.client.calls", &ok),
        3.0,
        "since it was made"
    );
    assert_eq!(
        recorder.sum("memcached.client.latency", &ok),
        1.0,
        "since it was bound"
    );
}

#[tokio::test]
async fn where_telemetry_is_suppressed_there_is_no_span() {
    let node = EmbeddedNode::start();
    let recorder = Recorder::new();
    let client = traced(&recorder, &node.address().to_string()).await;
    get(&client, Context::new().with_telemetry_suppressed()).await;
    assert_eq!(recorder.take_spans(), []);
    get(&client, Context::new()).await;
    recorder.take_span();
}
