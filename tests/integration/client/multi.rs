//! Many keys at once: hits, misses and failures apart, over one server and over several.

use std::collections::HashSet;

use memlens::{ErrorKind, Expiry, MetaGet};
use memlens_tests::Kind;

use super::{Setup, connect, for_both, list, patient};

for_both! {
    hits_and_misses_are_told_apart
    any_number_of_keys_can_be_read
    an_illegal_key_fails_alone
    a_value_too_large_fails_alone
    every_family_works_on_many_keys
    keys_are_spread_over_the_servers
    a_dead_server_hides_nothing_of_the_others
    metagets_of_many_keys
}

async fn hits_and_misses_are_told_apart(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let stored = client
        .set_multi([("a", 1_u32), ("b", 2), ("c", 3)], Expiry::Never)
        .await;
    assert!(stored.is_complete());
    assert_eq!(stored.len(), 3);

    let found = client.get_multi::<u32, _>(["a", "x", "c", "y", "a"]).await;
    assert!(found.is_complete());
    assert_eq!(
        found
            .hits()
            .map(|(&key, &value)| (key, value))
            .collect::<Vec<_>>(),
        [("a", 1), ("c", 3), ("a", 1)]
    );
    assert_eq!(found.misses().copied().collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(found.failed().count(), 0);

    let nothing = client.get_multi::<u32, &str>([]).await;
    assert!(nothing.is_empty() && nothing.is_complete());

    let read = client
        .gets_multi::<u32, _>(["b", "x"])
        .await
        .into_result()
        .unwrap();
    let (_, (value, cas)) = (read[0].0, read[0].1.unwrap());
    assert_eq!((value, cas.is_disabled()), (2, false));
    assert!(read[1].1.is_none());
}

async fn any_number_of_keys_can_be_read(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let key = |number: usize| format!("key:{number}:{}", "k".repeat(number % 240));
    let items = (0..5000).map(|number| (key(number), number as u64));
    assert!(client.set_multi(items, Expiry::Never).await.is_complete());
    for count in [1, 2, 99, 100, 101, 1000, 10_000] {
        let found = client.get_multi::<u64, _>((0..count).map(key)).await;
        assert_eq!(found.len(), count);
        for (number, (asked, answer)) in found.into_iter().enumerate() {
            assert_eq!(asked, key(number));
            assert_eq!(answer.unwrap(), (number < 5000).then_some(number as u64));
        }
    }
}

async fn an_illegal_key_fails_alone(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let long = "k".repeat(251);
    client.set("a", "1", Expiry::Never).await.unwrap();
    let keys = ["a", "two words", "b", long.as_str(), ""];
    let found = client.get_multi::<String, _>(keys).await;
    assert_eq!(found.hits().count(), 1);
    assert_eq!(found.misses().collect::<Vec<_>>(), [&"b"]);
    let failed: Vec<_> = found
        .failed()
        .map(|(key, error)| (*key, error.kind()))
        .collect();
    assert_eq!(
        failed,
        ["two words", long.as_str(), ""].map(|key| (key, ErrorKind::InvalidKey))
    );
    assert!(!found.is_complete());
    assert_eq!(client.delete_multi(keys).await.hits().count(), 1);
}

async fn a_value_too_large_fails_alone(kind: Kind) {
    let setup = Setup::start(kind).await;
    let mut config = patient(&list(&[&setup.server]));
    config.max_value_size = 3 << 20;
    let client = memlens::Client::with_config(config).await.unwrap();
    let lengths = [10, (1 << 20) + 100, 20, (3 << 20) + 1, 30];
    let items: Vec<(String, Vec<u8>)> = lengths
        .iter()
        .map(|&length| (format!("key:{length}"), vec![b'v'; length]))
        .collect();
    let stored = client.set_multi(items, Expiry::Never).await;
    let failed: Vec<_> = stored
        .failed()
        .map(|(key, error)| (key.as_str(), error.kind()))
        .collect();
    assert_eq!(
        failed,
        [
            ("key:1048676", ErrorKind::TooLarge),
            ("key:3145729", ErrorKind::TooLarge)
        ]
    );
    let found = client
        .get_multi::<Vec<u8>, _>(["key:10", "key:20", "key:30"])
        .await;
    assert_eq!(
        found
            .hits()
            .map(|(_, value)| value.len())
            .collect::<Vec<_>>(),
        [10, 20, 30]
    );
}

async fn every_family_works_on_many_keys(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let keys = ["a", "b", "missing", "text"];
    client
        .set_multi([("a", "1"), ("b", "20"), ("text", "abc")], Expiry::Never)
        .await
        .into_result()
        .unwrap();

    let touched = client.touch_multi(keys, Expiry::secs(1000)).await;
    assert_eq!(touched.misses().collect::<Vec<_>>(), [&"missing"]);

    let counted = client.incr_multi(keys, 5).await;
    assert_eq!(
        counted
            .hits()
            .map(|(_, &number)| number)
            .collect::<Vec<_>>(),
        [6, 25]
    );
    assert_eq!(counted.misses().collect::<Vec<_>>(), [&"missing"]);
    let (key, error) = counted.failed().next().unwrap();
    assert_eq!((*key, error.kind()), ("text", ErrorKind::NotNumeric));

    let counted = client.decr_multi(["a", "b"], 10).await;
    assert_eq!(
        counted
            .hits()
            .map(|(_, &number)| number)
            .collect::<Vec<_>>(),
        [0, 15]
    );

    let deleted = client.delete_multi(keys).await;
    assert_eq!(
        deleted.hits().map(|(&key, _)| key).collect::<Vec<_>>(),
        ["a", "b", "text"]
    );
    assert_eq!(deleted.misses().collect::<Vec<_>>(), [&"missing"]);
}

async fn keys_are_spread_over_the_servers(kind: Kind) {
    let servers = [0; 4].map(|_| kind.start());
    let client = connect(&servers.each_ref()).await;
    let keys: Vec<String> = (0..1000).map(|number| format!("key:{number}")).collect();
    let items = keys.iter().map(|key| (key, key.as_str()));
    assert!(client.set_multi(items, Expiry::Never).await.is_complete());

    let found = client
        .get_multi::<String, _>(&keys)
        .await
        .into_result()
        .unwrap();
    assert!(found.iter().all(|(key, value)| value.as_ref() == Some(key)));
    let mut items = 0;
    for node in client.nodes() {
        let here = node.stats().await.unwrap().curr_items.unwrap();
        let expected = keys
            .iter()
            .filter(|key| *client.node_for(key).unwrap() == *node.name());
        assert_eq!(here, expected.count() as u64, "{}", node.name());
        assert!(here > 100, "{} holds {here} of 1000", node.name());
        items += here;
    }
    assert_eq!(items, 1000);
}

async fn a_dead_server_hides_nothing_of_the_others(kind: Kind) {
    let mut servers: Vec<_> = (0..4).map(|_| kind.start()).collect();
    let client = connect(&servers.iter().collect::<Vec<_>>()).await;
    let keys: Vec<String> = (0..200).map(|number| format!("key:{number}")).collect();
    assert!(
        client
            .set_multi(keys.iter().map(|key| (key, 1_u32)), Expiry::Never)
            .await
            .is_complete()
    );

    let dead = servers.remove(1);
    let dead_name = dead.address().to_string();
    drop(dead);
    let lost: HashSet<&String> = keys
        .iter()
        .filter(|key| *client.node_for(key).unwrap() == *dead_name)
        .collect();
    assert!(!lost.is_empty());

    let found = client.get_multi::<u32, _>(&keys).await;
    assert_eq!(found.misses().count(), 0);
    assert_eq!(found.hits().count(), keys.len() - lost.len());
    for (key, error) in found.failed() {
        assert!(lost.contains(key));
        assert_eq!(error.node(), Some(dead_name.as_str()));
        assert!(error.is_connection(), "{error}");
    }
    let stored = client
        .set_multi(keys.iter().map(|key| (key, 2_u32)), Expiry::Never)
        .await;
    assert_eq!(
        stored.failed().map(|(key, _)| *key).collect::<HashSet<_>>(),
        lost
    );
    let versions = client.version().await;
    assert_eq!(
        versions
            .iter()
            .filter(|(_, version)| version.is_ok())
            .count(),
        3
    );
}

async fn metagets_of_many_keys(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client
        .set_multi([("a", "1"), ("b", "22")], Expiry::Never)
        .await
        .into_result()
        .unwrap();
    let items = client
        .meta_get_multi(["a", "x", "b", "two words"], &MetaGet::new().size())
        .await;
    assert_eq!(
        items.hits().map(|(_, item)| item.size).collect::<Vec<_>>(),
        [Some(1), Some(2)]
    );
    assert_eq!(items.misses().collect::<Vec<_>>(), [&"x"]);
    assert_eq!(items.failed().count(), 1);
}
