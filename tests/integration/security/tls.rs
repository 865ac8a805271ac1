//! TLS against memcached's own (`-Z`): who is trusted, who is not, and that it carries everything
//! that a plain connection does.

use std::time::Duration;

use futures_util::TryStreamExt;
use futures_util::future::join_all;
use memlens::config::{Config, Pem, Tls};
use memlens::{Client, Error, ErrorKind, Expiry};
use memlens_tests::scripted::Action;
use memlens_tests::{Authority, Identity, Log, Memcached, ScriptedServer};

use super::{config, encrypted, trusting};

/// What the servers of these tests are called in the configurations.
const HOME: &[&str] = &["127.0.0.1", "localhost"];

const PATIENCE: Duration = Duration::from_secs(20);

/// Why a client of this configuration can do nothing.
async fn refusal(config: Config) -> Error {
    let client = Client::with_config(config).await.unwrap();
    let error = client.get::<String>("key").await.unwrap_err();
    assert!(!error.was_sent(), "{error}");
    error
}

async fn assert_untrusted(config: Config, part: &str) {
    let error = refusal(config).await;
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.is_connection());
    assert!(error.to_string().contains(part), "{error}");
}

async fn assert_works(client: &Client) {
    client.set("key", "value", Expiry::Never).await.unwrap();
    let value: Option<String> = client.get("key").await.unwrap();
    assert_eq!(value.as_deref(), Some("value"));
}

/// As soon as the client has found out that its connection is gone, and has made another.
async fn assert_works_soon(client: &Client) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while let Err(error) = client.set("key", "value", Expiry::Never).await {
        assert!(error.is_connection(), "{error}");
        assert!(tokio::time::Instant::now() < deadline, "{error}");
        tokio::task::yield_now().await;
    }
    assert_works(client).await;
}

#[tokio::test]
async fn a_server_that_an_authority_vouches_for_is_trusted() {
    let authority = Authority::new();
    let server = encrypted(&authority.sign(HOME), &[]);
    let client = Client::with_config(trusting(&authority, &[&server]));
    assert_works(&client.await.unwrap()).await;
}

#[tokio::test]
async fn roots_may_come_in_memory_and_by_url() {
    let authority = Authority::new();
    let server = encrypted(&authority.sign(HOME), &[]);
    let file = authority.certificate();
    let mut in_memory = config("memcaches", &[&server]);
    in_memory.tls.as_mut().unwrap().roots = Some(Pem::text(std::fs::read(&file).unwrap()));
    assert_works(&Client::with_config(in_memory).await.unwrap()).await;
    let url = format!(
        "memcaches://{}?tls_ca={}&timeout=20s&connect_timeout=20s",
        server.address(),
        file.display()
    );
    assert_works(&Client::connect(&url).await.unwrap()).await;
}

#[tokio::test]
async fn nobody_else_is_trusted() {
    let authority = Authority::new();
    let server = encrypted(&authority.sign(HOME), &[]);
    let stranger = Authority::new();
    assert_untrusted(trusting(&stranger, &[&server]), "UnknownIssuer").await;
}

#[tokio::test]
async fn the_system_does_not_trust_it_either() {
    let authority = Authority::new();
    let server = encrypted(&authority.sign(HOME), &[]);
    // Without roots of its own a system can't trust anybody, which is told when the client is made.
    match Client::with_config(config("memcaches", &[&server])).await {
        Ok(client) => {
            let error = client.get::<String>("key").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        }
        Err(error) => assert!(error.to_string().contains("tls_ca"), "{error}"),
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let server = encrypted(&authority.sign(&["cache-01.internal"]), &[]);
    assert_untrusted(trusting(&authority, &[&server]), "not valid for name").await;
}

#[tokio::test]
async fn a_certificate_of_the_past_is_refused() {
    let authority = Authority::new();
    let server = encrypted(&authority.sign_until(HOME, 2001), &[]);
    assert_untrusted(trusting(&authority, &[&server]), "xpired").await;
}

#[tokio::test]
async fn every_node_has_a_name_of_its_own() {
    let authority = Authority::new();
    let first = encrypted(&authority.sign(&["cache-01.internal"]), &[]);
    let second = encrypted(&authority.sign(&["cache-02.internal"]), &[]);
    let third = encrypted(&authority.sign(&["others.internal"]), &[]);
    let mut config = trusting(&authority, &[&first, &second, &third]);
    let names = |config: &mut Config, first_name: &str| {
        let tls = config.tls.as_mut().unwrap();
        tls.server_name = Some("others.internal".to_owned());
        tls.server_names = [(&first, first_name), (&second, "cache-02.internal")]
            .map(|(server, name)| (server.address().to_string(), name.to_owned()))
            .into();
    };
    names(&mut config, "cache-01.internal");
    let again: Config = config.to_string().parse().unwrap();
    for config in [config.clone(), again] {
        let client = Client::with_config(config).await.unwrap();
        for (node, version) in &client.version().await {
            assert!(version.is_ok(), "{node}: {version:?}");
        }
    }
    names(&mut config, "cache-02.internal");
    let client = Client::with_config(config).await.unwrap();
    let versions = client.version().await;
    let failed: Vec<_> = versions.failed().collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].1.kind(), ErrorKind::Tls);
    assert_eq!(**failed[0].0, *first.address().to_string());
}

#[tokio::test]
async fn servers_may_ask_who_the_client_is() {
    let authority = Authority::new();
    let options = [
        "ssl_verify_mode=2".to_owned(),
        format!("ssl_ca_cert={}", authority.certificate().display()),
    ];
    let server = encrypted(&authority.sign(HOME), &options);
    let mut known = trusting(&authority, &[&server]);
    let identity = authority.sign(&["app1"]);
    let tls = known.tls.as_mut().unwrap();
    tls.certificate = Some(Pem::file(&identity.certificate));
    tls.key = Some(Pem::file(&identity.key));
    assert_works(&Client::with_config(known.clone()).await.unwrap()).await;

    let together = [&identity.certificate, &identity.key].map(|file| std::fs::read(file).unwrap());
    let tls = known.tls.as_mut().unwrap();
    (tls.certificate, tls.key) = (Some(Pem::text(together.concat())), None);
    assert_works(&Client::with_config(known).await.unwrap()).await;

    let elsewhere = Authority::new();
    let stranger = elsewhere.sign(&["app1"]);
    let mut unknown = trusting(&authority, &[&server]);
    let tls = unknown.tls.as_mut().unwrap();
    tls.certificate = Some(Pem::file(&stranger.certificate));
    tls.key = Some(Pem::file(&stranger.key));
    for config in [trusting(&authority, &[&server]), unknown] {
        let client = Client::with_config(config).await.unwrap();
        // By TLS 1.3 the server refuses after the handshake, so what was written then may be said
        // to be lost instead.
        let error = client.get::<String>("key").await.unwrap_err();
        assert!(error.is_connection(), "{error}");
    }
}

/// Puts the second identity's files where the first one's are.
fn renew(files: &Identity, by: &Identity) {
    std::fs::copy(&by.certificate, &files.certificate).unwrap();
    std::fs::copy(&by.key, &files.key).unwrap();
}

#[tokio::test]
async fn renewed_certificates_serve_the_next_connection() {
    let authority = Authority::new();
    let options = [
        "ssl_verify_mode=2".to_owned(),
        format!("ssl_ca_cert={}", authority.certificate().display()),
    ];
    let mut server = encrypted(&authority.sign(HOME), &options);
    let (identity, renewed) = (authority.sign(&["app1"]), authority.sign(&["app2"]));
    let log = Log::catch();
    let mut config = trusting(&authority, &[&server]);
    let tls = config.tls.as_mut().unwrap();
    tls.certificate = Some(Pem::file(&identity.certificate));
    tls.key = Some(Pem::file(&identity.key));
    let client = Client::with_config(config.clone()).await.unwrap();
    assert_works(&client).await;

    // One of two files is written: the earlier ones serve on.
    std::fs::copy(&renewed.certificate, &identity.certificate).unwrap();
    server.restart();
    assert_works_soon(&client).await;
    assert!(log.text().contains("of no use as they are"));
    let error = Client::with_config(config).await.unwrap_err();
    assert!(error.to_string().contains("tls"), "{error}");

    // Both are: whoever signed these is a stranger to the server.
    renew(&identity, &Authority::new().sign(&["app1"]));
    server.restart();
    let error = client.set("key", "value", Expiry::Never).await.unwrap_err();
    assert!(error.is_connection(), "{error}");
    renew(&identity, &renewed);
    assert_works_soon(&client).await;
}

#[tokio::test]
async fn plain_requests_to_a_server_that_encrypts_fail() {
    let server = encrypted(&Authority::new().sign(HOME), &[]);
    let client = Client::with_config(config("memcache", &[&server])).await;
    let error = client.unwrap().get::<String>("key").await.unwrap_err();
    assert!(error.is_connection(), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_encrypt_is_told_from_one_that_does() {
    let server = Memcached::start();
    assert_untrusted(trusting(&Authority::new(), &[&server]), "").await;
}

#[tokio::test]
async fn nothing_older_than_tls_1_2_is_spoken() {
    let authority = Authority::new();
    // A handshake message of 38 bytes, ServerHello, that chooses TLS 1.1 with a cipher of its time.
    let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0xc0, 0x09, 0]);
    let server = ScriptedServer::start([vec![Action::ExpectBytes(5), Action::Send(hello)]]);
    let mut config: Config = format!("memcaches://{}", server.address()).parse().unwrap();
    config.operation_timeout = Duration::from_secs(20);
    config.connect_timeout = Duration::from_secs(20);
    config.tls.as_mut().unwrap().roots = Some(Pem::file(authority.certificate()));
    assert_untrusted(config, "peer is incompatible").await;
}

#[tokio::test]
async fn everything_goes_through_as_on_a_plain_connection() {
    let authority = Authority::new();
    let server = Memcached::with_arguments(
        &[
            authority.sign(HOME).memcached_arguments(&[]),
            vec![
                "-I".to_owned(),
                "8m".to_owned(),
                "-m".to_owned(),
                "256".to_owned(),
            ],
        ]
        .concat(),
    );
    let mut config = trusting(&authority, &[&server]);
    config.max_value_size = 8 << 20;
    config.max_bytes = 64 << 20;
    let client = Client::with_config(config).await.unwrap();
    // Sizes around a record's (16 KiB), the writer's piece (64 KiB), and beyond any buffer.
    let sizes = [
        0,
        1,
        16_383,
        16_384,
        16_385,
        65_535,
        65_536,
        65_537,
        1 << 20,
        5_000_000,
    ];
    let value = |size: usize| -> Vec<u8> { (0..size).map(|at| ((at * 31) >> 3) as u8).collect() };
    let writes = sizes.iter().map(|&size| {
        let client = client.clone();
        async move {
            let key = format!("size:{size}");
            client.set(&key, value(size), Expiry::Never).await.unwrap();
            let read: Option<Vec<u8>> = client.get(&key).await.unwrap();
            assert!(read == Some(value(size)), "{size}");
        }
    });
    join_all(writes).await;
    let many: Vec<String> = (0..20_000).map(|number| format!("key:{number}")).collect();
    let items = many.iter().map(|key| (key, key.as_str()));
    assert!(
        client
            .set_multi(items, Expiry::Never)
            .await
            .failed()
            .next()
            .is_none()
    );
    let found = client.get_multi::<String, _>(&many).await;
    assert!(found.hits().all(|(key, value)| **key == *value));
    assert_eq!(found.hits().count(), many.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_an_encrypted_connection() {
    let authority = Authority::new();
    let server = encrypted(&authority.sign(HOME), &[]);
    let client = Client::with_config(trusting(&authority, &[&server]))
        .await
        .unwrap();
    let tasks = (0..64_usize).map(|task| {
        let client = client.clone();
        tokio::spawn(async move {
            for round in 0..50_usize {
                let key = format!("task:{task}:{round}");
                let value = key.repeat(1 + task * round % 700);
                client.set(&key, &value, Expiry::Never).await.unwrap();
                assert!(client.get::<String>(&key).await.unwrap() == Some(value));
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let connections = client.statistics().nodes[0].connections_made;
    assert_eq!(connections, 1);
}

#[tokio::test]
async fn it_encrypts_again_after_a_restart_and_for_streams() {
    let authority = Authority::new();
    let mut server = encrypted(&authority.sign(HOME), &[]);
    let client = Client::with_config(trusting(&authority, &[&server]))
        .await
        .unwrap();
    assert_works(&client).await;
    server.restart();
    assert_works_soon(&client).await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let node = client.nodes().remove(0);
    loop {
        match node
            .metadump(None)
            .await
            .unwrap()
            .try_collect::<Vec<_>>()
            .await
        {
            Ok(items) if items.len() == 1 => return,
            // The server's own crawler, or one that has not seen the new item yet.
            _ => assert!(tokio::time::Instant::now() < deadline),
        }
    }
}

#[test]
fn the_blocking_client_encrypts_too() {
    let authority = Authority::new();
    let server = encrypted(&authority.sign(HOME), &[]);
    let config = trusting(&authority, &[&server]);
    let client = memlens::blocking::Client::with_config(config).unwrap();
    client.set("key", "value", Expiry::Never).unwrap();
    assert_eq!(
        client.get::<String>("key").unwrap().as_deref(),
        Some("value")
    );
}

#[tokio::test]
async fn the_dangerous_switch_trusts_anyone_and_only_it() {
    let server = encrypted(&Authority::new().sign(&["elsewhere"]), &[]);
    let url = format!(
        "memcaches://{}?dangerously_trust_anyone=yes&timeout=20s&connect_timeout=20s",
        server.address()
    );
    assert_works(&Client::connect(&url).await.unwrap()).await;
}

#[tokio::test]
async fn files_that_are_no_certificates_are_named_when_the_client_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "hunter2").unwrap();
    let missing = folder.path().join("missing.pem");
    for file in [&empty, &missing] {
        let mut roots = Tls::default();
        roots.roots = Some(Pem::file(file));
        let mut certificate = Tls::default();
        certificate.roots = Some(Pem::file(Authority::new().certificate()));
        certificate.certificate = Some(Pem::file(file));
        for tls in [roots, certificate] {
            let mut config: Config = "cache-01".parse().unwrap();
            config.tls = Some(tls);
            let error = Client::with_config(config).await.unwrap_err();
            assert!(error.is_invalid_input());
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
