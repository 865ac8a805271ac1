//! Settings of a client, and how they are read from text.
//!
//! A server list is enough to begin: `cache1:11211,cache2:11211`. A URL also carries settings:
//!
//! ```text
//! memcache://cache1:11211,cache2:11211:2?namespace=app1:&timeout=250ms&compress_above=4KiB
//! ```
//!
//! Both are read by [`Config`]'s [`FromStr`](std::str::FromStr), which documents every parameter.
//! `memcaches://` encrypts, and `user:password@` in front of the servers logs in.

mod address;
mod credentials;
mod failure;
mod key_profile;
mod namespace;
mod parameters;
mod quantity;
mod server;
mod tls;
mod url;

use std::time::Duration;

pub use credentials::Credentials;
pub use failure::FailurePolicy;
pub use key_profile::{KeyProfile, RewrittenKey};
pub use namespace::Namespace;
pub use server::{DEFAULT_PORT, Server};
pub use tls::{Pem, Tls};

use crate::error::{Error, Result};
use crate::ring::Profile;
use crate::value::{Codec, ValueProfile};

pub(crate) use credentials::Login;

/// Settings of a client.
///
/// ```
/// use std::time::Duration;
/// use memlens::config::{Config, Namespace};
///
/// let mut config: Config = "cache1:11211,cache2:11211".parse()?;
/// config.namespace = Namespace::new("app1:")?;
/// config.operation_timeout = Duration::from_millis(250);
/// assert_eq!(
///     config.to_string(),
///     "memcache://cache1:11211,cache2:11211?namespace=app1:&timeout=250ms"
/// );
/// # Ok::<(), memlens::Error>(())
/// ```
///
/// Every connection sends small requests at once (`TCP_NODELAY`); that is no setting.
///
/// # As a URL
///
/// `memcache://` (or `memcached://`), or `memcaches://` (or `memcacheds://`) for encrypted
/// connections; `user:password@` where servers want a login; the servers as [`Server`] describes
/// them, separated by commas; and parameters:
///
/// | parameter | field | example |
/// |---|---|---|
/// | `namespace` | [`namespace`](Self::namespace) | `app1:` |
/// | `ring` | [`ring`](Self::ring) | `libmemcached-ketama-weighted` |
/// | `hash_tag` | [`hash_tag`](Self::hash_tag) | `%7B%7D`, `off` |
/// | `values` | [`values`](Self::values) | `php-memcached` |
/// | `compress_above` | [`compress_above`](Self::compress_above) | `4KiB` |
/// | `max_unpacked_size` | [`max_unpacked_size`](Self::max_unpacked_size) | `64MiB` |
/// | `max_value_size` | [`max_value_size`](Self::max_value_size) | `1MiB` |
/// | `timeout` | [`operation_timeout`](Self::operation_timeout) | `250ms` |
/// | `connect_timeout` | [`connect_timeout`](Self::connect_timeout) | `1s` |
/// | `drain_timeout` | [`drain_timeout`](Self::drain_timeout) | `5s` |
/// | `on_failure` | [`on_failure`](Self::on_failure) | `next-node` |
/// | `eject_after` | [`eject_after`](Self::eject_after) | `3` |
/// | `dead_retry` | [`dead_retry`](Self::dead_retry) | `10s` |
/// | `connections_per_node` | [`connections_per_node`](Self::connections_per_node) | `2` |
/// | `max_operations` | [`max_operations`](Self::max_operations) | `4096` |
/// | `max_bytes` | [`max_bytes`](Self::max_bytes) | `8MiB` |
/// | `multi_get_keys` | [`multi_get_keys`](Self::multi_get_keys) | `100` |
/// | `multi_get_bytes` | [`multi_get_bytes`](Self::multi_get_bytes) | `16KiB` |
/// | `backoff_base` | [`backoff_base`](Self::backoff_base) | `50ms` |
/// | `backoff_cap` | [`backoff_cap`](Self::backoff_cap) | `2s` |
/// | `keepalive` | [`keepalive`](Self::keepalive) | `60s`, `off` |
/// | `user_timeout` | [`user_timeout`](Self::user_timeout) | `5s`, `off` |
/// | `login_file` | [`credentials`](Self::credentials), from a file | `/etc/memlens/login` |
/// | `tls_ca` | [`tls`](Self::tls), [`roots`](Tls::roots) | `/etc/memlens/ca.pem` |
/// | `tls_certificate` | [`tls`](Self::tls), [`certificate`](Tls::certificate) | `/etc/memlens/client.pem` |
/// | `tls_key` | [`tls`](Self::tls), [`key`](Tls::key) | `/etc/memlens/client.key` |
/// | `tls_server_name` | [`tls`](Self::tls), [`server_name`](Tls::server_name) | `cache.internal` |
/// | | and [`server_names`](Tls::server_names) | `10.0.0.1:11211=cache-01,10.0.0.2:11211=cache-02` |
///
/// The `tls_` parameters need `memcaches://`. With the feature `dangerous-tls` there is also
/// `dangerously_trust_anyone=yes`.
///
/// Durations need a unit: `us`, `ms`, `s`, `m` or `h`. Sizes are in bytes, or in powers of 1024
/// with `k`, `KiB`, `m`, `MiB`, `g` or `GiB`. Special characters are written as `%26`. A parameter
/// that is unknown or given twice is an error. No error ever repeats a user or password, and where a
/// `Config` is written as a URL, `***@` stands for them, which is refused when it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The servers. There has to be at least one, and none twice.
    ///
    /// Names, weights and, for some rings, the order decide which server holds a key: all clients
    /// of a cluster need the same list.
    pub servers: Vec<Server>,

    /// What stands in front of every key. Nothing by default.
    pub namespace: Namespace,

    /// How a key finds its server. By default libmemcached's weighted ketama.
    ///
    /// Choose the profile of the client that a cluster is shared with. With another ring, nearly
    /// every key is looked for on the wrong server.
    pub ring: Profile,

    /// The two characters between which a key has the part that is hashed, if it has both: with
    /// `{}`, `user:{42}:name` and `user:{42}:mail` lie on one server. What twemproxy calls
    /// `hash_tag`. Off (`None`) by default.
    pub hash_tag: Option<[u8; 2]>,

    /// How values are written and marked. By default [`ValueProfile::PLAIN`]: as text with flags 0.
    ///
    /// Choose the profile of the client that a cluster is shared with.
    pub values: ValueProfile,

    /// Values of more than this many bytes are compressed, if that makes them shorter. Off (`None`)
    /// by default.
    ///
    /// Needs the feature `zlib` and a profile whose client compresses. `append` and `prepend` must
    /// not be used on compressed values, because what they add is not.
    pub compress_above: Option<usize>,

    /// The largest value that decompression may make, in bytes. 64 MiB by default.
    ///
    /// Reading a larger one fails with [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge). A
    /// hostile value of 1 MiB can unpack to a gigabyte, and this many bytes may be allocated for
    /// each value that is read.
    pub max_unpacked_size: usize,

    /// The largest value to store or to accept, in bytes as it lies on the server. 1 MiB by default,
    /// like memcached's `-I`; raise both together.
    ///
    /// A larger value is refused before it is sent. If the server sends one, its connection is
    /// closed. The server itself refuses values a little below its limit, since it counts the key
    /// and a header too; then it also drops the old value.
    pub max_value_size: usize,

    /// How long an operation may take in all: waiting for room, connecting, sending, the reply, and
    /// a retry. 1 s by default.
    ///
    /// Shorter fails faster when a node is slow. A timeout of a write does not say that it was not
    /// done: [`Error::was_sent`](crate::Error::was_sent) does.
    pub operation_timeout: Duration,

    /// How long resolving a name, connecting and logging in may take together. 1 s by default.
    pub connect_timeout: Duration,

    /// How long the reply to an operation that was given up may be late before the connection is
    /// closed, and how long closing a client waits for operations under way. 5 s by default.
    ///
    /// Replies come in order, so those of later operations wait behind a late one. Shorter gets rid
    /// of a stuck connection sooner, but makes a server that is only busy do the work of new
    /// connections as well.
    pub drain_timeout: Duration,

    /// What to do when the node that holds a key fails. By default, the operation fails.
    pub on_failure: FailurePolicy,

    /// Failures in a row after which a node is left out until it answers a probe. 3 by default.
    ///
    /// Its operations then fail at once with [`ErrorKind::NodeDown`](crate::ErrorKind::NodeDown)
    /// instead of at their deadline, or go to the next node with [`FailurePolicy::NextNode`]. Only
    /// time-outs count, and with `NextNode` also failures to connect. No node is left out while more
    /// than half of them would be: then it is more likely that the client is cut off. So the only
    /// server of a client never is.
    ///
    /// More spare a node that only stumbles, but each costs an operation its time.
    pub eject_after: usize,

    /// With [`FailurePolicy::NextNode`]: how long a node that was left out rests before it is asked
    /// whether it is back, and between askings. 10 s by default; the wait is a random part of it,
    /// at least half.
    pub dead_retry: Duration,

    /// Connections to each node. 1 by default.
    ///
    /// Any number of tasks share a connection, but one thread of memcached serves it. More help
    /// when that thread is fully busy, and keep large values from delaying small ones.
    pub connections_per_node: usize,

    /// Operations that may wait for their reply on one connection. 4096 by default.
    ///
    /// Beyond it, operations wait for room until their deadline and then fail with
    /// [`ErrorKind::Overloaded`](crate::ErrorKind::Overloaded). Operations that were given up count
    /// until their reply has come.
    pub max_operations: usize,

    /// Bytes of requests that may wait for their reply on one connection. 8 MiB by default.
    ///
    /// It bounds the memory that a node which stands still can cost. A single larger request is let
    /// through when it is alone.
    pub max_bytes: usize,

    /// Keys in one line of a read of many keys. 100 by default.
    ///
    /// memcached answers a line as a whole: longer ones hold up other connections, and very long
    /// ones are refused.
    pub multi_get_keys: usize,

    /// Bytes in one line of a read of many keys. 16 KiB by default, what memcached reads at once.
    pub multi_get_bytes: usize,

    /// The longest wait before the first attempt to connect again. 50 ms by default.
    ///
    /// It doubles with every failure up to [`backoff_cap`](Self::backoff_cap). The wait is a random
    /// part of it, so that many clients do not come back at the same moment.
    pub backoff_base: Duration,

    /// The longest wait between two attempts to connect. 2 s by default.
    ///
    /// It also bounds how long a node that is up again may go unnoticed.
    pub backoff_cap: Duration,

    /// After how long without traffic the kernel probes a connection. 60 s by default; `None` never
    /// probes.
    ///
    /// It finds out that the other side is gone, and keeps firewalls from forgetting the
    /// connection.
    pub keepalive: Option<Duration>,

    /// How long sent data may stay unacknowledged before the kernel gives a connection up
    /// (`TCP_USER_TIMEOUT`, on Linux). 5 s by default; `None` leaves it to the kernel, which takes
    /// about a quarter of an hour.
    ///
    /// It is what notices a host that vanished without a word.
    pub user_timeout: Option<Duration>,

    /// How connections are encrypted. Not at all (`None`) by default: whoever can listen on the
    /// network in between can read keys, values and passwords. Needs the feature `tls`.
    pub tls: Option<Tls>,

    /// What to log in with, in the text protocol (memcached's option `-Y`). Nothing (`None`) by
    /// default.
    ///
    /// Every connection logs in before it takes a request. Without [`tls`](Self::tls) the password
    /// goes in clear, which is logged as a warning once for each node that is not of this machine. A
    /// server that wants no login takes it all the same, and keeps nothing of it.
    pub credentials: Option<Credentials>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            namespace: Namespace::default(),
            ring: Profile::default(),
            hash_tag: None,
            values: ValueProfile::PLAIN,
            compress_above: None,
            max_unpacked_size: 64 << 20,
            max_value_size: 1 << 20,
            operation_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            drain_timeout: Duration::from_secs(5),
            on_failure: FailurePolicy::Fail,
            eject_after: 3,
            dead_retry: Duration::from_secs(10),
            connections_per_node: 1,
            max_operations: 4096,
            max_bytes: 8 << 20,
            multi_get_keys: 100,
            multi_get_bytes: 16 << 10,
            backoff_base: Duration::from_millis(50),
            backoff_cap: Duration::from_secs(2),
            keepalive: Some(Duration::from_secs(60)),
            user_timeout: Some(Duration::from_secs(5)),
            tls: None,
            credentials: None,
        }
    }
}

/// No timeout is longer: a year. Beyond some centuries, a moment in the future could not be told.
pub(crate) const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// memcached 1.6 takes at most 1 GiB for `-I`.
const LARGEST_VALUE: usize = 1 << 30;

/// A key, a space, and the verb and line break around it.
const SHORTEST_LINE: usize = 300;

impl Config {
    /// The default settings for these servers.
    #[must_use]
    pub fn new(servers: Vec<Server>) -> Self {
        Self {
            servers,
            ..Self::default()
        }
    }

    /// The codec that [`values`](Self::values), [`compress_above`](Self::compress_above) and
    /// [`max_unpacked_size`](Self::max_unpacked_size) describe.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when values of this profile
    /// cannot be compressed, or the feature `zlib` is off.
    pub fn codec(&self) -> Result<Codec> {
        let codec = Codec::new(self.values).max_unpacked(self.max_unpacked_size);
        match self.compress_above {
            Some(threshold) => codec.compress_above(threshold),
            None => Ok(codec),
        }
    }

    /// Checks that the settings make sense together. Building a client does it too.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) naming the setting.
    pub fn validate(&self) -> Result<()> {
        if self.servers.is_empty() {
            return Err(Error::invalid_input(
                "servers: there has to be at least one",
            ));
        }
        self.check_twins()?;
        self.codec()?;
        if let Some(tls) = &self.tls {
            tls.validate()?;
        }
        for (name, duration) in [
            ("operation_timeout", Some(self.operation_timeout)),
            ("connect_timeout", Some(self.connect_timeout)),
            ("dead_retry", Some(self.dead_retry)),
            ("backoff_base", Some(self.backoff_base)),
            ("backoff_cap", Some(self.backoff_cap)),
            ("keepalive", self.keepalive),
            ("user_timeout", self.user_timeout),
        ] {
            if duration.is_some_and(|duration| duration.is_zero()) {
                return Err(Error::invalid_input(format!("{name}: it must not be zero")));
            }
            if duration.is_some_and(|duration| duration > LONGEST_TIMEOUT) {
                return Err(Error::invalid_input(format!(
                    "{name}: it is longer than a year"
                )));
            }
        }
        if self.drain_timeout > LONGEST_TIMEOUT {
            return Err(Error::invalid_input(
                "drain_timeout: it is longer than a year",
            ));
        }
        for (name, number, least, most) in [
            ("max_value_size", self.max_value_size, 1, LARGEST_VALUE),
            ("eject_after", self.eject_after, 1, 1 << 20),
            ("connections_per_node", self.connections_per_node, 1, 1024),
            ("max_operations", self.max_operations, 1, 1 << 24),
            ("max_bytes", self.max_bytes, 1, usize::MAX),
            ("multi_get_keys", self.multi_get_keys, 1, 100_000),
            (
                "multi_get_bytes",
                self.multi_get_bytes,
                SHORTEST_LINE,
                1 << 20,
            ),
        ] {
            if !(least..=most).contains(&number) {
                return Err(Error::invalid_input(format!(
                    "{name}: it has to be from {least} to {most}"
                )));
            }
        }
        if self.backoff_base > self.backoff_cap {
            return Err(Error::invalid_input(
                "backoff_base: it is longer than backoff_cap",
            ));
        }
        Ok(())
    }

    fn check_twins(&self) -> Result<()> {
        let mut names: Vec<_> = self
            .servers
            .iter()
            .map(|server| server.member().name())
            .collect();
        names.sort_unstable();
        match names
            .array_windows()
            .find(|[first, second]| first == second)
        {
            Some([name, _]) => Err(Error::invalid_input(format!(
                "servers: {name} is listed twice; give it a weight instead"
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid() -> Config {
        "a:1,b:2".parse().unwrap()
    }

    #[test]
    fn the_defaults_are_valid() {
        valid().validate().unwrap();
        assert_eq!(Config::new(valid().servers), valid());
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (url, part) in [
            ("memcache://a:1,b,a:1:2", "a:1 is listed twice"),
            ("memcache://a?timeout=0s", "operation_timeout"),
            ("memcache://a?connect_timeout=0s", "connect_timeout"),
            (
                "memcache://a?backoff_base=0s",
                "backoff_base: it must not be zero",
            ),
            ("memcache://a?backoff_base=3s", "backoff_base: it is longer"),
            ("memcache://a?keepalive=0s", "keepalive"),
            ("memcache://a?user_timeout=0ms", "user_timeout"),
            ("memcache://a?max_value_size=0", "max_value_size"),
            ("memcache://a?max_value_size=2GiB", "max_value_size"),
            (
                "memcache://a?connections_per_node=0",
                "connections_per_node",
            ),
            ("memcache://a?max_operations=0", "max_operations"),
            ("memcache://a?max_bytes=0", "max_bytes"),
            ("memcache://a?multi_get_keys=0", "multi_get_keys"),
            ("memcache://a?multi_get_bytes=299", "multi_get_bytes"),
            (
                "memcache://a?values=npm-memcached&compress_above=1k",
                "npm-memcached",
            ),
        ] {
            let config: Config = url.parse().unwrap();
            let error = config.validate().unwrap_err();
            assert!(error.is_invalid_input());
            assert!(error.to_string().contains(part), "{url}: {error}");
        }
        assert!(
            Config::default()
                .validate()
                .unwrap_err()
                .to_string()
                .contains("servers")
        );
    }

    #[test]
    fn the_codec_follows_the_settings() {
        let mut config = valid();
        config.values = ValueProfile::PYLIBMC;
        config.max_unpacked_size = 7;
        let codec = config.codec().unwrap();
        assert_eq!(codec, Codec::new(ValueProfile::PYLIBMC).max_unpacked(7));
        config.compress_above = Some(100);
        assert_eq!(config.codec().is_ok(), cfg!(feature = "zlib"));
    }
}
