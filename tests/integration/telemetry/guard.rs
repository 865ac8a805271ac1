//! The guard of `memlens-telemetry` sends what is left wherever it is dropped, and stands in nobody's way.
//!
//! Each program is this test binary again, in a process of its own: the global providers, the subscriber and
//! the environment belong to a process.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use memlens::TracedClient;
use memlens_telemetry::Guard;
use memlens_tests::EmbeddedNode;
use memlens_tests::otlp::{Manner, OtlpReceiver};
use tokio::runtime::Builder;
use tracing::{Instrument as _, info_span};

/// Only a dead-lock takes as long.
const FOR_EVER: Duration = Duration::from_secs(120);

/// Where the program runs, and where its guard ends.
const FLAVOURS: [&str; 6] = [
    "no runtime",
    "current thread",
    "current thread, local set",
    "one worker",
    "one worker, in a task",
    "blocking task",
];

/// How the guard ends.
const ENDS: [&str; 3] = ["drop", "shutdown", "flush and drop"];

fn program(flavour: &str, end: &str, node: &EmbeddedNode, receiver: &OtlpReceiver) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("it runs"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command
        .args(["--exact", "telemetry::guard::program_itself", "--ignored"])
        .env("MEMLENS_TEST_FLAVOUR", flavour)
        .env("MEMLENS_TEST_END", end)
        .env("MEMLENS_TEST_SERVER", node.address().to_string())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Runs the program; fails the test if it does not end.
fn run(mut command: Command, told: &str) {
    let mut child = command.spawn().expect("it starts");
    let began = Instant::now();
    while began.elapsed() < FOR_EVER {
        if let Some(status) = child.try_wait().expect("it is a child") {
            assert!(status.success(), "{told}: {status}");
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it is a child");
    child.wait().expect("it is a child");
    panic!("{told}: it does not end");
}

#[test]
fn what_is_left_is_sent_on_every_flavour_of_runtime() {
    let node = EmbeddedNode::start();
    for protocol in ["http/protobuf", "grpc"] {
        for flavour in FLAVOURS {
            for end in ENDS {
                let receiver = OtlpReceiver::start();
                let mut command = program(flavour, end, &node, &receiver);
                command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
                let told = format!("{protocol}, {flavour}, {end}");
                run(command, &told);
                let spans = receiver.spans();
                let names = spans.iter().map(|(_, span)| span.name.as_str());
                let mut names: Vec<&str> = names.filter_map(|it| it.split(' ').next()).collect();
                names.sort_unstable();
                assert_eq!(names, ["get", "work"], "{told}");
                let metrics = receiver.metrics();
                let mut metrics = metrics.iter().map(|metric| metric.name.as_str());
                assert!(metrics.any(|it| it == "memcached.client.calls"), "{told}");
            }
        }
    }
}

#[test]
fn a_back_end_that_refuses_stalls_or_is_gone_holds_no_runtime_up() {
    let node = EmbeddedNode::start();
    for manner in [Some(Manner::Refuse), Some(Manner::Stall), None] {
        for protocol in ["http/protobuf", "grpc"] {
            for flavour in ["current thread", "one worker, in a task"] {
                let receiver = OtlpReceiver::with_manner(manner.unwrap_or(Manner::Accept));
                let mut command = program(flavour, "drop", &node, &receiver);
                command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
                command.env("OTEL_EXPORTER_OTLP_TIMEOUT", "500");
                command.stderr(Stdio::null());
                let told = format!("{manner:?}, {protocol}, {flavour}");
                if manner.is_none() {
                    drop(receiver);
                    run(command, &told);
                    continue;
                }
                run(command, &told);
                assert!(receiver.requests() > 0, "{told}");
            }
        }
    }
}

async fn work() {
    let guard = memlens_telemetry::init("guard").unwrap();
    let server = std::env::var("MEMLENS_TEST_SERVER").unwrap();
    let client = TracedClient::connect(&server).await.unwrap();
    let get = client.get::<String>("key");
    assert_eq!(get.instrument(info_span!("work")).await.unwrap(), None);
    end(guard);
    // Telemetry is over, the client is not.
    assert_eq!(client.get::<String>("key").await.unwrap(), None);
}

fn end(guard: Guard) {
    match std::env::var("MEMLENS_TEST_END").unwrap().as_str() {
        "shutdown" => guard.shutdown().unwrap(),
        "flush and drop" => guard.flush().unwrap(),
        _ => drop(guard),
    }
}

fn work_without_a_runtime() {
    let guard = memlens_telemetry::init("guard").unwrap();
    let server = std::env::var("MEMLENS_TEST_SERVER").unwrap();
    let client = memlens::blocking::TracedClient::connect(&server).unwrap();
    info_span!("work").in_scope(|| client.get::<String>("key").unwrap());
    end(guard);
    client.get::<String>("key").unwrap();
}

#[test]
#[ignore = "a program that other tests start"]
fn program_itself() {
    let Ok(flavour) = std::env::var("MEMLENS_TEST_FLAVOUR") else {
        return;
    };
    let mut builder = match flavour.starts_with("current thread") {
        true => Builder::new_current_thread(),
        false => Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(1).enable_all().build().unwrap();
    match flavour.as_str() {
        "no runtime" => work_without_a_runtime(),
        "current thread" | "one worker" => runtime.block_on(work()),
        "current thread, local set" => tokio::task::LocalSet::new().block_on(&runtime, work()),
        "one worker, in a task" => {
            runtime.block_on(async { tokio::spawn(work()).await.unwrap() });
        }
        "blocking task" => runtime.block_on(async {
            let task = tokio::task::spawn_blocking(work_without_a_runtime);
            task.await.unwrap();
        }),
        other => panic!("no flavour {other}"),
    }
}
