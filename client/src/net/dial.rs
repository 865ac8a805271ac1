//! Making a connection: name to addresses, at every dial anew, and each address in turn; then
//! encrypting it and logging in, as far as that is wanted. What comes out of a dial takes requests.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::login::Login;
use super::stream::{Reader, Writer, split_tcp};
use super::tls::Tls;
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

#[derive(Clone, Debug)]
pub(crate) struct DialSettings {
    /// For everything: resolving the name, trying every address, encrypting and logging in.
    pub(crate) timeout: Duration,
    /// An idle connection is probed after this long, by the kernel.
    pub(crate) keepalive: Option<Duration>,
    /// How long written data may stay unacknowledged before the kernel gives the connection up.
    pub(crate) user_timeout: Option<Duration>,
    /// Encrypts connections by TCP.
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) login: Option<Arc<Login>>,
}

/// The addresses of a connection's two ends, where it has some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) local: Option<SocketAddr>,
    pub(crate) peer: Option<SocketAddr>,
}

/// A connection that was made, and its ends.
pub(super) type Dialed = (Reader, Writer, Ends);

/// Connects to the node of this name at `endpoint`.
pub(super) async fn dial(
    node: &Arc<str>,
    endpoint: &Endpoint,
    settings: &DialSettings,
) -> Result<Dialed> {
    let deadline = Instant::now() + settings.timeout;
    let (mut reader, writer, ends) = connect(node, endpoint, settings, deadline).await?;
    if let Some(login) = &settings.login {
        if settings.tls.is_none() {
            login.warn_if_exposed(node, ends.peer);
        }
        let logging_in = login.log_in(&mut reader, &writer);
        in_time(deadline, "while logging in", logging_in).await?;
    }
    Ok((reader, writer, ends))
}

async fn in_time<T>(
    deadline: Instant,
    during: &'static str,
    step: impl Future<Output = Result<T>>,
) -> Result<T> {
    let late = |_| Error::with_detail(ErrorKind::ConnectTimeout, during);
    timeout_at(deadline, step).await.map_err(late)?
}

async fn connect(
    node: &str,
    endpoint: &Endpoint,
    settings: &DialSettings,
    deadline: Instant,
) -> Result<Dialed> {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = dial_tcp(host, *port, deadline).await?;
            configure(&stream, settings).map_err(|error| io_error(ErrorKind::Io, error))?;
            let ends = Ends {
                local: stream.local_addr().ok(),
                peer: stream.peer_addr().ok(),
            };
            let (reader, writer) = match &settings.tls {
                None => split_tcp(stream),
                Some(tls) => encrypt(tls, node, host, stream, deadline).await?,
            };
            Ok((reader, writer, ends))
        }
        #[cfg(unix)]
        Endpoint::Unix(path) => {
            let connecting = tokio::net::UnixStream::connect(path);
            let stream = timeout_at(deadline, connecting)
                .await
                .map_err(|_| Error::new(ErrorKind::ConnectTimeout))?
                .map_err(|error| io_error(ErrorKind::Connect, error))?;
            let (reader, writer) = super::stream::split_unix(stream);
            Ok((reader, writer, Ends::default()))
        }
        #[cfg(not(unix))]
        Endpoint::Unix(_) => Err(Error::invalid_input(
            "this system has no unix domain sockets in tokio",
        )),
    }
}

#[cfg(feature = "tls")]
async fn encrypt(
    tls: &Tls,
    node: &str,
    host: &str,
    stream: TcpStream,
    deadline: Instant,
) -> Result<(Reader, Writer)> {
    let encrypting = tls.connect(node, host, stream);
    let (stream, session) = in_time(deadline, "in the TLS handshake", encrypting).await?;
    Ok(super::stream::split_tls(stream, session))
}

#[cfg(not(feature = "tls"))]
async fn encrypt(
    tls: &Tls,
    _: &str,
    _: &str,
    _: TcpStream,
    _: Instant,
) -> Result<(Reader, Writer)> {
    match *tls {}
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

fn configure(stream: &TcpStream, settings: &DialSettings) -> io::Result<()> {
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

/// `kind` says what was under way. What TLS has to complain of, also later than in its handshake, is
/// an error of its own: a server of TLS 1.3 refuses a client's certificate after that.
pub(super) fn io_error(kind: ErrorKind, error: io::Error) -> Error {
    let kind = if is_of_tls(&error) {
        ErrorKind::Tls
    } else {
        kind
    };
    Error::with_detail(kind, error.to_string()).caused_by(error)
}

#[cfg(feature = "tls")]
fn is_of_tls(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<tokio_rustls::rustls::Error>())
}

#[cfg(not(feature = "tls"))]
const fn is_of_tls(_: &io::Error) -> bool {
    false
}
