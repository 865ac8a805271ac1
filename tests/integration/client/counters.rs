//! `incr`, `decr`, and their forms with an initial value.

use memlens::{ErrorKind, Expiry, MetaGet, TimeToLive};
use memlens_tests::Kind;

use super::{Setup, for_both};

for_both! {
    a_miss_is_none
    counting_wraps_and_stops_at_zero
    a_number_that_got_shorter_is_read
    what_is_no_number_is_an_error
    an_initial_value_is_stored_on_a_miss
    no_count_is_lost
}

async fn a_miss_is_none(kind: Kind) {
    let setup = Setup::start(kind).await;
    assert_eq!(setup.client.incr("n", 1).await.unwrap(), None);
    assert_eq!(setup.client.decr("n", 1).await.unwrap(), None);
}

async fn counting_wraps_and_stops_at_zero(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("n", 10_u64, Expiry::Never).await.unwrap();
    assert_eq!(client.incr("n", 5).await.unwrap(), Some(15));
    assert_eq!(client.decr("n", 6).await.unwrap(), Some(9));
    assert_eq!(client.decr("n", 100).await.unwrap(), Some(0));
    assert_eq!(client.incr("n", u64::MAX).await.unwrap(), Some(u64::MAX));
    assert_eq!(client.incr("n", 1).await.unwrap(), Some(0));
    assert_eq!(client.incr("n", 0).await.unwrap(), Some(0));
}

async fn a_number_that_got_shorter_is_read(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("n", 100_u64, Expiry::Never).await.unwrap();
    assert_eq!(client.decr("n", 1).await.unwrap(), Some(99));
    // The server may have padded the value to its earlier length: "99 ".
    assert_eq!(client.get::<u64>("n").await.unwrap(), Some(99));
}

async fn what_is_no_number_is_an_error(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    for value in ["abc", "", "-1", "1x", "18446744073709551616"] {
        client.set("n", value, Expiry::Never).await.unwrap();
        for error in [
            client.incr("n", 1).await.unwrap_err(),
            client.decr("n", 1).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotNumeric, "{value:?}: {error}");
            assert!(error.was_sent());
        }
        let error = client
            .incr_or_init("n", 1, 1, Expiry::Never)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotNumeric, "{value:?}: {error}");
        assert_eq!(
            client.get::<String>("n").await.unwrap().as_deref(),
            Some(value)
        );
    }
}

async fn an_initial_value_is_stored_on_a_miss(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    assert_eq!(
        client
            .incr_or_init("up", 5, 100, Expiry::secs(1000))
            .await
            .unwrap(),
        100
    );
    assert_eq!(
        client
            .incr_or_init("up", 5, 100, Expiry::secs(1000))
            .await
            .unwrap(),
        105
    );
    assert_eq!(
        client
            .decr_or_init("down", 5, 7, Expiry::Never)
            .await
            .unwrap(),
        7
    );
    assert_eq!(
        client
            .decr_or_init("down", 5, 7, Expiry::Never)
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        client
            .decr_or_init("down", 5, 7, Expiry::Never)
            .await
            .unwrap(),
        0
    );

    let flags = MetaGet::new().time_to_live();
    let up = client.meta_get("up", &flags).await.unwrap().unwrap();
    assert!(
        matches!(up.time_to_live, Some(TimeToLive::Left(_))),
        "{up:?}"
    );
    let down = client.meta_get("down", &flags).await.unwrap().unwrap();
    assert_eq!(down.time_to_live, Some(TimeToLive::Unlimited));
}

async fn no_count_is_lost(kind: Kind) {
    const TASKS: u64 = 32;
    const ROUNDS: u64 = 200;
    let setup = Setup::start(kind).await;
    setup.client.set("n", 0_u64, Expiry::Never).await.unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let client = setup.client.clone();
            tokio::spawn(async move {
                let mut last = 0;
                for _ in 0..ROUNDS {
                    let now = client.incr("n", 1).await.unwrap().unwrap();
                    assert!(now > last);
                    last = now;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(
        setup.client.get::<u64>("n").await.unwrap(),
        Some(TASKS * ROUNDS)
    );
}
