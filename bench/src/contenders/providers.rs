//! Providers of the OpenTelemetry SDK as an application has them, but that what is recorded goes nowhere.

use std::time::Duration;

use anyhow::{Result, bail};
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

/// Whose children the spans of a measurement would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    Unsampled,
    Sampled,
}

/// A tracer provider with a batch processor, and a meter provider with a periodic reader. The calling
/// thread is under `parent` from now on.
pub(super) fn providers(parent: Parent) -> Result<(SdkTracerProvider, SdkMeterProvider)> {
    // Callers on other threads would have no parent.
    let runtime = tokio::runtime::Handle::current();
    if runtime.runtime_flavor() != tokio::runtime::RuntimeFlavor::CurrentThread {
        bail!("it is measured on one thread");
    }
    let flags = match parent {
        Parent::Unsampled => TraceFlags::default(),
        Parent::Sampled => TraceFlags::SAMPLED,
    };
    let request = SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        flags,
        true,
        TraceState::NONE,
    );
    let context = Context::new().with_remote_span_context(request);
    // The process measures nothing else.
    std::mem::forget(context.attach());
    let tracer_provider = SdkTracerProvider::builder()
        .with_batch_exporter(Nowhere)
        .build();
    let reader = PeriodicReader::builder(Nowhere).build();
    let meter_provider = SdkMeterProvider::builder().with_reader(reader).build();
    Ok((tracer_provider, meter_provider))
}

#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

impl PushMetricExporter for Nowhere {
    async fn export(&self, _: &ResourceMetrics) -> OTelSdkResult {
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}
