//! The client whose operations are observed.

use std::ops::Deref;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Client;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::observe::{Gauges, KeyPolicy, Observer, Options, SpanMode, Telemetry};

/// A [`Client`] that makes a span and measurements of every operation, and keeps
/// [statistics](Client::statistics) of its own.
///
/// Swap the import, and nothing else changes:
///
/// ```no_run
/// use memlens::TracedClient as Client;
///
/// # async fn example() -> memlens::Result<()> {
/// let client = Client::connect("cache-01:11211,cache-02:11211").await?;
/// let greeting: Option<String> = client.get("greeting").await?;
/// # Ok(())
/// # }
/// ```
///
/// It is a [`Client`] by `Deref`, and has all of its methods. What it emits, and where it goes, is
/// described [here](crate#telemetry).
///
/// Set the application's OpenTelemetry providers before making the client; or hand them to the
/// [builder](Self::builder), or [bind](Self::rebind) the client anew afterwards.
#[derive(Clone, Debug)]
pub struct TracedClient {
    client: Client,
}

impl TracedClient {
    /// A client for `servers`, which sends its telemetry to the global providers. See
    /// [`Client::connect`].
    ///
    /// # Errors
    /// As [`Client::connect`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: it never waits.
    pub async fn connect(servers: &str) -> Result<Self> {
        Self::builder().connect(servers).await
    }

    /// A client with these settings, which sends its telemetry to the global providers.
    ///
    /// # Errors
    /// As [`Client::with_config`].
    ///
    /// # Cancel safety
    /// As [`connect`](Self::connect).
    pub async fn with_config(config: Config) -> Result<Self> {
        Self::builder().with_config(config).await
    }

    /// To choose what is emitted, and where it goes.
    pub fn builder() -> TracedClientBuilder {
        TracedClientBuilder::default()
    }

    /// The same client, sharing its connections and statistics, with another deadline for
    /// operations.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            client: self.client.with_timeout(timeout),
        }
    }

    /// Chooses which operations get a span from now on, for all clones.
    pub fn set_spans(&self, mode: SpanMode) {
        self.client.cluster.observer().set_spans(mode);
    }

    /// Chooses whether operations without a parent get a span from now on, for all clones. The
    /// sampler still decides.
    pub fn set_root_spans(&self, root_spans: bool) {
        self.client.cluster.observer().set_root_spans(root_spans);
    }

    /// Sends spans and metrics to `telemetry` from now on, for all clones. Operations under way end
    /// where they began.
    ///
    /// ```no_run
    /// # async fn example() -> memlens::Result<()> {
    /// use memlens::{Telemetry, TracedClient};
    ///
    /// let client = TracedClient::connect("cache-01").await?;
    /// // Later, when the application has set its global providers:
    /// client.rebind(Telemetry::global());
    /// # Ok(())
    /// # }
    /// ```
    pub fn rebind(&self, telemetry: Telemetry) {
        let cluster = &self.client.cluster;
        cluster.observer().rebind(telemetry, self.gauges());
    }

    /// The client itself: for functions that take one. It is observed all the same.
    #[must_use]
    pub fn as_client(&self) -> &Client {
        &self.client
    }

    fn gauges(&self) -> Weak<dyn Gauges> {
        let gauges: Arc<dyn Gauges> = Arc::clone(&self.client.cluster) as _;
        Arc::downgrade(&gauges)
    }
}

impl Deref for TracedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Settings of a [`TracedClient`].
///
/// ```no_run
/// # async fn example() -> memlens::Result<()> {
/// use memlens::{KeyPolicy, TracedClient};
///
/// let client = TracedClient::builder()
///     .keys(KeyPolicy::Prefix(':'))
///     .root_spans(false)
///     .connect("cache-01:11211,cache-02:11211")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it connects"]
pub struct TracedClientBuilder {
    options: Options,
}

impl TracedClientBuilder {
    /// Where spans and metrics go. To the global providers by default, as they are when the client
    /// is made.
    pub fn telemetry(mut self, telemetry: Telemetry) -> Self {
        self.options.telemetry = Some(telemetry);
        self
    }

    /// Which operations get a span. [`SpanMode::SampledParent`] by default.
    pub fn spans(mut self, mode: SpanMode) -> Self {
        self.options.spans = mode;
        self
    }

    /// Whether operations without a parent get a span. They do by default.
    ///
    /// Without, background work that nobody traces makes no traces of single operations.
    pub fn root_spans(mut self, root_spans: bool) -> Self {
        self.options.root_spans = root_spans;
        self
    }

    /// What spans tell of keys. Nothing by default.
    pub fn keys(mut self, policy: KeyPolicy) -> Self {
        self.options.keys = policy;
        self
    }

    /// The number of nodes above which `db.client.operation.duration` leaves out
    /// `server.address` and `server.port`. 30 by default.
    ///
    /// Each node and operation is a time series of its own, with a bucket for each boundary.
    pub fn node_limit(mut self, nodes: usize) -> Self {
        self.options.most_nodes = nodes;
        self
    }

    /// Makes the client. See [`Client::connect`].
    ///
    /// # Errors
    /// As [`Client::connect`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: it never waits.
    pub async fn connect(self, servers: &str) -> Result<TracedClient> {
        self.with_config(servers.parse()?).await
    }

    /// Makes the client. See [`Client::with_config`].
    ///
    /// # Errors
    /// As [`Client::with_config`].
    ///
    /// # Cancel safety
    /// As [`connect`](Self::connect).
    pub async fn with_config(self, config: Config) -> Result<TracedClient> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|error| Error::invalid_input("no tokio runtime").caused_by(error))?;
        self.start(&config, &runtime)
    }

    pub(crate) fn start(
        self,
        config: &Config,
        runtime: &tokio::runtime::Handle,
    ) -> Result<TracedClient> {
        let observer = Observer::of_operations(self.options);
        let client = TracedClient {
            client: Client::start_with(config, observer, runtime)?,
        };
        client.client.cluster.observer().show(client.gauges());
        Ok(client)
    }
}
