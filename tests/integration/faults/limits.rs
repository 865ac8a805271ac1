//! Input that was made to do harm: by callers, and by servers.

use std::fs;
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use memlens::{Client, Config, Error, ErrorKind, Expiry, MetaGet, MetaSet};
use memlens_tests::apart::Apart;
use memlens_tests::capture::is_legal;
use memlens_tests::process::resident;
use memlens_tests::scripted::Action;
use memlens_tests::{CaptureServer, Memcached, ScriptedServer, Seed};

use super::outages::block_on;

const HOSTILE_KEYS: usize = 100_000;
const AT_ONCE: usize = 1_000;

fn config(address: std::net::SocketAddr) -> Config {
    let mut config: Config = address.to_string().parse().expect("an address");
    config.operation_timeout = Duration::from_secs(60);
    config.backoff_base = Duration::from_millis(1);
    config.backoff_cap = Duration::from_millis(2);
    config
}

/// A key of pieces that mean something to the protocol, somewhere, among others that don't.
fn hostile_key(random: &mut Rng) -> Vec<u8> {
    const PIECES: [&[u8]; 22] = [
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b"\0",
        b"\x7f",
        b"\x0b",
        b"\x01",
        b"\x85",
        b"\xff",
        b"flush_all",
        b"noreply",
        b"set x 0 0 1",
        b"END",
        b"VALUE",
        b"0",
        b"-1",
        b"key",
        "\u{2028}".as_bytes(),
        "\u{a0}".as_bytes(),
        "ä".as_bytes(),
    ];
    let mut key = Vec::new();
    // Half of them are made of harmless pieces alone, so that what is legal is sent, too.
    let pieces = if random.bool() {
        &PIECES[..]
    } else {
        &PIECES[9..]
    };
    for _ in 0..random.usize(..6) {
        key.extend_from_slice(pieces[random.usize(..pieces.len())]);
    }
    if random.u32(..10) == 0 {
        let length = random.usize(240..260);
        key.resize(length, b'k');
    }
    if random.u32(..4) == 0 {
        key.push(random.u8(..));
    }
    key
}

async fn use_key(client: &Client, key: &[u8], how: u32) -> Result<(), Error> {
    match how {
        0 => client.get::<Vec<u8>>(key).await.map(drop),
        1 => client.gets::<Vec<u8>>(key).await.map(drop),
        2 => client.gat::<Vec<u8>>(key, Expiry::secs(1)).await.map(drop),
        3 => client.set(key, "\r\nflush_all\r\n", Expiry::Never).await,
        4 => client.add(key, "x", Expiry::Never).await.map(drop),
        5 => client.append(key, "").await.map(drop),
        6 => client.delete(key).await.map(drop),
        7 => client.touch(key, Expiry::Never).await.map(drop),
        8 => client.incr(key, 1).await.map(drop),
        9 => client.meta_get(key, &MetaGet::new()).await.map(drop),
        10 => client.meta_set(key, "x", &MetaSet::new()).await.map(drop),
        _ => {
            let answers = client.get_multi::<Vec<u8>, _>([key]).await;
            answers.into_result().map(drop)
        }
    }
}

/// Also: no request ever asks for no reply, which would be a word too many.
#[test]
fn a_hostile_key_never_puts_more_than_its_one_command_on_the_wire() {
    let server = CaptureServer::start();
    let seed = Seed::from_environment();
    block_on(async {
        let client = Client::with_config(config(server.address()))
            .await
            .expect("a client");
        let mut random = seed.generator(0);
        let mut sent = 0;
        for _ in 0..HOSTILE_KEYS / AT_ONCE {
            let calls: Vec<(Vec<u8>, u32)> = (0..AT_ONCE)
                .map(|_| (hostile_key(&mut random), random.u32(..12)))
                .collect();
            let running = calls.iter().map(|(key, how)| use_key(&client, key, *how));
            let results = join_all(running).await;
            for ((key, _), result) in calls.iter().zip(&results) {
                let expected = (!is_legal(key)).then_some((ErrorKind::InvalidKey, false));
                let found = result.as_ref().err().map(|it| (it.kind(), it.was_sent()));
                assert_eq!(found, expected, "{}", key.escape_ascii());
            }
            let mut legal: Vec<_> = calls.into_iter().map(|(key, _)| key).collect();
            legal.retain(|key| is_legal(key));
            let captured = server.take();
            assert_eq!(captured.violation, None);
            let mut seen: Vec<_> = captured.requests.into_iter().map(|(_, key)| key).collect();
            sent += seen.len();
            legal.sort_unstable();
            seen.sort_unstable();
            assert_eq!(seen, legal);
        }
        assert!(sent > HOSTILE_KEYS / 4, "{sent} were legal");
    });
}

#[test]
fn values_around_the_servers_limit_keep_the_connection_in_step() {
    for limit in ["1m", "2m"] {
        let memcached = Memcached::with_arguments(&["-I", limit, "-m", "256"]);
        let mut config = config(memcached.address());
        config.max_value_size = 8 << 20;
        block_on(async {
            let client = Client::with_config(config).await.expect("a client");
            let limit = if limit == "1m" { 1 << 20 } else { 2 << 20 };
            for round in 0..100_usize {
                let small = format!("small-{round}");
                let large = vec![b'x'; limit - 1_024 + round * 40];
                client
                    .set(&small, &*small, Expiry::Never)
                    .await
                    .expect("set");
                // A little below the limit it fits, at the limit it doesn't.
                let result = client.set("large", large.as_slice(), Expiry::Never).await;
                let found: Option<String> = client.get(&small).await.expect("an answer");
                assert_eq!(found.as_ref(), Some(&small));
                let stored: Option<Vec<u8>> = client.get("large").await.expect("an answer");
                match result {
                    Ok(()) => assert_eq!(stored, Some(large)),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::TooLarge);
                        assert!(large.len() + 512 > limit, "{} is too large", large.len());
                        assert_eq!(stored, None, "the old value is gone, too");
                    }
                }
            }
            assert_eq!(client.statistics().nodes[0].connections_made, 1);
        });
    }
}

/// What a server may say in place of an answer, and how the read of `a` fails.
fn hostile_answers() -> Vec<(Vec<u8>, ErrorKind)> {
    use ErrorKind::{Protocol, TooLarge};
    let many = |line: &[u8], bytes: usize| line.repeat(bytes / line.len());
    vec![
        (b"VALUE a 0 99999999999\r\n".to_vec(), TooLarge),
        (b"VALUE a 0 18446744073709551615\r\n".to_vec(), TooLarge),
        (b"VALUE a 0 1048577\r\n".to_vec(), TooLarge),
        (
            b"VALUE a 0 99999999999999999999999999\r\n".to_vec(),
            Protocol,
        ),
        (b"VALUE a 0 -1\r\n".to_vec(), Protocol),
        (b"VALUE a 4294967296 1\r\n1\r\nEND\r\n".to_vec(), Protocol),
        (b"VALUE a 0 1\r\n12\r\nEND\r\n".to_vec(), Protocol),
        (b"VALUE a 0\r\n".to_vec(), Protocol),
        (b"VA 1 t0\r\n1\r\n".to_vec(), Protocol),
        (b"HTTP/1.1 400 Bad Request\r\n".to_vec(), Protocol),
        (vec![b'x'; 16 << 20], Protocol),
        (vec![0xff; 16 << 20], Protocol),
        (many(b"VALUE b 0 1\r\n1\r\n", 16 << 20), Protocol),
        (many(b"STAT a 1\r\n", 16 << 20), Protocol),
        (many(b"\r\n", 16 << 20), Protocol),
    ]
}

#[test]
fn a_hostile_server_makes_the_client_neither_allocate_nor_loop() {
    let name = "faults::limits::a_hostile_server_makes_the_client_neither_allocate_nor_loop";
    Apart::Process.run(name, || {
        let mut peak = 0;
        for (answer, kind) in hostile_answers() {
            let shown = answer[..answer.len().min(40)].escape_ascii().to_string();
            let script = vec![Action::Expect(b"get a\r\n".to_vec()), Action::Send(answer)];
            let server = ScriptedServer::start([script]);
            let before = resident();
            let error = block_on(async {
                let client = Client::with_config(config(server.address()))
                    .await
                    .expect("a client");
                client.get::<Vec<u8>>("a").await.expect_err("no answer")
            });
            assert_eq!((error.kind(), error.was_sent()), (kind, true), "{shown}");
            assert_eq!(server.connections(), 1, "{shown}");
            peak = peak.max(resident().saturating_sub(before));
        }
        assert!(peak < 16 << 20, "the client took {peak} bytes");
    });
}

#[test]
fn a_list_without_an_end_is_given_up() {
    let lines = b"STAT name value\r\n".repeat(2 << 20);
    let script = vec![Action::Expect(b"stats\r\n".to_vec()), Action::Send(lines)];
    let server = ScriptedServer::start([script]);
    block_on(async {
        let client = Client::with_config(config(server.address()))
            .await
            .expect("a client");
        let error = client.nodes()[0].stats().await.expect_err("no end");
        assert_eq!(error.kind(), ErrorKind::Protocol);
    });
}

#[test]
fn a_server_that_only_accepts_is_not_dialled_for_ever() {
    let server = ScriptedServer::start([
        vec![Action::Close],
        vec![Action::Reset],
        vec![Action::Close],
    ]);
    block_on(async {
        let client = Client::with_config(config(server.address()))
            .await
            .expect("a client");
        let error = client.get::<Vec<u8>>("a").await.expect_err("no answer");
        assert!(error.is_connection(), "{error:?}");
        let dials = client.statistics().nodes[0].dials;
        // Two, and one more wherever the random wait came out short.
        assert!(dials <= 10, "{dials} dials for one read");
    });
}

/// A reply that is cut anywhere is an error, or the whole value if only the end of the list is missing.
#[test]
fn a_value_that_ends_early_is_never_given_out() {
    let value = b"END\r\n12345\r\n";
    let reply = [b"VALUE a 0 12\r\n", &value[..], b"\r\nEND\r\n"].concat();
    for length in 0..reply.len() {
        let cut = || {
            vec![
                Action::Expect(b"get a\r\n".to_vec()),
                Action::Send(reply[..length].to_vec()),
                Action::Close,
            ]
        };
        let server = ScriptedServer::start([cut(), cut()]);
        let result = block_on(async {
            let client = Client::with_config(config(server.address()))
                .await
                .expect("a client");
            client.get::<Vec<u8>>("a").await
        });
        let is_whole = length >= reply.len() - b"END\r\n".len();
        match result {
            Ok(found) => assert!(is_whole && found.as_deref() == Some(value), "{found:?}"),
            Err(error) => assert!(!is_whole && error.is_connection() && error.was_sent()),
        }
    }
}

/// Which error lines end the connection: those after which the server may read data as commands.
#[test]
fn an_error_line_ends_the_connection_only_where_it_must() {
    let lines = [
        ("ERROR", ErrorKind::UnknownCommand, false),
        ("CLIENT_ERROR bad data chunk", ErrorKind::ClientError, false),
        (
            "CLIENT_ERROR bad command line format",
            ErrorKind::ClientError,
            false,
        ),
        ("CLIENT_ERROR unauthenticated", ErrorKind::Auth, false),
        (
            "SERVER_ERROR object too large for cache",
            ErrorKind::TooLarge,
            true,
        ),
        (
            "SERVER_ERROR out of memory storing object",
            ErrorKind::ServerError,
            true,
        ),
    ];
    for (line, kind, keeps_after_data) in lines {
        for has_data in [false, true] {
            let request = if has_data {
                "set a 0 0 1\r\n1\r\n"
            } else {
                "delete a\r\n"
            };
            let next = [
                Action::Expect(b"get b\r\n".to_vec()),
                Action::Send(b"VALUE b 0 1\r\n2\r\nEND\r\n".to_vec()),
            ];
            let mut first = vec![
                Action::Expect(request.as_bytes().to_vec()),
                Action::Send(format!("{line}\r\n").into_bytes()),
            ];
            first.extend(next.clone());
            let server = ScriptedServer::start([first, next.to_vec()]);
            block_on(async {
                let client = Client::with_config(config(server.address()))
                    .await
                    .expect("a client");
                let result = match has_data {
                    true => client.set("a", "1", Expiry::Never).await,
                    false => client.delete("a").await.map(drop),
                };
                assert_eq!(result.expect_err("an error line").kind(), kind, "{line}");
                assert_eq!(client.get::<u32>("b").await.expect("an answer"), Some(2));
            });
            let kept = server.connections() == 1;
            assert_eq!(kept, keeps_after_data || !has_data, "{line} to {request:?}");
        }
    }
}

#[test]
fn a_read_of_200_000_keys_and_a_write_of_as_many_end() {
    let memcached = Memcached::with_arguments(&["-m", "256"]);
    block_on(async {
        let client = Client::with_config(config(memcached.address()))
            .await
            .expect("a client");
        let keys: Vec<String> = (0..200_000).map(|number| format!("key-{number}")).collect();
        let items = keys.iter().map(|key| (key, key.as_str()));
        assert!(client.set_multi(items, Expiry::Never).await.is_complete());
        let found = client.get_multi::<String, _>(&keys).await;
        assert!(found.hits().all(|(key, value)| *key == value));
        assert_eq!(found.hits().count(), keys.len());
    });
}

#[test]
fn a_client_that_ends_gives_back_every_task_and_socket() {
    let name = "faults::limits::a_client_that_ends_gives_back_every_task_and_socket";
    Apart::Process.run(name, || {
        let memcacheds: Vec<Memcached> = (0..3).map(|_| Memcached::start()).collect();
        block_on(begin_and_end_clients(&memcacheds));
    });
}

async fn begin_and_end_clients(memcacheds: &[Memcached]) {
    let list: Vec<String> = memcacheds
        .iter()
        .map(|it| it.address().to_string())
        .collect();
    let config: Config = list.join(",").parse().expect("addresses");
    let open = || fs::read_dir("/proc/self/fd").expect("a list").count();
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    // What the runtime itself opens comes with the first client.
    drop(Client::with_config(config.clone()).await.expect("a client"));
    while tasks() > 0 {
        tokio::task::yield_now().await;
    }
    let before = open();
    for round in 0..20 {
        let client = Client::with_config(config.clone()).await.expect("a client");
        for number in 0..30 {
            let key = format!("key-{number}");
            client.set(key, "1", Expiry::Never).await.expect("set");
        }
        if round % 4 == 3 {
            // One node is left out, and being asked whether it is back.
            memcacheds[0].pause();
            let hasty = client.with_timeout(Duration::from_millis(5));
            let reads = (0..30).map(|number| hasty.get::<String>(format!("key-{number}")));
            drop(join_all(reads).await);
            memcacheds[0].resume();
        }
        if round % 2 == 0 {
            client.close().await;
        }
        drop(client);
        while tasks() > 0 || open() > before {
            tokio::task::yield_now().await;
        }
    }
}
