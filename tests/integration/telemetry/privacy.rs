//! Keys, values and servers' words stay inside, whatever happens; and what may be told of keys.

use std::fmt::Write as _;

use memlens::{Expiry, KeyPolicy, MetaGet, TracedClient};
use memlens_tests::scripted::Action;
use memlens_tests::telemetry::{Recorder, attributes_of};
use memlens_tests::{EmbeddedNode, Log, ScriptedServer};

use super::{built, traced};

const KEY: &str = "canary-key-5150";
const VALUE: &str = "canary-value-5150";

async fn use_every_way(client: &TracedClient, text: &mut String) {
    let mut told = |error: Option<memlens::Error>| {
        if let Some(error) = error {
            write!(text, "{error} {error:?}").unwrap();
        }
    };
    told(client.set(KEY, VALUE, Expiry::Never).await.err());
    told(client.get::<u64>(KEY).await.err());
    told(client.get::<String>(&format!("{KEY} {KEY}")).await.err());
    told(client.incr(KEY, 1).await.err());
    told(client.append(KEY, VALUE).await.err());
    told(
        client
            .meta_get(KEY, &MetaGet::new().key().value())
            .await
            .err(),
    );
    told(client.delete(KEY).await.err());
    for (_, answer) in client
        .get_multi::<u64, _>([KEY, "other", "with space"])
        .await
    {
        told(answer.err());
    }
    for (_, answer) in client
        .set_multi([(KEY, VALUE), ("b", VALUE)], Expiry::Never)
        .await
    {
        told(answer.err());
    }
}

#[tokio::test]
async fn no_key_and_no_value_is_ever_told() {
    let log = Log::catch();
    let node = EmbeddedNode::start();
    let refusing = format!("SERVER_ERROR what is {KEY} to do with {VALUE}\r\n");
    let script = vec![
        Action::Expect(b"\r\n".to_vec()),
        Action::Send(refusing.into_bytes()),
        Action::Reset,
    ];
    let server = ScriptedServer::start(vec![script]);
    let mut text = String::new();
    for address in [node.address(), server.address()] {
        let recorder = Recorder::new();
        let client = traced(&recorder, &address.to_string()).await;
        let short = client.with_timeout(std::time::Duration::from_secs(1));
        use_every_way(&short, &mut text).await;
        write!(text, "{:?}", recorder.take_spans()).unwrap();
        write!(text, "{:?}", recorder.all_metrics()).unwrap();
        write!(text, "{:?} {client:?}", client.statistics()).unwrap();
    }
    text.push_str(&log.text());
    assert!(
        text.contains("memcached") && text.contains("connected"),
        "it was told at all"
    );
    for canary in ["canary", "-5150"] {
        let at = text.find(canary);
        let around = at.map(|at| &text[at.saturating_sub(200)..(at + 50).min(text.len())]);
        assert_eq!(around, None);
    }
}

#[tokio::test]
async fn what_is_opted_in_is_told_and_nothing_else() {
    let node = EmbeddedNode::start();
    for (policy, expected) in [
        (
            KeyPolicy::Prefix('-'),
            Some(("memcached.key.prefix", Some("canary"))),
        ),
        (KeyPolicy::Prefix('/'), None),
        (KeyPolicy::Hash([7; 16]), Some(("memcached.key.hash", None))),
        (KeyPolicy::UnsafeFull, Some(("memcached.key", Some(KEY)))),
    ] {
        let recorder = Recorder::new();
        let builder = TracedClient::builder().keys(policy);
        let client = built(&recorder, builder, &node.address().to_string()).await;
        client.set(KEY, VALUE, Expiry::Never).await.unwrap();
        let span = recorder.take_span();
        let attributes = attributes_of(&span);
        let of_keys = attributes
            .iter()
            .filter(|(name, _)| name.starts_with("memcached.key"));
        let of_keys: Vec<_> = of_keys.collect();
        match expected {
            None => assert_eq!(of_keys, []),
            Some((name, value)) => {
                assert_eq!(of_keys.len(), 1);
                assert_eq!(of_keys[0].0, name);
                assert!(value.is_none_or(|value| of_keys[0].1 == value));
            }
        }
        assert!(!format!("{span:?}").contains(VALUE));
        assert!(!format!("{:?}", recorder.all_metrics()).contains("canary"));
    }
}
