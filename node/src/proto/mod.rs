//! The wire protocol, without sockets: bytes in, [`Request`]s out.
//!
//! [`Decoder`] frames the stream (command lines, data blocks, discarded data), [`Tokens`] splits a
//! line the way memcached does, and the parsers turn tokens into typed requests that borrow from
//! the input. Nothing here allocates, blocks, or knows the store.

mod base64;
mod decoder;
mod meta;
mod number;
mod request;
#[cfg(test)]
mod tests;
mod text;
mod tokens;

pub(crate) use base64::encode as base64_encode;
pub(crate) use decoder::{Decoder, Limits, Step};
pub(crate) use meta::{MetaCommand, MetaKey};
pub(crate) use number::{parse_f64, parse_i32, parse_u32, parse_u64};
pub(crate) use request::{AdminVerb, Keys, MetaStore, Rejection, Request, StoreMode, TextStore};
pub(crate) use tokens::Tokens;

/// The longest key, in bytes, as it stands on the command line.
pub(crate) const KEY_MAX: usize = 250;
/// What most malformed lines are answered with.
pub(crate) const BAD_FORMAT: &str = "CLIENT_ERROR bad command line format";
