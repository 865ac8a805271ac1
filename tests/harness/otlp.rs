//! A receiver for OTLP, over gRPC and over HTTP with protobuf, both on one port.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tonic::body::Body;
use tonic::codegen::Service as _;

/// How a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Takes everything.
    Accept,
    /// Refuses everything.
    Refuse,
    /// Takes connections and requests, and never answers.
    Stall,
}

#[derive(Debug, Default)]
struct Received {
    traces: Vec<ExportTraceServiceRequest>,
    metrics: Vec<ExportMetricsServiceRequest>,
    requests: usize,
}

/// A receiver on a runtime of its own; it stops when dropped.
#[derive(Debug)]
pub struct OtlpReceiver {
    address: SocketAddr,
    received: Arc<Mutex<Received>>,
    runtime: Option<Runtime>,
}

impl OtlpReceiver {
    /// Starts one on a free port.
    pub fn start() -> Self {
        Self::with_manner(Manner::Accept)
    }

    /// Starts one that answers like this.
    pub fn with_manner(manner: Manner) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a socket of tokio's");
        let address = listener.local_addr().expect("it is bound");
        let received = Arc::new(Mutex::new(Received::default()));
        let collector = Collector {
            received: Arc::clone(&received),
            manner,
        };
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a socket of tokio's");
            while let Ok((stream, _)) = listener.accept().await {
                let collector = collector.clone();
                let service = service_fn(move |request| collector.clone().answer(request));
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    // A client that goes away is no failure of the receiver.
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self {
            address,
            received,
            runtime: Some(runtime),
        }
    }

    /// Where it listens, as `OTEL_EXPORTER_OTLP_ENDPOINT` wants it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    fn lock(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.lock().requests
    }

    /// Everything that was received, as text.
    pub fn everything(&self) -> String {
        format!("{:?}", self.lock())
    }

    /// Every span, with the attributes of its resource.
    pub fn spans(&self) -> Vec<(BTreeMap<String, String>, Span)> {
        let mut spans = Vec::new();
        for request in &self.lock().traces {
            for resource_spans in &request.resource_spans {
                let resource = resource_spans.resource.as_ref();
                let resource = attributes(resource.map_or(&[], |it| &it.attributes));
                let scopes = resource_spans.scope_spans.iter();
                let all = scopes.flat_map(|scope| scope.spans.iter().cloned());
                spans.extend(all.map(|span| (resource.clone(), span)));
            }
        }
        spans
    }

    /// Every metric, as often as it was sent.
    pub fn metrics(&self) -> Vec<Metric> {
        let received = self.lock();
        let resources = received.metrics.iter().flat_map(|it| &it.resource_metrics);
        let scopes = resources.flat_map(|it| &it.scope_metrics);
        scopes.flat_map(|it| it.metrics.iter().cloned()).collect()
    }
}

impl Drop for OtlpReceiver {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Attributes by name, their values as text with their type in front, like `int 7`.
pub fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => format!("string {text}"),
        Value::IntValue(number) => format!("int {number}"),
        Value::BoolValue(truth) => format!("bool {truth}"),
        other => format!("{other:?}"),
    };
    let attributes = attributes.iter().map(|attribute| {
        let value = attribute.value.as_ref().and_then(|it| it.value.as_ref());
        (attribute.key.clone(), value.map(text).unwrap_or_default())
    });
    attributes.collect()
}

#[derive(Clone)]
struct Collector {
    received: Arc<Mutex<Received>>,
    manner: Manner,
}

impl Collector {
    fn lock(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        self.lock().requests += 1;
        match self.manner {
            Manner::Accept => {}
            Manner::Refuse => return Ok(plain(StatusCode::BAD_REQUEST, Vec::new())),
            Manner::Stall => std::future::pending().await,
        }
        let kind = request.headers().get(CONTENT_TYPE);
        let is_grpc = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        let path = request.uri().path().to_owned();
        match (is_grpc, path.as_str()) {
            (true, path) if path.contains("TraceService") => {
                TraceServiceServer::new(self).call(request).await
            }
            (true, _) => MetricsServiceServer::new(self).call(request).await,
            (false, path) => {
                let path = path.to_owned();
                Ok(self.take(&path, request).await)
            }
        }
    }

    async fn take(self, path: &str, request: Request<Incoming>) -> Response<Body> {
        let Ok(body) = request.into_body().collect().await else {
            return plain(StatusCode::BAD_REQUEST, Vec::new());
        };
        let body = body.to_bytes();
        match path {
            "/v1/traces" => match ExportTraceServiceRequest::decode(body) {
                Ok(request) => self.lock().traces.push(request),
                Err(error) => return plain(StatusCode::BAD_REQUEST, error.to_string().into()),
            },
            "/v1/metrics" => match ExportMetricsServiceRequest::decode(body) {
                Ok(request) => self.lock().metrics.push(request),
                Err(error) => return plain(StatusCode::BAD_REQUEST, error.to_string().into()),
            },
            _ => return plain(StatusCode::NOT_FOUND, Vec::new()),
        }
        plain(StatusCode::OK, Vec::new())
    }
}

fn plain(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    response
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        self.lock().traces.push(request.into_inner());
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportMetricsServiceRequest>,
    ) -> Result<tonic::Response<ExportMetricsServiceResponse>, tonic::Status> {
        self.lock().metrics.push(request.into_inner());
        Ok(tonic::Response::new(ExportMetricsServiceResponse::default()))
    }
}
