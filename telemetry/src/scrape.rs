//! A page that Prometheus scrapes.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use opentelemetry_sdk::metrics::MeterProviderBuilder;
use prometheus::{Encoder as _, Registry, TextEncoder};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::Error;
use crate::settings::{Settings, Target};

#[derive(Debug)]
pub(crate) struct Scraped {
    address: SocketAddr,
}

impl Scraped {
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves the metrics as `GET /metrics`, if the settings ask for it.
pub(crate) fn serve(
    metrics: MeterProviderBuilder,
    settings: &Settings,
    runtime: &Runtime,
) -> Result<(MeterProviderBuilder, Option<Scraped>), Error> {
    if !settings.metrics.contains(&Target::Prometheus) {
        return Ok((metrics, None));
    }
    let registry = Registry::new();
    let reader = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .build()
        .map_err(|error| Error::Exporter(error.into()))?;
    let (host, port) = &settings.prometheus_address;
    let listener = std::net::TcpListener::bind((host.as_str(), *port))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let listener = TcpListener::from_std(listener)?;
    runtime.spawn(accept(listener, registry));
    Ok((metrics.with_reader(reader), Some(Scraped { address })))
}

async fn accept(listener: TcpListener, registry: Registry) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let registry = registry.clone();
        let answer = service_fn(move |request| {
            let response = respond(&request, &registry);
            async move { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new();
            if let Err(error) = connection
                .serve_connection(TokioIo::new(stream), answer)
                .await
            {
                tracing::debug!(%error, "a connection of a scraper broke");
            }
        });
    }
}

fn respond(request: &Request<Incoming>, registry: &Registry) -> Response<Full<Bytes>> {
    let (status, kind, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => match encode(registry) {
            Ok(body) => (StatusCode::OK, prometheus::TEXT_FORMAT, body),
            Err(error) => {
                let body = error.to_string().into_bytes();
                (StatusCode::INTERNAL_SERVER_ERROR, "text/plain", body)
            }
        },
        _ => (
            StatusCode::NOT_FOUND,
            "text/plain",
            b"see /metrics\n".to_vec(),
        ),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn encode(registry: &Registry) -> prometheus::Result<Vec<u8>> {
    let mut body = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut body)?;
    Ok(body)
}
