//! Sockets: dialling, and the I/O side of one connection.

mod backoff;
mod connection;
#[cfg(feature = "dangerous-tls")]
mod dangerous_tls;
mod dial;
mod driver;
mod exchange;
mod inbox;
mod lines;
mod login;
#[cfg(test)]
mod panics;
mod session;
mod stream;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
#[cfg(feature = "tls")]
mod tls_socket;
mod watcher;

pub(crate) use backoff::Backoff;
pub(crate) use connection::{Connection, Settings, Wakings};
pub(crate) use dial::{DialSettings, Endpoint, Ends};
pub(crate) use exchange::{Exchange, PendingReply, Push};
pub(crate) use lines::{Line, Lines};
pub(crate) use login::Login;
pub(crate) use tls::Tls;
pub(crate) use watcher::Watcher;
