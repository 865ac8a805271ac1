//! Spans, metrics and statistics of the traced client.

use std::time::Duration;

use memlens::{Config, TracedClient, TracedClientBuilder};
use memlens_tests::telemetry::Recorder;

mod back_end;
mod collector;
mod failures;
mod guard;
mod many;
mod methods;
mod metrics;
mod parents;
mod parity;
mod privacy;
mod secrets;
mod statistics;
mod switches;

/// Deadlines that only a server that does not answer lets pass.
fn patient(servers: &str) -> Config {
    let mut config: Config = servers.parse().expect("servers that can be parsed");
    config.operation_timeout = Duration::from_secs(30);
    config.connect_timeout = Duration::from_secs(30);
    config
}

async fn traced(recorder: &Recorder, servers: &str) -> TracedClient {
    built(recorder, TracedClient::builder(), servers).await
}

async fn built(recorder: &Recorder, builder: TracedClientBuilder, servers: &str) -> TracedClient {
    builder
        .telemetry(recorder.telemetry())
        .with_config(patient(servers))
        .await
        .expect("the configuration is valid")
}
