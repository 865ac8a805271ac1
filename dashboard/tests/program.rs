//! The program as it is run: on embedded nodes, into a pipe.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

use std::process::{Command, Output, Stdio};

use futures_util::TryStreamExt;
use memlens::{Client, Expiry};
use memlens_node::Node;
use serde_json::Value;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memlens"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the program to its end, while the nodes of the test go on.
async fn run(arguments: &[&str]) -> Output {
    let mut command = program(arguments);
    tokio::task::spawn_blocking(move || command.output().expect("the program starts"))
        .await
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

async fn node() -> Node {
    Node::builder().memory(8 << 20).start().await.unwrap()
}

/// An address where nobody listens: a node was there, and is gone.
async fn nobody() -> String {
    let node = node().await;
    let address = node.addr().to_string();
    node.shutdown().await;
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_traffic_on_every_node() {
    let output = run(&[
        "--headless",
        "--nodes",
        "2",
        "--rate",
        "2000",
        "--interval",
        "200ms",
        "--for",
        "2s",
    ])
    .await;
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let rows = text(&output.stdout);
    assert!(!rows.contains('\x1b'), "escape codes in a pipe");
    let mut lines = rows.lines();
    assert!(lines.next().unwrap().contains("hit rate"), "{rows}");
    // Columns are more than a space apart; "2 of 2 up" and "59.24 %" have single spaces in them.
    let cluster = rows.lines().filter(|line| line.contains("  cluster  "));
    let busy = cluster.map(|line| {
        line.split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
    });
    let figures = busy.map(|cells| cells.skip(2).take(3).collect::<Vec<_>>());
    let is_busy = |figures: &Vec<&str>| {
        let hit_rate = figures[1].trim_end_matches(" %").parse().unwrap_or(0.0);
        let operations = figures[2].replace(',', "").parse().unwrap_or(0.0);
        figures[0] == "2 of 2 up" && hit_rate > 0.0 && hit_rate <= 100.0 && operations > 0.0
    };
    assert!(
        figures.into_iter().any(|figures| is_busy(&figures)),
        "{rows}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_tells_what_the_servers_tell() {
    let (first, second) = (node().await, node().await);
    let servers = format!("{},{}", first.addr(), second.addr());
    let client = Client::connect(&servers).await.unwrap();
    for number in 0..200 {
        client
            .set(&format!("key-{number}"), "value", Expiry::Never)
            .await
            .unwrap();
    }
    let output = run(&["--servers", &servers, "--json", "--interval", "100ms"]).await;
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["health"], "up");
    assert_eq!(report["cluster"]["items"], 200);
    for (index, node) in client.nodes().iter().enumerate() {
        let (stats, shown) = (node.stats().await.unwrap(), &report["nodes"][index]);
        assert_eq!(shown["name"], node.name());
        assert_eq!(shown["items"], stats.curr_items.unwrap());
        assert_eq!(shown["stored_bytes"], stats.bytes.unwrap());
        assert_eq!(shown["limit_bytes"], stats.limit_maxbytes.unwrap());
        assert_eq!(
            shown["operations_per_second"], 0.0,
            "a snapshot sends no load"
        );
        assert_eq!(shown["hit_rate"], Value::Null);
        assert_eq!(shown["memory"]["adds_up"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_tells_the_health() {
    let (up, gone) = (node().await, nobody().await);
    let some = format!("{},{gone}", up.addr());
    let output = run(&["--servers", &some, "--json", "--interval", "100ms"]).await;
    assert_eq!(output.status.code(), Some(3));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["health"], &report["nodes"][1]["reason"]),
        (&Value::from("degraded"), &Value::from("refused"))
    );
    let output = run(&["--servers", &gone, "--json", "--interval", "100ms"]).await;
    assert_eq!(output.status.code(), Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_is_told_in_one_line() {
    for servers in ["host:port", "", "a:1,a:1", "memcache://a?no_such_setting=1"] {
        let output = run(&["--servers", servers]).await;
        assert_eq!(output.status.code(), Some(2), "{servers}");
        let told = text(&output.stderr);
        assert!(told.starts_with("memlens: --servers: "), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_on_real_servers_is_announced_and_keeps_to_its_prefix() {
    let node = node().await;
    let servers = node.addr().to_string();
    let output = run(&[
        "--headless",
        "--servers",
        &servers,
        "--load",
        "--rate",
        "500",
        "--for",
        "1s",
    ])
    .await;
    assert_eq!(output.status.code(), Some(0));
    let notice = text(&output.stderr);
    assert!(
        notice.contains("memlens-load:") && notice.lines().count() == 1,
        "{notice}"
    );

    let client = Client::connect(&servers).await.unwrap();
    let mut dump = client.nodes()[0].metadump(None).await.unwrap();
    let mut keys = 0;
    while let Some(item) = dump.try_next().await.unwrap() {
        assert!(item.key().starts_with(b"memlens-load:"), "{item:?}");
        keys += 1;
    }
    assert!(keys > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_drawn_into_a_file_without_a_display() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring.png");
    let mut command = program(&[
        "--nodes", "2", "--rate", "500", "--view", "nodes", "--size", "800x600",
    ]);
    command.args(["--screenshot".as_ref(), path.as_os_str()]);
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let picture = image::open(path).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (800, 600));
    let colors: std::collections::BTreeSet<_> = picture.pixels().map(|pixel| pixel.0).collect();
    assert!(colors.len() > 50, "hardly anything is drawn");
}

#[test]
fn a_node_that_is_not_there_cannot_be_selected_for_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("never.png");
    let mut command = program(&["--nodes", "2", "--rate", "500", "--select", "3"]);
    command.args(["--screenshot".as_ref(), path.as_os_str()]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(
        told.contains("--select: there is no node 3, but "),
        "{told}"
    );
    assert!(!path.exists());
}

#[test]
fn without_a_display_it_says_in_one_line_what_to_do() {
    let mut command = program(&["--demo", "--nodes", "1"]);
    let output = command
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(
        told.contains("--screenshot") && told.contains("--headless"),
        "{told}"
    );
    assert!(told.lines().count() == 1 && !told.contains(".rs"), "{told}");
}

#[cfg(unix)]
#[test]
fn an_interruption_ends_it_in_good_order() {
    use std::io::{BufRead, BufReader};

    for signal in ["INT", "TERM"] {
        let mut child = program(&[
            "--headless",
            "--nodes",
            "1",
            "--rate",
            "100",
            "--interval",
            "100ms",
        ])
        .spawn()
        .expect("the program starts");
        let mut rows = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(rows.next().unwrap().unwrap().contains("hit rate"));
        let sent = Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let last = rows.map(Result::unwrap).last();
        assert!(
            last.is_none_or(|row| row.contains(" cluster ")),
            "a half-written row"
        );
        assert_eq!(child.wait().unwrap().code(), Some(0), "after {signal}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_went_away_is_no_failure() {
    use std::io::Read;

    let mut child = program(&[
        "--headless",
        "--nodes",
        "1",
        "--rate",
        "100",
        "--interval",
        "100ms",
    ])
    .spawn()
    .expect("the program starts");
    let mut first = [0];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}
