//! Servers and hosts that vanish and come back: dials, memory, dead connections, changed addresses.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command};
use std::time::Duration;

use futures_util::future::join_all;
use memlens::{Client, Config, ErrorKind, Expiry};
use memlens_tests::apart::{Apart, call};
use memlens_tests::distant::DistantMemcached;
use memlens_tests::process::resident;
use memlens_tests::{Memcached, RawClient};

const SHORT: Duration = Duration::from_millis(100);

pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(future)
}

/// Reads until there is an answer; failures in between must be of the network.
async fn read(client: &Client, key: &str) -> Option<String> {
    loop {
        match client.get(key).await {
            Ok(found) => return found,
            Err(error) => assert!(error.is_connection() || error.is_timeout(), "{error:?}"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_dialled_by_one_at_a_time_however_many_ask() {
    let mut memcached = Memcached::start();
    let mut config: Config = memcached.address().to_string().parse().expect("an address");
    config.operation_timeout = Duration::from_secs(20);
    config.backoff_base = Duration::from_millis(20);
    let client = Client::with_config(config).await.expect("a client");
    client.set("key", "1", Expiry::Never).await.expect("set");
    memcached.kill();
    let hammers = (0..64).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..300 {
                let error = client.get::<String>("key").await.expect_err("it is dead");
                assert!(error.is_connection(), "{error:?}");
                tokio::task::yield_now().await;
            }
        })
    });
    for hammer in hammers.collect::<Vec<_>>() {
        hammer.await.expect("a task");
    }
    let dials = client.statistics().nodes[0].dials;
    // 19 200 operations; the waits between dials double, whatever asks.
    assert!(dials < 200, "{dials} dials");
    memcached.restart();
    assert_eq!(read(&client, "key").await, None, "it came back empty");
}

#[test]
fn a_server_that_stands_still_costs_no_more_memory_than_configured() {
    let name = "faults::outages::a_server_that_stands_still_costs_no_more_memory_than_configured";
    Apart::Process.run(name, || block_on(offer_writes_to_a_stopped_server()));
}

async fn offer_writes_to_a_stopped_server() {
    const BUDGET: usize = 4 << 20;
    const SLACK: usize = 8 << 20;
    let memcached = Memcached::start();
    let mut config: Config = memcached.address().to_string().parse().expect("an address");
    config.max_bytes = BUDGET;
    config.operation_timeout = Duration::from_millis(5);
    config.drain_timeout = Duration::from_secs(60);
    // The kernel's own patience with a full receiver would end the connection on a slow machine.
    config.user_timeout = None;
    let client = Client::with_config(config).await.expect("a client");
    let patient = client.with_timeout(Duration::from_secs(20));
    patient.set("key", "1", Expiry::Never).await.expect("set");
    memcached.pause();
    let value = vec![b'x'; 1024];
    let mut after = Vec::new();
    let before = resident();
    for round in 0..10 {
        let writes = (0..500).map(|writer| {
            let (client, value) = (&client, &value);
            async move {
                for number in 0..20 {
                    let key = format!("key-{round}-{writer}-{number}");
                    let error = client.set(key, value.as_slice(), Expiry::Never).await;
                    let kind = error.expect_err("it stands still").kind();
                    assert!(matches!(kind, ErrorKind::Timeout | ErrorKind::Overloaded));
                }
            }
        });
        join_all(writes).await;
        after.push(resident());
    }
    let grown = after[9].saturating_sub(before);
    assert!(grown <= BUDGET + SLACK, "100 000 writes took {grown} bytes");
    let late = after[9].saturating_sub(after[4]);
    assert!(late <= 1 << 20, "the second half took {late} bytes more");
    memcached.resume();
    assert_eq!(read(&patient, "key").await.as_deref(), Some("1"));
}

#[test]
fn a_host_that_vanishes_is_noticed_and_found_again() {
    let name = "faults::outages::a_host_that_vanishes_is_noticed_and_found_again";
    Apart::Machine.run(name, || block_on(lose_a_host()));
}

async fn lose_a_host() {
    let host = DistantMemcached::start();
    let mut config: Config = host.address().to_string().parse().expect("an address");
    config.operation_timeout = Duration::from_secs(20);
    config.connect_timeout = SHORT;
    config.drain_timeout = Duration::from_secs(600);
    config.user_timeout = Some(Duration::from_millis(500));
    config.keepalive = Some(Duration::from_secs(1));
    config.backoff_cap = SHORT;
    let client = Client::with_config(config).await.expect("a client");
    let hasty = client.with_timeout(SHORT);
    let lost = || client.statistics().nodes[0].connections_lost;

    // With an operation under way: it ends at its deadline, and the kernel gives the connection up.
    client.set("key", "1", Expiry::Never).await.expect("set");
    host.vanish();
    let error = hasty.get::<String>("key").await.expect_err("nothing comes");
    assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Timeout, true));
    while lost() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    hasty
        .get::<String>("key")
        .await
        .expect_err("nobody is there");
    host.come_back();
    assert_eq!(read(&client, "key").await.as_deref(), Some("1"));

    // With none under way: the kernel asks by itself.
    let before = lost();
    host.vanish();
    while lost() == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    host.come_back();
    assert_eq!(read(&client, "key").await.as_deref(), Some("1"));
}

#[test]
fn a_name_that_resolves_elsewhere_keeps_its_keys() {
    let name = "faults::outages::a_name_that_resolves_elsewhere_keeps_its_keys";
    Apart::Machine.run(name, || block_on(change_an_address()));
}

async fn change_an_address() {
    call("ip", &["link", "set", "lo", "up"]);
    let folder = tempfile::TempDir::new().expect("a folder");
    let hosts = folder.path().join("hosts");
    let resolve = |first: &str, second: &str| {
        let text = format!("{first} cache-a.test\n{second} cache-b.test\n");
        fs::write(&hosts, text).expect("write the hosts");
    };
    resolve("127.0.0.2", "127.0.0.3");
    let path = hosts.to_str().expect("a path of letters");
    call("mount", &["--bind", path, "/etc/hosts"]);
    let first = Local::start("127.0.0.2");
    let _others = ["127.0.0.3", "127.0.0.4"].map(Local::start);

    let servers = "cache-a.test:11311,cache-b.test:11311";
    let client = Client::connect(servers).await.expect("a client");
    let patient = client.with_timeout(Duration::from_secs(20));
    let owner = |key: &str| client.node_for(key).expect("a legal key");
    let keys: Vec<String> = (0..100).map(|number| format!("key-{number}")).collect();
    let before: Vec<_> = keys.iter().map(|key| owner(key)).collect();
    let key = keys.iter().find(|key| owner(key).starts_with("cache-a"));
    let key = key.expect("one of them lies there");
    patient
        .set(key, "on the first", Expiry::Never)
        .await
        .expect("set");

    resolve("127.0.0.4", "127.0.0.3");
    drop(first);
    assert_eq!(read(&patient, key).await, None, "the other server is empty");
    assert_eq!(
        keys.iter().map(|key| owner(key)).collect::<Vec<_>>(),
        before
    );
    patient.set(key, "moved", Expiry::Never).await.expect("set");
}

/// A memcached at an address that only this process's network has; it ends when dropped.
struct Local(Child);

impl Local {
    fn start(address: &str) -> Self {
        let child = Command::new("memcached")
            .args(["-u", "root", "-U", "0", "-l", address, "-p", "11311"])
            .spawn()
            .expect("start memcached");
        let address = SocketAddr::new(address.parse().expect("an address"), 11311);
        while RawClient::try_connect(address).is_err() {
            std::thread::yield_now();
        }
        Self(child)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // An error means that it has exited already, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
