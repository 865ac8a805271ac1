//! The blocking client whose operations are observed.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::Client;
use super::runtime::Runtime;
use crate::api::{self, TracedClientBuilder};
use crate::config::Config;
use crate::error::Result;

/// A blocking [`Client`] that makes a span and measurements of every operation.
///
/// What [`memlens::TracedClient`](crate::TracedClient) is to the async client:
///
/// ```no_run
/// use memlens::blocking::TracedClient as Client;
///
/// # fn main() -> memlens::Result<()> {
/// let client = Client::connect("cache-01:11211,cache-02:11211")?;
/// let greeting: Option<String> = client.get("greeting")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TracedClient {
    /// Before `client`, which holds the runtime: its connections belong there.
    traced: api::TracedClient,
    client: Client,
}

impl TracedClient {
    /// A client for `servers`, which sends its telemetry to the global providers. See
    /// [`Client::connect`].
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub fn connect(servers: &str) -> Result<Self> {
        Self::with_config(servers.parse()?)
    }

    /// A client with these settings, which sends its telemetry to the global providers.
    ///
    /// # Errors
    /// As [`Client::with_config`].
    pub fn with_config(config: Config) -> Result<Self> {
        Self::build(TracedClientBuilder::default(), config)
    }

    /// A client with these settings, observed as `builder` says.
    ///
    /// ```no_run
    /// # fn main() -> memlens::Result<()> {
    /// use memlens::{KeyPolicy, TracedClient, blocking};
    ///
    /// let observed = TracedClient::builder().keys(KeyPolicy::Prefix(':'));
    /// let client = blocking::TracedClient::build(observed, "cache-01".parse()?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::with_config`].
    #[expect(clippy::needless_pass_by_value, reason = "as in the async client")]
    pub fn build(builder: TracedClientBuilder, config: Config) -> Result<Self> {
        let runtime = Runtime::start()?;
        let traced = builder.start(&config, runtime.handle())?;
        let client = Client::new(traced.as_client().clone(), Arc::new(runtime));
        Ok(Self { traced, client })
    }

    /// The same client, sharing its connections and statistics, with another deadline for
    /// operations.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            traced: self.traced.with_timeout(timeout),
            client: self.client.with_timeout(timeout),
        }
    }

    /// The switches of the async client: which spans there are, and where they go.
    #[must_use]
    pub fn as_async(&self) -> &api::TracedClient {
        &self.traced
    }
}

impl Deref for TracedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
