//! Every method of the client, in each way that it can end: it makes one span with the right name, kind,
//! attributes and status, and one count in each metric of calls; and nothing else.

use std::collections::BTreeSet;
use std::task::Poll;
use std::time::Duration;

use futures_util::poll;
use memlens::{Cas, Client, ErrorKind, Expiry, LruTuning};
use memlens_tests::telemetry::{Attributes, Recorder, attributes_of};
use memlens_tests::{EmbeddedNode, RefusingPort};
use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;

use super::methods::{METHODS, Method, Subject};
use super::{patient, traced};

const KEYS: [&str; 2] = ["number:1", "number:2"];
const MISSING: [&str; 2] = ["missing:1", "missing:2"];

/// Every metric there is.
const METRICS: [&str; 16] = [
    "db.client.connection.count",
    "db.client.connection.create_time",
    "db.client.connection.pending_requests",
    "db.client.connection.timeouts",
    "db.client.operation.duration",
    "memcached.client.calls",
    "memcached.client.ejections",
    "memcached.client.errors",
    "memcached.client.in_flight",
    "memcached.client.io",
    "memcached.client.latency",
    "memcached.client.lookups",
    "memcached.client.node.out",
    "memcached.client.node.up",
    "memcached.client.retries",
    "memcached.client.returns",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Hit,
    Miss,
    /// Nobody listens at the node's address.
    Failure,
    /// The caller drops it before the node has answered.
    Cancellation,
}

impl Ending {
    /// `status` and `error`.
    fn status(self, method: &Method) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Failure => ("error", Some("connection_refused")),
            Self::Cancellation => ("cancelled", Some("cancelled")),
            Self::Hit | Self::Miss => match method.refusal() {
                Some(code) => ("error", Some(code)),
                None => ("ok", None),
            },
        }
    }

    fn is_answered(self) -> bool {
        matches!(self, Self::Hit | Self::Miss)
    }
}

/// One method that was called on a client which nothing else was asked of.
struct Observed {
    address: std::net::SocketAddr,
    recorder: Recorder,
}

impl Observed {
    async fn call(method: &Method, ending: Ending) -> Self {
        let node = EmbeddedNode::with_arguments(&["-A"]);
        let cas = fill(&node.address().to_string()).await;
        let refusing = RefusingPort::take();
        let address = match ending {
            Ending::Failure => refusing.address(),
            _ => node.address(),
        };
        let recorder = Recorder::new();
        let client = traced(&recorder, &address.to_string()).await;
        let keys = match ending {
            Ending::Miss => MISSING,
            _ => KEYS,
        };
        let subject = Subject {
            node: client.nodes().remove(0),
            client,
            keys: keys.map(str::to_owned),
            value: "7".to_owned(),
            cas,
        };
        match ending {
            Ending::Hit | Ending::Miss | Ending::Failure => {
                (method.call)(&subject).await;
            }
            Ending::Cancellation => {
                node.node().pause();
                let mut work = (method.call)(&subject);
                let polled = poll!(&mut work);
                assert!(matches!(polled, Poll::Pending), "{}", method.name);
            }
        }
        Self { address, recorder }
    }
}

/// Stores what is to be found, unobserved, and tells the state of the first item.
async fn fill(server: &str) -> Cas {
    let plain = Client::with_config(patient(server)).await.unwrap();
    for key in KEYS {
        plain.set(key, 7, Expiry::Never).await.unwrap();
    }
    let found = plain.gets::<u64>(KEYS[0]).await.unwrap();
    found.expect("it was stored").1
}

fn expected_attributes(method: &Method, ending: Ending) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::from([
        "db.system.name",
        "db.operation.name",
        "server.address",
        "server.port",
    ]);
    if ending.is_answered() && !method.is_stream() {
        names.extend(["network.peer.address", "network.peer.port"]);
    }
    if method.is_of_many() {
        names.extend(["memcached.keys.count", "memcached.nodes.count"]);
        if method.span_name().starts_with("BATCH ") {
            names.insert("db.operation.batch.size");
        }
        if ending != Ending::Cancellation {
            names.insert("memcached.nodes.failed");
            if method.is_lookup() {
                names.insert("db.response.returned_rows");
            }
        }
    }
    match ending.status(method) {
        ("cancelled", _) => _ = names.insert("memcached.cancelled"),
        ("error", Some("SERVER_ERROR" | "ERROR")) => {
            names.extend(["error.type", "db.response.status_code"]);
        }
        ("error", _) => _ = names.insert("error.type"),
        _ if !method.is_of_many() => _ = names.insert("memcached.result"),
        _ => {}
    }
    if method.results[0] == "hit" && ending == Ending::Hit {
        names.insert("memcached.value.size");
    }
    names
}

fn assert_span(method: &Method, ending: Ending, observed: &Observed) {
    let span = observed.recorder.take_span();
    let told = format!("{} {ending:?}: {span:#?}", method.name);
    let address = observed.address;
    assert_eq!(span.name, format!("{} {address}", method.span_name()));
    assert_eq!(span.span_kind, SpanKind::Client);
    assert_eq!(span.events.len(), 0, "{told}");
    let status = match ending.status(method) {
        ("error", Some("SERVER_ERROR")) => {
            Status::error("the server could not carry out the request")
        }
        ("error", Some("ERROR")) => Status::error("the server doesn't know the command"),
        ("error", _) => Status::error("could not connect"),
        _ => Status::Unset,
    };
    assert_eq!(span.status, status, "{told}");

    let attributes = attributes_of(&span);
    let names: BTreeSet<&str> = attributes.keys().map(String::as_str).collect();
    assert_eq!(names, expected_attributes(method, ending), "{told}");
    assert!(attributes.values().all(|value| !value.is_empty()), "{told}");
    assert_ports_are_numbers(&span);
    for (name, value) in expected_values(method, ending, observed) {
        if let Some(told) = attributes.get(name) {
            assert_eq!(*told, value, "{} {ending:?}: {name}", method.name);
        }
    }
}

/// The values that these attributes have if they are there.
fn expected_values(
    method: &Method,
    ending: Ending,
    observed: &Observed,
) -> Vec<(&'static str, String)> {
    let (ip, port) = (observed.address.ip(), observed.address.port());
    let is_hit = ending == Ending::Hit;
    let (_, error) = ending.status(method);
    vec![
        ("db.system.name", "memcached".to_owned()),
        ("db.operation.name", method.span_name().to_owned()),
        ("server.address", ip.to_string()),
        ("server.port", port.to_string()),
        ("network.peer.address", ip.to_string()),
        ("network.peer.port", port.to_string()),
        ("memcached.keys.count", "2".to_owned()),
        ("memcached.nodes.count", "1".to_owned()),
        ("db.operation.batch.size", "2".to_owned()),
        (
            "memcached.nodes.failed",
            u8::from(ending == Ending::Failure).to_string(),
        ),
        (
            "db.response.returned_rows",
            if is_hit { "2" } else { "0" }.to_owned(),
        ),
        ("memcached.cancelled", "true".to_owned()),
        ("memcached.value.size", "1".to_owned()),
        (
            "memcached.result",
            method.results[usize::from(!is_hit)].to_owned(),
        ),
        ("error.type", error.unwrap_or_default().to_owned()),
        (
            "db.response.status_code",
            method.refusal().unwrap_or_default().to_owned(),
        ),
    ]
}

fn assert_ports_are_numbers(span: &SpanData) {
    let mut ports = span
        .attributes
        .iter()
        .filter(|it| it.key.as_str().ends_with(".port"));
    assert!(ports.all(|port| matches!(port.value, Value::I64(_))));
}

fn labels<const N: usize>(labels: [(&str, Option<&str>); N]) -> Attributes {
    let there = labels
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    there.collect()
}

fn assert_metrics(method: &Method, ending: Ending, observed: &Observed) {
    let metrics = observed.recorder.all_metrics();
    for name in metrics.keys() {
        assert!(METRICS.contains(&name.as_str()), "{name} is not documented");
    }
    let (status, error) = ending.status(method);
    let by_method = labels([
        ("method", Some(method.operation.as_str())),
        ("status", Some(status)),
        ("error", error),
    ]);
    let (ip, port) = (observed.address.ip(), observed.address.port());
    let by_node = labels([
        ("db.system.name", Some("memcached")),
        ("db.operation.name", Some(method.span_name())),
        ("server.address", Some(&ip.to_string())),
        ("server.port", Some(&port.to_string())),
        ("error.type", error),
        (
            "db.response.status_code",
            method.refusal().filter(|_| ending.is_answered()),
        ),
    ]);
    for (name, expected) in [
        ("memcached.client.calls", &by_method),
        ("memcached.client.latency", &by_method),
        ("db.client.operation.duration", &by_node),
    ] {
        let points = metrics.get(name).map_or(&[][..], Vec::as_slice);
        let told = format!("{} {ending:?}: {name} {points:?}", method.name);
        assert_eq!(points.len(), 1, "{told}");
        assert_eq!(points[0].attributes, *expected, "{told}");
        assert_eq!(points[0].value, 1.0, "{told}");
    }
    let lookups = |result| {
        let result = [("result", result)];
        observed.recorder.sum("memcached.client.lookups", &result)
    };
    let keys = match method.is_lookup() {
        true if method.is_of_many() => 2.0,
        true => 1.0,
        false => 0.0,
    };
    let expected = match ending {
        Ending::Hit => (keys, 0.0),
        Ending::Miss => (0.0, keys),
        Ending::Failure | Ending::Cancellation => (0.0, 0.0),
    };
    assert_eq!(
        (lookups("hit"), lookups("miss")),
        expected,
        "{}",
        method.name
    );
}

async fn each_method_ends_with(ending: Ending) {
    for method in METHODS {
        if ending == Ending::Miss && !method.is_on_keys() {
            continue;
        }
        let observed = Observed::call(method, ending).await;
        assert_span(method, ending, &observed);
        assert_metrics(method, ending, &observed);
    }
}

#[tokio::test]
async fn each_method_that_finds_its_keys() {
    each_method_ends_with(Ending::Hit).await;
}

#[tokio::test]
async fn each_method_that_finds_nothing_is_no_failure() {
    each_method_ends_with(Ending::Miss).await;
}

#[tokio::test]
async fn each_method_that_fails_says_so_in_fixed_words() {
    each_method_ends_with(Ending::Failure).await;
}

#[tokio::test]
async fn each_method_that_is_dropped_ends_as_cancelled() {
    each_method_ends_with(Ending::Cancellation).await;
}

#[tokio::test]
async fn a_cas_that_is_lost_is_no_failure() {
    let node = EmbeddedNode::start();
    let cas = fill(&node.address().to_string()).await;
    let recorder = Recorder::new();
    let client = traced(&recorder, &node.address().to_string()).await;
    client.set(KEYS[0], 8, Expiry::Never).await.unwrap();
    recorder.take_spans();
    drop(client.cas(KEYS[0], 9, Expiry::Never, cas).await);
    let span = recorder.take_span();
    assert_eq!(attributes_of(&span)["memcached.result"], "exists");
    assert_eq!(span.status, Status::Unset);
}

#[tokio::test]
async fn a_timeout_is_told_from_a_cancellation() {
    let node = EmbeddedNode::start();
    let recorder = Recorder::new();
    let client = traced(&recorder, &node.address().to_string()).await;
    node.node().pause();
    let hasty = client.with_timeout(Duration::from_millis(1));
    assert!(hasty.get::<u64>(KEYS[0]).await.unwrap_err().is_timeout());
    let span = recorder.take_span();
    assert_eq!(attributes_of(&span)["error.type"], "timeout");
    assert_eq!(span.status, Status::error("the operation timed out"));
}

/// Of which nothing is ever sent.
#[tokio::test]
async fn arguments_that_make_no_sense_are_a_failed_call() {
    let node = EmbeddedNode::start();
    let recorder = Recorder::new();
    let client = traced(&recorder, &node.address().to_string()).await;
    let node = client.nodes().remove(0);
    let tuning = LruTuning {
        percent_hot: 60,
        percent_warm: 60,
        max_hot_age_factor: 1.0,
        max_warm_age_factor: 1.0,
    };
    let ages = LruTuning {
        percent_hot: 6,
        max_hot_age_factor: 0.0,
        ..tuning
    };
    let year = Duration::from_secs(366 * 86_400);
    let refused = [
        node.lru_crawler_sleep(year).await.err(),
        node.lru_tune(tuning).await.err(),
        node.lru_tune(ages).await.err(),
        node.slabs_automove(3).await.err(),
        node.flush_all_after(year).await.err(),
        node.stats_with("a\r\nb").await.err(),
        node.watch(&[]).await.err(),
    ];
    for error in refused {
        let error = error.expect("it is refused");
        assert_eq!(
            (error.kind(), error.was_sent()),
            (ErrorKind::InvalidInput, false)
        );
    }
    let spans = recorder.take_spans();
    let names = spans.iter().map(|span| span.name.split(' ').next());
    let names: Vec<&str> = names.flatten().collect();
    let expected = [
        "lru_crawler",
        "lru",
        "lru",
        "slabs",
        "flush_all",
        "stats",
        "watch",
    ];
    assert_eq!(names, expected);
    assert!(
        spans
            .iter()
            .all(|it| it.status == Status::error("another error"))
    );
    assert_eq!(recorder.metric("memcached.client.errors"), []);
    let failed = recorder.sum("memcached.client.calls", &[("status", "error")]);
    assert_eq!(failed, 7.0);
}
