//! Async, sharded, pipelined memcached client for tokio.

mod cluster;
mod error;
mod key;
mod net;
mod proto;
pub mod ring;

pub use error::{Error, ErrorKind, Result};
pub use key::{Key, MAX_BINARY_KEY_LENGTH, MAX_KEY_LENGTH, ToKey};
