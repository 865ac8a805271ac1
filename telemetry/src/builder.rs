//! Putting the parts together.

use std::time::Duration;

use opentelemetry::global;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{MeterProviderBuilder, SdkMeterProvider};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::{SdkTracerProvider, TracerProviderBuilder};

use crate::exporters;
use crate::guard::{Guard, Running};
use crate::settings::{Propagator, Settings, Target};
use crate::subscriber;
use crate::{Error, SpanTree};

/// How telemetry is started, where environment variables don't say.
///
/// ```no_run
/// # fn main() -> Result<(), memlens_telemetry::Error> {
/// let tree = memlens_telemetry::SpanTree::new();
/// let guard = memlens_telemetry::builder("demo").span_tree(&tree).init()?;
/// // …
/// guard.shutdown()?;
/// print!("{tree}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `init`"]
pub struct Builder {
    service_name: String,
    tree: Option<SpanTree>,
    has_subscriber: bool,
    probe: Option<Duration>,
}

impl Builder {
    pub(crate) fn new(service_name: &str) -> Self {
        Self {
            service_name: service_name.to_owned(),
            tree: None,
            has_subscriber: true,
            probe: None,
        }
    }

    /// Collects the spans in `tree` as well, to show them.
    pub fn span_tree(mut self, tree: &SpanTree) -> Self {
        self.tree = Some(tree.clone());
        self
    }

    /// Leaves the global subscriber of `tracing` to the application, which adds
    /// [`Guard::layer`] to its own.
    pub fn without_subscriber(mut self) -> Self {
        self.has_subscriber = false;
        self
    }

    /// Exports by OTLP only if somebody takes connections at the endpoint within `timeout`. For
    /// programs that shall run with and without a collector; see [`Guard::exports_otlp`].
    pub fn otlp_if_listening(mut self, timeout: Duration) -> Self {
        self.probe = Some(timeout);
        self
    }

    /// Starts telemetry.
    ///
    /// # Errors
    /// As [`init`](crate::init).
    pub fn init(self) -> Result<Guard, Error> {
        let mut settings = Settings::from_env()?;
        if settings.is_disabled {
            if self.has_subscriber {
                subscriber::install(None)?;
            }
            return Ok(Guard::disabled());
        }
        if let Some(timeout) = self.probe
            && !exporters::is_listening(&settings.traces_endpoint, timeout)
        {
            settings.traces.retain(|target| *target != Target::Otlp);
            settings.metrics.retain(|target| *target != Target::Otlp);
        }
        let running = self.start(&settings)?;
        if self.has_subscriber {
            subscriber::install(Some(&running.tracer_provider))?;
        }
        global::set_tracer_provider(running.tracer_provider.clone());
        if let Some(meter_provider) = &running.meter_provider {
            global::set_meter_provider(meter_provider.clone());
        }
        global::set_text_map_propagator(propagator(&settings));
        for name in &settings.unknown_propagators {
            tracing::warn!(
                name,
                "OTEL_PROPAGATORS names a propagator that is not known"
            );
        }
        Ok(Guard::new(running))
    }

    fn start(&self, settings: &Settings) -> Result<Running, Error> {
        // Connections of gRPC exporters are driven here. On the application's runtime they would
        // stand still while its only thread waits for the last batch to be sent.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("memlens-telemetry")
            .enable_all()
            .build()?;
        let entered = runtime.enter();
        let resource = self.resource(settings);
        let tracer_provider = self.tracer_provider(settings, resource.clone())?;
        let metrics = SdkMeterProvider::builder().with_resource(resource);
        let metrics = with_readers(metrics, settings)?;
        // A provider without a reader reports each of its instruments as an error.
        let has_reader = !settings.metrics.is_empty();
        #[cfg(feature = "prometheus")]
        let (metrics, scraped) = crate::scrape::serve(metrics, settings, &runtime)?;
        let exports_otlp = settings.traces.contains(&Target::Otlp);
        drop(entered);
        Ok(Running {
            tracer_provider,
            meter_provider: has_reader.then(|| metrics.build()),
            exports_otlp,
            #[cfg(feature = "prometheus")]
            scraped,
            runtime: Some(runtime),
        })
    }

    fn resource(&self, settings: &Settings) -> Resource {
        let resource = Resource::builder();
        match settings.has_service_name {
            true => resource.build(),
            false => resource
                .with_service_name(self.service_name.clone())
                .build(),
        }
    }

    fn tracer_provider(
        &self,
        settings: &Settings,
        resource: Resource,
    ) -> Result<SdkTracerProvider, Error> {
        let mut traces: TracerProviderBuilder =
            SdkTracerProvider::builder().with_resource(resource);
        for target in &settings.traces {
            traces = match target {
                Target::Otlp => {
                    traces.with_batch_exporter(exporters::spans(settings.traces_protocol)?)
                }
                Target::Console => {
                    traces.with_simple_exporter(opentelemetry_stdout::SpanExporter::default())
                }
                Target::Prometheus => traces,
            };
        }
        if let Some(tree) = &self.tree {
            traces = traces.with_span_processor(tree.clone());
        }
        Ok(traces.build())
    }
}

fn with_readers(
    mut metrics: MeterProviderBuilder,
    settings: &Settings,
) -> Result<MeterProviderBuilder, Error> {
    for target in &settings.metrics {
        metrics = match target {
            Target::Otlp => {
                metrics.with_periodic_exporter(exporters::metrics(settings.metrics_protocol)?)
            }
            Target::Console => {
                metrics.with_periodic_exporter(opentelemetry_stdout::MetricExporter::default())
            }
            Target::Prometheus => metrics,
        };
    }
    Ok(metrics)
}

fn propagator(settings: &Settings) -> TextMapCompositePropagator {
    let boxed = |it: &Propagator| -> Box<dyn TextMapPropagator + Send + Sync> {
        match it {
            Propagator::TraceContext => Box::new(TraceContextPropagator::new()),
            Propagator::Baggage => Box::new(BaggagePropagator::new()),
        }
    };
    TextMapCompositePropagator::new(settings.propagators.iter().map(boxed).collect())
}
