//! The client as applications see it. One file for each family of operations.

mod admin;
mod compute;
mod counter;
mod get;
mod meta;
mod multi;
mod store;
mod topology;
mod traced;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use compute::Flights;

use crate::cluster::{Blueprint, Breaker, ChunkLimits, Cluster, ClusterSettings, OnFailure};
use crate::config::{Config, FailurePolicy, LONGEST_TIMEOUT};
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::net::{Backoff, DialSettings, Login, Settings, Tls, Wakings};
use crate::observe::{Observer, Operation, Start, Statistics};
use crate::proto::pipeline::Limits;
use crate::ring::Distribution;
use crate::value::Codec;

pub use crate::proto::command::store::CasOutcome;
pub use admin::{
    ItemMetadata, KeyDump, LruMode, LruTuning, MetadataDump, NodeClient, PerNode, Watch,
    WatchEvent, WatchTopic, Watched, WatchedItem,
};
pub use compute::Freshness;
pub use get::Cas;
pub use meta::{
    MetaArithmetic, MetaCount, MetaDelete, MetaGet, MetaItem, MetaMode, MetaOutcome, MetaSet,
    MetaStatus, TimeToLive,
};
pub use multi::{Lookup, Multi};
pub use topology::Servers;
pub use traced::{TracedClient, TracedClientBuilder};

/// A memcached client.
///
/// Cloning it is cheap, and all clones share the same connections: give one to every task that
/// needs it. The connections end with the last clone.
///
/// ```no_run
/// # async fn example() -> memlens::Result<()> {
/// use std::time::Duration;
/// use memlens::Client;
///
/// let client = Client::connect("cache-01:11211,cache-02:11211").await?;
/// client.set("greeting", "hello", Duration::from_secs(60)).await?;
/// let greeting: Option<String> = client.get("greeting").await?;
/// assert_eq!(greeting.as_deref(), Some("hello"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    cluster: Arc<Cluster>,
    flights: Arc<Flights>,
    codec: Codec,
    timeout: Duration,
    max_value_size: usize,
}

impl Client {
    /// A client for `servers`: one server, several separated by commas, or a URL with settings.
    ///
    /// ```no_run
    /// # async fn example() -> memlens::Result<()> {
    /// # use memlens::Client;
    /// Client::connect("localhost").await?;
    /// Client::connect("10.0.0.1:11211, 10.0.0.2:11211").await?;
    /// Client::connect("memcache://10.0.0.1,10.0.0.2?namespace=app1:&timeout=250ms").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// No connection is made yet: each node is dialled when the first operation needs it, so a node
    /// that is down costs its own keys only. To find out at once, ask for the
    /// [`version`](Self::version)s.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when `servers` can't be
    /// understood, or when it is called outside a tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: it never waits.
    pub async fn connect(servers: &str) -> Result<Self> {
        Self::with_config(servers.parse()?).await
    }

    /// A client with these settings.
    ///
    /// ```no_run
    /// # async fn example() -> memlens::Result<()> {
    /// use std::time::Duration;
    /// use memlens::{Client, Config};
    ///
    /// let mut config: Config = "cache-01:11211,cache-02:11211".parse()?;
    /// config.operation_timeout = Duration::from_millis(250);
    /// let client = Client::with_config(config).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the settings contradict
    /// each other or name no server, or when it is called outside a tokio runtime.
    ///
    /// # Cancel safety
    /// As [`connect`](Self::connect).
    pub async fn with_config(config: Config) -> Result<Self> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|error| Error::invalid_input("no tokio runtime").caused_by(error))?;
        Self::start(&config, &runtime)
    }

    pub(crate) fn start(config: &Config, runtime: &tokio::runtime::Handle) -> Result<Self> {
        Self::start_with(config, Observer::of_connections(), runtime)
    }

    fn start_with(
        config: &Config,
        observer: Observer,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Self> {
        config.validate()?;
        let specs = config.servers.iter().map(topology::node_spec).collect();
        let blueprint = Blueprint {
            distribution: distribution(config),
            settings: connection_settings(config)?,
            connections: config.connections_per_node,
            observer: Arc::new(observer),
            wakings: Wakings::default(),
            runtime: runtime.clone(),
        };
        let settings = ClusterSettings {
            blueprint,
            namespace: config.namespace.as_bytes().into(),
            chunks: ChunkLimits {
                keys: config.multi_get_keys,
                bytes: config.multi_get_bytes,
            },
            on_failure: on_failure(config),
            breaker: breaker(config),
            drain_timeout: config.drain_timeout,
        };
        let cluster = Cluster::new(specs, settings)?;
        Ok(Self {
            cluster: Arc::new(cluster),
            flights: Arc::default(),
            codec: config.codec()?,
            timeout: config.operation_timeout,
            max_value_size: config.max_value_size,
        })
    }

    /// The same client, sharing its connections, with another deadline for operations.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// let patient = client.with_timeout(Duration::from_secs(5));
    /// let report: Option<Vec<u8>> = patient.get("report").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            timeout: timeout.min(LONGEST_TIMEOUT),
            ..self.clone()
        }
    }

    /// The names of the nodes, as configured.
    #[must_use]
    pub fn node_names(&self) -> Vec<Arc<str>> {
        self.cluster
            .topology()
            .nodes()
            .iter()
            .map(|node| Arc::clone(node.name()))
            .collect()
    }

    /// The name of the node that holds `key`.
    ///
    /// ```no_run
    /// # fn example(client: memlens::Client) -> memlens::Result<()> {
    /// println!("user:42 lives on {}", client.node_for("user:42")?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when it is no legal key.
    pub fn node_for(&self, key: impl crate::ToKey) -> Result<Arc<str>> {
        let key = key.to_key()?;
        self.cluster.wire_key(key)?;
        Ok(Arc::clone(self.cluster.owner(key)?.name()))
    }

    /// What this client and its clones have counted since it was made.
    ///
    /// Connections, bytes and failures of nodes are counted always; operations, their latency, hits
    /// and misses by a [`TracedClient`] alone, because that costs each of them something.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::TracedClient) {
    /// for node in &client.statistics().nodes {
    ///     for operation in &node.operations {
    ///         let name = operation.operation.as_str();
    ///         println!("{} {name}: p99 {:?}", node.name, operation.latency.percentile(99.0));
    ///     }
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.cluster.statistics()
    }

    /// Ends the client in good order: refuses new operations on it and all its clones, waits until
    /// those under way are answered, at most for the configured `drain_timeout`, and closes the
    /// connections.
    ///
    /// Dropping the last clone closes the connections as well, at once.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// client.close().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// The closing goes on when the future is dropped; only the waiting ends.
    pub async fn close(&self) {
        self.cluster.close().await;
    }

    /// An operation that begins now.
    fn begin(&self, operation: Operation) -> Start {
        Start::new(operation, self.timeout)
    }
}

/// The exptime for `expiry`, counted from now.
fn exptime(expiry: Expiry) -> Result<i32> {
    if expiry == Expiry::Never {
        return Ok(0); // Without a look at the clock.
    }
    expiry.to_exptime(SystemTime::now())
}

fn distribution(config: &Config) -> Distribution {
    let distribution = Distribution::from(config.ring);
    match config.hash_tag {
        Some([open, close]) => distribution.with_hash_tag(open, close),
        None => distribution,
    }
}

fn on_failure(config: &Config) -> OnFailure {
    match config.on_failure {
        FailurePolicy::Fail => OnFailure::Fail,
        FailurePolicy::Miss => OnFailure::Miss,
        FailurePolicy::NextNode => OnFailure::NextNode,
    }
}

fn breaker(config: &Config) -> Breaker {
    let after = config.eject_after as u32;
    match config.on_failure {
        FailurePolicy::Fail | FailurePolicy::Miss => Breaker {
            after,
            counts_connections: false,
            rests_first: false,
            pauses: Backoff::new(config.backoff_base, config.backoff_cap),
            // The answer of a node that goes on must not be missed for being late.
            probe_timeout: config.operation_timeout.max(config.drain_timeout),
        },
        FailurePolicy::NextNode => Breaker {
            after,
            counts_connections: true,
            rests_first: true,
            pauses: Backoff::new(config.dead_retry, config.dead_retry),
            probe_timeout: config.operation_timeout,
        },
    }
}

fn connection_settings(config: &Config) -> Result<Settings> {
    let tls = config.tls.as_ref().map(Tls::new).transpose()?;
    let login = config.credentials.as_ref().map(Login::new).transpose()?;
    Ok(Settings {
        dial: DialSettings {
            timeout: config.connect_timeout,
            keepalive: config.keepalive,
            user_timeout: config.user_timeout,
            tls: tls.map(Arc::new),
            login: login.map(Arc::new),
        },
        limits: Limits {
            operations: config.max_operations,
            bytes: config.max_bytes,
            keys_per_line: config.multi_get_keys,
            drain_timeout: config.drain_timeout,
        },
        max_value: config.max_value_size,
        backoff_base: config.backoff_base,
        backoff_cap: config.backoff_cap,
    })
}
