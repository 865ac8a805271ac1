//! A back end that stands still holds no operation up: not when its queues are full either.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use memlens::{Telemetry, TracedClient};
use memlens_tests::EmbeddedNode;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

/// An exporter that says when it is asked to export, and then does not return until its other end lets go.
#[derive(Debug)]
struct Stuck {
    asked: Sender<()>,
    released: Arc<Mutex<Receiver<()>>>,
}

/// What the exporter tells, and what holds it.
struct Grip {
    asked: Receiver<()>,
    release: Sender<()>,
}

fn stuck() -> (Stuck, Grip) {
    let (asked, is_asked) = channel();
    let (release, released) = channel();
    let exporter = Stuck {
        asked,
        released: Arc::new(Mutex::new(released)),
    };
    let grip = Grip {
        asked: is_asked,
        release,
    };
    (exporter, grip)
}

impl Stuck {
    fn wait(&self) -> OTelSdkResult {
        // The test may be over.
        let _ = self.asked.send(());
        let _ = self.released.lock().unwrap().recv();
        Ok(())
    }
}

impl SpanExporter for Stuck {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        self.wait()
    }
}

impl PushMetricExporter for Stuck {
    async fn export(&self, _: &ResourceMetrics) -> OTelSdkResult {
        self.wait()
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

/// As many spans as a batch processor keeps, and more.
const MANY: usize = 5000;

#[tokio::test]
async fn operations_go_on_while_an_export_hangs() {
    let node = EmbeddedNode::start();
    let (spans, spans_grip) = stuck();
    let (metrics, metrics_grip) = stuck();
    let tracer_provider = SdkTracerProvider::builder()
        .with_batch_exporter(spans)
        .build();
    let meter_provider = SdkMeterProvider::builder()
        .with_reader(PeriodicReader::builder(metrics).build())
        .build();
    let client = TracedClient::builder()
        .telemetry(Telemetry::new(
            tracer_provider.clone(),
            meter_provider.clone(),
        ))
        .with_config(super::patient(&node.address().to_string()))
        .await
        .unwrap();
    let get = async || assert_eq!(client.get::<String>("key").await.unwrap(), None);

    get().await;
    let flushing = thread::spawn({
        let meter_provider = meter_provider.clone();
        move || meter_provider.force_flush()
    });
    metrics_grip.asked.recv().unwrap();
    // The first full batch is what it hangs with.
    while spans_grip.asked.try_recv().is_err() {
        get().await;
    }
    for _ in 0..MANY {
        get().await;
    }

    drop((spans_grip.release, metrics_grip.release));
    flushing.join().unwrap().unwrap();
    tracer_provider.shutdown().unwrap();
    meter_provider.shutdown().unwrap();
}
