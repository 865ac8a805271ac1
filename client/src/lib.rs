//! Async, sharded, pipelined memcached client for tokio.

mod cluster;
mod error;
mod expiry;
mod key;
mod net;
mod proto;
pub mod ring;
pub mod value;

pub use error::{Error, ErrorKind, Result};
pub use expiry::Expiry;
pub use key::{Key, MAX_BINARY_KEY_LENGTH, MAX_KEY_LENGTH, ToKey};
#[cfg(feature = "serde")]
pub use value::Json;
pub use value::{FromValue, ToValue, Value};
