//! What spans and counters say when servers answer with errors, or not at all.

use std::time::Duration;

use memlens::config::FailurePolicy;
use memlens::{ErrorKind, Expiry, TracedClient};
use memlens_tests::scripted::Action;
use memlens_tests::telemetry::{Recorder, attributes_of};
use memlens_tests::{EmbeddedNode, RefusingPort, ScriptedServer};
use opentelemetry::trace::Status;

use super::{patient, traced};

/// A server that answers a `get` of `key` like this, and a client of it.
async fn answering(reply: &[u8]) -> (ScriptedServer, Recorder, TracedClient) {
    let script = vec![
        Action::Expect(b"get key\r\n".to_vec()),
        Action::Send(reply.to_vec()),
        Action::Stall,
    ];
    let server = ScriptedServer::start(vec![script]);
    let recorder = Recorder::new();
    let client = traced(&recorder, &server.address().to_string()).await;
    (server, recorder, client)
}

#[tokio::test]
async fn error_lines_have_their_first_word_as_status_code() {
    for (reply, class, code, description) in [
        (
            &b"SERVER_ERROR out of memory writing get response\r\n"[..],
            "SERVER_ERROR",
            Some("SERVER_ERROR"),
            "the server could not carry out the request",
        ),
        (
            b"CLIENT_ERROR no such key as secret\r\n",
            "CLIENT_ERROR",
            Some("CLIENT_ERROR"),
            "the server refused the request",
        ),
        (
            b"ERROR\r\n",
            "ERROR",
            Some("ERROR"),
            "the server doesn't know the command",
        ),
        (
            b"CLIENT_ERROR unauthenticated\r\n",
            "auth",
            Some("CLIENT_ERROR"),
            "the server wants a login",
        ),
        (
            b"HELLO\r\n",
            "protocol",
            None,
            "the server broke the protocol",
        ),
    ] {
        let (_server, recorder, client) = answering(reply).await;
        client.get::<String>("key").await.unwrap_err();
        let spans = recorder.take_spans();
        let span = spans.last().unwrap();
        let attributes = attributes_of(span);
        assert_eq!(attributes["error.type"], class);
        let told = attributes
            .get("db.response.status_code")
            .map(String::as_str);
        assert_eq!(told, code, "{class}");
        assert_eq!(span.status, Status::error(description));
        let failed = [("error.type", class)];
        assert_eq!(recorder.sum("db.client.operation.duration", &failed), 1.0);
    }
}

#[tokio::test]
async fn what_never_leaves_the_client_is_a_failure_of_no_node() {
    let node = EmbeddedNode::start();
    let recorder = Recorder::new();
    let client = traced(&recorder, &node.address().to_string()).await;
    client.get::<String>("not a key").await.unwrap_err();
    let span = recorder.take_span();
    assert_eq!(span.name, "get");
    let attributes = attributes_of(&span);
    assert_eq!(attributes["error.type"], "invalid_key");
    assert!(!attributes.contains_key("server.address"));

    let huge = vec![0_u8; (1 << 20) + 1];
    let error = client.set("key", huge, Expiry::Never).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let attributes = attributes_of(&recorder.take_span());
    assert_eq!(attributes["error.type"], "too_large");
    assert!(!attributes.contains_key("db.response.status_code"));

    assert_eq!(recorder.metric("memcached.client.errors"), []);
    let method = [("method", "get"), ("error", "invalid_key")];
    assert_eq!(recorder.sum("memcached.client.calls", &method), 1.0);
}

#[tokio::test]
async fn a_retry_that_helped_is_no_error_but_is_told() {
    let hang_up = vec![Action::Expect(b"get key\r\n".to_vec()), Action::Close];
    let answer = vec![
        Action::Expect(b"get key\r\n".to_vec()),
        Action::Send(b"VALUE key 0 1\r\n7\r\nEND\r\n".to_vec()),
        Action::Stall,
    ];
    let server = ScriptedServer::start(vec![hang_up, answer]);
    let recorder = Recorder::new();
    let client = traced(&recorder, &server.address().to_string()).await;
    assert_eq!(client.get("key").await.unwrap(), Some(7_u64));

    let span = recorder.take_span();
    assert_eq!(span.status, Status::Unset);
    let attributes = attributes_of(&span);
    assert_eq!(attributes["memcached.retry.count"], "1");
    assert_eq!(attributes["memcached.result"], "hit");
    assert_eq!(span.events.iter().count(), 1);
    let event = span.events.iter().next().unwrap();
    assert_eq!(event.name, "memcached.retry");
    assert_eq!(event.attributes[0].key.as_str(), "error.type");
    assert_eq!(event.attributes[0].value.to_string(), "connection_closed");

    let closed = [("error.type", "connection_closed")];
    assert_eq!(recorder.sum("memcached.client.retries", &closed), 1.0);
    assert_eq!(recorder.sum("memcached.client.errors", &closed), 1.0);
    let ok = [("method", "get"), ("status", "ok")];
    assert_eq!(recorder.sum("memcached.client.calls", &ok), 1.0);
}

#[tokio::test]
async fn a_failover_that_helped_is_no_error_but_is_told() {
    let (first, second) = (RefusingPort::take(), EmbeddedNode::start());
    let list = format!("{},{}", first.address(), second.address());
    let recorder = Recorder::new();
    let mut config = patient(&list);
    config.on_failure = FailurePolicy::NextNode;
    config.eject_after = 1;
    let client = TracedClient::builder()
        .telemetry(recorder.telemetry())
        .with_config(config)
        .await
        .unwrap();
    let owner = first.address().to_string();
    let key = (0..).map(|index| format!("key:{index}"));
    let key = key
        .into_iter()
        .find(|key| *client.node_for(key).unwrap() == *owner)
        .unwrap();
    assert_eq!(client.get::<String>(&key).await.unwrap(), None);

    let spans = recorder.take_spans();
    let span = spans
        .iter()
        .find(|span| span.name == format!("get {owner}"))
        .unwrap();
    assert_eq!(span.status, Status::Unset);
    let event = span.events.iter().next().unwrap();
    assert_eq!(event.name, "memcached.failover");
    let port = event
        .attributes
        .iter()
        .find(|it| it.key.as_str() == "server.port");
    let port = port.unwrap().value.to_string();
    assert_eq!(port, second.address().port().to_string());
    let attributes = attributes_of(span);
    assert_eq!(
        attributes["network.peer.port"], port,
        "who answered in the end"
    );
    let refused = [("error.type", "connection_refused")];
    assert_eq!(recorder.sum("memcached.client.ejections", &refused), 1.0);
    assert!(recorder.sum("memcached.client.errors", &refused) >= 1.0);
}

#[tokio::test]
async fn a_node_that_is_left_out_and_comes_back_is_counted_and_shown() {
    let nodes = [EmbeddedNode::start(), EmbeddedNode::start()];
    let list = format!("{},{}", nodes[0].address(), nodes[1].address());
    let recorder = Recorder::new();
    let client = traced(&recorder, &list).await;
    let owner = nodes[0].address().to_string();
    let key = (0..)
        .map(|index| format!("key:{index}"))
        .find(|key| *client.node_for(key).unwrap() == *owner)
        .unwrap();
    let port = nodes[0].address().port().to_string();
    let at = [("server.port", port.as_str())];
    assert_eq!(client.get::<String>(&key).await.unwrap(), None);
    assert_eq!(recorder.sum("memcached.client.node.out", &at), 0.0);

    nodes[0].node().pause();
    let hasty = client.with_timeout(Duration::from_millis(20));
    while hasty.get::<String>(&key).await.unwrap_err().kind() != ErrorKind::NodeDown {}
    let timeout = [("error.type", "timeout"), at[0]];
    assert_eq!(recorder.sum("memcached.client.ejections", &timeout), 1.0);
    assert_eq!(recorder.sum("memcached.client.node.out", &at), 1.0);

    nodes[0].node().resume();
    while client.get::<String>(&key).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(recorder.sum("memcached.client.returns", &at), 1.0);
    assert_eq!(recorder.sum("memcached.client.node.out", &at), 0.0);
}
