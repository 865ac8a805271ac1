//! `get`, `gets`, `gat`, `gats`, and what values become.

use std::time::Duration;

use bytes::Bytes;
use memlens::{ErrorKind, Expiry, MetaGet, TimeToLive, Value};
use memlens_tests::Kind;

use super::{Setup, for_both};

for_both! {
    a_miss_is_none
    values_of_every_type_come_back
    values_of_any_bytes_come_back
    a_value_of_another_type_is_an_error
    flags_are_kept
    gets_tells_whether_the_item_changed
    gat_sets_the_expiry
    many_tasks_read_at_once
}

async fn a_miss_is_none(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    assert_eq!(client.get::<String>("missing").await.unwrap(), None);
    assert_eq!(client.gets::<String>("missing").await.unwrap(), None);
    assert_eq!(
        client
            .gat::<String>("missing", Expiry::secs(10))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        client
            .gats::<String>("missing", Expiry::Never)
            .await
            .unwrap(),
        None
    );
}

async fn values_of_every_type_come_back(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    macro_rules! round_trip {
        ($($value:expr => $type:ty),* $(,)?) => {
            $(
                client.set("key", &$value, Expiry::Never).await.unwrap();
                assert_eq!(client.get::<$type>("key").await.unwrap(), Some($value));
            )*
        };
    }
    round_trip! {
        String::from("text") => String,
        String::from("späße") => String,
        vec![0_u8, 13, 10, 255] => Vec<u8>,
        Bytes::from_static(b"bytes") => Bytes,
        0_u8 => u8,
        u64::MAX => u64,
        i64::MIN => i64,
        -1_i32 => i32,
        1.5_f64 => f64,
        f32::MAX => f32,
        true => bool,
        false => bool,
    }
}

async fn values_of_any_bytes_come_back(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    let every_byte: Vec<u8> = (0..=255).collect();
    let values = [
        Vec::new(),
        every_byte.repeat(100),
        b"\r\n".to_vec(),
        b"END\r\n".to_vec(),
        b"VALUE key 0 3\r\nabc\r\nEND\r\n".to_vec(),
        b"HD\r\nEN\r\nMN\r\nSERVER_ERROR no\r\n".to_vec(),
        vec![b'v'; 500_000],
        vec![b'v'; 1_000_000],
    ];
    for value in values {
        client.set("key", &value, Expiry::Never).await.unwrap();
        assert_eq!(
            client.get::<Vec<u8>>("key").await.unwrap().as_ref(),
            Some(&value)
        );
        let (read, _) = client.gets::<Vec<u8>>("key").await.unwrap().unwrap();
        assert_eq!(read, value);
    }
}

async fn a_value_of_another_type_is_an_error(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("text", "abc", Expiry::Never).await.unwrap();
    client
        .set("bytes", &[0xff_u8, 0xfe], Expiry::Never)
        .await
        .unwrap();
    client.set("large", "256", Expiry::Never).await.unwrap();

    assert_eq!(
        client.get::<u64>("text").await.unwrap_err().kind(),
        ErrorKind::Decode
    );
    assert_eq!(
        client.get::<String>("bytes").await.unwrap_err().kind(),
        ErrorKind::Decode
    );
    assert_eq!(
        client.get::<u8>("large").await.unwrap_err().kind(),
        ErrorKind::Decode
    );
    let error = client.get::<bool>("text").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!format!("{error} {error:?}").contains("abc"), "{error:?}");

    assert_eq!(
        client.get::<String>("text").await.unwrap().as_deref(),
        Some("abc")
    );
}

async fn flags_are_kept(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    for flags in [0, 1, 1 << 16, 1 << 31, u32::MAX] {
        client
            .set("key", Value::new("x", flags), Expiry::Never)
            .await
            .unwrap();
        let read: Value = client.get("key").await.unwrap().unwrap();
        assert_eq!(read.flags(), flags);
        let shown = setup.raw().request(b"get key\r\n", b"END\r\n");
        assert_eq!(
            shown,
            format!("VALUE key {flags} 1\r\nx\r\nEND\r\n").as_bytes()
        );
    }
}

async fn gets_tells_whether_the_item_changed(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("key", "one", Expiry::Never).await.unwrap();
    let (_, first) = client.gets::<String>("key").await.unwrap().unwrap();
    let (_, again) = client.gets::<String>("key").await.unwrap().unwrap();
    client.set("key", "one", Expiry::Never).await.unwrap();
    let (_, later) = client.gets::<String>("key").await.unwrap().unwrap();
    assert_eq!(first, again);
    assert_ne!(first, later);
    assert!(!first.is_disabled());
}

async fn gat_sets_the_expiry(kind: Kind) {
    let setup = Setup::start(kind).await;
    let client = &setup.client;
    client.set("key", "value", Expiry::Never).await.unwrap();
    let time_to_live = async || {
        let flags = MetaGet::new().time_to_live();
        client
            .meta_get("key", &flags)
            .await
            .unwrap()
            .unwrap()
            .time_to_live
            .unwrap()
    };
    assert_eq!(time_to_live().await, TimeToLive::Unlimited);

    let value: Option<String> = client.gat("key", Duration::from_secs(100)).await.unwrap();
    assert_eq!(value.as_deref(), Some("value"));
    let TimeToLive::Left(left) = time_to_live().await else {
        panic!("no expiry")
    };
    assert!((90..=100).contains(&left.as_secs()), "{left:?}");

    let (value, cas) = client
        .gats::<String>("key", Duration::from_secs(1000))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((value.as_str(), cas.is_disabled()), ("value", false));
    let TimeToLive::Left(left) = time_to_live().await else {
        panic!("no expiry")
    };
    assert!((990..=1000).contains(&left.as_secs()), "{left:?}");

    client
        .gat::<String>("key", Expiry::Immediately)
        .await
        .unwrap();
    assert_eq!(client.get::<String>("key").await.unwrap(), None);
}

async fn many_tasks_read_at_once(kind: Kind) {
    let setup = Setup::start(kind).await;
    for number in 0..100_u32 {
        setup
            .client
            .set(format!("key:{number}"), number, Expiry::Never)
            .await
            .unwrap();
    }
    let tasks: Vec<_> = (0..64_u32)
        .map(|task| {
            let client = setup.client.clone();
            tokio::spawn(async move {
                for round in 0..200 {
                    let number = (task * 7 + round * 3) % 150;
                    let value: Option<u32> = client.get(format!("key:{number}")).await.unwrap();
                    assert_eq!(value, (number < 100).then_some(number));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}
