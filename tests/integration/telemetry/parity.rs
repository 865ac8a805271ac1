//! Every operation there is, from the table that defines them: one call each makes one span with the
//! right name, kind and attributes, and one count of each metric.

use std::task::Poll;
use std::time::Duration;

use futures_util::poll;
use memlens::{
    Expiry, LruMode, MetaArithmetic, MetaDelete, MetaGet, MetaSet, NodeClient, Operation,
    TracedClient, WatchTopic,
};
use memlens_tests::EmbeddedNode;
use memlens_tests::telemetry::{Attributes, Recorder, attributes_of};
use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, Status};

use super::traced;

const KEYS: [&str; 2] = ["number:1", "number:2"];
const MISSING: [&str; 2] = ["missing:1", "missing:2"];

/// Calls the method of an operation, on keys that are there or not. Whether it succeeds is for the
/// caller to know.
async fn call(client: &TracedClient, node: &NodeClient, operation: Operation, is_hit: bool) {
    let keys = if is_hit { KEYS } else { MISSING };
    let key = keys[0];
    let never = Expiry::Never;
    match operation {
        Operation::Get => drop(client.get::<u64>(key).await),
        Operation::Gets => drop(client.gets::<u64>(key).await),
        Operation::GetAndTouch => drop(client.gat::<u64>(key, never).await),
        Operation::GetsAndTouch => drop(client.gats::<u64>(key, never).await),
        Operation::Set => drop(client.set("set", 1, never).await),
        Operation::Add => drop(client.add(key, 1, Expiry::secs(1)).await),
        Operation::Replace => drop(client.replace(key, 1, never).await),
        Operation::Append => drop(client.append(key, "1").await),
        Operation::Prepend => drop(client.prepend(key, "1").await),
        Operation::CompareAndSwap => {
            let cas = memlens_cas(client).await;
            drop(client.cas(key, 1, never, cas).await);
        }
        Operation::Delete => drop(client.delete(key).await),
        Operation::Touch => drop(client.touch(key, never).await),
        Operation::Increment => drop(client.incr(key, 1).await),
        Operation::Decrement => drop(client.decr(key, 1).await),
        Operation::IncrementOrInit => drop(client.incr_or_init(KEYS[0], 1, 1, never).await),
        Operation::DecrementOrInit => drop(client.decr_or_init(KEYS[0], 1, 1, never).await),
        Operation::MetaGet => drop(client.meta_get(key, &MetaGet::new().value()).await),
        Operation::MetaSet => drop(client.meta_set("set", 1, &MetaSet::new()).await),
        Operation::MetaDelete => drop(client.meta_delete(key, &MetaDelete::new()).await),
        Operation::MetaArithmetic => {
            drop(client.meta_arithmetic(key, &MetaArithmetic::new()).await);
        }
        Operation::MetaDebug => drop(client.meta_debug(key).await),
        Operation::GetMulti => drop(client.get_multi::<u64, _>(keys).await),
        Operation::GetsMulti => drop(client.gets_multi::<u64, _>(keys).await),
        Operation::MetaGetMulti => {
            drop(client.meta_get_multi(keys, &MetaGet::new().value()).await);
        }
        Operation::SetMulti => drop(client.set_multi([("set", 1), ("set:2", 2)], never).await),
        Operation::DeleteMulti => drop(client.delete_multi(keys).await),
        Operation::TouchMulti => drop(client.touch_multi(keys, never).await),
        Operation::IncrementMulti => drop(client.incr_multi(keys, 1).await),
        Operation::DecrementMulti => drop(client.decr_multi(keys, 1).await),
        Operation::Version => drop(node.version().await),
        Operation::Noop => drop(node.noop().await),
        Operation::Verbosity => drop(node.verbosity(0).await),
        Operation::FlushAll => drop(node.flush_all().await),
        Operation::Shutdown => drop(node.shutdown().await),
        Operation::Stats => drop(node.stats().await),
        Operation::LruCrawler => drop(node.lru_crawler_crawl(None).await),
        Operation::Lru => drop(node.lru_mode(LruMode::Segmented).await),
        Operation::Slabs => drop(node.slabs_automove(1).await),
        Operation::CacheMemlimit => drop(node.cache_memlimit(64).await),
        Operation::Metadump => drop(node.metadump(None).await),
        Operation::Mgdump => drop(node.mgdump(None).await),
        Operation::Watch => drop(node.watch(&[WatchTopic::Fetchers]).await),
        other => panic!("no call for {other:?}: add one"),
    }
}

/// A cas unique that is none of the items': `cas` says EXISTS or NOT_FOUND.
async fn memlens_cas(client: &TracedClient) -> memlens::Cas {
    let plain = client.servers().list();
    let servers: Vec<String> = plain.iter().map(ToString::to_string).collect();
    let other = memlens::Client::connect(&servers.join(",")).await.unwrap();
    other.set("other", 1, Expiry::Never).await.unwrap();
    other.gets::<u64>("other").await.unwrap().unwrap().1
}

fn is_of_many(operation: Operation) -> bool {
    operation.as_str().ends_with("_multi")
}

fn is_on_key(operation: Operation) -> bool {
    let first_on_a_node = Operation::ALL
        .iter()
        .position(|it| *it == Operation::Version);
    let position = Operation::ALL.iter().position(|it| *it == operation);
    position < first_on_a_node
}

/// `BATCH set` of `set_multi`, for what writes many keys.
fn logical_name(operation: Operation) -> String {
    match operation {
        Operation::SetMulti => "BATCH set".to_owned(),
        Operation::TouchMulti => "BATCH touch".to_owned(),
        Operation::IncrementMulti => "BATCH incr".to_owned(),
        Operation::DecrementMulti => "BATCH decr".to_owned(),
        other => other.as_str().to_owned(),
    }
}

struct Setup {
    node: EmbeddedNode,
    recorder: Recorder,
    client: TracedClient,
}

impl Setup {
    /// With a connection that stands, and items to find.
    async fn start() -> Self {
        let node = EmbeddedNode::with_arguments(&["-A"]);
        let recorder = Recorder::new();
        let client = traced(&recorder, &node.address().to_string()).await;
        for key in KEYS {
            client.set(key, 7, Expiry::Never).await.unwrap();
        }
        recorder.take_spans();
        Self {
            node,
            recorder,
            client,
        }
    }

    fn only_node(&self) -> NodeClient {
        self.client.nodes().remove(0)
    }

    fn assert_place(&self, attributes: &Attributes) {
        let address = self.node.address();
        assert_eq!(attributes["server.address"], address.ip().to_string());
        assert_eq!(attributes["server.port"], address.port().to_string());
        assert_eq!(attributes["db.system.name"], "memcached");
    }
}

/// The calls there are of a method, by `status`, in both metrics that count them.
fn assert_counted(recorder: &Recorder, method: &str, status: &str, error: Option<&str>) {
    for metric in ["memcached.client.calls", "memcached.client.latency"] {
        let points = recorder.metric(metric);
        let mut points = points.iter().filter(|point| {
            point.attributes["method"] == method && point.attributes["status"] == status
        });
        let point = points
            .next()
            .unwrap_or_else(|| panic!("{metric}: no {method} {status}"));
        assert_eq!(point.value, 1.0, "{metric} {method} {status}");
        assert_eq!(point.attributes.get("error").map(String::as_str), error);
        assert_eq!(points.next(), None);
    }
}

#[tokio::test]
async fn each_operation_makes_one_span_and_is_counted_once() {
    for operation in Operation::ALL {
        for is_hit in [true, false] {
            if !is_hit && !is_on_key(*operation) {
                continue;
            }
            let setup = Setup::start().await;
            call(&setup.client, &setup.only_node(), *operation, is_hit).await;

            let span = setup.recorder.take_span();
            let name = logical_name(*operation);
            assert_eq!(span.name, format!("{name} {}", setup.node.address()));
            assert_eq!(span.span_kind, SpanKind::Client);
            assert_eq!(span.status, Status::Unset, "{operation:?} is no failure");
            let attributes = attributes_of(&span);
            setup.assert_place(&attributes);
            assert_eq!(attributes["db.operation.name"], name);
            let port = span
                .attributes
                .iter()
                .find(|it| it.key.as_str() == "server.port");
            assert!(matches!(port.unwrap().value, Value::I64(_)), "an int");
            assert!(!attributes.contains_key("error.type"), "{operation:?}");
            assert_eq!(
                attributes.contains_key("memcached.result"),
                !is_of_many(*operation)
            );
            assert!(attributes.values().all(|value| !value.is_empty()));

            // What sets the test up is a `set` as well.
            if *operation != Operation::Set {
                assert_counted(&setup.recorder, operation.as_str(), "ok", None);
                let name = [("db.operation.name", name.as_str())];
                let durations = setup.recorder.sum("db.client.operation.duration", &name);
                assert_eq!(durations, 1.0);
            }
        }
    }
}

#[tokio::test]
async fn results_are_told_in_the_words_of_the_protocol() {
    use Operation::*;
    for (operation, is_hit, result) in [
        (Get, true, "hit"),
        (Get, false, "miss"),
        (Gets, true, "hit"),
        (GetAndTouch, true, "hit"),
        (GetsAndTouch, false, "miss"),
        (Set, true, "stored"),
        (Add, true, "not_stored"),
        (Add, false, "stored"),
        (Replace, false, "not_stored"),
        (Append, true, "stored"),
        (CompareAndSwap, true, "exists"),
        (CompareAndSwap, false, "not_found"),
        (Delete, true, "deleted"),
        (Delete, false, "not_found"),
        (Touch, true, "touched"),
        (Touch, false, "not_found"),
        (Increment, true, "ok"),
        (Increment, false, "not_found"),
        (IncrementOrInit, true, "ok"),
        (MetaGet, true, "hit"),
        (MetaGet, false, "miss"),
        (MetaSet, true, "stored"),
        (MetaDelete, true, "deleted"),
        (MetaDelete, false, "not_found"),
        (MetaArithmetic, true, "ok"),
        (Version, true, "ok"),
    ] {
        let setup = Setup::start().await;
        call(&setup.client, &setup.only_node(), operation, is_hit).await;
        let attributes = attributes_of(&setup.recorder.take_span());
        assert_eq!(
            attributes["memcached.result"], result,
            "{operation:?} {is_hit}"
        );
        let size = attributes.get("memcached.value.size").map(String::as_str);
        assert_eq!(size, (result == "hit").then_some("1"), "{operation:?}");
        let address = setup.node.address();
        assert_eq!(attributes["network.peer.address"], address.ip().to_string());
        assert_eq!(attributes["network.peer.port"], address.port().to_string());
    }
}

#[tokio::test]
async fn each_operation_that_is_dropped_ends_as_cancelled() {
    for operation in Operation::ALL {
        let setup = Setup::start().await;
        // The helper of `cas` would wait for the node.
        if *operation == Operation::CompareAndSwap {
            continue;
        }
        setup.node.node().pause();
        let node = setup.only_node();
        let mut future = Box::pin(call(&setup.client, &node, *operation, true));
        assert!(matches!(poll!(&mut future), Poll::Pending), "{operation:?}");
        drop(future);

        let span = setup.recorder.take_span();
        let attributes = attributes_of(&span);
        assert_eq!(attributes["memcached.cancelled"], "true", "{operation:?}");
        assert_eq!(span.status, Status::Unset);
        let error = Some("cancelled");
        assert_counted(&setup.recorder, operation.as_str(), "cancelled", error);
        let name = logical_name(*operation);
        let failed = [
            ("db.operation.name", name.as_str()),
            ("error.type", "cancelled"),
        ];
        assert_eq!(
            setup.recorder.sum("db.client.operation.duration", &failed),
            1.0
        );
    }
}

#[tokio::test]
async fn each_operation_that_fails_says_so_in_fixed_words() {
    for operation in Operation::ALL {
        // Nobody listens there any more.
        let node = EmbeddedNode::start();
        let address = node.address();
        drop(node);
        let recorder = Recorder::new();
        let client = traced(&recorder, &address.to_string()).await;
        let node = client.nodes().remove(0);
        if *operation == Operation::CompareAndSwap {
            continue;
        }
        call(&client, &node, *operation, true).await;

        let span = recorder.take_span();
        assert_eq!(
            span.status,
            Status::error("could not connect"),
            "{operation:?}"
        );
        let attributes = attributes_of(&span);
        assert_eq!(
            attributes["error.type"], "connection_refused",
            "{operation:?}"
        );
        assert!(!attributes.contains_key("memcached.result"));
        assert!(!attributes.contains_key("db.response.status_code"));
        assert_counted(
            &recorder,
            operation.as_str(),
            "error",
            Some("connection_refused"),
        );
        let statistics = client.statistics();
        assert_eq!(statistics.operation(*operation).unwrap().failed(), 1);
    }
}

#[tokio::test]
async fn a_timeout_is_told_from_a_cancellation() {
    let setup = Setup::start().await;
    setup.node.node().pause();
    let hasty = setup.client.with_timeout(Duration::from_millis(1));
    assert!(hasty.get::<u64>(KEYS[0]).await.unwrap_err().is_timeout());
    let span = setup.recorder.take_span();
    assert_eq!(attributes_of(&span)["error.type"], "timeout");
    assert_eq!(span.status, Status::error("the operation timed out"));
}
