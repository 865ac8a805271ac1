//! Which servers a client talks to, and how they are written.

use memlens::config::Server;
use memlens::{Client, Config, ErrorKind, Expiry};
use memlens_tests::Kind;

use super::{Setup, connect, for_both, patient};

for_both! {
    a_host_name_is_resolved
    a_url_configures_a_client
    the_same_list_finds_the_same_servers
    a_weight_draws_keys
    a_server_that_wants_a_login
    a_closed_client_refuses
}

async fn a_host_name_is_resolved(kind: Kind) {
    let setup = Setup::start(kind).await;
    let port = setup.server.address().port();
    let client = Client::with_config(patient(&format!("localhost:{port}")))
        .await
        .unwrap();
    client.set("key", "value", Expiry::Never).await.unwrap();
    assert_eq!(&*client.node_names()[0], format!("localhost:{port}"));
    assert_eq!(
        setup.client.get::<String>("key").await.unwrap().as_deref(),
        Some("value")
    );
}

async fn a_url_configures_a_client(kind: Kind) {
    let setup = Setup::start(kind).await;
    let url = format!(
        "memcache://{}?namespace=app1:&timeout=10s",
        setup.server.address()
    );
    let client = Client::connect(&url).await.unwrap();
    client.set("key", "value", Expiry::Never).await.unwrap();
    assert_eq!(
        setup
            .client
            .get::<String>("app1:key")
            .await
            .unwrap()
            .as_deref(),
        Some("value")
    );
}

async fn the_same_list_finds_the_same_servers(kind: Kind) {
    let servers = [0; 3].map(|_| kind.start());
    let one = connect(&servers.each_ref()).await;
    let other = connect(&servers.each_ref()).await;
    for number in 0..100_u32 {
        one.set(format!("key:{number}"), number, Expiry::Never)
            .await
            .unwrap();
    }
    for number in 0..100_u32 {
        assert_eq!(
            other.get::<u32>(format!("key:{number}")).await.unwrap(),
            Some(number)
        );
    }
}

async fn a_weight_draws_keys(kind: Kind) {
    let servers = [0; 2].map(|_| kind.start());
    let mut members: Vec<Server> = servers
        .iter()
        .map(|server| Server::tcp("127.0.0.1", server.address().port()).unwrap())
        .collect();
    members[1] = members[1].clone().with_weight(9).unwrap();
    let client = Client::with_config(Config::new(members)).await.unwrap();
    let names = client.node_names();
    let heavy = (0..1000)
        .filter(|number| client.node_for(format!("key:{number}")).unwrap() == names[1])
        .count();
    // Nine tenths, more or less: where the points lie depends on the ports.
    assert!((800..=980).contains(&heavy), "{heavy} of 1000 keys");
}

async fn a_server_that_wants_a_login(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    std::fs::write(&file, "user:pass\n").unwrap();
    let setup = Setup::start_with(kind, &["-Y", file.to_str().unwrap()]).await;
    let error = setup.client.get::<String>("key").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    let error = setup
        .client
        .set("key", "value", Expiry::Never)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
}

async fn a_closed_client_refuses(kind: Kind) {
    let setup = Setup::start(kind).await;
    let clone = setup.client.clone();
    setup
        .client
        .set("key", "value", Expiry::Never)
        .await
        .unwrap();
    setup.client.close().await;
    let error = clone.get::<String>("key").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ClientClosed);
    assert!(!error.was_sent());
    clone.close().await;
}

#[tokio::test]
async fn nothing_is_dialled_before_it_is_needed() {
    let client = Client::connect("127.0.0.1:1,127.0.0.1:2").await.unwrap();
    assert_eq!(client.node_names().len(), 2);
    assert!(Client::connect("").await.is_err());
    assert!(
        Client::connect("127.0.0.1:11211,127.0.0.1:11211")
            .await
            .is_err()
    );
    assert!(
        Client::connect("memcache://127.0.0.1?unknown=1")
            .await
            .is_err()
    );
}
