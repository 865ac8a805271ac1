//! Async, sharded, pipelined memcached client for tokio.

mod error;
mod key;

pub use error::{Error, ErrorKind, Result};
pub use key::{Key, MAX_KEY_LENGTH, ToKey};
