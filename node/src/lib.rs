//! An embedded memcached-compatible node for demos and tests.
//!
//! A [`Node`] is a small memcached inside your process: it listens on a port of the loopback
//! interface, speaks the text and meta protocols, keeps its books (slab classes, LRU segments,
//! `stats`) as memcached 1.6 does, and is gone when it is dropped. Tests and demos get real sockets
//! and real answers without anything to install. It is **not** a server for production; the
//! README says what it leaves out.
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use memlens_node::Node;
//! use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
//!
//! let node = Node::builder().memory(16 * 1024 * 1024).start().await?;
//!
//! let mut client = BufStream::new(tokio::net::TcpStream::connect(node.addr()).await?);
//! client.write_all(b"set counter 0 0 2\r\n41\r\nincr counter 1\r\n").await?;
//! client.flush().await?;
//!
//! let mut replies = String::new();
//! client.read_line(&mut replies).await?;
//! client.read_line(&mut replies).await?;
//! assert_eq!(replies, "STORED\r\n42\r\n");
//! # Ok(())
//! # }
//! ```
//!
//! # Behaviour
//!
//! - Nodes are independent: any number of them run in one process, each with its own port.
//! - A node runs on the tokio runtime it is started on. It has no threads of its own.
//! - Safe by default: only the loopback interface, and limits on connections, line length, item size
//!   and memory. There is no UDP, and no way to turn it on.
//! - [`Node::pause`] makes a node that accepts connections and answers nothing, which is what a
//!   stopped or overloaded server looks like from outside.
//!
//! # How it is built
//!
//! `server` moves bytes and keeps the list of connections. `proto` turns bytes into requests; it
//! allocates nothing. `commands` carries a request out and writes the reply. `store` keeps the items
//! and does memcached's arithmetic of slabs and LRU segments. Neither `proto` nor `store` knows of
//! sockets, tasks or the time of day: bytes and seconds are handed to them, so both are tested
//! without waiting for anything.

mod builder;
mod clock;
mod commands;
mod config;
mod error;
mod node;
mod prefixes;
mod proto;
mod server;
mod store;
mod text;
mod watchers;

/// The README's example is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use builder::NodeBuilder;
pub use error::{Error, Result};
pub use node::Node;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub use server::fuzzing;
