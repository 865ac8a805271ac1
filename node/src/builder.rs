//! Settings of a node to be.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::{Config, User, parse_users};
use crate::error::{Error, Result};
use crate::node::Node;

/// The settings of a node; see [`Node::builder`].
///
/// Every setting has memcached's default unless it says otherwise. Nothing is checked before
/// [`NodeBuilder::start`].
#[derive(Debug, Clone, Default)]
#[must_use = "a node runs once it is started"]
pub struct NodeBuilder {
    config: Config,
    auth_file: Option<PathBuf>,
}

impl NodeBuilder {
    /// The address to listen on (`-l`). The default is `127.0.0.1`.
    ///
    /// Any address that is not of this machine alone also needs [`NodeBuilder::allow_remote`] and a
    /// login.
    pub fn address(mut self, ip: impl Into<IpAddr>) -> Self {
        self.config.ip = ip.into();
        self.config.interface = Some(self.config.ip.to_string());
        self
    }

    /// The TCP port (`-p`). The default is 0: the system chooses a free one. There is no UDP.
    pub fn port(mut self, port: u16) -> Self {
        self.config.port = port;
        self
    }

    /// Listens on a Unix socket at this path instead of TCP (`-s`). A socket file left there by a
    /// process that is gone is replaced; the node removes its own when it stops.
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.unix_socket = Some(path.into());
        self
    }

    /// Allows addresses that other machines can reach, to whoever logs in: that takes an
    /// [`auth_user`](NodeBuilder::auth_user) or an [`auth_file`](NodeBuilder::auth_file).
    ///
    /// A node has no encryption: passwords, keys and values can be read by whoever can listen on the
    /// network in between.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.config.allow_remote = allow;
        self
    }

    /// With [`NodeBuilder::allow_remote`], does without a login.
    ///
    /// Whoever can reach such a node can read, change and delete everything in it, and use up its
    /// memory.
    pub fn allow_remote_without_login(mut self, allow: bool) -> Self {
        self.config.allow_remote_without_login = allow;
        self
    }

    /// The memory for items, in bytes (`-m`). The default is 64 MiB.
    ///
    /// This is memcached's accounting of slab pages, and what `stats` shows. The process itself uses
    /// about as much for the values, and more for small items.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.config.memory = bytes;
        self
    }

    /// The largest item, in bytes, with its key and overhead (`-I`). The default is 1 MiB. At most half
    /// of the memory; a divisor or a multiple of 512 KiB.
    pub fn max_item_size(mut self, bytes: usize) -> Self {
        self.config.max_item_size = bytes;
        self
    }

    /// The most simultaneous connections (`-c`). The default is 1024. One more is told
    /// `ERROR Too many open connections` and closed.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.config.max_connections = connections;
        self
    }

    /// The growth of chunk sizes from one slab class to the next (`-f`). The default is 1.25.
    pub fn growth_factor(mut self, factor: f64) -> Self {
        self.config.growth_factor = factor;
        self
    }

    /// The space for key, value and flags in the smallest chunk, in bytes (`-n`). The default is 48.
    pub fn min_chunk(mut self, bytes: usize) -> Self {
        self.config.min_space = bytes;
        self
    }

    /// Whether old items make room for new ones when memory is full. With `false` (`-M`) new items are
    /// refused instead. The default is `true`.
    pub fn evictions(mut self, evict: bool) -> Self {
        self.config.evictions = evict;
        self
    }

    /// Whether items have a cas unique. The default is `true`; `false` is `-C`.
    pub fn cas(mut self, enabled: bool) -> Self {
        self.config.cas = enabled;
        self
    }

    /// The verbosity that `stats settings` shows (`-v`). Nothing is printed at any level.
    pub fn verbosity(mut self, level: u32) -> Self {
        self.config.verbosity = level;
        self
    }

    /// The number of threads that `stats` shows (`-t`). The default is 4. The node runs on the threads
    /// of the runtime it is started on, whatever is said here.
    pub fn threads(mut self, threads: usize) -> Self {
        self.config.threads = threads;
        self
    }

    /// Whether a client may stop the node with `shutdown` (`-A`). The default is `false`.
    pub fn allow_shutdown(mut self, allow: bool) -> Self {
        self.config.allow_shutdown = allow;
        self
    }

    /// Whether `flush_all` is allowed. The default is `true`; `false` is `-F`.
    pub fn allow_flush(mut self, allow: bool) -> Self {
        self.config.allow_flush = allow;
        self
    }

    /// Whether keys may be listed, with `lru_crawler metadump` and `stats cachedump`. The default is
    /// `true`; `false` is `-X`.
    pub fn allow_dump(mut self, allow: bool) -> Self {
        self.config.allow_dump = allow;
        self
    }

    /// Whether `watch` is allowed. The default is `true`; `false` is `-W`.
    pub fn allow_watch(mut self, allow: bool) -> Self {
        self.config.allow_watch = allow;
        self
    }

    /// Closes TCP connections without a command for longer than this, in whole seconds
    /// (`-o idle_timeout`). Zero is never, which is the default on a loopback address; where other
    /// machines can connect, the default is ten minutes.
    ///
    /// As memcached does, it leaves those alone that are in the middle of sending a value or of reading
    /// a reply; but not where other machines can connect.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.config.chosen_idle_timeout = Some(timeout);
        self
    }

    /// Whether `stats sizes` counts from the start (`-o track_sizes`). The default is `false`.
    pub fn track_sizes(mut self, track: bool) -> Self {
        self.config.track_sizes = track;
        self
    }

    /// Demands ASCII authentication, and admits this user. Up to eight users can be given.
    pub fn auth_user(mut self, name: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        let (name, password) = (name.as_ref().to_vec(), password.as_ref().to_vec());
        self.config.users.push(User { name, password });
        self
    }

    /// Demands ASCII authentication, and admits the users of a file of `user:password` lines (`-Y`).
    /// The file is read when the node starts.
    pub fn auth_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.auth_file = Some(path.into());
        self
    }

    /// Starts the node on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if a setting is out of range, or an address needs
    /// [`NodeBuilder::allow_remote`] or a login; [`Error::Io`] if the address is taken, the socket file cannot be
    /// created, or the authentication file cannot be read.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O and time enabled.
    pub async fn start(mut self) -> Result<Node> {
        if let Some(path) = self.auth_file.take() {
            self.config.users.extend(read_users(&path).await?);
            self.config.auth_file = Some(path);
        }
        self.config.check()?;
        crate::server::start(self.config).await
    }
}

async fn read_users(path: &Path) -> Result<Vec<User>> {
    let path_for_read = path.to_path_buf();
    let text = tokio::task::spawn_blocking(move || std::fs::read(path_for_read))
        .await
        .map_err(|error| Error::io("read the authentication file", error.into()))?
        .map_err(|error| Error::io(format!("read {}", path.display()), error))?;
    parse_users(&text)
}
