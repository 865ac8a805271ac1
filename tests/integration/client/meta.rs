//! The meta commands: flags, modes, leases, stale items.

use std::time::Duration;

use memlens::{
    ErrorKind, Expiry, MetaArithmetic, MetaDelete, MetaGet, MetaMode, MetaSet, MetaStatus,
    TimeToLive,
};
use memlens_tests::Kind;

use super::{Setup, for_both};

for_both! {
    a_metaget_tells_what_is_asked_for
    modes_of_metaset
    compare_and_set
    one_caller_wins_a_missing_item
    one_caller_wins_an_item_soon_to_expire
    a_stale_item_is_won_once_and_renewed
    metadelete_compares
    arithmetic
    an_opaque_token_must_be_a_word
    metadebug_shows_an_item
    flags_of_later_versions_are_refused
}

async fn a_metaget_tells_what_is_asked_for(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let set = MetaSet::new().client_flags(7).expiry(Expiry::secs(1000));
    assert_eq!(
        client.meta_set("key", "value", &set).await.unwrap().status,
        MetaStatus::Done
    );

    let bare = client
        .meta_get("key", &MetaGet::new().leave_lru_alone())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((bare.value, bare.size, bare.key), (None, None, None));

    let flags = MetaGet::new()
        .value()
        .cas()
        .time_to_live()
        .size()
        .is_hit_before()
        .last_access()
        .key()
        .opaque("token");
    let item = client.meta_get("key", &flags).await.unwrap().unwrap();
    let value = item.value.unwrap();
    assert_eq!(
        (value.data().as_ref(), value.flags()),
        (b"value".as_slice(), 7)
    );
    assert_eq!(item.client_flags, Some(7));
    assert!(item.cas.is_some());
    let Some(TimeToLive::Left(left)) = item.time_to_live else {
        panic!("no expiry")
    };
    assert!((990..=1000).contains(&left.as_secs()));
    assert_eq!(item.size, Some(5));
    assert_eq!(item.was_hit_before, Some(false));
    assert!(item.last_access.unwrap() < Duration::from_secs(10));
    assert_eq!(item.key.as_deref(), Some(b"key".as_slice()));
    assert_eq!(item.opaque.as_deref(), Some(b"token".as_slice()));
    assert!(!item.is_stale && !item.has_won && !item.is_won_by_another);

    let again = client
        .meta_get("key", &MetaGet::new().is_hit_before())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.was_hit_before, Some(true));
    let touched = MetaGet::new().touch(Expiry::Never).time_to_live();
    let item = client.meta_get("key", &touched).await.unwrap().unwrap();
    assert_eq!(item.time_to_live, Some(TimeToLive::Unlimited));
    assert_eq!(client.meta_get("missing", &flags).await.unwrap(), None);
}

async fn modes_of_metaset(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let store = async |value: &str, mode| {
        client
            .meta_set("key", value, &MetaSet::new().mode(mode))
            .await
            .unwrap()
            .status
    };
    assert_eq!(store("a", MetaMode::Replace).await, MetaStatus::NotStored);
    assert_eq!(store("a", MetaMode::Append).await, MetaStatus::NotStored);
    assert_eq!(store("a", MetaMode::Prepend).await, MetaStatus::NotStored);
    assert_eq!(store("b", MetaMode::Add).await, MetaStatus::Done);
    assert_eq!(store("c", MetaMode::Add).await, MetaStatus::NotStored);
    assert_eq!(store("d", MetaMode::Replace).await, MetaStatus::Done);
    assert_eq!(store("e", MetaMode::Append).await, MetaStatus::Done);
    assert_eq!(store("c", MetaMode::Prepend).await, MetaStatus::Done);
    assert_eq!(
        client.get::<String>("key").await.unwrap().as_deref(),
        Some("cde")
    );
    assert_eq!(store("s", MetaMode::Set).await, MetaStatus::Done);
    assert_eq!(
        client.get::<String>("key").await.unwrap().as_deref(),
        Some("s")
    );
}

async fn compare_and_set(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let stored = client
        .meta_set("key", "one", &MetaSet::new().cas().key().opaque("o"))
        .await
        .unwrap();
    let first = stored.cas.unwrap();
    assert_eq!(stored.key.as_deref(), Some(b"key".as_slice()));
    assert_eq!(stored.opaque.as_deref(), Some(b"o".as_slice()));

    let compare = MetaSet::new().compare(first);
    assert_eq!(
        client
            .meta_set("key", "two", &compare)
            .await
            .unwrap()
            .status,
        MetaStatus::Done
    );
    assert_eq!(
        client
            .meta_set("key", "three", &compare)
            .await
            .unwrap()
            .status,
        MetaStatus::Exists
    );
    assert_eq!(
        client
            .meta_set("missing", "x", &compare)
            .await
            .unwrap()
            .status,
        MetaStatus::NotFound
    );
    assert_eq!(
        client.get::<String>("key").await.unwrap().as_deref(),
        Some("two")
    );

    // An older state may still be stored, marked as stale.
    let outdated = MetaSet::new().compare(first).invalidate();
    assert_eq!(
        client
            .meta_set("key", "old", &outdated)
            .await
            .unwrap()
            .status,
        MetaStatus::Done
    );
    let item = client
        .meta_get("key", &MetaGet::new().value())
        .await
        .unwrap()
        .unwrap();
    assert!(item.is_stale && item.has_won);
}

async fn one_caller_wins_a_missing_item(kind: Kind) {
    let setup = Setup::start(kind).await;
    let flags = MetaGet::new().value().vivify(Expiry::secs(30));
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (client, flags) = (setup.client.clone(), flags.clone());
            tokio::spawn(async move { client.meta_get("key", &flags).await.unwrap().unwrap() })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        let item = task.await.unwrap();
        assert_ne!(item.has_won, item.is_won_by_another);
        winners += u32::from(item.has_won);
    }
    assert_eq!(winners, 1);

    setup
        .client
        .set("key", "value", Expiry::Never)
        .await
        .unwrap();
    let item = setup.client.meta_get("key", &flags).await.unwrap().unwrap();
    assert!(!item.has_won && !item.is_won_by_another);
    assert_eq!(item.value.unwrap().into_data(), "value");
}

async fn one_caller_wins_an_item_soon_to_expire(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("key", "value", Expiry::secs(100)).await.unwrap();
    let late = MetaGet::new().recache_below(Duration::from_secs(10));
    let item = client.meta_get("key", &late).await.unwrap().unwrap();
    assert!(!item.has_won && !item.is_won_by_another);
    let soon = MetaGet::new().recache_below(Duration::from_secs(1000));
    assert!(
        client
            .meta_get("key", &soon)
            .await
            .unwrap()
            .unwrap()
            .has_won
    );
    assert!(
        client
            .meta_get("key", &soon)
            .await
            .unwrap()
            .unwrap()
            .is_won_by_another
    );
}

async fn a_stale_item_is_won_once_and_renewed(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("key", "old", Expiry::Never).await.unwrap();
    let invalidate = MetaDelete::new().invalidate().expiry(Expiry::secs(30));
    assert_eq!(
        client.meta_delete("key", &invalidate).await.unwrap().status,
        MetaStatus::Done
    );

    let flags = MetaGet::new().value().cas();
    let winner = client.meta_get("key", &flags).await.unwrap().unwrap();
    assert!(winner.is_stale && winner.has_won && !winner.is_won_by_another);
    assert_eq!(winner.value.unwrap().into_data(), "old");
    let other = client.meta_get("key", &flags).await.unwrap().unwrap();
    assert!(other.is_stale && !other.has_won && other.is_won_by_another);

    let renew = MetaSet::new().compare(winner.cas.unwrap());
    assert_eq!(
        client.meta_set("key", "new", &renew).await.unwrap().status,
        MetaStatus::Done
    );
    let item = client.meta_get("key", &flags).await.unwrap().unwrap();
    assert!(!item.is_stale && !item.has_won && !item.is_won_by_another);
}

async fn metadelete_compares(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let flags = MetaDelete::new().key().opaque("o");
    let outcome = client.meta_delete("key", &flags).await.unwrap();
    assert_eq!(outcome.status, MetaStatus::NotFound);
    assert_eq!(outcome.opaque.as_deref(), Some(b"o".as_slice()));

    client.set("key", "one", Expiry::Never).await.unwrap();
    let (_, first) = client.gets::<String>("key").await.unwrap().unwrap();
    client.set("key", "two", Expiry::Never).await.unwrap();
    let outdated = MetaDelete::new().compare(first);
    assert_eq!(
        client.meta_delete("key", &outdated).await.unwrap().status,
        MetaStatus::Exists
    );
    let (_, second) = client.gets::<String>("key").await.unwrap().unwrap();
    let current = MetaDelete::new().compare(second);
    assert_eq!(
        client.meta_delete("key", &current).await.unwrap().status,
        MetaStatus::Done
    );
    assert_eq!(client.get::<String>("key").await.unwrap(), None);
}

async fn arithmetic(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let count =
        async |flags: MetaArithmetic| client.meta_arithmetic("n", &flags.value()).await.unwrap();
    assert_eq!(
        count(MetaArithmetic::new()).await.status,
        MetaStatus::NotFound
    );

    let created = count(
        MetaArithmetic::new()
            .vivify(Expiry::secs(1000), 40)
            .time_to_live()
            .cas(),
    )
    .await;
    assert_eq!(
        (created.status, created.number),
        (MetaStatus::Done, Some(40))
    );
    let cas = created.item.cas.unwrap();
    assert!(matches!(
        created.item.time_to_live,
        Some(TimeToLive::Left(_))
    ));

    assert_eq!(
        count(MetaArithmetic::new().compare(cas).delta(2))
            .await
            .number,
        Some(42)
    );
    assert_eq!(
        count(MetaArithmetic::new().compare(cas).delta(2))
            .await
            .status,
        MetaStatus::Exists
    );
    assert_eq!(count(MetaArithmetic::new()).await.number, Some(43));
    assert_eq!(
        count(MetaArithmetic::new().decrement().delta(40))
            .await
            .number,
        Some(3)
    );
    assert_eq!(
        count(MetaArithmetic::new().decrement().delta(40))
            .await
            .number,
        Some(0)
    );
    let kept = count(
        MetaArithmetic::new()
            .expiry(Expiry::Never)
            .time_to_live()
            .key()
            .opaque("o"),
    )
    .await;
    assert_eq!(kept.item.time_to_live, Some(TimeToLive::Unlimited));
    assert_eq!(kept.item.key.as_deref(), Some(b"n".as_slice()));

    client.set("text", "abc", Expiry::Never).await.unwrap();
    let error = client
        .meta_arithmetic("text", &MetaArithmetic::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotNumeric);
}

async fn an_opaque_token_must_be_a_word(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    for token in ["", "two words", "a\r\nflush_all", &"o".repeat(32)] {
        let error = client
            .meta_get("key", &MetaGet::new().opaque(token))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{token:?}");
        assert!(!error.was_sent());
    }
    let longest = "o".repeat(31);
    let outcome = client
        .meta_delete("key", &MetaDelete::new().opaque(longest.as_str()))
        .await
        .unwrap();
    assert_eq!(outcome.opaque.as_deref(), Some(longest.as_bytes()));
}

async fn metadebug_shows_an_item(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    assert_eq!(client.meta_debug("key").await.unwrap(), None);
    client.set("key", "value", Expiry::Never).await.unwrap();
    let shown = client.meta_debug("key").await.unwrap().unwrap();
    let names: Vec<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["exp", "la", "cas", "fetch", "cls", "size"]);
    assert_eq!(shown[0].1, "-1");
    assert_eq!(shown[3].1, "no");
}

async fn flags_of_later_versions_are_refused(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("key", "value", Expiry::Never).await.unwrap();
    // 1.6.18 knows neither; whatever it answers, the connection stays usable.
    let _ = client
        .meta_set("key", "x", &MetaSet::new().explicit_cas(5))
        .await;
    let error = client
        .meta_delete("key", &MetaDelete::new().empty())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ClientError);
    assert_eq!(error.server_message(), Some("invalid or duplicate flag"));
    assert!(client.get::<String>("key").await.unwrap().is_some());
}
