//! A running node.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::builder::NodeBuilder;
use crate::server::Shared;

/// A running node: a memcached-compatible server inside this process.
///
/// It runs on the tokio runtime it was started on, and stops when this handle is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let node = memlens_node::Node::builder().start().await?;
/// let mut connection = tokio::net::TcpStream::connect(node.addr()).await?;
/// connection.write_all(b"set greeting 0 0 5\r\nhello\r\n").await?;
///
/// let mut reply = [0; 8];
/// connection.read_exact(&mut reply).await?;
/// assert_eq!(&reply, b"STORED\r\n");
///
/// node.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Node {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Node {
    /// The settings of a new node, all at memcached's defaults except for the port, which is chosen by
    /// the system, and the address, which is `127.0.0.1`.
    pub fn builder() -> NodeBuilder {
        NodeBuilder::default()
    }

    pub(crate) fn new(
        addr: SocketAddr,
        shared: Arc<Shared>,
        stop: watch::Sender<bool>,
        task: JoinHandle<()>,
    ) -> Self {
        Self {
            addr,
            shared,
            stop,
            task: Some(task),
        }
    }

    /// The address the node listens on, with the port the system chose. A node on a Unix socket has
    /// no TCP address: this is then `127.0.0.1:0`.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Another name for [`Node::addr`], after the standard library's listeners.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// The path of the Unix socket the node listens on, if it does.
    pub fn unix_socket(&self) -> Option<&Path> {
        self.shared.config.unix_socket.as_deref()
    }

    /// Stops answering, as a stopped process does: connections are still accepted by the system, and
    /// requests taken in, but nothing is read or answered until [`Node::resume`].
    ///
    /// A request that is being carried out is still answered.
    pub fn pause(&self) {
        self.shared.paused.send_replace(true);
    }

    /// Answers again, first what came in meanwhile. Does nothing on a node that is not paused.
    pub fn resume(&self) {
        self.shared.paused.send_replace(false);
    }

    /// Whether the node is paused.
    pub fn is_paused(&self) -> bool {
        *self.shared.paused.borrow()
    }

    /// Closes the listener and all connections, and waits until both are done.
    ///
    /// # Cancel safety
    ///
    /// The node stops even if this future is dropped early.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            // An error means the runtime is going down, which stops the node as well.
            let _ = task.await;
        }
    }

    /// Waits until the node stops on its own: after the `shutdown` command, where that is allowed.
    ///
    /// # Cancel safety
    ///
    /// Dropping this future changes nothing; it can be called again.
    pub async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // The sender lives in this handle, so the channel cannot close.
        let _ = stop.wait_for(|&stopped| stopped).await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
