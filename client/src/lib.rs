//! Async, sharded, pipelined memcached client for tokio.
//!
//! A [`Client`] speaks to all servers of a cluster. It knows which of them holds a key, keeps one
//! connection to each, lets any number of tasks share it, and says for every failure whether the
//! server may have seen the request.
//!
//! # Example
//!
//! ```no_run
//! use std::time::Duration;
//! use memlens::{Client, Expiry};
//!
//! # async fn example() -> memlens::Result<()> {
//! let client = Client::connect("cache-01:11211,cache-02:11211").await?;
//!
//! client.set("user:42:name", "Ada", Duration::from_secs(300)).await?;
//! let name: Option<String> = client.get("user:42:name").await?;
//! assert_eq!(name.as_deref(), Some("Ada"));
//!
//! let visits = client.incr_or_init("visits", 1, 1, Expiry::Never).await?;
//! println!("visit number {visits}");
//!
//! // Many keys: all nodes at once, and an answer of its own for every key.
//! let prices = client.get_multi::<u64, _>(["apple", "pear", "plum"]).await;
//! for (fruit, price) in prices.hits() {
//!     println!("{fruit}: {price}");
//! }
//! for (fruit, error) in prices.failed() {
//!     println!("{fruit}: unknown, because {error}");
//! }
//!
//! // Nodes: each with its own answer.
//! for (node, stats) in &client.stats_per_node().await {
//!     println!("{node}: {:?}", stats.as_ref().map(|stats| stats.curr_items));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Programs without async use [`blocking::Client`].
//!
//! # Behaviour
//!
//! **Connections.** There is one to each node ([`connections_per_node`]), shared by all tasks and
//! clones. It is dialled when an operation needs it; the name is resolved at every dial, and every
//! address it has is tried. A task of its own reads from it, so the client has to be made inside a
//! tokio runtime with I/O and time enabled, and ends with it.
//!
//! **Where a key lives.** The ring chooses among the names of the servers as they are configured,
//! never among their addresses. By default that is libmemcached's weighted ketama; a cluster that
//! other clients use too needs their [profile](ring). The [`namespace`] stands in front of every
//! key, counts towards its length, and is hashed with it. A key can carry an explicit hash,
//! `(hash, key)`, which alone then chooses the server: keys with the same number lie together.
//! [`Client::servers`] changes the servers of a running client.
//!
//! **Keys** are 1 to 250 bytes without spaces and control characters, checked before anything is
//! sent. [`Key::binary`] takes any bytes; such keys work with the meta commands only
//! ([`Client::meta_get`] and its like).
//!
//! **Values** are whatever implements [`ToValue`] and [`FromValue`]: text, bytes, numbers, truth
//! values, JSON. By default they lie on the server as text or bytes, without client flags; a
//! cluster that is shared with a client that marks types needs its
//! [`ValueProfile`](value::ValueProfile). With [`compress_above`], texts, bytes and JSON that are
//! longer are compressed where that makes them shorter. What is stored compressed is read whatever
//! the setting, up to [`max_unpacked_size`]. Both need a [feature](#features).
//!
//! **A miss is no error.** Reads answer `None`, and a refused `add`, a lost `cas` and their like
//! are answers as well.
//!
//! **Commands.** `get`, `gets`, `set`, `delete` and the other classic commands go over the wire as
//! such, so they work with every memcached and through proxies. What they can't do, the meta
//! commands do:
//!
//! | method | needs |
//! |---|---|
//! | [`touch`](Client::touch) | memcached 1.4.8 |
//! | [`gat`](Client::gat), [`gats`](Client::gats) | memcached 1.5.3 |
//! | [`incr_or_init`](Client::incr_or_init), [`decr_or_init`](Client::decr_or_init), `meta_*` | memcached 1.6 |
//! | [binary keys](Key::binary) | memcached 1.6.10 |
//!
//! Single flags and topics that came later say so where they are documented. The reference is
//! memcached 1.6.18, which the tests run against. The binary protocol and UDP are not supported.
//!
//! **Values that are computed when they are not there** are what
//! [`get_or_compute`](Client::get_or_compute) is for: one caller computes, in all processes, and the
//! others wait for it or go on with the old value.
//!
//! # Security
//!
//! **Encryption.** `memcaches://` in a URL, or [`Config::tls`], encrypts every connection, streams
//! included; it needs the [feature](#features) `tls`. Servers are verified: by the roots that the
//! system trusts or by [others](config::Tls::roots), and by the name that each server has in the
//! configuration or that is [given for it](config::Tls::server_names). There is no way to switch that
//! off, except by a feature whose name says what it is. The client can show a
//! [certificate](config::Tls::certificate) of its own. TLS 1.3 and 1.2 are spoken.
//!
//! ```no_run
//! # async fn example() -> memlens::Result<()> {
//! # use memlens::Client;
//! let client = Client::connect(
//!     "memcaches://app1:correct-horse@cache-01.internal,cache-02.internal?tls_ca=/etc/memlens/ca.pem",
//! )
//! .await?;
//! # Ok(())
//! # }
//! ```
//!
//! **Logins.** A user and password, in the URL or in [`Config::credentials`], or in a
//! [file](config::Credentials::from_file), log in to servers that run with `-Y`. Every connection logs
//! in before it takes a request. A login that is refused fails operations with
//! [`Auth`](ErrorKind::Auth), and is tried again no faster than a connection that can't be made. When
//! a password goes to another machine without TLS, a warning is logged, once for each node.
//!
//! **SASL** is not supported: memcached has it in the binary protocol only, which is deprecated. Run
//! memcached with `-Y` (1.5.15 or later) and TLS (`-Z`) instead, or rely on client certificates
//! (`-o ssl_verify_mode=2`). Servers that insist on SASL need another client.
//!
//! **What is never told.** Errors, `Debug` forms, logs, spans and metrics hold no bytes of keys, of
//! values, or of users and passwords. A [`Config`] that is written as a URL has `***@` in their place.
//!
//! # Pipelining
//!
//! Operations don't wait for each other: tasks that share a connection have their requests under
//! way at the same time, and one task does with `join!` or the `*_multi` methods. With one
//! connection to a node, and room on it, requests reach the node in the order in which their
//! futures were first polled.
//!
//! An operation that finds the connection idle writes its request at once. While others are under
//! way, requests are gathered until every task that is ready has added its own, and written
//! together. Reads of single keys that are gathered so share a `get` line of up to
//! [`multi_get_keys`] keys: it costs both sides a fraction of what as many lines would. Large
//! [`Bytes`](bytes::Bytes) are written from where they lie, and large values are read into memory
//! of their own size.
//!
//! What may be under way on a connection is bounded by [`max_operations`] and [`max_bytes`]. When
//! that is reached, operations wait for room, and those that get none before their deadline fail
//! with [`Overloaded`](ErrorKind::Overloaded). Operations that were given up count until their
//! reply has come, so a node that stands still can't fill the memory.
//!
//! # Cancel safety
//!
//! Any future of this crate can be dropped at any time: in a `select!`, by a timeout, with its
//! task. A request of which nothing was written yet is taken back. Otherwise it is written to its
//! end and its reply is read and thrown away, so no other operation ever gets it; what changes the
//! item may then have been done or not. The documentation of each method says what that means for
//! it.
//!
//! # Failure model
//!
//! **Every operation has one deadline**, [`operation_timeout`] after it began or as
//! [`with_timeout`](Client::with_timeout) says. It covers all of it: waiting for room, connecting,
//! the reply, and a repetition. An operation on many keys has one for all of them.
//!
//! **Errors say whether the request was sent.** [`Error::was_sent`] is `false` only if not a byte
//! of it reached the operating system: then the server can't have done anything, and trying again
//! is safe ([`Error::is_retryable`]). When it is `true`, the server may have done it or not.
//!
//! **What is repeated.** A request that was waiting to be written when its connection broke goes on
//! with the next connection, whatever it is. One that had been sent is repeated once, within its
//! deadline, if it changes nothing: `get`, `gets`, `version`, and `meta_get` without flags
//! that change the item. All others are never repeated by themselves, not even `set`: the server may
//! still have the first one in its buffer, and carry it out after what somebody stored in between.
//! Nothing is repeated after a timeout or an answer of the server.
//!
//! **A node that is out of reach** fails its own keys only. Whoever waits for a dial that fails gets
//! its error. Until the next dial is due, operations fail at once with
//! [`NodeDown`](ErrorKind::NodeDown), which says why. The client goes on dialling by itself, after a
//! random part of a wait that doubles from [`backoff_base`] to [`backoff_cap`]. By default no other
//! node takes over the keys, so nothing stale is ever read; [`FailurePolicy`](config::FailurePolicy)
//! has other choices, and their price.
//!
//! **A node that accepts but doesn't answer** costs operations their deadline, but only a few of
//! them: after [`eject_after`] time-outs in a row it is left out, and operations on it fail at once
//! with [`NodeDown`](ErrorKind::NodeDown). It is asked for its version, at once and then with the
//! same growing waits, and is back in when it answers. If more than half of the nodes would be out,
//! none is: then it is more likely that the client itself is cut off or too slow. Both turns are
//! logged and counted ([`NodeStatistics`]).
//!
//! **Replies that are out of step.** Replies belong to requests by their order alone. When one
//! can't be the answer to the request whose turn it is, nothing behind it can be trusted: the
//! connection is closed, and what was under way fails or is repeated. The same happens when a
//! server refuses a request with a data block by `ERROR` or `CLIENT_ERROR`, because it may go on to
//! read the data as commands, and when the reply to an operation that was given up is later than
//! [`drain_timeout`].
//!
//! | [`ErrorKind`] | when | `was_sent` | connection |
//! |---|---|---|---|
//! | [`InvalidKey`], [`InvalidInput`], [`NoServer`] | before anything else happens | no | untouched |
//! | [`TooLarge`] | the value is longer than [`max_value_size`] | no | untouched |
//! | | the server refuses it; the old value is gone then | yes | kept |
//! | | it would be longer than [`max_unpacked_size`] | yes | kept |
//! | [`Overloaded`] | there was no room until the deadline | no | kept |
//! | [`Timeout`] | the deadline passed | if anything was written | kept, up to [`drain_timeout`] |
//! | [`Dns`], [`Connect`], [`ConnectTimeout`], [`Tls`], [`Auth`], [`Io`] | the dial failed that the operation waited for | no | none |
//! | [`NodeDown`] | a dial failed a moment ago, and the next is not due | no | none |
//! | | the node is left out until it answers a probe | no | kept |
//! | [`Tls`] | the server refused the client's certificate after the handshake, as TLS 1.3 does | if anything was written | closed |
//! | [`ConnectionClosed`] | the connection broke, or replies were out of step | yes, unless the server closes every connection at once | closed |
//! | [`Protocol`] | the reply can't be one to this request, or can't be understood | yes | closed, unless only a detail is wrong |
//! | [`UnknownCommand`], [`ClientError`], [`Auth`] | the server answered `ERROR` or `CLIENT_ERROR` | yes | kept; closed if the request had a data block |
//! | [`ServerError`] | the server answered `SERVER_ERROR`, or refused an administrative command | yes | kept |
//! | [`NotNumeric`] | the value to count is no number | yes | kept |
//! | [`Decode`] | the value is not of the type asked for | yes | kept |
//! | [`Compute`] | the computation failed that was given to [`get_or_compute`](Client::get_or_compute) | no | untouched |
//! | [`ClientClosed`] | the client was closed, or its runtime ended | if it was under way | closed |
//!
//! Where an operation was repeated, `was_sent` also speaks of the first time.
//!
//! # Telemetry
//!
#![doc = include_str!("observe/emitted.md")]
//!
//! # Features
//!
//! | feature | | |
//! |---|---|---|
//! | `blocking` | on | [`blocking::Client`], for programs without async |
//! | `tracing` | on | log events of `tracing` when connections and nodes come and go |
//! | `zlib` | off | values compressed with zlib or gzip: reading them, and storing them with [`compress_above`] |
//! | `tls` | off | [encrypted connections](#security), by rustls with ring; compiles a little C and assembler, which nothing else here does |
//! | `dangerous-tls` | off | lets a configuration trust any server: for experiments |
//! | `zstd` | off | reading values compressed with Zstandard |
//! | `serde` | off | `Json<T>`: any type of serde as JSON |
//!
//! [`backoff_base`]: Config::backoff_base
//! [`backoff_cap`]: Config::backoff_cap
//! [`compress_above`]: Config::compress_above
//! [`connections_per_node`]: Config::connections_per_node
//! [`drain_timeout`]: Config::drain_timeout
//! [`eject_after`]: Config::eject_after
//! [`max_bytes`]: Config::max_bytes
//! [`max_operations`]: Config::max_operations
//! [`max_unpacked_size`]: Config::max_unpacked_size
//! [`max_value_size`]: Config::max_value_size
//! [`multi_get_keys`]: Config::multi_get_keys
//! [`namespace`]: Config::namespace
//! [`operation_timeout`]: Config::operation_timeout
//!
//! [`Auth`]: ErrorKind::Auth
//! [`ClientClosed`]: ErrorKind::ClientClosed
//! [`ClientError`]: ErrorKind::ClientError
//! [`Compute`]: ErrorKind::Compute
//! [`Connect`]: ErrorKind::Connect
//! [`ConnectTimeout`]: ErrorKind::ConnectTimeout
//! [`ConnectionClosed`]: ErrorKind::ConnectionClosed
//! [`Decode`]: ErrorKind::Decode
//! [`Dns`]: ErrorKind::Dns
//! [`InvalidInput`]: ErrorKind::InvalidInput
//! [`InvalidKey`]: ErrorKind::InvalidKey
//! [`Io`]: ErrorKind::Io
//! [`NoServer`]: ErrorKind::NoServer
//! [`NodeDown`]: ErrorKind::NodeDown
//! [`NotNumeric`]: ErrorKind::NotNumeric
//! [`Overloaded`]: ErrorKind::Overloaded
//! [`Protocol`]: ErrorKind::Protocol
//! [`ServerError`]: ErrorKind::ServerError
//! [`Timeout`]: ErrorKind::Timeout
//! [`Tls`]: ErrorKind::Tls
//! [`TooLarge`]: ErrorKind::TooLarge
//! [`UnknownCommand`]: ErrorKind::UnknownCommand

mod api;
#[cfg(feature = "blocking")]
pub mod blocking;
mod cluster;
pub mod config;
mod error;
mod expiry;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod key;
mod net;
mod observe;
mod outcome;
mod proto;
pub mod ring;
pub mod stats;
pub mod value;

pub use api::{
    Cas, CasOutcome, Client, Freshness, ItemMetadata, KeyDump, Lookup, LruMode, LruTuning,
    MetaArithmetic, MetaCount, MetaDelete, MetaGet, MetaItem, MetaMode, MetaOutcome, MetaSet,
    MetaStatus, MetadataDump, Multi, NodeClient, PerNode, Servers, TimeToLive, TracedClient,
    TracedClientBuilder, Watch, WatchEvent, WatchTopic, Watched, WatchedItem,
};
pub use config::Config;
pub use error::{Error, ErrorKind, Result};
pub use expiry::Expiry;
pub use key::{Key, MAX_BINARY_KEY_LENGTH, MAX_KEY_LENGTH, ToKey};
pub use observe::{
    ErrorClass, KeyPolicy, Latency, NodeStatistics, Operation, OperationStatistics, SpanMode,
    Statistics, Telemetry,
};
#[cfg(feature = "serde")]
pub use value::Json;
pub use value::{FromValue, ToValue, Value};

#[cfg(all(doctest, feature = "blocking"))]
mod readme {
    #[doc = include_str!("../../README.md")]
    struct OfTheWorkspace;

    #[doc = include_str!("../README.md")]
    struct OfTheCrate;
}
