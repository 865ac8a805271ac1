//! Making a connection: name to addresses, at every dial anew, and each address in turn.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::stream::{Reader, Writer, split_tcp};
use crate::error::{Error, ErrorKind, Result};

/// Where a node listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Tcp { host: Arc<str>, port: u16 },
    Unix(PathBuf),
}

/// The kernel counts whole seconds, and refuses none at all.
const LEAST_KEEPALIVE: Duration = Duration::from_secs(1);

/// `MAX_TCP_KEEPIDLE` of Linux, which refuses more.
const MOST_KEEPALIVE: Duration = Duration::from_secs(32_767);

/// The kernel counts milliseconds in a signed number of 32 bits.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "fuchsia"))]
const MOST_USER_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

#[derive(Clone, Copy, Debug)]
pub(crate) struct DialSettings {
    /// For everything: resolving the name and trying every address.
    pub(crate) timeout: Duration,
    /// An idle connection is probed after this long, by the kernel.
    pub(crate) keepalive: Option<Duration>,
    /// How long written data may stay unacknowledged before the kernel gives the connection up.
    pub(crate) user_timeout: Option<Duration>,
}

/// Connects to `endpoint`.
pub(super) async fn dial(
    endpoint: &Endpoint,
    settings: DialSettings,
) -> Result<(Reader, Writer, Option<SocketAddr>)> {
    let deadline = Instant::now() + settings.timeout;
    match endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = dial_tcp(host, *port, deadline).await?;
            configure(&stream, settings).map_err(|error| io_error(ErrorKind::Io, error))?;
            let peer = stream.peer_addr().ok();
            let (reader, writer) = split_tcp(stream);
            Ok((reader, writer, peer))
        }
        #[cfg(unix)]
        Endpoint::Unix(path) => {
            let connecting = tokio::net::UnixStream::connect(path);
            let stream = timeout_at(deadline, connecting)
                .await
                .map_err(|_| Error::new(ErrorKind::ConnectTimeout))?
                .map_err(|error| io_error(ErrorKind::Connect, error))?;
            let (reader, writer) = super::stream::split_unix(stream);
            Ok((reader, writer, None))
        }
        #[cfg(not(unix))]
        Endpoint::Unix(_) => Err(Error::invalid_input(
            "this system has no unix domain sockets in tokio",
        )),
    }
}

async fn dial_tcp(host: &str, port: u16, deadline: Instant) -> Result<TcpStream> {
    let addresses: Vec<SocketAddr> = timeout_at(deadline, lookup_host((host, port)))
        .await
        .map_err(|_| Error::with_detail(ErrorKind::ConnectTimeout, "while resolving the name"))?
        .map_err(|error| io_error(ErrorKind::Dns, error))?
        .collect();
    let mut failure = Error::with_detail(ErrorKind::Dns, "the name has no address");
    for (index, address) in addresses.iter().enumerate() {
        // An address that swallows packets must not use up the time of those behind it.
        let left = deadline.saturating_duration_since(Instant::now());
        let share = Instant::now() + left / (addresses.len() - index) as u32;
        failure = match timeout_at(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => io_error(ErrorKind::Connect, error),
            Err(_) => Error::new(ErrorKind::ConnectTimeout),
        };
    }
    Err(failure)
}

fn configure(stream: &TcpStream, settings: DialSettings) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    if let Some(idle) = settings.keepalive {
        let idle = idle.clamp(LEAST_KEEPALIVE, MOST_KEEPALIVE);
        let interval = (idle / 3).max(LEAST_KEEPALIVE);
        let keepalive = TcpKeepalive::new().with_time(idle);
        socket.set_tcp_keepalive(&keepalive.with_interval(interval))?;
    }
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "fuchsia"))]
    if let Some(timeout) = settings.user_timeout {
        socket.set_tcp_user_timeout(Some(timeout.min(MOST_USER_TIMEOUT)))?;
    }
    Ok(())
}

pub(super) fn io_error(kind: ErrorKind, error: io::Error) -> Error {
    Error::with_detail(kind, error.to_string()).caused_by(error)
}
