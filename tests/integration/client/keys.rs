//! Keys: what is refused before anything is sent, namespaces, keys with a hash, binary keys.

use memlens::config::Namespace;
use memlens::{Client, ErrorKind, Expiry, Key, MetaDelete, MetaGet, MetaSet};
use memlens_tests::Kind;

use super::{Setup, for_both, list, patient};

for_both! {
    illegal_keys_are_refused_and_not_sent
    keys_at_the_limit_work
    a_namespace_stands_before_every_key
    a_key_may_bring_its_hash
    binary_keys_travel_with_meta_commands
}

async fn illegal_keys_are_refused_and_not_sent(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.nodes()[0].stats_reset().await.unwrap();

    let mut keys: Vec<Vec<u8>> = (0..=b' ')
        .chain([0x7f])
        .map(|byte| vec![b'a', byte, b'b'])
        .collect();
    keys.extend([
        vec![],
        vec![b'k'; 251],
        "ä".repeat(126).into_bytes(),
        b"a\r\nflush_all\r\n".to_vec(),
    ]);
    for key in &keys {
        let key = key.as_slice();
        let errors = [
            client.get::<String>(key).await.map(drop),
            client.gets::<String>(key).await.map(drop),
            client.gat::<String>(key, Expiry::Never).await.map(drop),
            client.set(key, "x", Expiry::Never).await,
            client.add(key, "x", Expiry::Never).await.map(drop),
            client.append(key, "x").await.map(drop),
            client.incr(key, 1).await.map(drop),
            client
                .incr_or_init(key, 1, 1, Expiry::Never)
                .await
                .map(drop),
            client.delete(key).await.map(drop),
            client.touch(key, Expiry::Never).await.map(drop),
            client.meta_get(key, &MetaGet::new()).await.map(drop),
            client.meta_set(key, "x", &MetaSet::new()).await.map(drop),
            client.meta_debug(key).await.map(drop),
        ];
        for error in errors {
            let error = error.unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::InvalidKey,
                "{}",
                key.escape_ascii()
            );
            assert!(!error.was_sent());
        }
    }

    let stats = client.nodes()[0].stats().await.unwrap();
    let touched = [
        stats.cmd_get,
        stats.cmd_set,
        stats.cmd_touch,
        stats.delete_misses,
        stats.incr_misses,
    ];
    assert_eq!(touched, [Some(0); 5]);
}

async fn keys_at_the_limit_work(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let keys = [
        "k".repeat(250),
        "k".repeat(249),
        "ä".repeat(125),
        "k".into(),
        "noreply".into(),
        "0".into(),
    ];
    for key in &keys {
        client.set(key, key.as_str(), Expiry::Never).await.unwrap();
    }
    for key in &keys {
        assert_eq!(client.get::<String>(key).await.unwrap().as_ref(), Some(key));
        assert!(client.delete(key).await.unwrap(), "{key}");
    }
}

async fn a_namespace_stands_before_every_key(kind: Kind) {
    let setup = Setup::start(kind).await;
    let mut config = patient(&list(&[&setup.server]));
    config.namespace = Namespace::new("app1:").unwrap();
    let client = Client::with_config(config).await.unwrap();

    client.set("key", "value", Expiry::Never).await.unwrap();
    assert_eq!(
        client.get::<String>("key").await.unwrap().as_deref(),
        Some("value")
    );
    assert_eq!(setup.client.get::<String>("key").await.unwrap(), None);
    assert_eq!(
        setup
            .client
            .get::<String>("app1:key")
            .await
            .unwrap()
            .as_deref(),
        Some("value")
    );
    let found = client
        .get_multi::<String, _>(["key", "other"])
        .await
        .into_hits();
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        [("key", "value".to_owned())]
    );
    assert!(client.delete("key").await.unwrap());
    assert_eq!(
        client.incr_or_init("n", 1, 1, Expiry::Never).await.unwrap(),
        1
    );
    assert_eq!(setup.client.incr("app1:n", 1).await.unwrap(), Some(2));

    client
        .set("k".repeat(245), "x", Expiry::Never)
        .await
        .unwrap();
    let error = client
        .set("k".repeat(246), "x", Expiry::Never)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    assert!(!error.was_sent());
}

async fn a_key_may_bring_its_hash(kind: Kind) {
    let servers = [0; 3].map(|_| kind.start());
    let client = super::connect(&servers.each_ref()).await;
    for hash in 0..20_u64 {
        let key = format!("key:{hash}");
        let node = client.node_for((hash, &key)).unwrap();
        client
            .set((hash, &key), "value", Expiry::Never)
            .await
            .unwrap();
        assert_eq!(
            client.get::<String>((hash, &key)).await.unwrap().as_deref(),
            Some("value")
        );
        let holder = client.node(&node).unwrap();
        assert_eq!(holder.stats().await.unwrap().curr_items, Some(1), "{node}");
        assert!(client.delete((hash, &key)).await.unwrap());
    }
}

async fn binary_keys_travel_with_meta_commands(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let bytes: Vec<u8> = (0..=185).collect();
    let key = Key::binary(&bytes).unwrap();

    client
        .meta_set(key, "value", &MetaSet::new())
        .await
        .unwrap();
    let item = client
        .meta_get(key, &MetaGet::new().value().key())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(item.key.as_deref(), Some(bytes.as_slice()));
    assert_eq!(item.value.unwrap().into_data(), "value");
    client.meta_delete(key, &MetaDelete::new()).await.unwrap();
    assert_eq!(client.meta_get(key, &MetaGet::new()).await.unwrap(), None);

    for error in [
        client.get::<String>(key).await.map(drop).unwrap_err(),
        client.set(key, "x", Expiry::Never).await.unwrap_err(),
        client
            .touch(key, Expiry::Never)
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidKey, "{error}");
        assert!(!error.was_sent());
    }
    assert!(Key::binary(&[0; 187]).is_err());
}
