//! Where telemetry goes: a tracer, and the instruments of a meter.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::global::{self, BoxedTracer, ObjectSafeTracerProvider};
use opentelemetry::metrics::{Histogram, Meter, MeterProvider};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue};

use super::fleet::Fleet;
use super::labels::shared;

/// In seconds. The conventions advise buckets from 1 ms on; every cache hit would fall into the
/// first.
const DURATION_BUCKETS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0,
];

/// In seconds: what the semantic conventions advise for `db.client.operation.duration`.
const CONVENTIONAL_BUCKETS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// In milliseconds.
const LATENCY_BUCKETS: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 40.0, 50.0, 75.0, 100.0, 200.0, 400.0, 600.0,
    800.0, 1000.0, 2000.0, 4000.0, 6000.0, 10_000.0, 20_000.0,
];

type SharedMeterProvider = Arc<dyn MeterProvider + Send + Sync>;

/// Where a [`TracedClient`](crate::TracedClient) sends its spans and metrics.
///
/// Without one, a client takes the application's global providers as they are at the moment it is
/// made. Set those first: a client that was made before them stays silent until it is
/// [bound anew](crate::TracedClient::rebind).
///
/// Cloning it is cheap. Clients that share a meter provider must get clones of one `Telemetry`:
/// then their counts are added up, where otherwise they would overwrite each other.
#[derive(Clone)]
pub struct Telemetry {
    tracer: Source,
    meter_provider: SharedMeterProvider,
    has_conventional_buckets: bool,
}

#[derive(Clone)]
enum Source {
    Global(global::GlobalTracerProvider),
    Own(Arc<dyn ObjectSafeTracerProvider + Send + Sync>),
}

impl Telemetry {
    /// The application's global providers, as they are now.
    #[must_use]
    pub fn global() -> Self {
        Self {
            tracer: Source::Global(global::tracer_provider()),
            meter_provider: global::meter_provider(),
            has_conventional_buckets: false,
        }
    }

    /// These providers.
    ///
    /// ```
    /// # fn example<T, M>(tracer_provider: T, meter_provider: M) -> memlens::Telemetry
    /// # where
    /// #     T: opentelemetry::global::ObjectSafeTracerProvider + Send + Sync + 'static,
    /// #     M: opentelemetry::metrics::MeterProvider + Send + Sync + 'static,
    /// # {
    /// // Of the OpenTelemetry SDK: an `SdkTracerProvider` and an `SdkMeterProvider`.
    /// memlens::Telemetry::new(tracer_provider, meter_provider)
    /// # }
    /// ```
    pub fn new(
        tracer_provider: impl ObjectSafeTracerProvider + Send + Sync + 'static,
        meter_provider: impl MeterProvider + Send + Sync + 'static,
    ) -> Self {
        Self {
            tracer: Source::Own(Arc::new(tracer_provider)),
            meter_provider: Arc::new(meter_provider),
            has_conventional_buckets: false,
        }
    }

    /// Takes the buckets for `db.client.operation.duration` that the semantic conventions advise,
    /// from 1 ms to 10 s, in place of those from 50 µs to 10 s.
    #[must_use]
    pub fn conventional_buckets(self) -> Self {
        Self {
            has_conventional_buckets: true,
            ..self
        }
    }

    pub(super) fn into_providers(self) -> Arc<Providers> {
        let scope = || {
            InstrumentationScope::builder("memlens")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build()
        };
        let tracer = match &self.tracer {
            Source::Global(provider) => provider.tracer_with_scope(scope()),
            Source::Own(provider) => BoxedTracer::new(provider.boxed_tracer(scope())),
        };
        let meter = self.meter_provider.meter_with_scope(scope());
        let buckets = match self.has_conventional_buckets {
            true => CONVENTIONAL_BUCKETS,
            false => DURATION_BUCKETS,
        };
        Arc::new(Providers {
            tracer,
            duration: histogram(
                &meter,
                "db.client.operation.duration",
                "s",
                "Duration of memcached operations.",
                buckets,
            ),
            latency: histogram(
                &meter,
                "memcached.client.latency",
                "ms",
                "Latency of the client's calls, by method, status and error.",
                LATENCY_BUCKETS,
            ),
            create_time: histogram(
                &meter,
                "db.client.connection.create_time",
                "s",
                "The time it took to create a new connection.",
                buckets,
            ),
            fleet: Fleet::of(&self.meter_provider, &meter),
        })
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

fn histogram(
    meter: &Meter,
    name: &'static str,
    unit: &'static str,
    description: &'static str,
    buckets: &[f64],
) -> Histogram<f64> {
    meter
        .f64_histogram(name)
        .with_unit(unit)
        .with_description(description)
        .with_boundaries(buckets.to_vec())
        .build()
}

/// The tracer and instruments that operations record with.
pub(super) struct Providers {
    pub(super) tracer: BoxedTracer,
    pub(super) duration: Histogram<f64>,
    pub(super) latency: Histogram<f64>,
    create_time: Histogram<f64>,
    pub(super) fleet: Arc<Fleet>,
}

impl Providers {
    pub(super) fn connection_created(&self, node: &Arc<str>, took: Duration) {
        let pool = KeyValue::new("db.client.connection.pool.name", shared(node));
        self.create_time.record(took.as_secs_f64(), &[pool]);
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers").finish_non_exhaustive()
    }
}
