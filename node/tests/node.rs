//! Nodes over real sockets, through the public interface alone.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::net::Ipv4Addr;
use std::time::Duration;

use memlens_node::{Error, Node};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

async fn connect(node: &Node) -> TcpStream {
    TcpStream::connect(node.addr())
        .await
        .expect("the node listens")
}

/// Sends a request and reads exactly the reply expected.
async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str, reply: &str) {
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the node reads");
    let mut got = vec![0; reply.len()];
    stream.read_exact(&mut got).await.expect("the node answers");
    assert_eq!(String::from_utf8_lossy(&got), reply, "to {request:?}");
}

/// Reads until the node closes the connection.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut got = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut got).await;
    String::from_utf8_lossy(&got).into_owned()
}

/// Reads until what was read is complete by `end`: it contains that, and ends with its line.
async fn until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut got = Vec::new();
    while !(got.ends_with(b"\n") && String::from_utf8_lossy(&got).contains(end)) {
        assert_ne!(
            stream.read_buf(&mut got).await.expect("the node answers"),
            0
        );
    }
    String::from_utf8_lossy(&got).into_owned()
}

#[tokio::test]
async fn nodes_are_independent() {
    let one = Node::builder().start().await.expect("a node");
    let two = Node::builder().start().await.expect("a node");
    assert_ne!(one.addr(), two.addr());
    assert_eq!(one.addr(), one.local_addr());
    assert!(one.addr().ip().is_loopback());
    exchange(
        &mut connect(&one).await,
        "set a 0 0 1\r\nx\r\n",
        "STORED\r\n",
    )
    .await;
    exchange(&mut connect(&two).await, "get a\r\n", "END\r\n").await;
}

#[tokio::test]
async fn a_dropped_node_closes_its_connections_and_its_port() {
    let node = Node::builder().start().await.expect("a node");
    let addr = node.addr();
    let mut stream = connect(&node).await;
    exchange(&mut stream, "version\r\n", "VERSION 1.6.18\r\n").await;
    drop(node);
    assert_eq!(rest(&mut stream).await, "");
    while TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn shutdown_waits_until_the_port_is_free() {
    let node = Node::builder().start().await.expect("a node");
    let port = node.addr().port();
    let mut stream = connect(&node).await;
    exchange(&mut stream, "mn\r\n", "MN\r\n").await;
    node.shutdown().await;
    let again = Node::builder()
        .port(port)
        .start()
        .await
        .expect("the same port");
    assert_eq!(again.addr().port(), port);
}

#[tokio::test]
async fn a_client_may_stop_the_node_where_allowed() {
    let node = Node::builder()
        .allow_shutdown(true)
        .start()
        .await
        .expect("a node");
    let mut stream = connect(&node).await;
    stream
        .write_all(b"shutdown\r\n")
        .await
        .expect("the node reads");
    node.stopped().await;
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn other_machines_are_kept_out_unless_asked_for() {
    let error = Node::builder()
        .address(Ipv4Addr::UNSPECIFIED)
        .start()
        .await
        .expect_err("refused");
    assert!(matches!(error, Error::Config(_)));
    assert!(error.to_string().contains("allow_remote"), "{error}");
    let remote = || {
        Node::builder()
            .address(Ipv4Addr::UNSPECIFIED)
            .allow_remote(true)
    };
    let error = remote().start().await.expect_err("refused");
    assert!(error.to_string().contains("without a login"), "{error}");
    assert!(remote().auth_user("ada", "pass").start().await.is_ok());
    let open = remote().allow_remote_without_login(true);
    assert!(open.start().await.is_ok());
}

#[tokio::test]
async fn a_socket_file_is_no_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::builder()
        .address(Ipv4Addr::UNSPECIFIED)
        .unix_socket(folder.path().join("socket"))
        .start()
        .await;
    assert!(node.is_ok());
}

#[tokio::test]
async fn other_machines_cannot_hold_a_connection_for_ever() {
    let node = Node::builder()
        .address(Ipv4Addr::UNSPECIFIED)
        .allow_remote(true)
        .allow_remote_without_login(true)
        .idle_timeout(Duration::from_secs(1))
        .start()
        .await
        .expect("a node");
    let address = (Ipv4Addr::LOCALHOST, node.addr().port());
    for silence in ["", "set a 0 0 100\r\nx", "get ", "set a 0 0 2000000\r\nx"] {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let sent = stream.write_all(silence.as_bytes()).await;
        sent.expect("the node reads");
        let end = tokio::time::timeout(Duration::from_secs(30), rest(&mut stream)).await;
        assert!(end.is_ok(), "{silence:?}");
    }
}

#[tokio::test]
async fn nothing_listens_by_udp() {
    // If the node did, the port would be taken.
    let node = Node::builder().start().await.expect("a node");
    assert!(std::net::UdpSocket::bind(node.addr()).is_ok());
}

#[tokio::test]
async fn browsers_are_turned_away() {
    let node = Node::builder().start().await.expect("a node");
    for verb in ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "CONNECT"] {
        let mut stream = connect(&node).await;
        let request = format!("{verb} / HTTP/1.1\r\nHost: x\r\n\r\nflush_all\r\nversion\r\n");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("the node reads");
        assert_eq!(rest(&mut stream).await, "", "{verb}");
    }
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let node = Node::builder().start().await.expect("a node");
    let error = Node::builder()
        .port(node.addr().port())
        .start()
        .await
        .expect_err("refused");
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

#[tokio::test]
async fn impossible_settings_are_errors() {
    for builder in [
        Node::builder().memory(1 << 20),
        Node::builder().max_item_size(100),
        Node::builder().max_item_size(700 * 1024),
        Node::builder().growth_factor(1.0),
        Node::builder().growth_factor(f64::NAN),
        Node::builder().max_connections(0),
        Node::builder().min_chunk(0),
        Node::builder().threads(0),
    ] {
        assert!(matches!(builder.start().await, Err(Error::Config(_))));
    }
    assert!(
        Node::builder()
            .max_item_size(64 * 1024)
            .start()
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let node = Node::builder()
        .max_connections(2)
        .start()
        .await
        .expect("a node");
    let mut one = connect(&node).await;
    exchange(&mut one, "mn\r\n", "MN\r\n").await;
    let mut two = connect(&node).await;
    exchange(&mut two, "mn\r\n", "MN\r\n").await;
    let mut three = connect(&node).await;
    assert_eq!(
        rest(&mut three).await,
        "ERROR Too many open connections\r\n"
    );
    one.write_all(b"stats\r\n").await.expect("the node reads");
    let stats = until(&mut one, "END\r\n").await;
    for line in [
        "rejected_connections 1",
        "curr_connections 2",
        "total_connections 3",
    ] {
        assert!(stats.contains(&format!("STAT {line}\r\n")), "{line}");
    }
}

#[tokio::test]
async fn a_paused_node_accepts_and_does_not_answer() {
    let node = Node::builder().start().await.expect("a node");
    let mut stream = connect(&node).await;
    exchange(&mut stream, "mn\r\n", "MN\r\n").await;
    node.pause();
    assert!(node.is_paused());
    stream
        .write_all(b"version\r\n")
        .await
        .expect("the system takes it");
    let mut second = connect(&node).await;
    second
        .write_all(b"mn\r\n")
        .await
        .expect("the system takes it");
    let mut byte = [0];
    let silence = tokio::time::timeout(Duration::from_millis(30), stream.read(&mut byte)).await;
    assert!(silence.is_err(), "a paused node answered");
    node.resume();
    assert_eq!(until(&mut stream, "\r\n").await, "VERSION 1.6.18\r\n");
    assert_eq!(until(&mut second, "\r\n").await, "MN\r\n");
}

#[tokio::test(start_paused = true)]
async fn silent_clients_are_disconnected() {
    let node = Node::builder()
        .idle_timeout(Duration::from_secs(5))
        .start()
        .await
        .expect("a node");
    let mut stream = connect(&node).await;
    assert_eq!(rest(&mut stream).await, "");
    let mut stream = connect(&node).await;
    stream
        .write_all(b"stats\r\n")
        .await
        .expect("the node reads");
    assert!(
        until(&mut stream, "END\r\n")
            .await
            .contains("STAT idle_kicks 1\r\n")
    );
}

#[tokio::test]
async fn a_unix_socket_replaces_tcp() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("node.sock");
    let node = Node::builder()
        .unix_socket(&path)
        .start()
        .await
        .expect("a node");
    assert_eq!(node.unix_socket(), Some(path.as_path()));
    let mut stream = UnixStream::connect(&path).await.expect("the node listens");
    exchange(&mut stream, "version\r\n", "VERSION 1.6.18\r\n").await;
    node.shutdown().await;
    assert!(!path.exists());

    // A file left behind by a crash is replaced, anything else is not touched.
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a leftover"));
    drop(
        Node::builder()
            .unix_socket(&path)
            .start()
            .await
            .expect("a node"),
    );
    let precious = folder.path().join("precious");
    std::fs::write(&precious, "data").expect("a file");
    assert!(
        Node::builder()
            .unix_socket(&precious)
            .start()
            .await
            .is_err()
    );
    assert_eq!(std::fs::read(&precious).expect("the file"), b"data");
}

#[tokio::test]
async fn authentication_by_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("users");
    std::fs::write(&path, "dash:secret\n").expect("a file");
    let node = Node::builder()
        .auth_file(&path)
        .start()
        .await
        .expect("a node");
    let mut stream = connect(&node).await;
    exchange(
        &mut stream,
        "version\r\n",
        "CLIENT_ERROR unauthenticated\r\n",
    )
    .await;
    exchange(&mut stream, "set a 0 0 11\r\ndash secret\r\n", "STORED\r\n").await;
    exchange(&mut stream, "version\r\n", "VERSION 1.6.18\r\n").await;
    assert!(
        Node::builder()
            .auth_file("/nonexistent/users")
            .start()
            .await
            .is_err()
    );
    std::fs::write(&path, "no colon\n").expect("a file");
    assert!(Node::builder().auth_file(&path).start().await.is_err());
}

#[tokio::test]
async fn watchers_hear_of_reads_writes_and_connections() {
    let node = Node::builder().start().await.expect("a node");
    let mut watcher = connect(&node).await;
    exchange(
        &mut watcher,
        "watch fetchers mutations connevents\r\n",
        "OK\r\n",
    )
    .await;
    let mut client = connect(&node).await;
    exchange(&mut client, "set a:b 0 60 3\r\nabc\r\n", "STORED\r\n").await;
    client.write_all(b"quit\r\n").await.expect("the node reads");
    let log = until(&mut watcher, " reason=normal cfd=").await;
    let lines: Vec<&str> = log.lines().collect();
    for (line, expected) in lines.iter().zip([
        " type=conn_new rip=127.0.0.1 rport=",
        " type=item_get key=a%3Ab status=not_found clsid=0 cfd=",
        " type=item_store key=a%3Ab status=stored cmd=set ttl=60 clsid=1 cfd=",
        " type=conn_close rip=127.0.0.1 rport=",
    ]) {
        assert!(line.contains(expected), "{line}");
    }
    assert_eq!(lines.len(), 4, "{log}");
}

#[tokio::test]
async fn metadump_lists_every_item() {
    let node = Node::builder().start().await.expect("a node");
    let mut client = connect(&node).await;
    for number in 0..2500 {
        client
            .write_all(format!("set k:{number} 0 0 1 noreply\r\nx\r\n").as_bytes())
            .await
            .expect("the node reads");
    }
    exchange(&mut client, "mn\r\n", "MN\r\n").await;
    // The node's own crawler may be at work for a moment.
    let listing = loop {
        client
            .write_all(b"lru_crawler metadump all\r\n")
            .await
            .expect("the node reads");
        let listing = until(&mut client, "\r\n").await;
        if !listing.starts_with("BUSY") {
            break listing;
        }
    };
    let items: Vec<&str> = listing
        .lines()
        .filter(|line| line.starts_with("key=k%3A"))
        .collect();
    assert_eq!(items.len(), 2500);
    assert!(listing.ends_with("END\r\n"));
    let of_key = |key: &str| {
        items
            .iter()
            .find(|line| line.starts_with(key))
            .expect("the item")
    };
    assert!(of_key("key=k%3A77 exp=-1 la=").ends_with(" fetch=no cls=1 size=64"));
    exchange(&mut client, "mn\r\n", "MN\r\n").await;
}

#[tokio::test]
async fn large_values_travel_both_ways_in_pieces() {
    let node = Node::builder()
        .max_item_size(4 << 20)
        .start()
        .await
        .expect("a node");
    let mut client = connect(&node).await;
    let value = "0123456789abcdef".repeat(3 << 16);
    let request = format!("set big 0 0 {}\r\n{value}\r\nget big big\r\n", value.len());
    for piece in request.as_bytes().chunks(100_000) {
        client.write_all(piece).await.expect("the node reads");
        client.flush().await.expect("the node reads");
    }
    let item = format!("VALUE big 0 {}\r\n{value}\r\n", value.len());
    let expected = format!("STORED\r\n{item}{item}END\r\n");
    let mut got = vec![0; expected.len()];
    client.read_exact(&mut got).await.expect("the node answers");
    assert!(got == expected.as_bytes());
}
