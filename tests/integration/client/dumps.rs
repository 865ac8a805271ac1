//! Streams: `watch` and `lru_crawler metadump`.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use memlens::{ErrorKind, Expiry, ItemMetadata, Key, MetaSet, NodeClient, WatchEvent, WatchTopic};
use memlens_tests::Kind;
use tokio::time::Instant;

use super::{Setup, for_both};

for_both! {
    a_dump_lists_every_item
    a_dump_may_be_forbidden
    a_dump_of_a_class_that_is_not_there
    mgdump_needs_a_later_version
    a_watcher_sees_fetches_and_mutations
    a_watcher_sees_connections
    watching_may_be_forbidden
}

/// Dumps until the server's crawler is free, and until so many items are listed: memcached's maintainer
/// thread moves new items between the lists while the crawler walks along them.
async fn dump(node: &NodeClient, classes: Option<&[u8]>, count: usize) -> Vec<ItemMetadata> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let listed = node
            .metadump(classes)
            .await
            .unwrap()
            .try_collect::<Vec<_>>()
            .await;
        match &listed {
            Ok(items) if items.len() == count => return listed.unwrap(),
            Ok(_) => {}
            Err(error) => {
                let message = error.server_message().unwrap_or_default();
                assert!(message.starts_with("BUSY"), "{error}");
            }
        }
        assert!(
            Instant::now() < deadline,
            "{:?}",
            listed.map(|items| items.len())
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_dump_lists_every_item(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let node = &client.nodes()[0];
    assert!(dump(node, None, 0).await.is_empty());

    let mut keys = BTreeSet::new();
    for number in 0..500 {
        let key = format!("key:{number}/%,ä");
        client.set(&key, "value", Expiry::Never).await.unwrap();
        keys.insert(key.into_bytes());
    }
    let binary = [0, 10, 13, 32, 255];
    let key = Key::binary(&binary).unwrap();
    client
        .meta_set(key, "value", &MetaSet::new())
        .await
        .unwrap();
    client
        .set("soon", vec![0_u8; 3000], Expiry::secs(1000))
        .await
        .unwrap();
    client.get::<Vec<u8>>("soon").await.unwrap();

    let items = dump(node, None, keys.len() + 2).await;
    let listed: BTreeSet<Vec<u8>> = items.iter().map(ItemMetadata::key).collect();
    assert_eq!(listed.len(), items.len());
    for item in &items {
        assert!(item.cas().is_some() && item.last_access().is_some());
        match item.key().as_slice() {
            b"soon" => {
                assert!(item.expires().is_some() && item.is_fetched());
                assert!(item.size().unwrap() > 3000 && item.slab_class().unwrap() > 1);
            }
            key if keys.contains(key) => assert!(item.expires().is_none() && !item.is_fetched()),
            other => assert_eq!(other, binary),
        }
    }
    let of_class = items
        .iter()
        .filter(|item| item.slab_class() == Some(1))
        .count();
    assert!(of_class > 0);
    dump(node, Some(&[1]), of_class).await;
}

async fn a_dump_may_be_forbidden(kind: Kind) {
    let setup = Setup::start_with(kind, &["-X"]).await;
    let mut items = setup.client.nodes()[0].metadump(None).await.unwrap();
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownCommand);
    assert!(items.next().await.is_none());
}

async fn a_dump_of_a_class_that_is_not_there(kind: Kind) {
    let setup = Setup::start(kind).await;
    let mut items = setup.client.nodes()[0]
        .metadump(Some(&[200]))
        .await
        .unwrap();
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerError);
    assert_eq!(error.server_message(), Some("BADCLASS invalid class id"));
}

async fn mgdump_needs_a_later_version(kind: Kind) {
    let setup = Setup::start(kind).await;
    let mut keys = setup.client.nodes()[0].mgdump(None).await.unwrap();
    assert_eq!(
        keys.next().await.unwrap().unwrap_err().kind(),
        ErrorKind::UnknownCommand
    );
    setup.client.nodes()[0].noop().await.unwrap();
}

async fn a_watcher_sees_fetches_and_mutations(kind: Kind) {
    let setup = Setup::start(kind).await;
    let node = &setup.client.nodes()[0];
    let topics = [WatchTopic::Fetchers, WatchTopic::Mutations];
    let mut events = node.watch(&topics).await.unwrap();
    setup
        .client
        .set("späße", "value", Expiry::secs(1000))
        .await
        .unwrap();
    setup.client.get::<String>("späße").await.unwrap();
    setup.client.get::<String>("missing").await.unwrap();

    let mut seen = Vec::new();
    while seen.len() < 4 {
        let event = events.next().await.unwrap().unwrap();
        assert!(event.time.is_some());
        seen.push((event.gid.unwrap(), event.event));
    }
    seen.sort_by_key(|(gid, _)| *gid);
    let stored = seen.iter().find_map(|(_, event)| match event {
        WatchEvent::Store(item) => Some(item),
        _ => None,
    });
    let stored = stored.expect("the set is seen");
    assert_eq!(stored.key, "späße".as_bytes());
    assert_eq!(stored.status.as_deref(), Some("stored"));
    let fetched: Vec<_> = seen
        .iter()
        .filter_map(|(_, event)| match event {
            WatchEvent::Get(item) => Some((item.key.as_slice(), item.status.as_deref())),
            _ => None,
        })
        .collect();
    let key = "späße".as_bytes();
    // A set looks the item up, too.
    let expected = [
        (key, Some("not_found")),
        (key, Some("found")),
        (b"missing", Some("not_found")),
    ];
    assert_eq!(fetched, expected);
}

async fn a_watcher_sees_connections(kind: Kind) {
    let setup = Setup::start(kind).await;
    let node = &setup.client.nodes()[0];
    let mut events = node.watch(&[WatchTopic::ConnectionEvents]).await.unwrap();
    let port = {
        let mut raw = setup.raw();
        raw.request(b"mn\r\n", b"MN\r\n");
        raw.local_address().port()
    };
    let (mut opened, mut closed) = (false, false);
    while !(opened && closed) {
        match events.next().await.unwrap().unwrap().event {
            WatchEvent::ConnectionOpened { port: seen, .. } => opened |= seen == Some(port),
            WatchEvent::ConnectionClosed { port: seen, .. } => closed |= seen == Some(port),
            other => panic!("{other:?}"),
        }
    }
}

async fn watching_may_be_forbidden(kind: Kind) {
    let setup = Setup::start_with(kind, &["-W"]).await;
    let error = setup.client.nodes()[0]
        .watch(&[WatchTopic::Fetchers])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ClientError);
    assert_eq!(error.server_message(), Some("watch commands not allowed"));
    let error = setup.client.nodes()[0].watch(&[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);

    let setup = Setup::start(kind).await;
    let error = setup.client.nodes()[0]
        .watch(&[WatchTopic::Deletions])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownCommand);
}
