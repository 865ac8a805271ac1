//! Every public operation of the client: each test is written once and run against a real memcached and an
//! embedded node.

use memlens::{Client, Config};
use memlens_tests::{Kind, RawClient, Server};

mod admin;
mod computing;
mod counters;
mod dumps;
mod failures;
mod keys;
mod meta;
mod multi;
mod processes;
mod reading;
mod servers;
mod storing;

/// A server and a client of it.
struct Setup {
    server: Server,
    client: Client,
}

impl Setup {
    async fn start(kind: Kind) -> Self {
        Self::start_with(kind, &[]).await
    }

    /// With further command line arguments of memcached.
    async fn start_with(kind: Kind, arguments: &[&str]) -> Self {
        let server = kind.start_with(arguments);
        let client = connect(&[&server]).await;
        Self { server, client }
    }

    /// A connection that shows what is really there.
    fn raw(&self) -> RawClient {
        RawClient::connect(self.server.address())
    }
}

/// The servers as a list that a client understands.
fn list(servers: &[&Server]) -> String {
    let addresses: Vec<String> = servers
        .iter()
        .map(|server| server.address().to_string())
        .collect();
    addresses.join(",")
}

/// A client whose operations may take as long as a busy machine needs.
async fn connect(servers: &[&Server]) -> Client {
    Client::with_config(patient(&list(servers)))
        .await
        .expect("the configuration is valid")
}

/// A configuration with deadlines that only a server that does not answer lets pass.
fn patient(servers: &str) -> Config {
    let mut config: Config = servers.parse().expect("servers that can be parsed");
    config.operation_timeout = std::time::Duration::from_secs(10);
    config.connect_timeout = std::time::Duration::from_secs(10);
    config
}

/// For each test function, which takes a [`Kind`], one test against memcached and one against the node.
macro_rules! for_both {
    ($($name:ident)*) => {
        $(mod $name {
            use memlens_tests::Kind;

            #[tokio::test]
            async fn memcached() {
                super::$name(Kind::Memcached).await;
            }

            #[tokio::test]
            async fn node() {
                super::$name(Kind::Node).await;
            }
        })*
    };
}
use for_both;
