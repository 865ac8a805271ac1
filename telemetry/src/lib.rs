//! OpenTelemetry for an application, in one line.
//!
//! ```no_run
//! # fn main() -> Result<(), memlens_telemetry::Error> {
//! let _guard = memlens_telemetry::init("checkout")?;
//! // Spans of `tracing` and of memlens, and metrics, go to the OTLP endpoint from here on.
//! # Ok(())
//! # }
//! ```
//!
//! It makes the providers of the OpenTelemetry SDK, sets them as the global ones, and installs a
//! subscriber for `tracing` whose spans are OpenTelemetry spans. A `memlens::TracedClient` that is
//! made afterwards sends its telemetry there, and its spans are children of the application's
//! `tracing` spans. Keep the guard until the end of the program: when it is dropped, it sends what
//! is left.
//!
//! # Environment variables
//!
//! | variable | meaning |
//! |---|---|
//! | `OTEL_SDK_DISABLED` | `true`: no telemetry at all; logs are still written |
//! | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | who the telemetry is from; the name given to [`init`] is the default |
//! | `OTEL_TRACES_EXPORTER` | `otlp` (default), `console`, `none`; several separated by commas |
//! | `OTEL_METRICS_EXPORTER` | the same, and `prometheus` with that feature |
//! | `OTEL_PROPAGATORS` | `tracecontext`, `baggage`, `none`; default both |
//! | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | which traces are sampled; default all |
//! | `OTEL_EXPORTER_OTLP_PROTOCOL` | `http/protobuf` (default) or `grpc`; also for one signal, as all that follow |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | default `http://localhost:4318`, for gRPC `http://localhost:4317` |
//! | `OTEL_EXPORTER_OTLP_HEADERS`, `_TIMEOUT` | as the specification says |
//! | `OTEL_BSP_*`, `OTEL_METRIC_EXPORT_INTERVAL` | batches of spans; how often metrics are sent, 60 s by default |
//! | `OTEL_EXPORTER_PROMETHEUS_HOST`, `_PORT` | where Prometheus scrapes; default `localhost:9464` |
//! | `RUST_LOG` | what is logged to standard error; default `info` |
//!
//! What a variable asks for and this crate can't do is an [`Error`] of [`init`], except for unknown
//! propagators, which the specification wants ignored with a warning.
//!
//! # Behaviour
//!
//! - Exporting happens on threads of its own. A back end that is slow, down or refuses costs the
//!   application nothing but the telemetry: batches are bounded, and what does not fit is dropped.
//! - [`init`] and the guard work inside and outside of async code, on every flavour of tokio's
//!   runtime: the connections of exporters live on a runtime of their own, which the application
//!   can't block.
//! - Spans and logs of the exporters' own connections are left out of the traces.

mod builder;
mod error;
mod exporters;
mod guard;
#[cfg(feature = "prometheus")]
mod scrape;
mod settings;
mod subscriber;
mod tree;

pub use builder::Builder;
pub use error::Error;
pub use guard::Guard;
pub use tree::SpanTree;

/// Starts telemetry as the environment says, for the service of this name.
///
/// # Errors
/// [`Error`] when the environment asks for what can't be done, or `tracing` has a global subscriber
/// already; see [`Builder::without_subscriber`] for that.
pub fn init(service_name: &str) -> Result<Guard, Error> {
    builder(service_name).init()
}

/// As [`init`], with choices that environment variables don't offer.
pub fn builder(service_name: &str) -> Builder {
    Builder::new(service_name)
}
