//! A connected socket in two halves: one task reads, any task may write without waiting.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncRead as _, AsyncReadExt as _, ReadBuf};
use tokio::net::{TcpStream, tcp};
#[cfg(unix)]
use tokio::net::{UnixStream, unix};

#[cfg(feature = "tls")]
use super::tls_socket::{self, TlsReader, TlsWriter};
use crate::proto::output::OutBuffer;

/// As many slices as one vectored write takes: large values are rare, and each needs two.
const SLICES: usize = 32;

#[derive(Debug)]
pub(super) enum Reader {
    Tcp(tcp::OwnedReadHalf),
    #[cfg(unix)]
    Unix(unix::OwnedReadHalf),
    #[cfg(feature = "tls")]
    Tls(TlsReader),
}

#[derive(Debug)]
pub(super) enum Writer {
    Tcp(tcp::OwnedWriteHalf),
    #[cfg(unix)]
    Unix(unix::OwnedWriteHalf),
    #[cfg(feature = "tls")]
    Tls(TlsWriter),
}

pub(super) fn split_tcp(stream: TcpStream) -> (Reader, Writer) {
    let (reader, writer) = stream.into_split();
    (Reader::Tcp(reader), Writer::Tcp(writer))
}

#[cfg(unix)]
pub(super) fn split_unix(stream: UnixStream) -> (Reader, Writer) {
    let (reader, writer) = stream.into_split();
    (Reader::Unix(reader), Writer::Unix(writer))
}

#[cfg(feature = "tls")]
pub(super) fn split_tls(
    stream: TcpStream,
    session: tokio_rustls::rustls::ClientConnection,
) -> (Reader, Writer) {
    let (reader, writer) = tls_socket::split(stream, session);
    (Reader::Tls(reader), Writer::Tls(writer))
}

impl Reader {
    /// Whether it decides itself how much it reads at once, so that only a buffer that grows will do.
    pub(super) const fn is_greedy(&self) -> bool {
        match self {
            Self::Tcp(_) => false,
            #[cfg(unix)]
            Self::Unix(_) => false,
            #[cfg(feature = "tls")]
            Self::Tls(_) => true,
        }
    }

    /// Reads into `buffer`, and tells how many bytes; none mean the end. Not for one that
    /// [is greedy](Self::is_greedy).
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let read = match self {
            Self::Tcp(half) => Pin::new(half).poll_read(context, &mut buffer),
            #[cfg(unix)]
            Self::Unix(half) => Pin::new(half).poll_read(context, &mut buffer),
            #[cfg(feature = "tls")]
            Self::Tls(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        };
        read.map_ok(|()| buffer.filled().len())
    }

    /// Reads into the spare capacity of `buffer`; 0 bytes mean the end.
    pub(super) fn poll_read_buf(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(half) => pin!(half.read_buf(buffer)).poll(context),
            #[cfg(unix)]
            Self::Unix(half) => pin!(half.read_buf(buffer)).poll(context),
            #[cfg(feature = "tls")]
            Self::Tls(half) => half.poll_read(context, buffer),
        }
    }

    /// Waits until there is something to read.
    pub(super) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(half) => half.as_ref().poll_read_ready(context),
            #[cfg(unix)]
            Self::Unix(half) => half.as_ref().poll_read_ready(context),
            // It may hold bytes already.
            #[cfg(feature = "tls")]
            Self::Tls(_) => Poll::Ready(Ok(())),
        }
    }
}

impl Writer {
    /// Writes what the socket takes now; tells whether that was all.
    pub(super) fn try_write_all(&self, buffer: &mut OutBuffer) -> io::Result<bool> {
        while !buffer.is_written() {
            let written = match buffer.single() {
                Some(bytes) => self.try_write(bytes),
                None => {
                    let mut slices = [IoSlice::new(&[]); SLICES];
                    let count = buffer.slices(&mut slices);
                    self.try_write_vectored(&slices[..count])
                }
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => buffer.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(half) => half.try_write(bytes),
            #[cfg(unix)]
            Self::Unix(half) => half.try_write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(half) => half.try_write(bytes),
        }
    }

    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(half) => half.try_write_vectored(slices),
            #[cfg(unix)]
            Self::Unix(half) => half.try_write_vectored(slices),
            #[cfg(feature = "tls")]
            Self::Tls(half) => half.try_write_vectored(slices),
        }
    }

    /// Waits until the socket takes more. One task at a time may wait.
    pub(super) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(half) => half.as_ref().poll_write_ready(context),
            #[cfg(unix)]
            Self::Unix(half) => half.as_ref().poll_write_ready(context),
            #[cfg(feature = "tls")]
            Self::Tls(half) => half.poll_ready(context),
        }
    }

    /// Writes all of `bytes`, waiting for room.
    pub(super) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.try_write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    poll_fn(|context| self.poll_ready(context)).await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
