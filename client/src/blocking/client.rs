//! The blocking client.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use super::NodeClient;
use super::runtime::Runtime;
use crate::api::{
    self, Cas, CasOutcome, Freshness, MetaArithmetic, MetaCount, MetaDelete, MetaGet, MetaItem,
    MetaOutcome, MetaSet, Multi, PerNode, Servers,
};
use crate::config::Config;
use crate::error::Result;
use crate::expiry::Expiry;
use crate::key::ToKey;
use crate::observe::Statistics;
use crate::stats::General;
use crate::value::{FromValue, ToValue};

/// A memcached client whose methods block.
///
/// Cloning it is cheap, and all clones share the same connections: give one to every thread that
/// needs it. See the [module](super) for when to use it.
///
/// ```no_run
/// # fn main() -> memlens::Result<()> {
/// use memlens::blocking::Client;
///
/// let client = Client::connect("memcache://cache-01,cache-02?namespace=app1:&timeout=250ms")?;
/// let answers = client.get_multi::<String, _>(["a", "b", "c"]);
/// for (key, value) in answers.hits() {
///     println!("{key} is {value}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    /// Before `runtime`: its connections belong there.
    inner: api::Client,
    runtime: Arc<Runtime>,
}

impl Client {
    /// A client for `servers`: one server, several separated by commas, or a URL with settings.
    ///
    /// It starts a thread, but makes no connection yet. See
    /// [`Client::connect`](crate::Client::connect).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when `servers` can't be
    /// understood; [`ErrorKind::Io`](crate::ErrorKind::Io) when the thread can't be started.
    pub fn connect(servers: &str) -> Result<Self> {
        Self::with_config(servers.parse()?)
    }

    /// A client with these settings.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the settings contradict
    /// each other or name no server; [`ErrorKind::Io`](crate::ErrorKind::Io) when the thread can't
    /// be started.
    #[expect(clippy::needless_pass_by_value, reason = "as in the async client")]
    pub fn with_config(config: Config) -> Result<Self> {
        let runtime = Runtime::start()?;
        let inner = api::Client::start(&config, runtime.handle())?;
        Ok(Self::new(inner, Arc::new(runtime)))
    }

    pub(super) const fn new(inner: api::Client, runtime: Arc<Runtime>) -> Self {
        Self { inner, runtime }
    }

    /// The same client, sharing its connections, with another deadline for operations.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            inner: self.inner.with_timeout(timeout),
            runtime: Arc::clone(&self.runtime),
        }
    }

    /// The names of the nodes, as configured.
    #[must_use]
    pub fn node_names(&self) -> Vec<Arc<str>> {
        self.inner.node_names()
    }

    /// The servers, to look at and to change. It does not block, and does not keep the client's
    /// thread alive. See [`Client::servers`](crate::Client::servers).
    #[must_use]
    pub fn servers(&self) -> Servers {
        self.inner.servers()
    }

    /// The name of the node that holds `key`. It does not block.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when it is no legal key.
    pub fn node_for(&self, key: impl ToKey) -> Result<Arc<str>> {
        self.inner.node_for(key)
    }

    /// The node called `name`, as [`node_names`](Self::node_names) lists them.
    ///
    /// # Errors
    /// [`ErrorKind::NoServer`](crate::ErrorKind::NoServer) when there is none; it lists those that
    /// there are.
    pub fn node(&self, name: &str) -> Result<NodeClient> {
        let node = self.inner.node(name)?;
        Ok(NodeClient::new(node, &self.runtime))
    }

    /// Every node, in the order of the configuration.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeClient> {
        let nodes = self.inner.nodes().into_iter();
        nodes
            .map(|node| NodeClient::new(node, &self.runtime))
            .collect()
    }

    /// What this client and its clones have counted since it was made. It does not block. See
    /// [`Client::statistics`](crate::Client::statistics).
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.inner.statistics()
    }

    /// Ends the client in good order: refuses new operations on it and all its clones, waits until
    /// those under way are answered, at most for the configured `drain_timeout`, and closes the
    /// connections.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when async code calls it.
    pub fn close(&self) -> Result<()> {
        self.runtime.wait(self.inner.close())
    }
}

/// Reading.
impl Client {
    blocking_methods! { Client;
        /// Reads the value of `key`; `None` is a miss.
        fn get[V: FromValue](key: impl ToKey) -> Option<V>;
        /// Reads the value of `key` together with the state that [`cas`](Self::cas) compares.
        fn gets[V: FromValue](key: impl ToKey) -> Option<(V, Cas)>;
        /// Reads the value of `key` and gives it a new expiry.
        fn gat[V: FromValue](key: impl ToKey, expiry: impl Into<Expiry>) -> Option<V>;
        /// [`gat`](Self::gat), together with the state that [`cas`](Self::cas) compares.
        fn gats[V: FromValue](key: impl ToKey, expiry: impl Into<Expiry>) -> Option<(V, Cas)>;
    }
}

/// Computing what is not there.
impl Client {
    /// Reads the value of `key`, or computes and stores it: once, however many callers wait for it.
    ///
    /// `compute` runs on the thread that called, and may block it. See
    /// [`Client::get_or_compute`](crate::Client::get_or_compute).
    ///
    /// ```no_run
    /// # fn main() -> memlens::Result<()> {
    /// use std::time::Duration;
    /// use memlens::blocking::Client;
    ///
    /// let client = Client::connect("cache-01:11211,cache-02:11211")?;
    /// let minute = Duration::from_secs(60);
    /// let motd: String = client.get_or_compute("motd", minute, || std::fs::read_to_string("motd"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As in the async client, and [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when
    /// async code calls it.
    pub fn get_or_compute<V, E>(
        &self,
        key: impl ToKey,
        freshness: impl Into<Freshness>,
        compute: impl FnOnce() -> std::result::Result<V, E>,
    ) -> Result<V>
    where
        V: ToValue + FromValue,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let compute = || std::future::ready(compute());
        let value = self.inner.get_or_compute(key, freshness, compute);
        self.runtime.wait(value)?
    }
}

/// Writing.
impl Client {
    blocking_methods! { Client;
        /// Stores `value` under `key`, whatever was there before.
        fn set(key: impl ToKey, value: impl ToValue, expiry: impl Into<Expiry>) -> ();
        /// Stores `value` only if there is nothing under `key`; tells whether it did.
        fn add(key: impl ToKey, value: impl ToValue, expiry: impl Into<Expiry>) -> bool;
        /// Stores `value` only if there is something under `key`; tells whether it did.
        fn replace(key: impl ToKey, value: impl ToValue, expiry: impl Into<Expiry>) -> bool;
        /// Adds bytes behind those stored under `key`; tells whether there were some.
        fn append(key: impl ToKey, value: impl ToValue) -> bool;
        /// Adds bytes in front of those stored under `key`; tells whether there were some.
        fn prepend(key: impl ToKey, value: impl ToValue) -> bool;
        /// Stores `value` only if the item is unchanged since [`gets`](Self::gets) read it.
        fn cas(
            key: impl ToKey, value: impl ToValue, expiry: impl Into<Expiry>, cas: Cas
        ) -> CasOutcome;
        /// Deletes what is under `key`; tells whether there was something.
        fn delete(key: impl ToKey) -> bool;
        /// Gives what is under `key` a new expiry; tells whether there was something.
        fn touch(key: impl ToKey, expiry: impl Into<Expiry>) -> bool;
    }
}

/// Counting.
impl Client {
    blocking_methods! { Client;
        /// Adds `delta` to the number under `key` and returns the sum; `None` when there is nothing.
        fn incr(key: impl ToKey, delta: u64) -> Option<u64>;
        /// Subtracts `delta` from the number under `key` and returns what is left, at least 0.
        fn decr(key: impl ToKey, delta: u64) -> Option<u64>;
        /// [`incr`](Self::incr) that stores `initial` when there is nothing.
        fn incr_or_init(
            key: impl ToKey, delta: u64, initial: u64, expiry: impl Into<Expiry>
        ) -> u64;
        /// [`decr`](Self::decr) that stores `initial` when there is nothing.
        fn decr_or_init(
            key: impl ToKey, delta: u64, initial: u64, expiry: impl Into<Expiry>
        ) -> u64;
    }
}

/// Many keys at once.
impl Client {
    blocking_methods! { many, Client;
        /// Reads the values of many keys, from all their nodes at once.
        fn get_multi[V: FromValue,]() -> Option<V>;
        /// [`get_multi`](Self::get_multi), with the state that [`cas`](Self::cas) compares.
        fn gets_multi[V: FromValue,]() -> Option<(V, Cas)>;
        /// Deletes many keys; a hit is a key that was there.
        fn delete_multi[]() -> bool;
        /// Gives many keys a new expiry; a hit is a key that was there.
        fn touch_multi[](expiry: impl Into<Expiry>) -> bool;
        /// Adds `delta` to many numbers; a hit brings the sum.
        fn incr_multi[](delta: u64) -> Option<u64>;
        /// Subtracts `delta` from many numbers; a hit brings what is left, at least 0.
        fn decr_multi[](delta: u64) -> Option<u64>;
        /// [`meta_get`](Self::meta_get) of many keys, from all their nodes at once.
        fn meta_get_multi[](flags: &MetaGet) -> Option<MetaItem>;
    }

    /// Stores many values with one expiry.
    ///
    /// See [`Client::set_multi`](crate::Client::set_multi).
    pub fn set_multi<K: ToKey, V: ToValue>(
        &self,
        items: impl IntoIterator<Item = (K, V)>,
        expiry: impl Into<Expiry>,
    ) -> Multi<K, ()> {
        match self.runtime.check() {
            Ok(waiting) => waiting.wait(self.inner.set_multi(items, expiry)),
            Err(error) => Multi::failure(items.into_iter().map(|(key, _)| key), &error),
        }
    }
}

/// The meta commands.
impl Client {
    blocking_methods! { Client;
        /// `mg`: reads an item, and what `flags` ask about it; `None` is a miss.
        fn meta_get(key: impl ToKey, flags: &MetaGet) -> Option<MetaItem>;
        /// `ms`: stores an item as `flags` say.
        fn meta_set(key: impl ToKey, value: impl ToValue, flags: &MetaSet) -> MetaOutcome;
        /// `md`: deletes an item, or marks it as stale.
        fn meta_delete(key: impl ToKey, flags: &MetaDelete) -> MetaOutcome;
        /// `ma`: counts up or down.
        fn meta_arithmetic(key: impl ToKey, flags: &MetaArithmetic) -> MetaCount;
        /// `me`: what the server tells of an item for debugging; `None` is a miss.
        fn meta_debug(key: impl ToKey) -> Option<Vec<(String, String)>>;
    }
}

/// Every node.
impl Client {
    blocking_methods! { per_node, Client;
        /// The version of each node's server.
        fn version() -> String;
        /// Expires every item of every node, at once.
        fn flush_all() -> ();
        /// Expires, when `delay` is over, every item that is older then.
        fn flush_all_after(delay: Duration) -> ();
        /// Sets how much each server writes to its log.
        fn verbosity(level: u32) -> ();
        /// The counters of every node: `stats` without an argument.
        fn stats_per_node() -> General;
    }
}
