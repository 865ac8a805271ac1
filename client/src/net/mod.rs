//! Sockets: dialling, and the I/O side of one connection.

mod backoff;
mod connection;
mod dial;
mod driver;
mod lines;
#[cfg(test)]
mod panics;
mod stream;
mod watcher;

pub(crate) use backoff::Backoff;
pub(crate) use connection::{Connection, PendingReply, Settings};
pub(crate) use dial::{DialSettings, Endpoint};
pub(crate) use lines::{Line, Lines};
pub(crate) use watcher::Watcher;
