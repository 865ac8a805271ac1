//! Nothing that is said anywhere holds a key, a value or a password: every method, in each way that it can
//! end, on marked keys with marked values, with everything logged and exported; then a search for the marks.
//!
//! What is searched is what really leaves a process: it is this test binary again, set up by
//! `memlens-telemetry`, with logs at TRACE and an OTLP receiver of the test's own.

use std::error::Error as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::poll;
use memlens::config::{Config, FailurePolicy, Namespace};
use memlens::{Cas, Client, Expiry, TracedClient};
use memlens_tests::otlp::OtlpReceiver;
use memlens_tests::scripted::Action;
use memlens_tests::{EmbeddedNode, Kind, RefusingPort, ScriptedServer, Server};
use tracing::{Instrument as _, info_span};

use super::methods::{METHODS, Method, Subject};
use super::patient;

const KEYS: [&str; 2] = ["canary-key-5150:1", "canary-key-5150:2"];
const MISSING: [&str; 2] = ["canary-key-5150:3", "canary-key-5150:4"];
const VALUE: &str = "canary-value-5150";
const PASSWORD: &str = "canary-password-5150";

/// The common part of all marks, plain and as base64 has it, wherever in a group of three it begins, and
/// as hexadecimal digits.
const MARKS: [&str; 5] = ["canary", "Y2FuYXJ5", "NhbmFye", "jYW5hcn", "63616e617279"];

#[test]
fn no_mark_is_told_by_any_method_in_any_way_that_it_can_end() {
    let receiver = OtlpReceiver::start();
    let output = Command::new(std::env::current_exe().expect("it runs"))
        .args(["--exact", "telemetry::secrets::program_itself", "--ignored"])
        .arg("--nocapture")
        .env("MEMLENS_TEST_SECRETS", "1")
        .env("RUST_LOG", "trace")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint())
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "100")
        .env("OTEL_BSP_MAX_QUEUE_SIZE", "100000")
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let logged = String::from_utf8_lossy(&output.stderr);
    // Not with what was logged: a test that leaks it when it fails would be found by nobody.
    assert!(output.status.success(), "{printed}");
    let exported = receiver.everything();

    // It was told at all.
    assert!(receiver.spans().len() > 4 * METHODS.len());
    let metrics = receiver.metrics();
    assert!(
        metrics
            .iter()
            .any(|it| it.name == "memcached.client.errors")
    );
    assert!(logged.contains("memlens: connected") && logged.contains("TRACE"));
    assert!(printed.contains("no number") && printed.contains("kind: Auth"));
    for (place, text) in [
        ("printed", &*printed),
        ("logged", &logged),
        ("exported", &exported),
    ] {
        for mark in MARKS {
            let around = text.find(mark).map(|at| {
                let from = text.floor_char_boundary(at.saturating_sub(200));
                &text[from..text.ceil_char_boundary(at + 50)]
            });
            assert_eq!(around, None, "{place}");
        }
    }
}

#[test]
#[ignore = "a program that another test starts"]
fn program_itself() {
    if std::env::var_os("MEMLENS_TEST_SECRETS").is_none() {
        return;
    }
    let guard = memlens_telemetry::init("secrets").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let servers = [Kind::Node, Kind::Memcached].map(Kind::start);
        let cas = fill(&servers[0]).await;
        for method in METHODS {
            for server in &servers {
                on_a_server(method, server, KEYS).await;
                on_a_server(method, server, MISSING).await;
            }
            dropped_on_a_server(method, &servers[0]).await;
            on_no_server(method, cas).await;
            on_a_server_that_echoes(method, cas).await;
        }
        on_several_servers(cas).await;
        with_passwords().await;
    });
    guard.shutdown().unwrap();
}

/// Prints all that a failure says.
#[expect(clippy::print_stdout, reason = "what is printed is searched")]
fn tell(error: Option<memlens::Error>) {
    let Some(error) = error else {
        return;
    };
    println!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(cause) = source {
        println!("{cause} {cause:?}");
        source = cause.source();
    }
}

/// Stores the marked items, unobserved, and tells the state of the first.
async fn fill(server: &Server) -> Cas {
    let config = patient(&server.address().to_string());
    let plain = Client::with_config(config).await.unwrap();
    for key in KEYS {
        plain.set(key, VALUE, Expiry::Never).await.unwrap();
    }
    plain.gets::<String>(KEYS[0]).await.unwrap().unwrap().1
}

async fn subject(config: Config, keys: [&str; 2], cas: Cas) -> Subject {
    let client = TracedClient::with_config(config).await.unwrap();
    Subject {
        node: client.nodes().remove(0),
        client,
        keys: keys.map(str::to_owned),
        value: VALUE.to_owned(),
        cas,
    }
}

#[expect(clippy::print_stdout, reason = "what is printed is searched")]
async fn call(method: &Method, subject: &Subject) {
    let span = info_span!("method", name = method.name);
    tell((method.call)(subject).instrument(span).await);
    println!("{:?} {:?}", subject.client, subject.client.statistics());
}

async fn on_a_server(method: &Method, server: &Server, keys: [&str; 2]) {
    let cas = fill(server).await;
    let config = patient(&server.address().to_string());
    call(method, &subject(config, keys, cas).await).await;
}

async fn dropped_on_a_server(method: &Method, server: &Server) {
    let cas = fill(server).await;
    let config = patient(&server.address().to_string());
    let subject = subject(config, KEYS, cas).await;
    server.pause();
    let mut work = (method.call)(&subject);
    assert!(poll!(&mut work).is_pending());
    drop(work);
    server.resume();
}

async fn on_no_server(method: &Method, cas: Cas) {
    let port = RefusingPort::take();
    let config = patient(&port.address().to_string());
    call(method, &subject(config, KEYS, cas).await).await;
}

/// Replies of servers, and of what poses as one, that hold keys and values where none belong.
async fn on_a_server_that_echoes(method: &Method, cas: Cas) {
    for reply in [
        "SERVER_ERROR what is canary-key-5150:1 to do with canary-value-5150\r\n",
        "CLIENT_ERROR no canary-key-5150:1\r\n",
        "ERROR canary-key-5150:1\r\n",
        "canary-key-5150:1 canary-value-5150\r\n",
        "VALUE canary-key-5150:9 0 17\r\ncanary-value-5150\r\nEND\r\n",
        "VA 17 kcanary-key-5150:9\r\ncanary-value-5150\r\n",
        "STAT canary-key-5150:1\r\n",
    ] {
        let script = vec![
            Action::ExpectBytes(1),
            Action::Send(reply.as_bytes().to_vec()),
            Action::Close,
        ];
        let server = ScriptedServer::start([script]);
        let mut config = patient(&server.address().to_string());
        config.operation_timeout = Duration::from_millis(300);
        let subject = subject(config, KEYS, cas).await;
        call(method, &subject).await;
    }
}

/// With failovers and ejections, in a namespace that is nobody's business either.
async fn on_several_servers(cas: Cas) {
    let [first, second] = [EmbeddedNode::start(), EmbeddedNode::start()];
    let mut config = patient(&format!("{},{}", first.address(), second.address()));
    config.on_failure = FailurePolicy::NextNode;
    config.eject_after = 1;
    config.namespace = Namespace::new("canary-namespace-5150:").unwrap();
    let client = subject(config, KEYS, cas).await.client;
    let keys: Vec<String> = (0..50).map(|it| format!("{}{it}", KEYS[0])).collect();
    for _ in 0..2 {
        let items = keys.iter().map(|key| (key, VALUE));
        let stored = client.set_multi(items, Expiry::Never).await;
        stored.into_iter().for_each(|(_, it)| tell(it.err()));
        let found = client.get_multi::<u64, _>(&keys).await;
        found.into_iter().for_each(|(_, it)| tell(it.err()));
        tell(client.get::<String>("canary key").await.err());
        first.node().pause();
        let hasty = client.with_timeout(Duration::from_millis(50));
        for key in &keys {
            tell(hasty.get::<String>(key).await.err());
        }
        first.node().resume();
    }
    drop(first);
    for key in &keys {
        tell(client.get::<String>(key).await.err());
    }
}

#[expect(clippy::print_stdout, reason = "what is printed is searched")]
async fn with_passwords() {
    let nobody = format!("memcache://canary-user:{PASSWORD}@127.0.0.1:1");
    let client = TracedClient::connect(&nobody).await.unwrap();
    tell(client.get::<String>(KEYS[0]).await.err());
    println!("{client:?}");
    let path = std::env::temp_dir().join(format!("memlens-test-{}", std::process::id()));
    std::fs::write(&path, format!("canary-user:{PASSWORD}\n")).unwrap();
    let node = EmbeddedNode::with_arguments(&["-Y", path.to_str().unwrap()]);
    std::fs::remove_file(&path).unwrap();
    let client = TracedClient::connect(&node.address().to_string())
        .await
        .unwrap();
    tell(client.get::<String>(KEYS[0]).await.err());
    // The login, as the text protocol has it: a `set` with user and password as its value.
    let login = format!("canary-user {PASSWORD}");
    tell(client.set(KEYS[0], login, Expiry::Never).await.err());
    tell(client.get::<String>(KEYS[0]).await.err());
    // Through the door, and with a password that is another one.
    for login in [
        format!("canary-user:{PASSWORD}"),
        format!("{PASSWORD}:{PASSWORD}"),
    ] {
        let url = format!("memcache://{login}@{}", node.address());
        let client = TracedClient::connect(&url).await.unwrap();
        tell(client.set(KEYS[0], VALUE, Expiry::Never).await.err());
        tell(client.get::<String>(KEYS[0]).await.err());
        println!("{client:?}");
    }
}
