//! Servers that come, go and fail while the client runs.

use std::time::Duration;

use memlens::config::FailurePolicy;
use memlens::{CasOutcome, Client, Config, ErrorKind, Expiry, MetaGet, TimeToLive};
use memlens_tests::{Kind, RawClient, Server};

const KEYS: usize = 1_000;
const WARM: Duration = Duration::from_secs(600);

fn start(count: usize) -> Vec<Server> {
    (0..count).map(|_| Kind::Node.start()).collect()
}

fn address(server: &Server) -> String {
    server.address().to_string()
}

fn config(servers: &[Server]) -> Config {
    let list: Vec<String> = servers.iter().map(address).collect();
    let mut config: Config = list.join(",").parse().expect("a list of servers");
    config.operation_timeout = Duration::from_secs(20);
    config
}

async fn client(servers: &[Server]) -> Client {
    Client::with_config(config(servers))
        .await
        .expect("a client")
}

fn keys() -> impl Iterator<Item = String> {
    (0..KEYS).map(|number| format!("key-{number}"))
}

async fn fill(client: &Client) {
    let items = keys().map(|key| (key.clone(), key));
    let stored = client.set_multi(items, Duration::from_secs(1_000)).await;
    assert!(stored.is_complete());
}

async fn hits(client: &Client) -> usize {
    let answers = client.get_multi::<String, _>(keys()).await;
    assert!(answers.is_complete());
    for (key, value) in answers.hits() {
        assert_eq!(key, value);
    }
    answers.hits().count()
}

/// Keys whose owner changes when the servers change from `before` to `after`.
fn moved(before: &Client, after: &Client) -> Vec<String> {
    let owner = |client: &Client, key: &String| client.node_for(key).expect("a legal key");
    keys()
        .filter(|key| owner(before, key) != owner(after, key))
        .collect()
}

#[tokio::test]
async fn a_server_more_moves_its_share_of_the_keys_and_no_others() {
    let servers = start(4);
    let client = client(&servers[..3]).await;
    fill(&client).await;
    assert_eq!(client.servers().version(), 1);
    let before = client.servers().ring();
    assert_eq!(
        client
            .servers()
            .add(&address(&servers[3]))
            .expect("a new server"),
        2
    );
    let lost = before.moved(&client.servers().ring()).fraction;
    let found = hits(&client).await as f64 / KEYS as f64;
    assert!(
        (found - (1.0 - lost)).abs() < 0.05,
        "{found} found, {lost} moved"
    );
    assert_eq!(client.node_names().len(), 4);
    assert_eq!(client.servers().list().len(), 4);
}

#[tokio::test]
async fn a_warm_change_loses_nothing() {
    let servers = start(5);
    let client = client(&servers[..3]).await;
    fill(&client).await;
    client
        .servers()
        .warm_for(WARM)
        .add(&address(&servers[3]))
        .expect("a new server");
    assert_eq!(hits(&client).await, KEYS);
    // What was found has been copied, with what is left of its life.
    let flags = MetaGet::new().time_to_live();
    for key in keys() {
        let item = client
            .meta_get(&key, &flags)
            .await
            .expect("an answer")
            .expect("a hit");
        let Some(TimeToLive::Left(left)) = item.time_to_live else {
            panic!("{item:?}")
        };
        assert!((900..=1_000).contains(&left.as_secs()), "{left:?}");
    }
    // And a server fewer, one key at a time.
    let name = address(&servers[0]);
    client
        .servers()
        .warm_for(WARM)
        .remove(&name)
        .expect("it was there");
    for key in keys() {
        assert_eq!(
            client.get::<String>(&key).await.expect("an answer"),
            Some(key)
        );
    }
}

#[tokio::test]
async fn a_cold_change_ends_the_warm_time() {
    let servers = start(4);
    let client = client(&servers[..3]).await;
    fill(&client).await;
    client
        .servers()
        .warm_for(WARM)
        .add(&address(&servers[3]))
        .expect("a new server");
    client
        .servers()
        .set_weight(&address(&servers[3]), 3)
        .expect("it is there");
    assert!(hits(&client).await < KEYS);
}

#[tokio::test]
async fn deletes_and_writes_reach_the_old_copy_too() {
    let servers = start(3);
    let all = client(&servers).await;
    let client = client(&servers[..2]).await;
    fill(&client).await;
    let moved = moved(&client, &all);
    let [first, second, third, fourth, fifth, ..] = &moved[..] else {
        panic!("few keys move")
    };
    client
        .servers()
        .warm_for(WARM)
        .add(&address(&servers[2]))
        .expect("a new server");

    assert!(
        client.delete(first).await.expect("an answer"),
        "it was on the old server"
    );
    assert_eq!(client.get::<String>(first).await.expect("an answer"), None);

    client
        .set(second, "new", Expiry::Never)
        .await
        .expect("stored");
    assert!(client.delete(second).await.expect("an answer"));
    assert_eq!(
        client.get::<String>(second).await.expect("an answer"),
        None,
        "the old value"
    );

    assert!(
        !client
            .add(third, "new", Expiry::Never)
            .await
            .expect("an answer"),
        "it exists"
    );
    assert!(client.append(fourth, "+").await.expect("an answer"));
    let longer = client.get::<String>(fourth).await.expect("an answer");
    assert_eq!(longer, Some(format!("{fourth}+")));

    let (value, cas) = client
        .gets::<String>(fifth)
        .await
        .expect("an answer")
        .expect("a hit");
    assert_eq!(&value, fifth);
    let outcome = client
        .cas(fifth, "swapped", Expiry::Never, cas)
        .await
        .expect("an answer");
    assert_eq!(outcome, CasOutcome::Stored);

    let deleted = client.delete_multi(moved[5..].iter().cloned()).await;
    assert_eq!(deleted.hits().count(), moved.len() - 5);
    assert!(hits_none(&client, &moved[5..]).await);
}

async fn hits_none(client: &Client, keys: &[String]) -> bool {
    let answers = client.get_multi::<String, _>(keys).await;
    answers.misses().count() == keys.len()
}

#[tokio::test]
async fn a_changed_list_keeps_what_it_can_and_refuses_what_makes_no_sense() {
    let servers = start(2);
    let client = client(&servers[..1]).await;
    let name = address(&servers[0]);
    client.set("a", "1", Expiry::Never).await.expect("stored");
    let connections = || {
        let mut raw = RawClient::connect(servers[0].address());
        memlens_tests::stats::Stats::read(&mut raw, "")
            .0
            .iter()
            .find(|(name, _)| name == "total_connections")
            .map(|(_, value)| value.parse::<u32>().expect("a number"))
            .expect("it counts connections")
    };
    let before = connections();
    assert_eq!(
        client.servers().set_weight(&name, 2).expect("it is there"),
        2
    );
    assert_eq!(client.get::<u32>("a").await.expect("an answer"), Some(1));
    assert_eq!(
        connections(),
        before + 1,
        "only this test's own connection is new"
    );

    let servers_of = client.servers();
    assert_eq!(
        servers_of
            .remove("nobody:1")
            .expect_err("no such server")
            .kind(),
        ErrorKind::NoServer
    );
    assert!(
        servers_of
            .remove(&name)
            .expect_err("the last one")
            .is_invalid_input()
    );
    assert!(
        servers_of
            .add(&name)
            .expect_err("it is there already")
            .is_invalid_input()
    );
    assert!(
        servers_of
            .set_weight(&name, 0)
            .expect_err("no weight")
            .is_invalid_input()
    );
    assert!(
        servers_of
            .add("no server!")
            .expect_err("no server")
            .is_invalid_input()
    );
    assert_eq!(servers_of.version(), 2);
    assert_eq!(
        servers_of
            .replace(&name, &address(&servers[1]))
            .expect("replaced"),
        3
    );
    assert_eq!(client.node_names()[0].as_ref(), address(&servers[1]));
    assert_eq!(client.get::<u32>("a").await.expect("an answer"), None);
}

#[tokio::test]
async fn operations_under_way_finish_where_they_began() {
    let servers = start(2);
    let client = client(&servers[..1]).await;
    client.set("a", "1", Expiry::Never).await.expect("stored");
    servers[0].pause();
    let under_way = tokio::spawn({
        let client = client.clone();
        async move { client.get::<u32>("a").await }
    });
    while client.nodes()[0].in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    client
        .servers()
        .replace(&address(&servers[0]), &address(&servers[1]))
        .expect("replaced");
    servers[0].resume();
    assert_eq!(
        under_way.await.expect("a task").expect("an answer"),
        Some(1)
    );
}

/// Three real servers, the first of them dead, and a client with this policy.
async fn with_a_dead_server(policy: FailurePolicy) -> (Vec<Server>, Client, String) {
    let mut servers: Vec<Server> = (0..3).map(|_| Kind::Memcached.start()).collect();
    let mut config = config(&servers);
    config.on_failure = policy;
    config.dead_retry = Duration::from_millis(20);
    let client = Client::with_config(config).await.expect("a client");
    fill(&client).await;
    let dead = address(&servers[0]);
    let Server::Memcached(memcached) = &mut servers[0] else {
        panic!("a real one")
    };
    memcached.kill();
    (servers, client, dead)
}

#[tokio::test]
async fn by_default_a_dead_server_fails_its_own_keys_only() {
    let (_servers, client, dead) = with_a_dead_server(FailurePolicy::Fail).await;
    let answers = client.get_multi::<String, _>(keys()).await;
    for (key, answer) in &answers {
        let is_on_dead = *client.node_for(key).expect("legal") == *dead;
        assert_eq!(answer.is_err(), is_on_dead, "{answer:?}");
    }
    assert_eq!(answers.misses().count(), 0);
    assert!(answers.failed().count() > 0);
}

#[tokio::test]
async fn failures_can_be_misses() {
    let (_servers, client, dead) = with_a_dead_server(FailurePolicy::Miss).await;
    let answers = client.get_multi::<String, _>(keys()).await;
    assert!(answers.is_complete() && answers.misses().count() > 0);
    let key = keys()
        .find(|key| *client.node_for(key).expect("legal") == *dead)
        .expect("a key");
    assert_eq!(client.get::<String>(&key).await.expect("a miss"), None);
    let touched = client.gat::<String>(&key, Duration::from_secs(1)).await;
    assert_eq!(touched.expect("a miss"), None);
    assert!(
        client.set(&key, "x", Expiry::Never).await.is_err(),
        "writes still fail"
    );
}

#[tokio::test]
async fn keys_of_a_dead_server_live_on_the_next_until_it_answers_again() {
    let (mut servers, client, dead) = with_a_dead_server(FailurePolicy::NextNode).await;
    let key = keys()
        .find(|key| *client.node_for(key).expect("legal") == *dead)
        .expect("a key");
    assert_eq!(
        client.get::<String>(&key).await.expect("from the next"),
        None
    );
    client
        .set(&key, "elsewhere", Expiry::Never)
        .await
        .expect("on the next");
    assert_eq!(
        client.get::<String>(&key).await.expect("a hit").as_deref(),
        Some("elsewhere")
    );
    let answers = client.get_multi::<String, _>(keys()).await;
    assert!(answers.is_complete());

    let Server::Memcached(memcached) = &mut servers[0] else {
        panic!("a real one")
    };
    memcached.restart();
    // It is empty now: the key misses as soon as the server counts as up.
    while client
        .get::<String>(&key)
        .await
        .expect("an answer")
        .is_some()
    {
        tokio::task::yield_now().await;
    }
    client
        .set(&key, "back", Expiry::Never)
        .await
        .expect("stored");
    let mut raw = RawClient::connect(servers[0].address());
    let reply = raw.request(format!("get {key}\r\n").as_bytes(), b"END\r\n");
    assert!(reply.starts_with(b"VALUE"), "{}", reply.escape_ascii());
}

#[tokio::test]
async fn keys_with_one_hash_tag_lie_on_one_server() {
    let servers = start(4);
    let mut config = config(&servers);
    config.hash_tag = Some(*b"{}");
    let client = Client::with_config(config).await.expect("a client");
    let owner = |key: &str| client.node_for(key).expect("a legal key");
    for number in 0..50 {
        let name = owner(&format!("user:{{{number}}}:name"));
        assert_eq!(name, owner(&format!("mail-of-{{{number}}}")));
    }
    let owners: std::collections::HashSet<_> = keys().map(|key| owner(&key)).collect();
    assert_eq!(owners.len(), 4, "keys without a tag are hashed whole");
}
