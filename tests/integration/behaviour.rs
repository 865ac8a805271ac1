//! What no script can show, because it takes several connections, time, or the end of the server: each
//! observation is made on a real memcached and on an embedded node, and must be the same.

use std::fmt::Debug;
use std::fs;
use std::time::{Duration, Instant};

use memlens_tests::stats::Stats;
use memlens_tests::{Kind, RawClient, Server};

const DEADLINE: Duration = Duration::from_secs(10);

fn assert_alike<T: PartialEq + Debug>(observe: impl Fn(Kind) -> T) {
    let [ours, theirs] = [Kind::Memcached, Kind::Node].map(observe);
    assert!(
        ours == theirs,
        "memcached: {ours:#?}\nthe node: {theirs:#?}"
    );
}

/// What comes back for each request, up to a line end. `<closed>` ends the list.
fn replies(client: &mut RawClient, requests: &[&[u8]]) -> Vec<String> {
    let mut shown = Vec::new();
    for request in requests {
        let sent = client.send(request);
        match sent.and_then(|()| client.read_until(b"\r\n")) {
            Ok(reply) => shown.push(reply.escape_ascii().to_string()),
            Err(_) => {
                shown.push(format!("{}<closed>", client.take_received().escape_ascii()));
                break;
            }
        }
    }
    shown
}

/// Repeats the request until the reply is this one.
fn wait_for_reply(client: &mut RawClient, request: &[u8], end: &[u8], expected: &[u8]) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let reply = client.request(request, end);
        if reply == expected {
            return;
        }
        assert!(Instant::now() < deadline, "still {}", reply.escape_ascii());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn authentication_by_a_fake_set() {
    assert_alike(|kind| {
        let folder = tempfile::tempdir().expect("create a temporary folder");
        let file = folder.path().join("users");
        fs::write(&file, "user:pass\nother:word\n").expect("write the users");
        let server = kind.start_with(&["-Y", file.to_str().expect("a path in UTF-8")]);

        let mut strange = RawClient::connect(server.address());
        let mut shown = replies(
            &mut strange,
            &[
                b"version\r\n",
                b"get key\r\n",
                b"mn\r\n",
                b"mg key v\r\n",
                b"stats\r\n",
                b"set key 0 0 9\r\nuser word\r\n",
                b"set key 0 0 8\r\nuserpass\r\n",
                b"set key 0 0 0\r\n\r\n",
                b"set key 0 0 4\r\nuser\r\n",
                b"set key 0 0 abc\r\n",
                b"add key 0 0 9\r\nuser pass\r\n",
                b"set key 0 0 10\r\nother word\r\n",
                b"get key\r\n",
                b"set key 0 0 3\r\nyes\r\n",
                b"mg key s\r\n",
            ],
        );
        let mut client = RawClient::connect(server.address());
        shown.extend(replies(
            &mut client,
            &[
                b"set auth 5 100 9 noreply\r\nuser pass\r\n",
                b"version\r\n",
                b"set auth 0 0 9\r\nuser fail\r\n",
                b"set auth 0 0 9\r\nuser pass\r\n",
                b"mg auth s\r\n",
            ],
        ));
        let stats = Stats::read(&mut client, "");
        shown.extend(
            ["auth_cmds", "auth_errors"].map(|name| format!("{name} {}", stats.number(name))),
        );
        shown.retain(|line| !line.starts_with("VERSION"));
        shown
    });
}

#[test]
fn shutdown_where_it_is_allowed() {
    for request in ["shutdown\r\n", "shutdown graceful\r\n"] {
        assert_alike(|kind| {
            let server = kind.start_with(&["-A"]);
            let mut client = RawClient::connect(server.address());
            let mut shown = replies(&mut client, &[b"shutdown now\r\n", b"shutdown a b\r\n"]);
            let _ = client.send(request.as_bytes());
            shown.push(format!("{:?}", client.read_to_end()));
            let deadline = Instant::now() + DEADLINE;
            while RawClient::try_connect(server.address()).is_ok() {
                assert!(
                    Instant::now() < deadline,
                    "{kind} still accepts connections"
                );
                std::thread::sleep(Duration::from_millis(5));
            }
            shown
        });
    }
}

#[test]
fn a_connection_too_many() {
    assert_alike(|kind| {
        let server = kind.start_with(&["-c", "40"]);
        let mut open = Vec::new();
        loop {
            let mut client = RawClient::connect(server.address());
            // The refusal comes unasked; a server that closed already may reset the request.
            let _ = client.send(b"mn\r\n");
            let reply = client.read_until(b"\r\n").expect("a reply or a refusal");
            if reply != b"MN\r\n" {
                let rest = client.read_to_end().map(|rest| rest.len());
                return (reply.escape_ascii().to_string(), rest.unwrap_or(0));
            }
            open.push(client);
            assert!(open.len() <= 40, "{kind} accepts more than it should");
        }
    });
}

#[test]
fn an_idle_connection_is_closed() {
    assert_alike(|kind| {
        let server = kind.start_with(&["-o", "idle_timeout=1"]);
        let mut client = RawClient::connect(server.address());
        client.request(b"mn\r\n", b"MN\r\n");
        client
            .read_to_end()
            .expect("the server closes")
            .escape_ascii()
            .to_string()
    });
}

#[test]
fn items_expire_as_time_goes_by() {
    assert_alike(|kind| {
        let server = kind.start();
        let mut client = RawClient::connect(server.address());
        client.request(b"set classic 0 1 1\r\nx\r\n", b"STORED\r\n");
        client.request(b"ms meta 1 T1\r\nx\r\n", b"HD\r\n");
        client.request(b"set kept 0 100 1\r\nx\r\n", b"STORED\r\n");
        wait_for_reply(&mut client, b"get classic\r\n", b"END\r\n", b"END\r\n");
        wait_for_reply(&mut client, b"mg meta\r\n", b"\r\n", b"EN\r\n");
        replies(
            &mut client,
            &[
                b"mg kept v\r\n1",
                b"",
                b"add classic 0 0 1\r\ny\r\n",
                b"incr meta 1\r\n",
                b"touch meta 0\r\n",
            ],
        )
    });
}

#[test]
fn a_delayed_flush_comes() {
    assert_alike(|kind| {
        let server = kind.start();
        let mut client = RawClient::connect(server.address());
        client.request(b"set key 0 0 1\r\nx\r\n", b"STORED\r\n");
        let shown = replies(&mut client, &[b"flush_all 2\r\n", b"mg key\r\n"]);
        wait_for_reply(&mut client, b"mg key\r\n", b"\r\n", b"EN\r\n");
        shown
    });
}

#[test]
fn the_crawler_stops_and_starts() {
    assert_alike(|kind| {
        let server = kind.start();
        let mut client = RawClient::connect(server.address());
        let shown = replies(&mut client, &[b"lru_crawler disable\r\n"]);
        // Both take effect on a thread of memcached's own.
        let disabled = b"CLIENT_ERROR lru crawler disabled\r\n";
        wait_for_reply(&mut client, b"lru_crawler crawl 1\r\n", b"\r\n", disabled);
        wait_for_reply(&mut client, b"lru_crawler enable\r\n", b"\r\n", b"OK\r\n");
        wait_for_reply(&mut client, b"lru_crawler crawl 1\r\n", b"\r\n", b"OK\r\n");
        shown
    });
}

/// Stores `count` items of one size; the replies, each once, in order of appearance.
fn fill(server: &Server, count: usize, length: usize) -> Vec<String> {
    let mut client = RawClient::connect(server.address());
    let value = "v".repeat(length);
    let mut shown = Vec::new();
    for number in 0..count {
        let request = format!("set key:{number:06} 0 0 {length}\r\n{value}\r\n");
        let reply = client
            .request(request.as_bytes(), b"\r\n")
            .escape_ascii()
            .to_string();
        if !shown.contains(&reply) {
            shown.push(reply);
        }
    }
    shown
}

#[test]
fn a_full_server_evicts() {
    let observe = |kind: Kind| {
        let server = kind.start_with(&["-m", "4"]);
        assert_eq!(fill(&server, 6000, 2000), [r"STORED\r\n"], "{kind}");
        let mut client = RawClient::connect(server.address());
        let stats = Stats::read(&mut client, "");
        assert!(stats.number("evictions") > 0, "{kind}");
        assert_eq!(
            client.request(b"mg key:005999\r\n", b"\r\n"),
            b"HD\r\n",
            "{kind}"
        );
        assert_eq!(
            client.request(b"mg key:000000\r\n", b"\r\n"),
            b"EN\r\n",
            "{kind}"
        );
        assert_eq!(
            stats.number("curr_items") + stats.number("evictions"),
            6000,
            "{kind}"
        );
        stats.number("curr_items")
    };
    let [ours, theirs] = [Kind::Memcached, Kind::Node].map(observe);
    assert!(
        ours.abs_diff(theirs) * 20 < ours,
        "memcached keeps {ours} items, the node {theirs}"
    );
}

#[test]
fn a_full_server_that_may_not_evict_refuses() {
    assert_alike(|kind| {
        let server = kind.start_with(&["-m", "4", "-M"]);
        let mut shown = fill(&server, 6000, 2000);
        let mut client = RawClient::connect(server.address());
        let stats = Stats::read(&mut client, "");
        assert!(stats.number("store_no_memory") > 0, "{kind}");
        assert_eq!(
            stats.number("curr_items") + stats.number("store_no_memory"),
            6000,
            "{kind}"
        );
        let large = format!("ms new 2000\r\n{}\r\n", "v".repeat(2000));
        let quiet = format!("ms new 2000 q\r\n{}\r\n", "v".repeat(2000));
        shown.extend(replies(
            &mut client,
            &[large.as_bytes(), quiet.as_bytes(), b"mn\r\n"],
        ));
        shown
    });
}

/// The lines a watcher sees, without time stamps and the numbers that count all lines.
fn watched(kind: Kind, kinds: &str, requests: &[&[u8]], lines: usize) -> Vec<String> {
    let server = kind.start();
    let mut watcher = RawClient::connect(server.address());
    watcher.request(format!("watch {kinds}\r\n").as_bytes(), b"OK\r\n");
    let mut client = RawClient::connect(server.address());
    for request in requests {
        client.send(request).expect("send a request");
        client.request(b"mn\r\n", b"MN\r\n");
    }
    let mut seen: Vec<(u64, String)> = (0..lines)
        .map(|_| {
            let line = watcher.read_until(b"\n").unwrap_or_else(|error| {
                panic!(
                    "{kind}: {error} behind {}",
                    watcher.take_received().escape_ascii()
                )
            });
            let line = line.escape_ascii().to_string();
            let (numbers, rest) = line.split_once(" type=").expect("a type");
            let gid = numbers.split_once("gid=").expect("a line number").1;
            let masked: Vec<&str> = rest
                .split(' ')
                .filter(|word| !word.starts_with("cfd=") && !word.starts_with("rport="))
                .collect();
            (gid.parse().expect("a line number"), masked.join(" "))
        })
        .collect();
    seen.sort_unstable();
    seen.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn watchers_see_fetches() {
    let requests: [&[u8]; 5] = [
        b"get missing\r\n",
        b"set key 0 0 5\r\nvalue\r\n",
        b"get key missing key\r\n",
        b"mg key v\r\n",
        b"get k\xc3\xa4,y%\r\n",
    ];
    assert_alike(|kind| watched(kind, "fetchers", &requests, 6));
}

#[test]
fn watchers_see_mutations() {
    let requests: [&[u8]; 8] = [
        b"set key 0 100 5\r\nvalue\r\n",
        b"add key 0 0 5\r\nvalue\r\n",
        b"replace key 0 0 1\r\nx\r\n",
        b"append key 0 0 1\r\ny\r\n",
        b"append missing 0 0 1\r\ny\r\n",
        b"cas key 0 0 1 1\r\nz\r\n",
        b"ms key 3 T100\r\nnew\r\n",
        b"prepend key 0 0 1\r\nw\r\n",
    ];
    assert_alike(|kind| watched(kind, "mutations", &requests, 8));
}
