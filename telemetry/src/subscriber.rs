//! The global subscriber of `tracing`: logs to standard error, and spans for OpenTelemetry.

use std::io::{self, IsTerminal as _};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use crate::Error;

/// What exporters themselves are made of: traced, each export would make more to export.
const OF_EXPORTERS: &[&str] = &[
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "reqwest",
    "tonic",
    "tower",
];

/// What is logged where `RUST_LOG` says nothing.
const DEFAULT_LOGS: &str = "info,opentelemetry=warn";

pub(crate) fn install(provider: Option<&SdkTracerProvider>) -> Result<(), Error> {
    let wanted = std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let wanted = wanted.filter(|wanted| !wanted.trim().is_empty());
    let filter = EnvFilter::new(wanted.as_deref().unwrap_or(DEFAULT_LOGS));
    let logs = fmt::layer()
        .compact()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_filter(filter);
    let spans = provider.map(|provider| {
        let own = OF_EXPORTERS.iter().map(|name| (*name, LevelFilter::OFF));
        let wanted = Targets::new()
            .with_default(LevelFilter::INFO)
            .with_targets(own);
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("tracing"))
            .with_filter(wanted)
    });
    tracing_subscriber::registry()
        .with(spans)
        .with(logs)
        .try_init()
        .map_err(|error| Error::Subscriber(error.into()))
}
