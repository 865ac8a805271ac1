//! The plain memlens inside of what an application would write to record the same as the traced one: the
//! yardstick for it. Everything that can be made before is made before.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use ::memlens::{Client, Expiry};
use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use opentelemetry::global::{BoxedSpan, BoxedTracer, ObjectSafeTracerProvider as _};
use opentelemetry::metrics::{Histogram, MeterProvider as _};
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Tracer as _};
use opentelemetry::{Context, InstrumentationScope, KeyValue};

use super::memlens_traced::{Metrics, MetricsAndSpans, Recorded};
use super::providers::{Parent, providers};
use super::{AsyncClient, Kind};
use crate::workload::{Item, Workload};

pub(super) trait ByHand: Recorded {
    const NAME: &'static str;
}

impl ByHand for Metrics {
    const NAME: &'static str = "memlens-by-hand/unsampled";
}

impl ByHand for MetricsAndSpans {
    const NAME: &'static str = "memlens-by-hand/sampled";
}

/// What the application has at hand for each operation.
struct Instruments {
    tracer: BoxedTracer,
    duration: Histogram<f64>,
    latency: Histogram<f64>,
    get: Labels,
    set: Labels,
    peer: [KeyValue; 2],
    has_spans: bool,
}

struct Labels {
    span_name: &'static str,
    place: Vec<KeyValue>,
    method: [KeyValue; 2],
}

impl Labels {
    fn new(operation: &'static str, server: SocketAddr) -> Self {
        Self {
            span_name: format!("{operation} {server}").leak(),
            place: vec![
                KeyValue::new("db.system.name", "memcached"),
                KeyValue::new("db.operation.name", operation),
                KeyValue::new("server.address", address(server)),
                KeyValue::new("server.port", i64::from(server.port())),
            ],
            method: [
                KeyValue::new("method", operation),
                KeyValue::new("status", "ok"),
            ],
        }
    }
}

fn address(server: SocketAddr) -> Arc<str> {
    server.ip().to_string().into()
}

impl Instruments {
    fn new(server: SocketAddr, parent: Parent) -> Result<Self> {
        let (tracer_provider, meter_provider) = providers(parent)?;
        let meter = meter_provider.meter("by hand");
        let histogram = |name, bounds: &[f64]| {
            let histogram = meter.f64_histogram(name).with_boundaries(bounds.to_vec());
            histogram.build()
        };
        // The bounds of memlens.
        let duration = histogram(
            "db.client.operation.duration",
            &[
                0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05,
                0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            ],
        );
        let latency = histogram(
            "memcached.client.latency",
            &[
                0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 40.0, 50.0, 75.0, 100.0, 200.0,
                400.0, 600.0, 800.0, 1000.0, 2000.0, 4000.0, 6000.0, 10_000.0, 20_000.0,
            ],
        );
        let scope = InstrumentationScope::builder("by hand").build();
        Ok(Self {
            tracer: BoxedTracer::new(tracer_provider.boxed_tracer(scope)),
            duration,
            latency,
            get: Labels::new("get", server),
            set: Labels::new("set", server),
            peer: [
                KeyValue::new("network.peer.address", address(server)),
                KeyValue::new("network.peer.port", i64::from(server.port())),
            ],
            has_spans: parent == Parent::Sampled,
        })
    }

    fn begin(&self, labels: &Labels) -> Begun {
        Begun {
            at: Instant::now(),
            span: self.has_spans.then(|| self.span(labels)),
        }
    }

    fn span(&self, labels: &Labels) -> BoxedSpan {
        // Four attributes come later.
        let mut attributes = Vec::with_capacity(labels.place.len() + 4);
        attributes.extend_from_slice(&labels.place);
        let builder = SpanBuilder::from_name(labels.span_name)
            .with_kind(SpanKind::Client)
            .with_attributes(attributes);
        let parent = Context::current();
        self.tracer.build_with_context(builder, &parent)
    }

    fn end(&self, labels: &Labels, begun: Begun, result: &'static str, size: Option<usize>) {
        let seconds = begun.at.elapsed().as_secs_f64();
        self.duration.record(seconds, &labels.place);
        self.latency.record(seconds * 1e3, &labels.method);
        if let Some(span) = begun.span {
            self.end_span(span, result, size);
        }
    }

    fn end_span(&self, mut span: BoxedSpan, result: &'static str, size: Option<usize>) {
        for attribute in &self.peer {
            span.set_attribute(attribute.clone());
        }
        span.set_attribute(KeyValue::new("memcached.result", result));
        if let Some(size) = size {
            span.set_attribute(KeyValue::new("memcached.value.size", size as i64));
        }
        span.end();
    }
}

struct Begun {
    at: Instant,
    span: Option<BoxedSpan>,
}

pub(super) struct Handle<R> {
    client: Client,
    instruments: Arc<Instruments>,
    recorded: std::marker::PhantomData<R>,
}

impl<R: ByHand> AsyncClient for Handle<R> {
    const NAME: &'static str = <R as ByHand>::NAME;
    const KIND: Kind = Kind::Extended;

    fn takes_part_in(workload: Workload) -> bool {
        workload != Workload::MultiGet
    }

    async fn open(servers: &[SocketAddr], callers: usize) -> Result<Vec<Self>> {
        let server = *servers.first().context("no server")?;
        let client = Client::connect(&server.to_string()).await?;
        let parent = R::PARENT.unwrap_or(Parent::Unsampled);
        let instruments = Arc::new(Instruments::new(server, parent)?);
        Ok((0..callers)
            .map(|_| Self {
                client: client.clone(),
                instruments: Arc::clone(&instruments),
                recorded: std::marker::PhantomData,
            })
            .collect())
    }

    async fn get(&mut self, item: &'static Item) -> Result<()> {
        let labels = &self.instruments.get;
        let begun = self.instruments.begin(labels);
        let value = self.client.get::<Bytes>(&item.key).await?;
        let (result, size) = match &value {
            Some(value) => ("hit", Some(value.len())),
            None => ("miss", None),
        };
        self.instruments.end(labels, begun, result, size);
        item.check_hit(value)
    }

    async fn set(&mut self, item: &'static Item) -> Result<()> {
        let labels = &self.instruments.set;
        let begun = self.instruments.begin(labels);
        self.client
            .set(&item.key, item.value.as_slice(), Expiry::Never)
            .await?;
        self.instruments.end(labels, begun, "stored", None);
        Ok(())
    }

    async fn get_many(&mut self, items: &'static [Item]) -> Result<()> {
        ensure!(items.is_empty(), "not by hand");
        Ok(())
    }
}
