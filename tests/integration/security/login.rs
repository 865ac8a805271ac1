//! Logins in the text protocol, against memcached's own (`-Y`).

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::TryStreamExt;
use memlens::config::{Config, Credentials};
use memlens::{Client, ErrorKind, Expiry, WatchTopic};
use memlens_tests::scripted::Action;
use memlens_tests::{Authority, Kind, Memcached, RawClient, ScriptedServer};
use tempfile::TempDir;

use super::{config, trusting};

const USER: &str = "ada";
const PASSWORD: &str = "correct-horse:battery/staple";

/// A file of users, for `-Y`.
struct Users {
    folder: TempDir,
}

impl Users {
    fn new() -> Self {
        let users = Self {
            folder: TempDir::new().unwrap(),
        };
        fs::write(users.file(), format!("{USER}:{PASSWORD}\nother:word\n")).unwrap();
        users
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("users")
    }

    fn arguments(&self) -> Vec<String> {
        vec!["-Y".to_owned(), self.file().to_str().unwrap().to_owned()]
    }
}

fn logged_in(server: &Memcached, password: &str) -> Config {
    let mut config = config("memcache", &[server]);
    config.credentials = Some(Credentials::new(USER, password).unwrap());
    config
}

async fn assert_works(client: &Client) {
    client.set("key", "value", Expiry::Never).await.unwrap();
    let value: Option<String> = client.get("key").await.unwrap();
    assert_eq!(value.as_deref(), Some("value"));
}

async fn eventually_works(client: &Client) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while let Err(error) = client.get::<String>("key").await {
        assert!(tokio::time::Instant::now() < deadline, "{error}");
        tokio::task::yield_now().await;
    }
    assert_works(client).await;
}

#[tokio::test]
async fn every_connection_logs_in_first() {
    let users = Users::new();
    for kind in [Kind::Memcached, Kind::Node] {
        let server = kind.start_with(&users.arguments());
        let mut config: Config = server.address().to_string().parse().unwrap();
        config.credentials = Some(Credentials::new(USER, PASSWORD).unwrap());
        config.connections_per_node = 3;
        config.operation_timeout = Duration::from_secs(20);
        config.connect_timeout = Duration::from_secs(20);
        let client = Client::with_config(config).await.unwrap();
        assert_works(&client).await;
        let node = client.nodes().remove(0);
        // A stream has a connection of its own.
        drop(node.watch(&[WatchTopic::Mutations]).await.unwrap());
        node.noop().await.unwrap();
        let stats = node.stats().await.unwrap();
        assert_eq!(stats.auth_errors, Some(0), "{kind}");
        assert!(stats.auth_cmds >= Some(2), "{kind}");
    }
}

#[tokio::test]
async fn dumps_log_in_too() {
    let users = Users::new();
    let server = Memcached::with_arguments(&users.arguments());
    let client = Client::with_config(logged_in(&server, PASSWORD))
        .await
        .unwrap();
    assert_works(&client).await;
    let node = client.nodes().remove(0);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        match node
            .metadump(None)
            .await
            .unwrap()
            .try_collect::<Vec<_>>()
            .await
        {
            Ok(items) if items.len() == 1 => return,
            // The server's own crawler is at work, or has not seen the item yet.
            _ => assert!(tokio::time::Instant::now() < deadline),
        }
    }
}

#[tokio::test]
async fn a_url_carries_a_login() {
    let users = Users::new();
    let server = Memcached::with_arguments(&users.arguments());
    let address = server.address();
    let timeouts = "timeout=20s&connect_timeout=20s";
    let url = format!("memcache://ada:correct-horse:battery%2Fstaple@{address}?{timeouts}");
    assert_works(&Client::connect(&url).await.unwrap()).await;
    let file = users.file();
    let url = format!(
        "memcache://{address}?login_file={}&{timeouts}",
        file.display()
    );
    assert_works(&Client::connect(&url).await.unwrap()).await;
}

#[tokio::test]
async fn it_logs_in_again_after_a_restart() {
    let users = Users::new();
    let mut server = Memcached::with_arguments(&users.arguments());
    let client = Client::with_config(logged_in(&server, PASSWORD))
        .await
        .unwrap();
    assert_works(&client).await;
    server.restart();
    eventually_works(&client).await;
}

#[tokio::test]
async fn a_changed_password_is_read_from_its_file_at_the_next_connection() {
    let users = Users::new();
    let mut server = Memcached::with_arguments(&users.arguments());
    let mut config = config("memcache", &[&server]);
    config.credentials = Some(Credentials::from_file(users.file()));
    let client = Client::with_config(config).await.unwrap();
    assert_works(&client).await;
    fs::write(users.file(), "ada:new\n").unwrap();
    server.restart();
    eventually_works(&client).await;
}

#[tokio::test]
async fn a_wrong_password_is_an_error_of_its_own() {
    let users = Users::new();
    let server = Memcached::with_arguments(&users.arguments());
    let client = Client::with_config(logged_in(&server, "battery"))
        .await
        .unwrap();
    let error = client.set("key", "value", Expiry::Never).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    assert_eq!(error.server_message(), Some("authentication failure"));
    assert!(!error.was_sent());
    assert!(!error.is_retryable());
    assert!(
        error.to_string().contains("authentication failure"),
        "{error}"
    );
}

#[tokio::test]
async fn a_refused_login_is_not_repeated_before_its_time() {
    let users = Users::new();
    let server = Memcached::with_arguments(&users.arguments());
    let mut config = logged_in(&server, "battery");
    config.backoff_base = Duration::from_secs(3600);
    config.backoff_cap = Duration::from_secs(3600);
    let client = Client::with_config(config).await.unwrap();
    let first = client.get::<String>("key").await.unwrap_err();
    assert_eq!(first.kind(), ErrorKind::Auth, "{first}");
    for _ in 0..100 {
        let error = client.get::<String>("key").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NodeDown, "{error}");
        assert!(error.to_string().contains("login"), "{error}");
    }
    assert_eq!(client.statistics().nodes[0].dials, 1);
}

#[tokio::test]
async fn without_a_login_the_server_says_that_it_wants_one() {
    let users = Users::new();
    let server = Memcached::with_arguments(&users.arguments());
    let client = Client::with_config(config("memcache", &[&server]))
        .await
        .unwrap();
    let error = client.get::<String>("key").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    let error = client.set("key", "value", Expiry::Never).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
}

#[tokio::test]
async fn a_server_that_wants_no_login_keeps_nothing_of_it() {
    let server = Memcached::start();
    let client = Client::with_config(logged_in(&server, PASSWORD))
        .await
        .unwrap();
    assert_works(&client).await;
    let mut raw = RawClient::connect(server.address());
    assert_eq!(raw.request(b"get login\r\n", b"END\r\n"), b"END\r\n");
    assert_eq!(raw.request(b"mg login v\r\n", b"\r\n"), b"EN\r\n");
}

#[tokio::test]
async fn passwords_and_encryption_go_together() {
    let users = Users::new();
    let authority = Authority::new();
    let mut arguments = authority.sign(&["127.0.0.1"]).memcached_arguments(&[]);
    arguments.extend(users.arguments());
    let server = Memcached::with_arguments(&arguments);
    let mut config = trusting(&authority, &[&server]);
    config.credentials = Some(Credentials::new(USER, PASSWORD).unwrap());
    assert_works(&Client::with_config(config).await.unwrap()).await;
}

#[tokio::test]
async fn nothing_is_asked_before_the_answer_to_the_login() {
    let login = b"set login 0 -1 12\r\nada hunter-2\r\n";
    let length = login.len();
    let server = ScriptedServer::start([vec![
        Action::ExpectBytes(length),
        Action::Stall,
        Action::Send(b"STORED\r\n".to_vec()),
    ]]);
    let mut config: Config = server.address().to_string().parse().unwrap();
    config.operation_timeout = Duration::from_secs(20);
    config.connect_timeout = Duration::from_secs(20);
    config.credentials = Some(Credentials::new("ada", "hunter-2").unwrap());
    let client = Client::with_config(config).await.unwrap();
    let asking = tokio::spawn({
        let client = client.clone();
        async move { client.get::<String>("key").await }
    });
    let waiting = tokio::task::spawn_blocking(move || {
        let sent = server.wait_for_bytes(0, length);
        assert_eq!(sent, login);
        server.release();
        let sent = server.wait_for_bytes(0, length + 9);
        assert_eq!(&sent[length..], b"get key\r\n");
    });
    waiting.await.unwrap();
    asking.abort();
}

#[tokio::test]
async fn a_server_that_answers_a_login_strangely_gets_no_requests() {
    for answer in [
        "STORED\r\nSTORED\r\n",
        "OK\r\n",
        "CLIENT_ERROR hunter2 is wrong\r\n",
        "\r\n",
        &"x".repeat(5000),
    ] {
        let server = ScriptedServer::start([vec![
            Action::ExpectBytes(20),
            Action::Send(answer.as_bytes().to_vec()),
        ]]);
        let mut config: Config = server.address().to_string().parse().unwrap();
        config.operation_timeout = Duration::from_secs(20);
        config.connect_timeout = Duration::from_secs(20);
        config.credentials = Some(Credentials::new("ada", "hunter2").unwrap());
        let client = Client::with_config(config).await.unwrap();
        let error = client.get::<String>("key").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth, "{answer:?}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        assert!(error.server_message().is_none());
    }
}
