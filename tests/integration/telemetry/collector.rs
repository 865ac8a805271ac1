//! The whole way: a program that sets telemetry up by `memlens-telemetry` and exports to a collector.
//!
//! Each program runs as a process of its own, because environment variables and the global providers
//! belong to a process.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use memlens_tests::RefusingPort;
use memlens_tests::otlp::{Manner, OtlpReceiver, attributes};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

/// The example, built by the cargo that builds these tests.
fn fibonacci() -> Command {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            // With the features of everything, as these tests are built: with others, cargo would
            // compile all dependencies anew.
            .args(["build", "--workspace", "--all-features"])
            .args(["--example", "fibonacci"])
            .args(["--message-format", "json-render-diagnostics"])
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        let text = String::from_utf8(built.stdout).expect("JSON is UTF-8");
        let messages = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let executable = messages
            .filter(|message: &serde_json::Value| message["target"]["name"] == "fibonacci")
            .find_map(|message| message["executable"].as_str().map(PathBuf::from));
        executable.expect("cargo tells where the program is")
    });
    let mut command = Command::new(path);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG");
    command
}

fn run(mut command: Command) -> (Output, String) {
    let output = command.output().expect("it starts");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    (output, stdout)
}

const PRINTED: &str = "\
Fibonacci 30 ==> 2178309
Fibonacci 30 ==> 2178309
Fibonacci 33 ==> 9227465
Fibonacci 33 ==> 9227465
";

/// Each span's path from the root, with events behind it, in order of their beginning.
fn paths(spans: &[Span]) -> Vec<String> {
    let by_id: BTreeMap<&[u8], &Span> = spans.iter().map(|span| (&*span.span_id, span)).collect();
    let mut spans: Vec<&Span> = spans.iter().collect();
    spans.sort_by_key(|span| span.start_time_unix_nano);
    let path = |span: &&Span| {
        let mut names = vec![name(span)];
        let mut current = *span;
        while let Some(parent) = by_id.get(&*current.parent_span_id) {
            names.insert(0, name(parent));
            current = parent;
        }
        assert!(current.parent_span_id.is_empty(), "every parent was sent");
        let mut path = names.join("/");
        for event in &span.events {
            path = format!("{path} ({})", event.name);
        }
        path
    };
    spans.iter().map(path).collect()
}

/// The name without the node, whose port is another each time.
fn name(span: &Span) -> String {
    span.name.split(' ').next().unwrap_or_default().to_owned()
}

fn expected_paths() -> Vec<String> {
    let mut paths = vec!["MemcachedUsage".to_owned()];
    for number in [30, 33] {
        let calculation = format!("MemcachedUsage/CalculateFibonacci-{number}");
        paths.push(calculation.clone());
        for (round, event, steps) in [
            (1, "Cache miss", &["serialize", "get", "Fib", "set"][..]),
            (2, "Cache hit", &["serialize", "get", "try-deserialize"]),
        ] {
            let round = format!("{calculation}/Round-{round}");
            paths.push(round.clone());
            let nth = format!("{round}/nth_fibonacci");
            paths.push(format!("{nth} ({event})"));
            paths.extend(steps.iter().map(|step| format!("{nth}/{step}")));
        }
    }
    paths.extend([
        "MemcachedUsage/delete".to_owned(),
        "MemcachedUsage/delete".to_owned(),
    ]);
    paths
}

fn assert_whole(receiver: &OtlpReceiver) {
    let received = receiver.spans();
    for (resource, _) in &received {
        assert_eq!(resource["service.name"], "string fibonacci");
    }
    let spans: Vec<Span> = received.into_iter().map(|(_, span)| span).collect();
    assert_eq!(paths(&spans), expected_paths());
    let is_clients = |span: &&Span| ["get", "set", "delete"].contains(&name(span).as_str());
    for span in spans.iter().filter(is_clients) {
        assert_eq!(span.kind, SpanKind::Client as i32);
        let attributes = attributes(&span.attributes);
        assert_eq!(attributes["db.system.name"], "string memcached");
        assert_eq!(attributes["server.address"], "string 127.0.0.1");
        let port = attributes["server.port"].strip_prefix("int ");
        assert_eq!(
            span.name,
            format!("{} 127.0.0.1:{}", name(span), port.expect("an int"))
        );
    }
    let metrics = receiver.metrics();
    for name in [
        "db.client.operation.duration",
        "memcached.client.calls",
        "memcached.client.lookups",
    ] {
        assert!(metrics.iter().any(|metric| metric.name == name), "{name}");
    }
    assert!(!receiver.everything().contains("9227465"), "a value");
}

#[test]
fn fibonacci_arrives_whole_over_http_and_grpc() {
    for protocol in ["http/protobuf", "grpc"] {
        let receiver = OtlpReceiver::start();
        let mut command = fibonacci();
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint());
        command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let (_, printed) = run(command);
        assert_eq!(printed, PRINTED);
        assert_whole(&receiver);
    }
}

#[test]
fn fibonacci_draws_a_tree_when_nobody_listens() {
    let nobody = RefusingPort::take();
    let endpoint = format!("http://{}", nobody.address());
    let mut command = fibonacci();
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let (_, printed) = run(command);
    let (lines, tree) = printed
        .split_once("\nThe spans went to no collector")
        .expect("a tree");
    assert_eq!(lines, PRINTED);
    for line in [
        "MemcachedUsage  ",
        "      nth_fibonacci  ",
        "        · Cache hit",
    ] {
        assert!(tree.contains(&format!("\n{line}")), "{line} in {tree}");
    }
}

#[test]
fn the_environment_is_obeyed() {
    let receiver = OtlpReceiver::start();
    let with = |name: &str, value: &str| {
        let mut command = fibonacci();
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint());
        command.env(name, value);
        command
    };
    let (_, printed) = run(with("OTEL_SDK_DISABLED", "true"));
    assert_eq!(printed, PRINTED, "there are no spans to show");
    let mut nothing = with("OTEL_TRACES_EXPORTER", "none");
    nothing.env("OTEL_METRICS_EXPORTER", "none");
    run(nothing);
    assert_eq!(receiver.requests(), 0);

    let mut unsampled = with("OTEL_TRACES_SAMPLER", "always_off");
    unsampled.env("OTEL_SERVICE_NAME", "another");
    run(unsampled);
    assert_eq!(receiver.spans(), []);
    assert!(
        receiver.everything().contains("another"),
        "metrics have the resource too"
    );

    let (_, printed) = run(with("OTEL_TRACES_EXPORTER", "console"));
    assert!(printed.contains("MemcachedUsage"));

    let mut refused = with("OTEL_TRACES_EXPORTER", "zipkin");
    let output = refused.output().expect("it starts");
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("OTEL_TRACES_EXPORTER"), "{stderr}");
}

/// The example itself ends in good order whatever the back end does: only telling of the failure is
/// left to it.
#[test]
fn a_back_end_that_refuses_or_stalls_fails_no_operation() {
    for manner in [Manner::Refuse, Manner::Stall] {
        for protocol in ["http/protobuf", "grpc"] {
            let receiver = OtlpReceiver::with_manner(manner);
            let mut command = fibonacci();
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint());
            command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
            command.env("OTEL_EXPORTER_OTLP_TIMEOUT", "200");
            let output = command.output().expect("it starts");
            let stdout = String::from_utf8_lossy(&output.stdout);
            assert!(
                stdout.starts_with(PRINTED),
                "{manner:?} {protocol}: {stdout}"
            );
            assert!(receiver.requests() > 0, "{manner:?} {protocol}");
        }
    }
}

/// The metrics of a program that Prometheus would scrape.
#[test]
fn metrics_can_be_scraped() {
    use memlens_tests::EmbeddedNode;

    let node = EmbeddedNode::start();
    let mut child = scraped_program();
    let output = child.stdout.take().expect("it is piped");
    let mut input = child.stdin.take().expect("it is piped");
    writeln!(input, "{}", node.address()).expect("it reads");
    let lines = BufReader::new(output).lines().map_while(Result::ok);
    let mut addresses = lines.filter_map(|line| Some(line.strip_prefix(LISTENS)?.to_owned()));
    let address = addresses.next().expect("it tells where");
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("a page of text");
    drop(input);
    assert!(child.wait().expect("it ends").success());
    for expected in [
        "memcached_client_calls_total{",
        "method=\"get\"",
        "db_client_operation_duration_seconds_bucket{",
        "memcached_client_node_up",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

/// This test binary again, as a program that does one `get` and is scraped.
fn scraped_program() -> std::process::Child {
    Command::new(std::env::current_exe().expect("it runs"))
        .args([
            "--exact",
            "telemetry::collector::scraped",
            "--ignored",
            "--nocapture",
            "--quiet",
        ])
        .env("OTEL_TRACES_EXPORTER", "none")
        .env("OTEL_METRICS_EXPORTER", "prometheus")
        .env("OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.1")
        .env("OTEL_EXPORTER_PROMETHEUS_PORT", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts")
}

const LISTENS: &str = "metrics are at ";

#[test]
#[ignore = "a program that metrics_can_be_scraped starts"]
fn scraped() {
    let mut input = std::io::stdin().lines().map_while(Result::ok);
    let Some(server) = input.next() else {
        return;
    };
    let guard = memlens_telemetry::init("scraped").unwrap();
    let client = memlens::blocking::TracedClient::connect(&server).unwrap();
    client.get::<String>("key").unwrap();
    println!("\n{LISTENS}{}", guard.prometheus_address().unwrap());
    // Until the other side has read enough.
    assert_eq!(input.next(), None);
}
