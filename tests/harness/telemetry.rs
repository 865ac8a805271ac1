//! Spans and metrics, kept in memory.

use std::collections::BTreeMap;

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, Metric, MetricData, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};

/// Attributes by name, their values as text.
pub type Attributes = BTreeMap<String, String>;

/// One number of a metric: what it is about, and the number. Of a histogram it is the count.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// What it is about.
    pub attributes: Attributes,
    /// The number, or a histogram's count.
    pub value: f64,
    /// The upper bounds of a histogram's buckets; else empty.
    pub bounds: Vec<f64>,
}

/// Providers of its own for one test, which keep what they are given.
#[derive(Debug)]
pub struct Recorder {
    spans: InMemorySpanExporter,
    metrics: InMemoryMetricExporter,
    /// The provider of tracers.
    pub tracer_provider: SdkTracerProvider,
    /// The provider of meters.
    pub meter_provider: SdkMeterProvider,
}

impl Recorder {
    /// One that samples every trace.
    pub fn new() -> Self {
        Self::with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
    }

    /// One that samples as `sampler` says.
    pub fn with_sampler(sampler: Sampler) -> Self {
        let spans = InMemorySpanExporter::default();
        let metrics = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(metrics.clone()).build();
        Self {
            tracer_provider: SdkTracerProvider::builder()
                .with_sampler(sampler)
                .with_simple_exporter(spans.clone())
                .build(),
            meter_provider: SdkMeterProvider::builder().with_reader(reader).build(),
            spans,
            metrics,
        }
    }

    /// Where a client sends its telemetry to get it here.
    pub fn telemetry(&self) -> memlens::Telemetry {
        memlens::Telemetry::new(self.tracer_provider.clone(), self.meter_provider.clone())
    }

    /// The spans that have ended since the last call.
    pub fn take_spans(&self) -> Vec<SpanData> {
        let spans = self
            .spans
            .get_finished_spans()
            .expect("it is not shut down");
        self.spans.reset();
        spans
    }

    /// The one span that has ended since the last call.
    pub fn take_span(&self) -> SpanData {
        let mut spans = self.take_spans();
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.remove(0)
    }

    /// The numbers of a metric as they are now; none if there is no such metric.
    pub fn metric(&self, name: &str) -> Vec<Point> {
        self.collect(|metric| metric.name() == name)
            .into_values()
            .next()
            .unwrap_or_default()
    }

    /// The numbers of every metric there is.
    pub fn all_metrics(&self) -> BTreeMap<String, Vec<Point>> {
        self.collect(|_| true)
    }

    /// Units of metrics, by name.
    pub fn units(&self) -> BTreeMap<String, String> {
        let latest = self.latest();
        let metrics = latest.scope_metrics().flat_map(ScopeMetrics::metrics);
        metrics
            .map(|metric| (metric.name().to_owned(), metric.unit().to_owned()))
            .collect()
    }

    /// Kinds of metrics, by name.
    pub fn kinds(&self) -> BTreeMap<String, &'static str> {
        let latest = self.latest();
        let metrics = latest.scope_metrics().flat_map(ScopeMetrics::metrics);
        metrics
            .map(|metric| (metric.name().to_owned(), kind(metric.data())))
            .collect()
    }

    /// The sum of a metric's numbers whose attributes include these.
    pub fn sum(&self, name: &str, attributes: &[(&str, &str)]) -> f64 {
        let has_all = |point: &&Point| {
            let mut wanted = attributes.iter();
            wanted.all(|(name, value)| point.attributes.get(*name).is_some_and(|it| it == value))
        };
        let points = self.metric(name);
        points.iter().filter(has_all).map(|point| point.value).sum()
    }

    fn latest(&self) -> ResourceMetrics {
        self.metrics.reset();
        self.meter_provider
            .force_flush()
            .expect("a reader in memory");
        let mut all = self.metrics.get_finished_metrics().expect("not shut down");
        all.pop().expect("one collection")
    }

    fn collect(&self, wanted: impl Fn(&Metric) -> bool) -> BTreeMap<String, Vec<Point>> {
        let latest = self.latest();
        let metrics = latest.scope_metrics().flat_map(ScopeMetrics::metrics);
        metrics
            .filter(|metric| wanted(metric))
            .map(|metric| (metric.name().to_owned(), points(metric.data())))
            .collect()
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

/// Attributes of a span, by name.
pub fn attributes_of(span: &SpanData) -> Attributes {
    attributes(span.attributes.iter())
}

fn attributes<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> Attributes {
    let mut all = Attributes::new();
    for attribute in attributes {
        let value = attribute.value.to_string();
        let twice = all.insert(attribute.key.to_string(), value);
        assert_eq!(twice, None, "{} is there twice", attribute.key);
    }
    all
}

fn kind(data: &AggregatedMetrics) -> &'static str {
    fn of<T>(data: &MetricData<T>) -> &'static str {
        match data {
            MetricData::Gauge(_) => "gauge",
            MetricData::Sum(sum) if sum.is_monotonic() => "counter",
            MetricData::Sum(_) => "up-down counter",
            MetricData::Histogram(_) => "histogram",
            MetricData::ExponentialHistogram(_) => "exponential histogram",
        }
    }
    match data {
        AggregatedMetrics::F64(data) => of(data),
        AggregatedMetrics::U64(data) => of(data),
        AggregatedMetrics::I64(data) => of(data),
    }
}

fn points(data: &AggregatedMetrics) -> Vec<Point> {
    fn of<T: Copy>(data: &MetricData<T>, number: impl Fn(T) -> f64) -> Vec<Point> {
        let point = |attributes, value, bounds| Point {
            attributes,
            value,
            bounds,
        };
        match data {
            MetricData::Gauge(gauge) => gauge
                .data_points()
                .map(|it| point(attributes(it.attributes()), number(it.value()), Vec::new()))
                .collect(),
            MetricData::Sum(sum) => sum
                .data_points()
                .map(|it| point(attributes(it.attributes()), number(it.value()), Vec::new()))
                .collect(),
            MetricData::Histogram(histogram) => histogram
                .data_points()
                .map(|it| {
                    let count = it.count() as f64;
                    point(attributes(it.attributes()), count, it.bounds().collect())
                })
                .collect(),
            MetricData::ExponentialHistogram(_) => panic!("the client makes none"),
        }
    }
    match data {
        AggregatedMetrics::F64(data) => of(data, |value| value),
        AggregatedMetrics::U64(data) => of(data, |value| value as f64),
        AggregatedMetrics::I64(data) => of(data, |value| value as f64),
    }
}
