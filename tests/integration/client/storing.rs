//! `set`, `add`, `replace`, `append`, `prepend`, `cas`, `delete`, `touch`; expiry and size limits.

use std::time::{Duration, SystemTime};

use memlens::{CasOutcome, Client, ErrorKind, Expiry, MetaGet, TimeToLive};
use memlens_tests::Kind;

use super::{Setup, for_both, list, patient};

for_both! {
    add_and_replace_depend_on_what_is_there
    append_and_prepend_add_to_what_is_there
    cas_stores_only_what_has_not_changed
    cas_without_cas_uniques_is_an_error
    concurrent_cas_loses_nothing
    delete_tells_whether_it_was_there
    touch_sets_the_expiry
    expiries_become_what_they_say
    a_value_beyond_the_clients_limit_is_not_sent
    a_value_beyond_the_servers_limit_leaves_the_connection_usable
    a_server_without_memory_refuses
    compressed_values_come_back
    json_values_come_back
}

async fn text(client: &Client, key: &str) -> Option<String> {
    client.get(key).await.unwrap()
}

async fn add_and_replace_depend_on_what_is_there(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    assert!(!client.replace("key", "zero", Expiry::Never).await.unwrap());
    assert!(client.add("key", "one", Expiry::Never).await.unwrap());
    assert!(!client.add("key", "two", Expiry::Never).await.unwrap());
    assert_eq!(text(client, "key").await.as_deref(), Some("one"));
    assert!(client.replace("key", "three", Expiry::Never).await.unwrap());
    assert_eq!(text(client, "key").await.as_deref(), Some("three"));
}

async fn append_and_prepend_add_to_what_is_there(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    assert!(!client.append("key", "x").await.unwrap());
    assert!(!client.prepend("key", "x").await.unwrap());
    client.set("key", "mid", Expiry::Never).await.unwrap();
    assert!(client.append("key", "-end").await.unwrap());
    assert!(client.prepend("key", "start-").await.unwrap());
    assert_eq!(text(client, "key").await.as_deref(), Some("start-mid-end"));
}

async fn cas_stores_only_what_has_not_changed(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("key", "one", Expiry::Never).await.unwrap();
    let (_, cas) = client.gets::<String>("key").await.unwrap().unwrap();

    let outcome = client.cas("key", "two", Expiry::Never, cas).await.unwrap();
    assert_eq!(outcome, CasOutcome::Stored);
    let outcome = client
        .cas("key", "three", Expiry::Never, cas)
        .await
        .unwrap();
    assert_eq!(outcome, CasOutcome::Exists);
    assert_eq!(text(client, "key").await.as_deref(), Some("two"));

    client.delete("key").await.unwrap();
    let outcome = client.cas("key", "four", Expiry::Never, cas).await.unwrap();
    assert_eq!(outcome, CasOutcome::NotFound);
}

async fn cas_without_cas_uniques_is_an_error(kind: Kind) {
    let setup = Setup::start_with(kind, &["-C"]).await;
    let client = &setup.client;
    client.set("key", "one", Expiry::Never).await.unwrap();
    let (_, cas) = client.gets::<String>("key").await.unwrap().unwrap();
    assert!(cas.is_disabled());
    let error = client
        .cas("key", "two", Expiry::Never, cas)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(!error.was_sent());
}

async fn concurrent_cas_loses_nothing(kind: Kind) {
    const TASKS: u64 = 8;
    const ROUNDS: u64 = 100;
    let setup = Setup::start(kind).await;
    setup.client.set("sum", 0_u64, Expiry::Never).await.unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let client = setup.client.clone();
            tokio::spawn(async move {
                for _ in 0..ROUNDS {
                    loop {
                        let (sum, cas) = client.gets::<u64>("sum").await.unwrap().unwrap();
                        let outcome = client
                            .cas("sum", sum + 1, Expiry::Never, cas)
                            .await
                            .unwrap();
                        if outcome == CasOutcome::Stored {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        setup.client.get::<u64>("sum").await.unwrap(),
        Some(TASKS * ROUNDS)
    );
}

async fn delete_tells_whether_it_was_there(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("key", "value", Expiry::Never).await.unwrap();
    assert!(client.delete("key").await.unwrap());
    assert!(!client.delete("key").await.unwrap());
    assert_eq!(text(client, "key").await, None);
}

async fn time_to_live(client: &Client, key: &str) -> Option<TimeToLive> {
    let flags = MetaGet::new().time_to_live();
    client.meta_get(key, &flags).await.unwrap()?.time_to_live
}

async fn touch_sets_the_expiry(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    assert!(!client.touch("key", Expiry::secs(10)).await.unwrap());
    client.set("key", "value", Expiry::secs(10)).await.unwrap();
    assert!(client.touch("key", Expiry::Never).await.unwrap());
    assert_eq!(
        time_to_live(client, "key").await,
        Some(TimeToLive::Unlimited)
    );
    assert!(client.touch("key", Expiry::Immediately).await.unwrap());
    assert_eq!(text(client, "key").await, None);
}

async fn expiries_become_what_they_say(kind: Kind) {
    const DAY: u64 = 24 * 60 * 60;
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let seconds_left = async |expiry: Expiry| {
        client.set("key", "value", expiry).await.unwrap();
        match time_to_live(client, "key").await {
            None => None,
            Some(TimeToLive::Unlimited) => Some(u64::MAX),
            Some(TimeToLive::Left(left)) => Some(left.as_secs()),
        }
    };
    assert_eq!(seconds_left(Expiry::Never).await, Some(u64::MAX));
    assert_eq!(seconds_left(Expiry::Immediately).await, None);
    assert_eq!(seconds_left(Expiry::After(Duration::ZERO)).await, None);
    let past = SystemTime::now() - Duration::from_secs(1000);
    assert_eq!(seconds_left(Expiry::At(past)).await, None);
    let near = SystemTime::now() + Duration::from_secs(1000);
    // A clock that ticks once a second, and the time the test takes.
    for (expiry, expected) in [
        (Expiry::secs(1000), 1000),
        (Expiry::At(near), 1000),
        (Expiry::secs(30 * DAY), 30 * DAY),
        (Expiry::secs(30 * DAY + 1), 30 * DAY + 1),
        (Expiry::secs(3650 * DAY), 3650 * DAY),
    ] {
        let left = seconds_left(expiry).await.unwrap();
        assert!(left.abs_diff(expected) <= 5, "{expiry:?}: {left}");
    }
    let error = client
        .set("key", "value", Expiry::secs(u64::MAX))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

async fn a_value_beyond_the_clients_limit_is_not_sent(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("key", "old", Expiry::Never).await.unwrap();
    let error = client
        .set("key", vec![0_u8; (1 << 20) + 1], Expiry::Never)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(!error.was_sent());
    assert_eq!(text(client, "key").await.as_deref(), Some("old"));
}

async fn a_value_beyond_the_servers_limit_leaves_the_connection_usable(kind: Kind) {
    let setup = Setup::start(kind).await;
    let mut config = patient(&list(&[&setup.server]));
    config.max_value_size = 4 << 20;
    let client = Client::with_config(config).await.unwrap();
    let connections = async || {
        client.nodes()[0]
            .stats()
            .await
            .unwrap()
            .total_connections
            .expect("a count of connections")
    };
    let before = connections().await;
    for length in [(1 << 20) - 40, 1 << 20, (1 << 20) + 1, 3 << 20] {
        client.set("key", "old", Expiry::Never).await.unwrap();
        let error = client
            .set("key", vec![0_u8; length], Expiry::Never)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{length}: {error}");
        assert!(error.was_sent());
        assert_eq!(
            text(&client, "key").await,
            None,
            "the server drops the old value"
        );
    }
    // 1 MiB less a little more than the item's header.
    client
        .set("key", vec![0_u8; (1 << 20) - 512], Expiry::Never)
        .await
        .unwrap();
    assert_eq!(connections().await, before);
}

async fn a_server_without_memory_refuses(kind: Kind) {
    let setup = Setup::start_with(kind, &["-m", "2", "-M"]).await;
    let client = &setup.client;
    let value = vec![b'v'; 100_000];
    let mut refused = None;
    for number in 0..100 {
        if let Err(error) = client
            .set(format!("key:{number}"), &value, Expiry::Never)
            .await
        {
            refused = Some(error);
            break;
        }
    }
    let error = refused.expect("two megabytes are full at some time");
    assert_eq!(error.kind(), ErrorKind::ServerError);
    assert_eq!(error.server_message(), Some("out of memory storing object"));
    assert_eq!(client.get::<Vec<u8>>("key:0").await.unwrap(), Some(value));
}

async fn compressed_values_come_back(kind: Kind) {
    let setup = Setup::start(kind).await;
    let servers = list(&[&setup.server]);
    let config = format!("memcache://{servers}?values=python-memcached&compress_above=1KiB");
    let client = Client::with_config(patient(&config)).await.unwrap();
    let value = "compress me ".repeat(1000);
    client.set("key", &value, Expiry::Never).await.unwrap();
    assert_eq!(text(&client, "key").await.as_ref(), Some(&value));
    let stored = client
        .meta_get("key", &MetaGet::new().size())
        .await
        .unwrap()
        .unwrap();
    assert!(stored.size.unwrap() < 1000, "{stored:?}");

    let short = "short".to_owned();
    client.set("key", &short, Expiry::Never).await.unwrap();
    assert_eq!(setup.raw().request(b"mg key s\r\n", b"\r\n"), b"HD s5\r\n");
    assert_eq!(text(&client, "key").await, Some(short));
}

async fn json_values_come_back(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let value = memlens::Json(vec![(String::from("a"), 1), (String::from("b"), 2)]);
    client.set("key", &value, Expiry::Never).await.unwrap();
    let read: memlens::Json<Vec<(String, i32)>> = client.get("key").await.unwrap().unwrap();
    assert_eq!(read.0, value.0);
    client.set("key", "not json", Expiry::Never).await.unwrap();
    let error = client
        .get::<memlens::Json<Vec<i32>>>("key")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}
