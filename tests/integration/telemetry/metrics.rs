//! The metrics beside calls and durations.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::poll;
use memlens::{Config, ErrorKind, Expiry, Telemetry, TracedClient};
use memlens_tests::scripted::Action;
use memlens_tests::telemetry::{Point, Recorder};
use memlens_tests::{EmbeddedNode, RefusingPort, ScriptedServer};

use super::{built, patient, traced};

#[tokio::test]
async fn what_is_counted_is_what_was_done() {
    let node = EmbeddedNode::start();
    let recorder = Recorder::new();
    let client = traced(&recorder, &node.address().to_string()).await;
    client.set("key", "value", Expiry::Never).await.unwrap();
    client.get::<String>("key").await.unwrap();
    client.get::<String>("missing").await.unwrap();
    drop(client.get_multi::<String, _>(["key", "none", "nil"]).await);

    let port = node.address().port().to_string();
    let name = node.address().to_string();
    let place = ("server.port", port.as_str());
    let pool = ("db.client.connection.pool.name", name.as_str());
    for (metric, labels, value) in [
        (
            "memcached.client.lookups",
            &[place, ("result", "hit")][..],
            2.0,
        ),
        (
            "memcached.client.lookups",
            &[place, ("result", "miss")],
            3.0,
        ),
        ("memcached.client.node.up", &[place], 1.0),
        ("memcached.client.in_flight", &[place], 0.0),
        (
            "db.client.connection.count",
            &[pool, ("db.client.connection.state", "idle")],
            1.0,
        ),
        (
            "db.client.connection.count",
            &[pool, ("db.client.connection.state", "used")],
            0.0,
        ),
        ("db.client.connection.create_time", &[pool], 1.0),
        ("db.client.connection.pending_requests", &[pool], 0.0),
        (
            "memcached.client.calls",
            &[("method", "get"), ("status", "ok")],
            2.0,
        ),
        (
            "memcached.client.calls",
            &[("method", "get_multi"), ("status", "ok")],
            1.0,
        ),
    ] {
        assert!(!recorder.metric(metric).is_empty(), "{metric}");
        assert_eq!(recorder.sum(metric, labels), value, "{metric} {labels:?}");
    }
    // "set key 0 0 5\r\nvalue\r\n", two lines of one key and one of three, exactly.
    let sent = 15 + 7 + 9 + 13 + 18;
    let io = |direction| [place, ("network.io.direction", direction)];
    let transmitted = recorder.sum("memcached.client.io", &io("transmit"));
    assert_eq!(transmitted, f64::from(sent));
    // STORED, an item, END, and an item of the three.
    let item = "VALUE key 0 5\r\nvalue\r\nEND\r\n".len() as f64;
    let received = recorder.sum("memcached.client.io", &io("receive"));
    assert_eq!(received, 8.0 + item + 5.0 + item);
}

/// Name, kind, unit, and the names of the attributes that its numbers can have; `?` behind those that not
/// all of them have.
const CONTRACT: &[(&str, &str, &str, &str)] = &[
    (
        "db.client.connection.count",
        "up-down counter",
        "{connection}",
        "db.client.connection.pool.name db.client.connection.state",
    ),
    (
        "db.client.connection.create_time",
        "histogram",
        "s",
        "db.client.connection.pool.name",
    ),
    (
        "db.client.connection.pending_requests",
        "up-down counter",
        "{request}",
        "db.client.connection.pool.name",
    ),
    (
        "db.client.connection.timeouts",
        "counter",
        "{timeout}",
        "db.client.connection.pool.name",
    ),
    (
        "db.client.operation.duration",
        "histogram",
        "s",
        "db.operation.name db.system.name error.type? server.address server.port",
    ),
    (
        "memcached.client.calls",
        "counter",
        "{call}",
        "error? method status",
    ),
    (
        "memcached.client.ejections",
        "counter",
        "{ejection}",
        "error.type server.address server.port",
    ),
    (
        "memcached.client.errors",
        "counter",
        "{error}",
        "error.type server.address server.port",
    ),
    (
        "memcached.client.in_flight",
        "gauge",
        "{request}",
        "server.address server.port",
    ),
    (
        "memcached.client.io",
        "counter",
        "By",
        "network.io.direction server.address server.port",
    ),
    (
        "memcached.client.latency",
        "histogram",
        "ms",
        "error? method status",
    ),
    (
        "memcached.client.lookups",
        "counter",
        "{key}",
        "result server.address server.port",
    ),
    (
        "memcached.client.node.out",
        "gauge",
        "{node}",
        "server.address server.port",
    ),
    (
        "memcached.client.node.up",
        "gauge",
        "{node}",
        "server.address server.port",
    ),
    (
        "memcached.client.retries",
        "counter",
        "{request}",
        "error.type server.address server.port",
    ),
    (
        "memcached.client.returns",
        "counter",
        "{return}",
        "server.address server.port",
    ),
];

#[tokio::test]
async fn every_metric_is_as_documented() {
    let recorder = Recorder::new();
    let telemetry = recorder.telemetry();
    let start = async |config: Config| {
        let builder = TracedClient::builder().telemetry(telemetry.clone());
        builder.with_config(config).await.unwrap()
    };

    // A repetition.
    let hang_up = vec![Action::Expect(b"get key\r\n".to_vec()), Action::Close];
    let answer = vec![
        Action::Expect(b"get key\r\n".to_vec()),
        Action::Send(b"END\r\n".to_vec()),
        Action::Stall,
    ];
    let server = ScriptedServer::start(vec![hang_up, answer]);
    let repeating = start(patient(&server.address().to_string())).await;
    repeating.get::<String>("key").await.unwrap();

    // A node that is taken out, and comes back.
    let [pauses, stays] = [EmbeddedNode::start(), EmbeddedNode::start()];
    let mut config = patient(&format!("{},{}", pauses.address(), stays.address()));
    config.eject_after = 1;
    let ejecting = start(config).await;
    let name = pauses.address().to_string();
    let mut keys = (0..).map(|number| format!("key:{number}"));
    let key = keys.find(|key| *ejecting.node_for(key).unwrap() == *name);
    pauses.node().pause();
    let hasty = ejecting.with_timeout(Duration::from_millis(1));
    hasty.get::<String>(key.unwrap()).await.unwrap_err();
    pauses.node().resume();
    while ejecting.statistics().node(&name).unwrap().returns == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    // One operation that has no room, behind one that is never answered.
    let mut config = patient(&stays.address().to_string());
    config.max_operations = 1;
    let full = start(config).await;
    full.nodes()[0].noop().await.unwrap();
    stays.node().pause();
    let mut waiting = Box::pin(full.get::<String>("key"));
    assert!(poll!(&mut waiting).is_pending());
    let hasty = full.with_timeout(Duration::from_millis(1));
    let error = hasty.get::<String>("key").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);

    let (units, kinds, metrics) = (recorder.units(), recorder.kinds(), recorder.all_metrics());
    let told: Vec<_> = metrics
        .iter()
        .map(|(name, points)| {
            let (kind, unit) = (kinds[name], units[name].clone());
            (name.clone(), kind, unit, attribute_names(points))
        })
        .collect();
    let expected: Vec<_> = CONTRACT
        .iter()
        .map(|(name, kind, unit, names)| {
            let (name, unit) = ((*name).to_owned(), (*unit).to_owned());
            (name, *kind, unit, (*names).to_owned())
        })
        .collect();
    assert_eq!(told, expected);
}

fn attribute_names(points: &[Point]) -> String {
    let of = |point: &Point| -> BTreeSet<String> { point.attributes.keys().cloned().collect() };
    let all: BTreeSet<String> = points.iter().flat_map(of).collect();
    let told = all.into_iter().map(|name| {
        match points
            .iter()
            .all(|point| point.attributes.contains_key(&name))
        {
            true => name,
            false => name + "?",
        }
    });
    told.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_waits_is_seen() {
    let node = EmbeddedNode::start();
    let recorder = Recorder::new();
    let client = traced(&recorder, &node.address().to_string()).await;
    client.nodes()[0].noop().await.unwrap();
    node.node().pause();
    let mut waiting = Box::pin(client.get::<String>("key"));
    assert!(poll!(&mut waiting).is_pending());
    let port = node.address().port().to_string();
    let place = [("server.port", port.as_str())];
    assert_eq!(recorder.sum("memcached.client.in_flight", &place), 1.0);
    let used = [("db.client.connection.state", "used")];
    assert_eq!(recorder.sum("db.client.connection.count", &used), 1.0);
    assert_eq!(client.statistics().nodes[0].in_flight, 1);
}

#[tokio::test]
async fn a_node_that_can_not_be_reached_is_down() {
    let port = RefusingPort::take();
    let address = port.address().to_string();
    let recorder = Recorder::new();
    let client = traced(&recorder, &address).await;
    assert_eq!(
        recorder.metric("memcached.client.node.up"),
        [],
        "nobody has tried"
    );
    client.get::<String>("key").await.unwrap_err();
    let up = recorder.metric("memcached.client.node.up");
    assert_eq!(up.len(), 1);
    assert_eq!(up[0].value, 0.0);
}

#[tokio::test]
async fn the_first_buckets_tell_cache_hits_apart() {
    let node = EmbeddedNode::start();
    let recorder = Recorder::new();
    let client = traced(&recorder, &node.address().to_string()).await;
    client.get::<String>("key").await.unwrap();
    let duration = recorder.metric("db.client.operation.duration").remove(0);
    assert_eq!(duration.bounds[..4], [0.000_05, 0.000_1, 0.000_25, 0.000_5]);
    assert_eq!(duration.bounds.last(), Some(&10.0));
    let latency = recorder.metric("memcached.client.latency").remove(0);
    assert_eq!((latency.bounds[0], latency.bounds.len()), (0.05, 23));

    let conventional = Recorder::new();
    let client = TracedClient::builder()
        .telemetry(conventional.telemetry().conventional_buckets())
        .connect(&node.address().to_string())
        .await
        .unwrap();
    client.get::<String>("key").await.unwrap();
    let duration = conventional
        .metric("db.client.operation.duration")
        .remove(0);
    assert_eq!(duration.bounds[0], 0.001);
}

#[tokio::test]
async fn clients_of_one_provider_are_added_up_and_outlived() {
    let node = EmbeddedNode::start();
    let recorder = Recorder::new();
    let telemetry: Telemetry = recorder.telemetry();
    let config = || patient(&node.address().to_string());
    let ok = [("method", "get"), ("status", "ok")];
    for calls in 1..=3 {
        let builder = TracedClient::builder().telemetry(telemetry.clone());
        let client = builder.with_config(config()).await.unwrap();
        client.get::<String>("key").await.unwrap();
        let sum = recorder.sum("memcached.client.calls", &ok);
        assert_eq!(sum, f64::from(calls));
    }
    let sum = recorder.sum("memcached.client.calls", &ok);
    assert_eq!(sum, 3.0, "a counter does not fall when its client is gone");
    assert_eq!(recorder.metric("memcached.client.node.up"), []);
}

#[tokio::test]
async fn with_many_nodes_durations_leave_them_out() {
    let nodes = [EmbeddedNode::start(), EmbeddedNode::start()];
    let list = format!("{},{}", nodes[0].address(), nodes[1].address());
    for (limit, is_named) in [(2, true), (1, false)] {
        let recorder = Recorder::new();
        let builder = TracedClient::builder().node_limit(limit);
        let client = built(&recorder, builder, &list).await;
        for index in 0..20 {
            client.get::<String>(format!("key:{index}")).await.unwrap();
        }
        let durations = recorder.metric("db.client.operation.duration");
        assert_eq!(durations.len(), if is_named { 2 } else { 1 });
        let mut named = durations
            .iter()
            .map(|it| it.attributes.contains_key("server.address"));
        assert!(named.all(|it| it == is_named));
    }
}
