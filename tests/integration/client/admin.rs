//! Commands that concern a node: version, flushing, statistics, memory, shutdown.

use std::time::Duration;

use memlens::{Client, ErrorKind, Expiry, LruMode, LruTuning};
use memlens_tests::Kind;

use super::{Setup, connect, for_both};

for_both! {
    every_node_answers_for_itself
    a_node_is_found_by_its_name
    verbosity_and_noop
    flushing_forgets_all_items
    flushing_may_be_forbidden
    general_statistics
    statistics_of_classes
    settings
    connections
    sizes
    any_other_statistics
    the_crawler
    the_lru
    slabs
    the_memory_limit
    shutdown_is_refused_or_done
}

async fn every_node_answers_for_itself(kind: Kind) {
    let servers = [0; 3].map(|_| kind.start());
    let client = connect(&servers.each_ref()).await;
    let versions = client.version().await;
    let names: Vec<&str> = versions.iter().map(|(name, _)| &**name).collect();
    let expected = servers
        .each_ref()
        .map(|server| server.address().to_string());
    assert_eq!(names, expected);
    for (_, version) in versions {
        assert!(version.unwrap().starts_with("1."));
    }
    assert_eq!(
        client.stats_per_node().await.into_result().unwrap().len(),
        3
    );
}

async fn a_node_is_found_by_its_name(kind: Kind) {
    let setup = Setup::start(kind).await;
    let name = setup.server.address().to_string();
    assert_eq!(setup.client.node(&name).unwrap().name(), name);
    assert_eq!(
        setup.client.node("other:11211").unwrap_err().kind(),
        ErrorKind::NoServer
    );
    let names = setup
        .client
        .on_every_node(|node| async move { Ok(node.name().to_owned()) })
        .await;
    assert_eq!(names.into_result().unwrap()[0].1, name);
}

async fn verbosity_and_noop(kind: Kind) {
    let setup = Setup::start(kind).await;
    let node = &setup.client.nodes()[0];
    node.noop().await.unwrap();
    node.verbosity(1).await.unwrap();
    assert_eq!(
        node.stats_with("settings").await.unwrap()[5],
        ("verbosity".into(), "1".into())
    );
    assert!(setup.client.verbosity(0).await.is_complete());
    assert_eq!(node.in_flight(), 0);
}

async fn get(client: &Client, key: &str) -> Option<String> {
    client.get(key).await.unwrap()
}

async fn flushing_forgets_all_items(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("key", "value", Expiry::Never).await.unwrap();
    assert!(
        client
            .flush_all_after(Duration::from_secs(1000))
            .await
            .is_complete()
    );
    assert_eq!(get(client, "key").await.as_deref(), Some("value"));
    assert!(client.flush_all().await.is_complete());
    assert_eq!(get(client, "key").await, None);
    client.set("key", "value", Expiry::Never).await.unwrap();
    client.nodes()[0].flush_all().await.unwrap();
    assert_eq!(get(client, "key").await, None);
    let month = Duration::from_secs(60 * 60 * 24 * 30);
    let error = client.nodes()[0]
        .flush_all_after(month + Duration::from_secs(1))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

async fn flushing_may_be_forbidden(kind: Kind) {
    let setup = Setup::start_with(kind, &["-F"]).await;
    let error = setup.client.nodes()[0].flush_all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ClientError);
    assert_eq!(error.server_message(), Some("flush_all not allowed"));
}

async fn general_statistics(kind: Kind) {
    let setup = Setup::start_with(kind, &["-m", "32", "-c", "200", "-t", "2"]).await;
    let client = &setup.client;
    let node = &client.nodes()[0];
    client.set("key", "value", Expiry::Never).await.unwrap();
    get(client, "key").await;
    get(client, "missing").await;
    let stats = node.stats().await.unwrap();
    assert!(stats.pid.is_some() && stats.uptime.is_some() && stats.version.is_some());
    assert_eq!(stats.cmd_get, Some(2));
    assert_eq!((stats.get_hits, stats.get_misses), (Some(1), Some(1)));
    assert_eq!(stats.cmd_set, Some(1));
    assert_eq!(stats.curr_items, Some(1));
    assert_eq!(stats.limit_maxbytes, Some(32 << 20));
    assert_eq!(stats.max_connections, Some(200));
    assert_eq!(stats.other.get("pointer_size"), Some("64"));

    node.stats_reset().await.unwrap();
    let stats = node.stats().await.unwrap();
    assert_eq!((stats.cmd_get, stats.curr_items), (Some(0), Some(1)));
}

async fn statistics_of_classes(kind: Kind) {
    let setup = Setup::start(kind).await;
    let node = &setup.client.nodes()[0];
    assert!(node.stats_items().await.unwrap().classes.is_empty());
    for number in 0..10 {
        setup
            .client
            .set(format!("key:{number}"), "value", Expiry::Never)
            .await
            .unwrap();
    }
    setup
        .client
        .set("large", vec![0_u8; 5000], Expiry::Never)
        .await
        .unwrap();
    let items = node.stats_items().await.unwrap();
    let slabs = node.stats_slabs().await.unwrap();
    assert_eq!(items.classes.len(), 2);
    let (smallest, class) = items.classes.first_key_value().unwrap();
    assert_eq!(class.number, Some(10));
    let slab = &slabs.classes[smallest];
    assert_eq!(
        (slab.chunk_size, slab.used_chunks, slab.total_pages),
        (Some(96), Some(10), Some(1))
    );
    assert_eq!(slabs.active_slabs, Some(2));
    assert!(slabs.total_malloced.unwrap() >= 2 << 20);
}

async fn settings(kind: Kind) {
    let setup = Setup::start_with(kind, &["-m", "32", "-I", "2m", "-f", "1.5", "-M"]).await;
    let settings = setup.client.nodes()[0].stats_settings().await.unwrap();
    assert_eq!(settings.maxbytes, Some(32 << 20));
    assert_eq!(settings.item_size_max, Some(2 << 20));
    assert_eq!(settings.growth_factor, Some(1.5));
    assert_eq!(settings.evictions, Some(false));
    assert_eq!(settings.cas_enabled, Some(true));
}

async fn connections(kind: Kind) {
    let setup = Setup::start(kind).await;
    let connections = setup.client.nodes()[0].stats_conns().await.unwrap();
    let states: Vec<&str> = connections
        .by_descriptor
        .values()
        .filter_map(|it| it.state.as_deref())
        .collect();
    assert!(states.contains(&"conn_listening"), "{states:?}");
    assert!(states.contains(&"conn_parse_cmd"), "{states:?}");
}

async fn sizes(kind: Kind) {
    let setup = Setup::start(kind).await;
    assert!(!setup.client.nodes()[0].stats_sizes().await.unwrap().enabled);

    let setup = Setup::start_with(kind, &["-o", "track_sizes"]).await;
    setup.client.set("a", "1", Expiry::Never).await.unwrap();
    setup.client.set("b", "2", Expiry::Never).await.unwrap();
    let sizes = setup.client.nodes()[0].stats_sizes().await.unwrap();
    assert_eq!(sizes.histogram.into_iter().collect::<Vec<_>>(), [(64, 2)]);
}

async fn any_other_statistics(kind: Kind) {
    let setup = Setup::start(kind).await;
    let node = &setup.client.nodes()[0];
    assert!(node.stats_with("extstore").await.unwrap().is_empty());
    assert_eq!(
        node.stats_lines("detail on").await.unwrap(),
        Vec::<String>::new()
    );
    setup
        .client
        .set("prefix:key", "value", Expiry::Never)
        .await
        .unwrap();
    let lines = node.stats_lines("detail dump").await.unwrap();
    assert_eq!(lines, ["PREFIX prefix get 0 hit 0 set 1 del 0"]);
    // It lists what the maintainer thread has moved to the cold list.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while node.stats_lines("cachedump 1 0").await.unwrap().is_empty() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "{kind}: the item stays hot"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let error = node.stats_with("no such thing").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownCommand);
    let error = node.stats_with("detail").await.unwrap_err();
    assert_eq!(
        error.server_message(),
        Some("usage: stats detail on|off|dump")
    );
    let error = node.stats_with("items\r\nflush_all").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(!error.was_sent());
    node.noop().await.unwrap();
}

async fn the_crawler(kind: Kind) {
    let setup = Setup::start(kind).await;
    let node = &setup.client.nodes()[0];
    node.lru_crawler_sleep(Duration::from_micros(50))
        .await
        .unwrap();
    node.lru_crawler_tocrawl(100).await.unwrap();
    // memcached's maintainer starts crawls of its own, and there is never more than one.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while let Err(error) = node.lru_crawler_crawl(Some(&[1, 2])).await {
        let message = error.server_message();
        assert_eq!(message, Some("BUSY currently processing crawler request"));
        assert!(tokio::time::Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let settings = node.stats_with("settings").await.unwrap();
    assert!(settings.contains(&("lru_crawler_sleep".into(), "50".into())));
    assert!(settings.contains(&("lru_crawler_tocrawl".into(), "100".into())));

    let error = node
        .lru_crawler_sleep(Duration::from_secs(2))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(!error.was_sent());
    let error = node.lru_crawler_crawl(Some(&[200])).await.unwrap_err();
    assert_eq!(error.server_message(), Some("BADCLASS invalid class id"));

    node.lru_crawler_disable().await.unwrap();
    // memcached refuses to start its crawler until the thread of the one before has ended.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while let Err(error) = node.lru_crawler_enable().await {
        assert_eq!(
            error.server_message(),
            Some("failed to start lru crawler thread")
        );
        assert!(tokio::time::Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn the_lru(kind: Kind) {
    let setup = Setup::start(kind).await;
    let node = &setup.client.nodes()[0];
    node.lru_mode(LruMode::Flat).await.unwrap();
    node.lru_mode(LruMode::Segmented).await.unwrap();
    let tuning = LruTuning {
        percent_hot: 10,
        percent_warm: 25,
        max_hot_age_factor: 0.1,
        max_warm_age_factor: 2.0,
    };
    node.lru_tune(tuning).await.unwrap();
    let settings = node.stats_settings().await.unwrap();
    assert_eq!(
        (settings.hot_lru_pct, settings.warm_lru_pct),
        (Some(10), Some(25))
    );
    node.lru_temp_ttl(Some(Duration::from_secs(30)))
        .await
        .unwrap();
    node.lru_temp_ttl(None).await.unwrap();
    assert!(
        node.lru_tune(LruTuning {
            percent_hot: 60,
            percent_warm: 60,
            ..tuning
        })
        .await
        .is_err()
    );
    node.noop().await.unwrap();
}

async fn slabs(kind: Kind) {
    let setup = Setup::start(kind).await;
    let node = &setup.client.nodes()[0];
    node.slabs_automove(0).await.unwrap();
    node.slabs_automove(1).await.unwrap();
    assert_eq!(
        node.slabs_automove(3).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    for (source, destination, message) in [
        (Some(1), 1, "SAME src and dst class are identical"),
        (Some(1), 2, "NOSPARE source class has no spare pages"),
        (Some(1), 200, "BADCLASS invalid src or dst class id"),
        (None, 2, "BADCLASS invalid src or dst class id"),
    ] {
        let error = node.slabs_reassign(source, destination).await.unwrap_err();
        assert_eq!(
            error.server_message(),
            Some(message),
            "{source:?} {destination}"
        );
        assert_eq!(error.kind(), ErrorKind::ServerError);
    }
}

async fn the_memory_limit(kind: Kind) {
    let setup = Setup::start(kind).await;
    let node = &setup.client.nodes()[0];
    node.cache_memlimit(128).await.unwrap();
    assert_eq!(node.stats().await.unwrap().limit_maxbytes, Some(128 << 20));
    assert!(node.cache_memlimit(0).await.is_err());
    node.noop().await.unwrap();
}

async fn shutdown_is_refused_or_done(kind: Kind) {
    let setup = Setup::start(kind).await;
    let error = setup.client.nodes()[0].shutdown().await.unwrap_err();
    assert!(error.was_sent());
    setup.client.nodes()[0].noop().await.unwrap();

    for graceful in [false, true] {
        let setup = Setup::start_with(kind, &["-A"]).await;
        let node = &setup.client.nodes()[0];
        let done = if graceful {
            node.shutdown_gracefully().await
        } else {
            node.shutdown().await
        };
        done.unwrap();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while memlens_tests::RawClient::try_connect(setup.server.address()).is_ok() {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{kind} still listens"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
