//! A web server with a cache aside: it looks for the answer in the cache, else computes it and stores it
//! for a minute.
//!
//!     cargo run -p memlens-examples --example web
//!     curl 'http://127.0.0.1:8080/primes?from=1&to=100000'
//!
//! Nothing has to be installed: without `--servers`, a node runs inside the process. The trace of a
//! request goes from the HTTP request, of which it may be the caller's, to the cache's operations; it is
//! sent to the OTLP endpoint of the OTEL_* variables, or of this machine, if somebody listens there. With
//! OTEL_METRICS_EXPORTER=prometheus, the metrics can be scraped at http://localhost:9464/metrics.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Router, serve};
use blake2::{Blake2s256, Digest as _};
use clap::Parser;
use memlens::{MAX_KEY_LENGTH, TracedClient as Client};
use memlens_node::Node;
use opentelemetry::global;
use opentelemetry_http::HeaderExtractor;
use serde::Deserialize;
use tokio::net::TcpListener;
use tracing::{Instrument as _, field, info, info_span, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Primes by HTTP, with a cache aside.
#[derive(Debug, Parser)]
struct Arguments {
    /// The servers, like `cache-01:11211,cache-02:11211`. An embedded node without it.
    #[arg(long)]
    servers: Option<String>,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// How long an answer stays in the cache.
const KEEP: Duration = Duration::from_secs(60);

/// How long to wait for a collector to take a connection.
const PATIENCE: Duration = Duration::from_millis(300);

/// Up to where primes are counted: half a second's work.
const LARGEST: u32 = 2_000_000;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let telemetry = memlens_telemetry::builder("web")
        .otlp_if_listening(PATIENCE)
        .init()?;
    let (servers, node) = match arguments.servers {
        Some(servers) => (servers, None),
        None => {
            let node = Node::builder().start().await?;
            (node.addr().to_string(), Some(node))
        }
    };
    let client = Client::connect(&servers).await?;
    let listener = TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    println!("try http://{address}/primes?from=1&to=100000, and Ctrl-C to end");
    serve(listener, application(client.clone()))
        .with_graceful_shutdown(interrupted())
        .await?;

    client.close().await;
    drop(node);
    telemetry.shutdown()?;
    Ok(())
}

async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        warn!(%error, "can't wait for Ctrl-C");
        std::future::pending::<()>().await;
    }
}

fn application(client: Client) -> Router {
    Router::new()
        .route("/primes", get(primes))
        .layer(middleware::from_fn(traced))
        .with_state(client)
}

/// Makes a span of a request, and the caller's span its parent if the request names one.
async fn traced(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    let span = info_span!(
        "request",
        otel.name = format!("{method} {route}").trim_end(),
        otel.kind = "server",
        http.request.method = %method,
        http.route = route,
        url.path = request.uri().path(),
        http.response.status_code = field::Empty,
    );
    let caller = global::get_text_map_propagator(|propagator| {
        propagator.extract(&HeaderExtractor(request.headers()))
    });
    // It fails where nobody wants spans: then there is nothing to have a parent.
    let _ = span.set_parent(caller);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    response
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Range {
    from: u32,
    to: u32,
}

/// How many primes there are in a range, from the cache or else computed and stored there.
async fn primes(
    State(client): State<Client>,
    uri: Uri,
    Query(range): Query<Range>,
) -> Result<Response, (StatusCode, String)> {
    if range.to > LARGEST {
        let refusal = format!("to: not above {LARGEST}\n");
        return Err((StatusCode::BAD_REQUEST, refusal));
    }
    let began = Instant::now();
    let key = key(uri.path(), uri.query().unwrap_or_default());
    let cached = lookup(&client, &key).await;
    let is_hit = cached.is_some();
    let count = match cached {
        Some(count) => count,
        None => {
            let count = compute(range).await?;
            store(&client, &key, count).await;
            count
        }
    };
    let cache = if is_hit { "hit" } else { "miss" };
    let latency_us = began.elapsed().as_micros() as u64;
    info!(cache, latency_us, "counted primes");
    let answer = (
        [(header::HeaderName::from_static("x-cache"), cache)],
        format!("{count}\n"),
    );
    Ok(answer.into_response())
}

/// What is in the cache. A cache that fails is as good as one that has nothing, but slower.
async fn lookup(client: &Client, key: &str) -> Option<u64> {
    client.get(key).await.unwrap_or_else(|error| {
        warn!(%error, "could not look into the cache");
        None
    })
}

async fn store(client: &Client, key: &str, count: u64) {
    if let Err(error) = client.set(key, count, KEEP).await {
        warn!(%error, "could not store into the cache");
    }
}

/// On a thread where it keeps no request waiting.
async fn compute(range: Range) -> Result<u64, (StatusCode, String)> {
    let span = info_span!("compute", range.from, range.to);
    let counting = move || span.in_scope(|| count_primes(range));
    tokio::task::spawn_blocking(counting)
        .await
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")))
}

fn count_primes(range: Range) -> u64 {
    let is_prime = |number: u32| {
        let mut divisors = (2..).take_while(|divisor| divisor * divisor <= number);
        number > 1 && divisors.all(|divisor| !number.is_multiple_of(divisor))
    };
    let primes = (range.from..=range.to).filter(|number| is_prime(*number));
    primes.count() as u64
}

/// The key of an answer: the path and its arguments, in an order that does not depend on the caller.
///
/// memcached takes at most 250 bytes. Of what is longer only the beginning is kept, for people who look
/// at keys; what tells it from others is a hash of all of it, of a kind for which nobody can make two
/// inputs that collide.
fn key(path: &str, query: &str) -> String {
    let mut arguments: Vec<&str> = query.split('&').filter(|it| !it.is_empty()).collect();
    arguments.sort_unstable();
    let key = format!("{path}?{}", arguments.join("&"));
    if key.len() <= MAX_KEY_LENGTH {
        return key;
    }
    let mut short: String = key.chars().take_while(char::is_ascii).take(150).collect();
    short.push('#');
    for byte in Blake2s256::digest(key.as_bytes()) {
        short.push_str(&format!("{byte:02x}"));
    }
    short
}

#[cfg(test)]
mod tests {
    use memlens_telemetry::SpanTree;
    use opentelemetry::trace::{SpanId, SpanKind, TraceId};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    async fn ask(address: SocketAddr, target: &str, more: &str) -> Result<String> {
        let mut stream = TcpStream::connect(address).await?;
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        Ok(response)
    }

    async fn start() -> Result<(SocketAddr, Client, Node)> {
        let node = Node::builder().start().await?;
        let client = Client::connect(&node.addr().to_string()).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let application = application(client.clone());
        tokio::spawn(async move { serve(listener, application).await });
        Ok((address, client, node))
    }

    #[tokio::test]
    async fn the_second_request_is_a_hit_in_the_callers_trace() -> Result<()> {
        const CALLER: &str =
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
        let tree = SpanTree::new();
        let _telemetry = memlens_telemetry::builder("web")
            .span_tree(&tree)
            .otlp_if_listening(PATIENCE)
            .init()?;
        let (address, _client, _node) = start().await?;
        let first = ask(address, "/primes?from=1&to=100", CALLER).await?;
        assert!(
            first.contains("x-cache: miss") && first.ends_with("\r\n25\n"),
            "{first}"
        );
        let second = ask(address, "/primes?to=100&from=1", CALLER).await?;
        assert!(
            second.contains("x-cache: hit") && second.ends_with("\r\n25\n"),
            "{second}"
        );

        // Those of other tests are other traces.
        let trace = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c")?;
        let mut spans = tree.spans();
        spans.retain(|span| span.span_context.trace_id() == trace);
        let requests: Vec<_> = spans
            .iter()
            .filter(|span| span.name == "GET /primes")
            .collect();
        assert_eq!(requests.len(), 2, "{tree}");
        for request in &requests {
            assert_eq!(request.span_kind, SpanKind::Server);
            assert_eq!(
                request.parent_span_id,
                SpanId::from_hex("b7ad6b7169203331")?
            );
        }
        let children = |of: SpanId| {
            let mut children: Vec<&str> = spans
                .iter()
                .filter(|span| span.parent_span_id == of)
                .map(|span| span.name.split(' ').next().unwrap_or_default())
                .collect();
            children.sort_unstable();
            children
        };
        assert_eq!(
            children(requests[0].span_context.span_id()),
            ["compute", "get", "set"]
        );
        assert_eq!(children(requests[1].span_context.span_id()), ["get"]);
        Ok(())
    }

    #[tokio::test]
    async fn a_cache_that_is_down_costs_only_time() -> Result<()> {
        let (address, client, node) = start().await?;
        drop(node);
        client.close().await;
        let response = ask(address, "/primes?from=1&to=10", "").await?;
        assert!(
            response.contains("x-cache: miss") && response.ends_with("\r\n4\n"),
            "{response}"
        );
        Ok(())
    }

    #[tokio::test]
    async fn nonsense_is_refused() -> Result<()> {
        let (address, _client, _node) = start().await?;
        for target in [
            "/primes?from=1",
            "/primes?from=1&to=x",
            "/primes?from=1&to=2000001",
        ] {
            let response = ask(address, target, "").await?;
            assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
        }
        Ok(())
    }

    #[test]
    fn keys_do_not_depend_on_the_order_and_are_never_too_long() {
        assert_eq!(key("/primes", "to=9&from=1"), "/primes?from=1&to=9");
        assert_eq!(
            key("/primes", "from=1&to=9"),
            key("/primes", "to=9&&from=1")
        );
        let long = |last: &str| key("/primes", &format!("from={}{last}", "0".repeat(300)));
        assert!(long("1").len() <= MAX_KEY_LENGTH);
        assert_eq!(long("1"), long("1"));
        assert_ne!(long("1"), long("2"));
    }

    #[test]
    fn primes_are_counted() {
        for (from, to, count) in [(0, 1, 0), (2, 2, 1), (1, 100, 25), (9, 3, 0)] {
            assert_eq!(count_primes(Range { from, to }), count, "{from} to {to}");
        }
    }
}
