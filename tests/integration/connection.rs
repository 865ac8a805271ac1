//! What a connection does when the server, or the caller, does not keep to the plan.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use memlens::{Client, Config, ErrorKind, Expiry};
use memlens_tests::scripted::Action;
use memlens_tests::{RefusingPort, ScriptedServer};

const SHORT: Duration = Duration::from_millis(30);

fn expect(bytes: &[u8]) -> Action {
    Action::Expect(bytes.to_vec())
}

fn send(bytes: &[u8]) -> Action {
    Action::Send(bytes.to_vec())
}

fn hit(key: &str, value: &str) -> Action {
    send(format!("VALUE {key} 0 {}\r\n{value}\r\nEND\r\n", value.len()).as_bytes())
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) {
    poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

fn config(server: &ScriptedServer) -> Config {
    let mut config: Config = server.address().to_string().parse().expect("an address");
    config.operation_timeout = Duration::from_secs(20);
    config.drain_timeout = Duration::from_secs(20);
    config.backoff_base = Duration::from_millis(1);
    config.backoff_cap = Duration::from_millis(2);
    config
}

async fn client(server: &ScriptedServer) -> Client {
    Client::with_config(config(server)).await.expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_whose_connection_breaks_is_repeated_once() {
    let server = ScriptedServer::start([
        vec![expect(b"get a\r\n"), Action::Close],
        vec![expect(b"get a\r\n"), hit("a", "1")],
    ]);
    assert_eq!(
        client(&server)
            .await
            .get::<u32>("a")
            .await
            .expect("a value"),
        Some(1)
    );
    assert_eq!(server.connections(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_socket_setting_is_one_that_the_system_refuses() {
    let extremes = [
        Duration::from_nanos(1),
        Duration::from_secs(300 * 24 * 3600),
    ];
    for extreme in extremes {
        let server = ScriptedServer::start([vec![expect(b"get a\r\n"), hit("a", "1")]]);
        let mut config = config(&server);
        config.keepalive = Some(extreme);
        config.user_timeout = Some(extreme);
        let client = Client::with_config(config).await.expect("a client");
        assert_eq!(client.get::<u32>("a").await.expect("a value"), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_is_cut_short_is_an_error() {
    let cut = || {
        vec![
            expect(b"get a\r\n"),
            send(b"VALUE a 0 10\r\nabc"),
            Action::Close,
        ]
    };
    let server = ScriptedServer::start([cut(), cut()]);
    let error = client(&server)
        .await
        .get::<String>("a")
        .await
        .expect_err("no value");
    assert_eq!(error.kind(), ErrorKind::ConnectionClosed);
    assert!(error.was_sent() && !error.is_retryable());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counting_is_never_repeated() {
    let server = ScriptedServer::start([
        vec![expect(b"incr n 1\r\n"), Action::Reset],
        vec![expect(b"incr n 1\r\n"), send(b"2\r\n")],
    ]);
    let error = client(&server)
        .await
        .incr("n", 1)
        .await
        .expect_err("it may have counted");
    assert_eq!(
        (error.kind(), error.was_sent()),
        (ErrorKind::ConnectionClosed, true)
    );
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_reply_is_not_taken_for_the_next_one() {
    let server = ScriptedServer::start([vec![
        expect(b"get a\r\n"),
        Action::Stall,
        hit("a", "first"),
        expect(b"get b\r\n"),
        hit("b", "second"),
    ]]);
    let client = client(&server).await;
    let error = client
        .with_timeout(SHORT)
        .get::<String>("a")
        .await
        .expect_err("too late");
    assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Timeout, true));
    let next = tokio::spawn({
        let client = client.clone();
        async move { client.get::<String>("b").await }
    });
    while client.nodes()[0].in_flight() < 2 {
        tokio::task::yield_now().await;
    }
    server.release();
    assert_eq!(
        next.await.expect("a task").expect("a value").as_deref(),
        Some("second")
    );
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_stands_still_is_given_up() {
    let server = ScriptedServer::start([
        vec![expect(b"get a\r\n"), Action::Stall],
        vec![expect(b"get b\r\n"), hit("b", "2")],
    ]);
    let mut config = config(&server);
    config.drain_timeout = SHORT;
    let client = Client::with_config(config).await.expect("a client");
    let error = client
        .with_timeout(SHORT)
        .get::<u32>("a")
        .await
        .expect_err("too late");
    assert!(error.is_timeout());
    assert_eq!(
        client.get::<u32>("b").await.expect("from a new connection"),
        Some(2)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_data_block_ends_the_connection() {
    let server = ScriptedServer::start([
        vec![
            expect(b"set a 0 0 9\r\nflush_all\r\n"),
            send(b"CLIENT_ERROR bad data chunk\r\nOK\r\n"),
        ],
        vec![expect(b"get a\r\n"), hit("a", "1")],
    ]);
    let client = client(&server).await;
    let error = client
        .set("a", "flush_all", Expiry::Never)
        .await
        .expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::ClientError);
    assert_eq!(error.server_message(), Some("bad data chunk"));
    assert_eq!(client.get::<u32>("a").await.expect("a value"), Some(1));
    assert_eq!(server.connections(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_of_another_key_is_never_given_out() {
    let server = ScriptedServer::start([
        vec![expect(b"get a\r\n"), hit("b", "wrong")],
        vec![expect(b"get a\r\n"), hit("a", "right")],
    ]);
    let client = client(&server).await;
    let error = client.get::<String>("a").await.expect_err("the wrong key");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    let again = client.get::<String>("a").await.expect("a value");
    assert_eq!(again.as_deref(), Some("right"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_nobody_asked_for_ends_the_connection() {
    let server = ScriptedServer::start([
        vec![expect(b"get a\r\n"), send(b"END\r\nEND\r\n")],
        vec![expect(b"get b\r\n"), hit("b", "2")],
    ]);
    let client = client(&server).await;
    assert_eq!(client.get::<u32>("a").await.expect("a miss"), None);
    assert_eq!(client.get::<u32>("b").await.expect("a value"), Some(2));
    assert_eq!(server.connections(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_of_another_kind_ends_the_connection() {
    let server = ScriptedServer::start([
        vec![expect(b"delete a\r\n"), send(b"STORED\r\n")],
        vec![expect(b"delete a\r\n"), send(b"DELETED\r\n")],
    ]);
    let client = client(&server).await;
    let error = client.delete("a").await.expect_err("no answer to a delete");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(client.delete("a").await.expect("a delete"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_in_single_bytes_are_put_together() {
    let reply = b"VALUE a 0 5\r\nEND\r\n\r\nEND\r\n";
    let script = vec![expect(b"get a\r\n"), Action::send_bytewise(reply)];
    let server = ScriptedServer::start([script]);
    let value = client(&server)
        .await
        .get::<String>("a")
        .await
        .expect("a value");
    assert_eq!(value.as_deref(), Some("END\r\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_callers_wait_until_their_deadline() {
    let script = vec![expect(b"get a\r\n"), Action::Stall, hit("a", "1")];
    let server = ScriptedServer::start([script]);
    let mut config = config(&server);
    config.max_operations = 1;
    let client = Client::with_config(config).await.expect("a client");
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.get::<u32>("a").await }
    });
    server.wait_for_bytes(0, b"get a\r\n".len());
    let error = client
        .with_timeout(SHORT)
        .get::<u32>("b")
        .await
        .expect_err("no room");
    assert_eq!(
        (error.kind(), error.was_sent()),
        (ErrorKind::Overloaded, false)
    );
    assert!(error.is_retryable());
    server.release();
    assert_eq!(first.await.expect("a task").expect("a value"), Some(1));
    assert_eq!(server.received(0), b"get a\r\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_may_come_while_the_value_is_still_being_sent() {
    let value = vec![b'x'; 900_000];
    let server = ScriptedServer::start([vec![
        Action::ExpectBytes(10),
        send(b"SERVER_ERROR object too large for cache\r\n"),
        expect(b"get b\r\n"),
        hit("b", "2"),
    ]]);
    let client = client(&server).await;
    let error = client
        .set("a", value, Expiry::Never)
        .await
        .expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(client.get::<u32>("b").await.expect("a value"), Some(2));
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_socket_delays_writers_and_mixes_nothing_up() {
    let value = vec![b'x'; 500_000];
    let line = format!("set k0 0 0 {}\r\n", value.len()).len();
    let whole = 8 * (line + value.len() + 2);
    let server = ScriptedServer::start([vec![
        Action::Stall,
        Action::ExpectBytes(whole),
        send(&b"STORED\r\n".repeat(8)),
    ]]);
    let client = client(&server).await;
    let writes: Vec<_> = (0..8)
        .map(|number| {
            let (client, value) = (client.clone(), value.clone());
            tokio::spawn(
                async move { client.set(format!("k{number}"), value, Expiry::Never).await },
            )
        })
        .collect();
    while client.nodes()[0].in_flight() < writes.len() {
        tokio::task::yield_now().await;
    }
    // A deadline in the middle of it all must not tear a request apart.
    let error = client
        .with_timeout(SHORT)
        .delete("late")
        .await
        .expect_err("no reply yet");
    assert!(error.is_timeout());
    server.release();
    for write in writes {
        write.await.expect("a task").expect("stored");
    }
    let received = server.received(0);
    let lines = received
        .windows(4)
        .filter(|window| *window == b"set ")
        .count();
    assert_eq!(lines, 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_too_many_connections_is_told_from_an_answer() {
    let refuse = || vec![send(b"ERROR Too many open connections\r\n"), Action::Close];
    let server = ScriptedServer::start([refuse(), refuse()]);
    let error = client(&server)
        .await
        .get::<u32>("a")
        .await
        .expect_err("no connection");
    assert!(error.is_connection(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_connection_fails_at_once_and_says_why() {
    let port = RefusingPort::take();
    let address = port.address().to_string();
    let mut config: Config = address.parse().expect("an address");
    config.backoff_base = Duration::from_secs(60);
    config.backoff_cap = Duration::from_secs(60);
    let client = Client::with_config(config).await.expect("a client");
    let first = client.get::<u32>("a").await.expect_err("nobody listens");
    assert_eq!(first.kind(), ErrorKind::Connect);
    assert!(first.is_connection(), "{first}");
    assert_eq!(first.node(), Some(address.as_str()));
    assert!(!first.was_sent() && first.is_retryable());
    let second = client.get::<u32>("a").await.expect_err("nobody listens");
    assert!(matches!(
        second.kind(),
        ErrorKind::NodeDown | ErrorKind::Connect
    ));
    assert!(second.to_string().contains("refused"), "{second}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_answers_and_refuses_new_requests() {
    let script = vec![expect(b"get a\r\n"), Action::Stall, hit("a", "1")];
    let server = ScriptedServer::start([script]);
    let client = client(&server).await;
    let get = tokio::spawn({
        let client = client.clone();
        async move { client.get::<u32>("a").await }
    });
    server.wait_for_bytes(0, b"get a\r\n".len());
    let mut close = pin!(client.close());
    poll_once(close.as_mut()).await;
    let error = client.delete("b").await.expect_err("closing");
    assert_eq!(error.kind(), ErrorKind::ClientClosed);
    server.release();
    assert_eq!(get.await.expect("a task").expect("a value"), Some(1));
    close.await;
    let error = client.get::<u32>("a").await.expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::ClientClosed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_gives_up_after_the_drain_timeout() {
    let server = ScriptedServer::start([vec![expect(b"get a\r\n"), Action::Stall]]);
    let mut config = config(&server);
    config.drain_timeout = SHORT;
    let client = Client::with_config(config).await.expect("a client");
    let get = tokio::spawn({
        let client = client.clone();
        async move { client.get::<u32>("a").await }
    });
    server.wait_for_bytes(0, b"get a\r\n".len());
    client.close().await;
    let error = get.await.expect("a task").expect_err("no answer");
    assert_eq!(
        (error.kind(), error.was_sent()),
        (ErrorKind::ClientClosed, true)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_write_that_was_not_begun_is_taken_back() {
    let script = vec![Action::Stall, expect(b"delete b\r\n"), send(b"DELETED\r\n")];
    let server = ScriptedServer::start([script]);
    let client = client(&server).await;
    // Polled once, and dropped while the connection is still being made.
    poll_once(pin!(client.delete("a"))).await;
    server.release();
    assert!(client.delete("b").await.expect("a delete"));
    assert_eq!(server.received(0), b"delete b\r\n");
}
