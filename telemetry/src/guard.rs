//! What keeps telemetry going, and ends it.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

use crate::Error;

/// The parts of running telemetry.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) tracer_provider: SdkTracerProvider,
    /// None when metrics go nowhere.
    pub(crate) meter_provider: Option<SdkMeterProvider>,
    pub(crate) exports_otlp: bool,
    #[cfg(feature = "prometheus")]
    pub(crate) scraped: Option<crate::scrape::Scraped>,
    /// Taken when this is dropped.
    pub(crate) runtime: Option<tokio::runtime::Runtime>,
}

/// Keeps telemetry going until it is dropped; then sends what is left.
///
/// Dropping it waits for that, for a few seconds if nobody answers. It may be dropped anywhere, also
/// in async code, on every flavour of tokio's runtime: what it waits for happens on other threads.
#[derive(Debug)]
#[must_use = "telemetry ends when the guard is dropped"]
pub struct Guard {
    running: Option<Running>,
}

impl Guard {
    pub(crate) const fn new(running: Running) -> Self {
        Self {
            running: Some(running),
        }
    }

    pub(crate) const fn disabled() -> Self {
        Self { running: None }
    }

    /// The tracer provider, which is also the global one; `None` when telemetry is disabled.
    #[must_use]
    pub fn tracer_provider(&self) -> Option<&SdkTracerProvider> {
        self.running.as_ref().map(|it| &it.tracer_provider)
    }

    /// The meter provider, which is also the global one; `None` when telemetry is disabled, or
    /// metrics go nowhere.
    #[must_use]
    pub fn meter_provider(&self) -> Option<&SdkMeterProvider> {
        self.running.as_ref()?.meter_provider.as_ref()
    }

    /// Whether spans are sent by OTLP.
    #[must_use]
    pub fn exports_otlp(&self) -> bool {
        self.running.as_ref().is_some_and(|it| it.exports_otlp)
    }

    /// Where Prometheus can scrape the metrics, when `OTEL_METRICS_EXPORTER` asks for that.
    #[cfg(feature = "prometheus")]
    #[must_use]
    pub fn prometheus_address(&self) -> Option<std::net::SocketAddr> {
        let scraped = self.running.as_ref()?.scraped.as_ref()?;
        Some(scraped.address())
    }

    /// The layer that makes OpenTelemetry spans of `tracing` spans, for a subscriber of the
    /// application's own; see [`Builder::without_subscriber`](crate::Builder::without_subscriber).
    #[must_use]
    pub fn layer<S>(&self) -> Option<OpenTelemetryLayer<S, SdkTracer>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.tracer_provider()?.tracer("tracing");
        Some(tracing_opentelemetry::layer().with_tracer(tracer))
    }

    /// Sends what there is, and waits for that.
    ///
    /// # Errors
    /// [`Error::Flush`] when it could not be sent.
    pub fn flush(&self) -> Result<(), Error> {
        let Some(running) = &self.running else {
            return Ok(());
        };
        let traces = running.tracer_provider.force_flush();
        let metrics = running.meter_provider.as_ref();
        let metrics = metrics.map_or(Ok(()), SdkMeterProvider::force_flush);
        both(traces, metrics)
    }

    /// Ends telemetry, and tells what dropping the guard would not: whether the rest could be sent.
    ///
    /// # Errors
    /// [`Error::Flush`] when it could not.
    pub fn shutdown(mut self) -> Result<(), Error> {
        self.running.take().map_or(Ok(()), Running::end)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.running.take().map(Running::end) {
            tracing::warn!(%error, "telemetry did not end in good order");
        }
    }
}

impl Running {
    fn end(mut self) -> Result<(), Error> {
        let traces = self.tracer_provider.shutdown();
        let metrics = self.meter_provider.as_ref();
        let metrics = metrics.map_or(Ok(()), SdkMeterProvider::shutdown);
        if let Some(runtime) = self.runtime.take() {
            // Unlike a plain drop it doesn't wait, and so is allowed in async code.
            runtime.shutdown_background();
        }
        both(traces, metrics)
    }
}

fn both(
    traces: opentelemetry_sdk::error::OTelSdkResult,
    metrics: opentelemetry_sdk::error::OTelSdkResult,
) -> Result<(), Error> {
    let failures = [("traces", traces), ("metrics", metrics)]
        .into_iter()
        .filter_map(|(signal, result)| Some(format!("{signal}: {}", result.err()?)));
    let failures: Vec<String> = failures.collect();
    match failures.is_empty() {
        true => Ok(()),
        false => Err(Error::Flush(failures.join("; "))),
    }
}
