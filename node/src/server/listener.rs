//! Binding, accepting, and the node's background task.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connections::{ConnectionInfo, Transport};
use super::{Shared, connection};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::node::Node;
use crate::store::Maintainer;

/// How many connections may wait to be accepted.
pub(crate) const BACKLOG: u32 = 1024;
/// The pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// Who may use a Unix socket: its owner.
const SOCKET_MODE: u32 = 0o700;

/// Where a node listens.
enum Listener {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, SocketFile),
}

/// A socket file, removed when the node stops.
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // If someone else removed it, all the better.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Binds, and starts the task that serves.
pub(crate) async fn start(config: Config) -> Result<Node> {
    let listener = match &config.unix_socket {
        Some(path) => bind_unix(path)?,
        None => bind_tcp(SocketAddr::new(config.ip, config.port))?,
    };
    let addr = match &listener {
        Listener::Tcp(_, addr) => *addr,
        Listener::Unix(..) => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    };
    let shared = Arc::new(Shared::new(config, addr.port(), Clock::system()));
    let stop = watch::Sender::new(false);
    let task = tokio::spawn(run(listener, Arc::clone(&shared), stop.clone()));
    Ok(Node::new(addr, shared, stop, task))
}

fn bind_tcp(addr: SocketAddr) -> Result<Listener> {
    let bind = || {
        let socket = if addr.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        let listener = socket.listen(BACKLOG)?;
        let bound = listener.local_addr()?;
        Ok(Listener::Tcp(listener, bound))
    };
    bind().map_err(|error: io::Error| Error::io(format!("listen on {addr}"), error))
}

fn bind_unix(path: &Path) -> Result<Listener> {
    let bind = || {
        let leftover =
            std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
        if leftover {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        let file = SocketFile(path.to_path_buf());
        std::fs::set_permissions(path, PermissionsExt::from_mode(SOCKET_MODE))?;
        Ok(Listener::Unix(listener, file))
    };
    bind().map_err(|error: io::Error| Error::io(format!("listen on {}", path.display()), error))
}

/// Serves until told to stop; then closes every connection.
async fn run(listener: Listener, shared: Arc<Shared>, stop: watch::Sender<bool>) {
    let mut tasks = JoinSet::new();
    tasks.spawn(maintain(Arc::clone(&shared)));
    let mut stopping = stop.subscribe();
    enter_listener(&listener, &shared);
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => break,
            accepted = accept(&listener, &shared) => {
                // A failed accept is the client's loss, or a lack of file descriptors that passes.
                if let Ok(client) = accepted {
                    admit(client, &shared, &stop, &mut tasks);
                } else {
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
            Some(_) = tasks.join_next() => {}
        }
    }
    drop(listener);
    tasks.shutdown().await;
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // The listener holds a sender, so the channel cannot close.
    let _ = stopping.wait_for(|&stop| stop).await;
}

/// The housekeeping between commands.
async fn maintain(shared: Arc<Shared>) {
    let mut maintainer = Maintainer::new(&shared.store);
    loop {
        shared.running().await;
        let pause = maintainer.run(&shared.store);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.work.notified() => {}
        }
    }
}

/// A client that was accepted.
enum Client {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

async fn accept(listener: &Listener, shared: &Shared) -> io::Result<Client> {
    shared.running().await;
    match listener {
        Listener::Tcp(listener, _) => {
            let (stream, peer) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Ok(Client::Tcp(stream, peer))
        }
        Listener::Unix(listener, _) => Ok(Client::Unix(listener.accept().await?.0)),
    }
}

fn enter_listener(listener: &Listener, shared: &Shared) {
    let (id, transport, addr) = match listener {
        Listener::Tcp(listener, addr) => (listener.as_raw_fd(), Transport::Tcp, tcp_text(*addr)),
        Listener::Unix(listener, file) => (
            listener.as_raw_fd(),
            Transport::Unix,
            format!("unix:{}", file.0.display()),
        ),
    };
    let now = shared.store.clock.now();
    let info = ConnectionInfo::new(id, transport, addr, None, (String::new(), 0), now);
    shared.connections.enter(info, usize::MAX);
}

fn admit(
    client: Client,
    shared: &Arc<Shared>,
    stop: &watch::Sender<bool>,
    tasks: &mut JoinSet<()>,
) {
    let now = shared.store.clock.now();
    match client {
        Client::Tcp(stream, peer) => {
            let listener = stream.local_addr().map_or_else(|_| String::new(), tcp_text);
            let info = ConnectionInfo::new(
                stream.as_raw_fd(),
                Transport::Tcp,
                tcp_text(peer),
                Some(listener),
                (peer.ip().to_string(), peer.port()),
                now,
            );
            spawn(stream, info, shared, stop, tasks);
        }
        Client::Unix(stream) => {
            let path = shared
                .config
                .unix_socket
                .as_deref()
                .unwrap_or(Path::new(""));
            let info = ConnectionInfo::new(
                stream.as_raw_fd(),
                Transport::Unix,
                "unix:<AF 1>".to_owned(),
                Some(format!("unix:{}", path.display())),
                ("unix".to_owned(), 0),
                now,
            );
            spawn(stream, info, shared, stop, tasks);
        }
    }
}

fn spawn<S>(
    stream: S,
    info: ConnectionInfo,
    shared: &Arc<Shared>,
    stop: &watch::Sender<bool>,
    tasks: &mut JoinSet<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match shared
        .connections
        .enter(info, shared.config.max_connections)
    {
        Some(info) => {
            tasks.spawn(connection::serve(
                stream,
                Arc::clone(shared),
                info,
                stop.clone(),
            ));
        }
        None => {
            tasks.spawn(turn_away(stream));
        }
    }
}

async fn turn_away(mut stream: impl AsyncWrite + Unpin) {
    // The client may be gone already.
    let _ = stream
        .write_all(b"ERROR Too many open connections\r\n")
        .await;
}

/// An address as `stats conns` prints it.
fn tcp_text(addr: SocketAddr) -> String {
    match addr {
        SocketAddr::V4(addr) => format!("tcp:{addr}"),
        SocketAddr::V6(addr) => format!("tcp6:[{}]:{}", addr.ip(), addr.port()),
    }
}
