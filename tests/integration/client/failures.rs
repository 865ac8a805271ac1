//! Servers that are gone, come back, or stand still.

use std::time::Duration;

use memlens::{Client, Error, ErrorKind, Expiry};
use memlens_tests::{Kind, Memcached};

use super::{Setup, for_both, list, patient};

for_both! {
    a_standing_server_lets_operations_time_out
    late_replies_reach_nobody_else
    dropped_operations_disturb_nobody
}

async fn a_standing_server_lets_operations_time_out(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = setup.client.with_timeout(Duration::from_millis(50));
    setup
        .client
        .set("key", "value", Expiry::Never)
        .await
        .unwrap();
    setup.server.pause();
    let error = client.set("key", "other", Expiry::Never).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_timeout() && error.was_sent());
    setup.server.resume();
    let value: Option<String> = setup.client.get("key").await.unwrap();
    assert!(value.is_some());
}

async fn late_replies_reach_nobody_else(kind: Kind) {
    let setup = Setup::start(kind).await;
    for number in 0..100_u32 {
        setup
            .client
            .set(format!("key:{number}"), number, Expiry::Never)
            .await
            .unwrap();
    }
    let hasty = setup.client.with_timeout(Duration::from_millis(20));
    for round in 0..5 {
        setup.server.pause();
        let reads = (0..20_u32).map(|number| hasty.get::<u32>(format!("key:{number}")));
        for read in futures_util::future::join_all(reads).await {
            assert_eq!(
                read.unwrap_err().kind(),
                ErrorKind::Timeout,
                "round {round}"
            );
        }
        setup.server.resume();
        for number in 0..100_u32 {
            let value: Option<u32> = setup.client.get(format!("key:{number}")).await.unwrap();
            assert_eq!(value, Some(number), "round {round}");
        }
    }
}

async fn dropped_operations_disturb_nobody(kind: Kind) {
    let setup = Setup::start(kind).await;
    for number in 0..100_u32 {
        setup
            .client
            .set(format!("key:{number}"), number, Expiry::Never)
            .await
            .unwrap();
    }
    for number in 0..100_u32 {
        let dropped = setup.client.get::<u32>(format!("key:{}", 99 - number));
        // Polled once, so that it is on its way, then dropped.
        assert!(futures_util::FutureExt::now_or_never(dropped).is_none());
        let value: Option<u32> = setup.client.get(format!("key:{number}")).await.unwrap();
        assert_eq!(value, Some(number));
    }
}

async fn read_until_it_works(client: &Client) -> Result<Option<String>, Error> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        match client.get::<String>("key").await {
            Err(error) if tokio::time::Instant::now() < deadline => {
                assert!(error.is_connection(), "{error}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            other => return other,
        }
    }
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let mut memcached = Memcached::start();
    let client = Client::with_config(patient(&memcached.address().to_string()))
        .await
        .unwrap();
    client.set("key", "value", Expiry::Never).await.unwrap();
    for _ in 0..3 {
        memcached.restart();
        assert_eq!(
            read_until_it_works(&client).await.unwrap(),
            None,
            "it came back empty"
        );
        client.set("key", "value", Expiry::Never).await.unwrap();
    }
}

#[tokio::test]
async fn an_idle_connection_that_the_server_closed_is_replaced_unnoticed() {
    let server = Kind::Memcached.start_with(&["-o", "idle_timeout=1"]);
    let client = Client::with_config(patient(&list(&[&server])))
        .await
        .unwrap();
    client.set("key", "value", Expiry::Never).await.unwrap();
    let mut watching = memlens_tests::RawClient::connect(server.address());
    // This connection is as idle as the client's, and was opened later.
    assert!(watching.read_to_end().unwrap().is_empty());
    assert_eq!(
        client.get::<String>("key").await.unwrap().as_deref(),
        Some("value")
    );
}
