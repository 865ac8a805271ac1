//! Async, sharded, pipelined memcached client for tokio.

mod api;
#[cfg(feature = "blocking")]
pub mod blocking;
mod cluster;
pub mod config;
mod error;
mod expiry;
mod key;
mod net;
mod proto;
pub mod ring;
pub mod stats;
pub mod value;

pub use api::{
    Cas, CasOutcome, Client, ItemMetadata, KeyDump, Lookup, LruMode, LruTuning, MetaArithmetic,
    MetaCount, MetaDelete, MetaGet, MetaItem, MetaMode, MetaOutcome, MetaSet, MetaStatus,
    MetadataDump, Multi, NodeClient, PerNode, Servers, TimeToLive, Watch, WatchEvent, WatchTopic,
    Watched, WatchedItem,
};
pub use config::Config;
pub use error::{Error, ErrorKind, Result};
pub use expiry::Expiry;
pub use key::{Key, MAX_BINARY_KEY_LENGTH, MAX_KEY_LENGTH, ToKey};
#[cfg(feature = "serde")]
pub use value::Json;
pub use value::{FromValue, ToValue, Value};
