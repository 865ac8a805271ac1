//! `get_or_compute`: who computes, who waits, what is stored, and what happens when it goes wrong.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, pending};
use memlens::{Client, ErrorKind, Expiry, Freshness, Key, MetaDelete, TracedClient};
use memlens_tests::{Kind, Memcached};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Setup, connect, for_both, patient};

for_both! {
    what_is_there_is_not_computed
    what_is_missing_is_computed_once_for_all
    two_clients_compute_once
    an_error_reaches_all_who_wait_and_is_not_kept
    a_caller_that_goes_away_is_replaced_at_once
    a_client_that_goes_away_is_replaced
    a_computation_may_take_longer_than_its_lease
    a_value_is_renewed_ahead_while_others_get_the_old_one
    a_stale_value_is_served_while_one_renews_it
    a_failed_renewal_leaves_the_old_value
    what_was_deleted_meanwhile_is_not_stored
    what_was_written_meanwhile_stays
    an_invalidated_value_is_renewed
    keys_of_any_kind_and_values_of_any_type
}

const MINUTE: Duration = Duration::from_secs(60);

/// How long nothing has to happen for a test to believe that nothing will.
const A_WHILE: Duration = Duration::from_millis(100);

/// Longer than a busy machine takes for anything here.
const LONG: Duration = Duration::from_secs(30);

/// A computation that counts how often it was begun, and goes on when it is told to.
#[derive(Clone, Default)]
struct Computation {
    begun: Arc<AtomicUsize>,
    has_begun: Arc<Notify>,
    go: Arc<Notify>,
}

impl Computation {
    fn count(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    async fn value(&self, value: &str) -> Result<String, std::io::Error> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.has_begun.notify_one();
        self.go.notified().await;
        Ok(value.to_owned())
    }
}

/// Another process, as far as the server can tell.
async fn other(setup: &Setup) -> Client {
    connect(&[&setup.server]).await
}

async fn value(text: &str) -> Result<String, std::io::Error> {
    Ok(text.to_owned())
}

async fn failure() -> Result<String, std::io::Error> {
    Err(std::io::Error::other("the database is on fire"))
}

/// Reads the key, or computes it by `computation`, which ends with `text`.
async fn compute(
    client: &Client,
    freshness: impl Into<Freshness>,
    computation: &Computation,
    text: &str,
) -> memlens::Result<String> {
    let value = || computation.value(text);
    client.get_or_compute("key", freshness, value).await
}

/// What the key's value is when `text` is computed at once if it has to be.
async fn read_or(client: &Client, freshness: impl Into<Freshness>, text: &str) -> String {
    let reading = client.get_or_compute("key", freshness, || value(text));
    timeout(LONG, reading).await.unwrap().unwrap()
}

/// What the key's value is, where nobody has to compute it.
async fn read(client: &Client, freshness: impl Into<Freshness>) -> String {
    let value = || async { Err::<String, _>("nobody should compute") };
    let reading = client.get_or_compute("key", freshness, value);
    reading.await.unwrap()
}

/// Reads until the value has been renewed.
async fn renewed<F: Future<Output = String>>(read: impl Fn() -> F, pause: Duration) -> String {
    loop {
        match read().await {
            old if old == "old" => tokio::time::sleep(pause).await,
            new => return new,
        }
    }
}

async fn what_is_there_is_not_computed(kind: Kind) {
    let setup = Setup::start(kind).await;
    setup.client.set("key", "there", MINUTE).await.unwrap();
    assert_eq!(read(&setup.client, MINUTE).await, "there");
}

async fn what_is_missing_is_computed_once_for_all(kind: Kind) {
    let setup = Setup::start(kind).await;
    let computation = Computation::default();
    let callers = (0..100).map(|_| compute(&setup.client, MINUTE, &computation, "computed"));
    computation.go.notify_one();
    for value in join_all(callers).await {
        assert_eq!(value.unwrap(), "computed");
    }
    assert_eq!(computation.count(), 1);
    let stored: Option<String> = setup.client.get("key").await.unwrap();
    assert_eq!(stored.as_deref(), Some("computed"));
}

async fn two_clients_compute_once(kind: Kind) {
    let setup = Setup::start(kind).await;
    let other = other(&setup).await;
    let computation = Computation::default();
    let first = compute(&setup.client, MINUTE, &computation, "first");
    let second = async {
        computation.has_begun.notified().await;
        let second = compute(&other, MINUTE, &computation, "second");
        tokio::pin!(second);
        assert!(timeout(A_WHILE, &mut second).await.is_err(), "it waits");
        computation.go.notify_one();
        second.await
    };
    let both = timeout(LONG, async { tokio::join!(first, second) });
    let (first, second) = both.await.unwrap();
    assert_eq!(
        (first.unwrap(), second.unwrap()),
        ("first".to_owned(), "first".to_owned())
    );
    assert_eq!(computation.count(), 1);
}

async fn an_error_reaches_all_who_wait_and_is_not_kept(kind: Kind) {
    let setup = Setup::start(kind).await;
    let count = AtomicUsize::new(0);
    let callers = (0..50).map(|_| {
        setup.client.get_or_compute("key", MINUTE, || async {
            count.fetch_add(1, Ordering::SeqCst);
            // The others have to have come by now to share it.
            tokio::time::sleep(A_WHILE).await;
            failure().await
        })
    });
    for result in join_all(callers).await {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Compute);
        let source = error.computation().unwrap();
        assert!(source.is::<std::io::Error>());
        assert_eq!(source.to_string(), "the database is on fire");
        assert!(error.source().is_some() && !error.is_retryable());
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_eq!(read_or(&setup.client, MINUTE, "computed").await, "computed");
}

async fn a_caller_that_goes_away_is_replaced_at_once(kind: Kind) {
    let setup = Setup::start(kind).await;
    let first = Computation::default();
    let freshness = Freshness::new(MINUTE).lease(Duration::from_secs(3600));
    let winner = tokio::spawn({
        let (client, first) = (setup.client.clone(), first.clone());
        async move { compute(&client, freshness, &first, "first").await }
    });
    first.has_begun.notified().await;
    let second = Computation::default();
    let followers = (0..10).map(|_| {
        let (client, second) = (setup.client.clone(), second.clone());
        tokio::spawn(async move { compute(&client, freshness, &second, "second").await })
    });
    let followers: Vec<_> = followers.collect();
    tokio::time::sleep(A_WHILE).await;
    winner.abort();
    second.go.notify_one();
    for follower in followers {
        assert_eq!(
            timeout(LONG, follower).await.unwrap().unwrap().unwrap(),
            "second"
        );
    }
    assert_eq!((first.count(), second.count()), (1, 1));
}

async fn a_client_that_goes_away_is_replaced(kind: Kind) {
    let setup = Setup::start(kind).await;
    let other = other(&setup).await;
    let freshness = Freshness::new(MINUTE).lease(Duration::from_secs(3600));
    let first = Computation::default();
    {
        let winner = compute(&other, freshness, &first, "first");
        tokio::select! {
            _ = winner => panic!("it was not told to go on"),
            () = first.has_begun.notified() => {}
        }
    }
    // The lease is an hour long, but it was given back.
    let second = read_or(&setup.client, freshness, "second").await;
    assert_eq!(second, "second");
}

async fn a_computation_may_take_longer_than_its_lease(kind: Kind) {
    let setup = Setup::start(kind).await;
    let other = other(&setup).await;
    let freshness = Freshness::new(MINUTE).lease(Duration::from_secs(1));
    let computation = Computation::default();
    let first = compute(&setup.client, freshness, &computation, "first");
    let second = async {
        computation.has_begun.notified().await;
        let second = compute(&other, freshness, &computation, "second");
        tokio::pin!(second);
        // memcached's clock ticks once in a second, so this is two leases at least.
        let wait = timeout(Duration::from_secs(3), &mut second);
        assert!(wait.await.is_err(), "it waits");
        assert_eq!(computation.count(), 1);
        computation.go.notify_one();
        second.await
    };
    let both = timeout(LONG, async { tokio::join!(first, second) });
    let (first, second) = both.await.unwrap();
    assert_eq!(
        (first.unwrap(), second.unwrap()),
        ("first".to_owned(), "first".to_owned())
    );
    assert_eq!(computation.count(), 1);
}

async fn a_value_is_renewed_ahead_while_others_get_the_old_one(kind: Kind) {
    let setup = Setup::start(kind).await;
    let other = other(&setup).await;
    setup.client.set("key", "old", MINUTE).await.unwrap();
    let freshness = Freshness::new(MINUTE).refresh_ahead(2 * MINUTE);
    let computation = Computation::default();
    let renewing = compute(&setup.client, freshness, &computation, "new");
    let reading = async {
        computation.has_begun.notified().await;
        for client in [&setup.client, &other] {
            assert_eq!(read(client, freshness).await, "old");
        }
        computation.go.notify_one();
    };
    let (renewed, ()) = tokio::join!(renewing, reading);
    assert_eq!(renewed.unwrap(), "new");
    assert_eq!(read(&other, MINUTE).await, "new");
}

async fn a_stale_value_is_served_while_one_renews_it(kind: Kind) {
    let setup = Setup::start(kind).await;
    let freshness = Freshness::new(Duration::from_secs(1)).serve_stale(MINUTE);
    assert_eq!(read_or(&setup.client, freshness, "old").await, "old");
    let computation = Computation::default();
    // Until its second is over, nobody computes.
    let renew = || async {
        let renewing = compute(&setup.client, freshness, &computation, "new");
        renewing.await.unwrap()
    };
    let renewing = renewed(renew, Duration::from_millis(10));
    let reading = async {
        computation.has_begun.notified().await;
        assert_eq!(read(&setup.client, freshness).await, "old");
        computation.go.notify_one();
    };
    let (renewed, ()) = timeout(LONG, async { tokio::join!(renewing, reading) })
        .await
        .unwrap();
    assert_eq!((renewed.as_str(), computation.count()), ("new", 1));
}

async fn a_failed_renewal_leaves_the_old_value(kind: Kind) {
    let setup = Setup::start(kind).await;
    setup.client.set("key", "old", MINUTE).await.unwrap();
    let freshness = Freshness::new(MINUTE)
        .refresh_ahead(2 * MINUTE)
        .lease(Duration::from_secs(1));
    let failing = setup.client.get_or_compute("key", freshness, failure);
    assert_eq!(failing.await.unwrap(), "old");
    // Not tried again at once, but when a lease's time is over.
    assert_eq!(read(&setup.client, freshness).await, "old");
    let renew = || read_or(&setup.client, freshness, "new");
    let renewing = renewed(renew, Duration::from_millis(20));
    assert_eq!(timeout(LONG, renewing).await.unwrap(), "new");
}

async fn what_was_deleted_meanwhile_is_not_stored(kind: Kind) {
    let setup = Setup::start(kind).await;
    let computed = setup.client.get_or_compute("key", MINUTE, || async {
        setup.client.delete("key").await?;
        Ok::<_, memlens::Error>("outdated".to_owned())
    });
    assert_eq!(computed.await.unwrap(), "outdated");
    assert_eq!(setup.client.get::<String>("key").await.unwrap(), None);
}

async fn what_was_written_meanwhile_stays(kind: Kind) {
    let setup = Setup::start(kind).await;
    let computed = setup.client.get_or_compute("key", MINUTE, || async {
        setup.client.set("key", "newer", MINUTE).await?;
        Ok::<_, memlens::Error>("outdated".to_owned())
    });
    assert_eq!(computed.await.unwrap(), "outdated");
    assert_eq!(read(&setup.client, MINUTE).await, "newer");
}

async fn an_invalidated_value_is_renewed(kind: Kind) {
    let setup = Setup::start(kind).await;
    setup.client.set("key", "old", MINUTE).await.unwrap();
    let stale = MetaDelete::new().invalidate().expiry(MINUTE);
    setup.client.meta_delete("key", &stale).await.unwrap();
    assert_eq!(read_or(&setup.client, MINUTE, "new").await, "new");
    assert_eq!(read(&setup.client, MINUTE).await, "new");
}

async fn keys_of_any_kind_and_values_of_any_type(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let binary = Key::binary(&[0, 13, 10, 255]).unwrap();
    for _ in 0..2 {
        let compute = || async { Ok::<_, &str>(7_u64) };
        assert_eq!(
            client
                .get_or_compute(binary, MINUTE, compute)
                .await
                .unwrap(),
            7
        );
        let compute = || async { Ok::<_, String>(vec![1_u8, 2, 3]) };
        let value = client.get_or_compute((3, "hashed"), Expiry::Never, compute);
        assert_eq!(value.await.unwrap(), [1, 2, 3]);
        let compute = || async { Ok::<_, std::fmt::Error>(String::new()) };
        let empty = client.get_or_compute("empty", MINUTE, compute).await;
        assert_eq!(empty.unwrap(), "");
    }
    let error = client
        .get_or_compute("two words", MINUTE, || value(""))
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidKey);
    let error = client
        .get_or_compute("key", Duration::ZERO, || value(""))
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
    client.set("key", "text", MINUTE).await.unwrap();
    let compute = || async { Ok::<_, &str>(7_u64) };
    let error = client.get_or_compute("key", MINUTE, compute).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn without_a_cache_the_callers_of_a_client_still_compute_once() {
    let mut server = Memcached::start();
    let client = Client::with_config(patient(&server.address().to_string()));
    let client = client.await.unwrap();
    server.kill();
    let computation = Computation::default();
    let callers = (0..20).map(|_| compute(&client, MINUTE, &computation, "computed"));
    let telling = async {
        computation.has_begun.notified().await;
        computation.go.notify_one();
    };
    let (values, ()) = tokio::join!(join_all(callers), telling);
    for value in values {
        assert_eq!(value.unwrap(), "computed");
    }
    assert_eq!(computation.count(), 1);
    let strict = Freshness::new(MINUTE).require_cache();
    let error = client
        .get_or_compute("key", strict, || value("computed"))
        .await
        .unwrap_err();
    assert!(error.is_connection(), "{error}");
}

#[tokio::test]
async fn a_value_that_is_too_large_is_returned_and_not_stored() {
    let setup = Setup::start(Kind::Memcached).await;
    let large = "x".repeat(2 << 20);
    assert_eq!(
        read_or(&setup.client, MINUTE, &large).await.len(),
        large.len()
    );
    assert_eq!(read_or(&setup.client, MINUTE, "small").await, "small");
}

#[tokio::test]
async fn the_traced_client_computes_too() {
    let setup = Setup::start(Kind::Memcached).await;
    let config = patient(&setup.server.address().to_string());
    let traced = TracedClient::with_config(config).await.unwrap();
    let computed = traced.get_or_compute("key", MINUTE, || value("computed"));
    assert_eq!(computed.await.unwrap(), "computed");
    assert_eq!(read(&setup.client, MINUTE).await, "computed");
}

#[test]
fn the_blocking_client_computes_too() {
    let server = Memcached::start();
    let config = patient(&server.address().to_string());
    let client = memlens::blocking::Client::with_config(config).unwrap();
    let count = AtomicUsize::new(0);
    let freshness = Freshness::new(MINUTE).lease(Duration::from_secs(1));
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..10)
            .map(|_| {
                scope.spawn(|| {
                    client.get_or_compute("key", freshness, || {
                        count.fetch_add(1, Ordering::SeqCst);
                        // It may use the client, and take longer than its lease.
                        client.incr_or_init("computed", 1, 1, Expiry::Never)?;
                        std::thread::sleep(Duration::from_millis(2500));
                        Ok::<_, memlens::Error>("computed".to_owned())
                    })
                })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.join().unwrap().unwrap(), "computed");
        }
    });
    assert_eq!(count.load(Ordering::SeqCst), 1);
    let failing = client.get_or_compute("other", MINUTE, || Err::<String, _>("no"));
    assert_eq!(failing.unwrap_err().kind(), ErrorKind::Compute);
}

#[tokio::test]
async fn a_computation_that_never_ends_holds_up_nobody_else() {
    let setup = Setup::start(Kind::Memcached).await;
    let client = setup.client.clone();
    let stuck = tokio::spawn(async move {
        let compute = pending::<Result<String, &str>>;
        client.get_or_compute("stuck", MINUTE, compute).await
    });
    assert_eq!(read_or(&setup.client, MINUTE, "computed").await, "computed");
    stuck.abort();
    assert!(stuck.await.unwrap_err().is_cancelled());
}
