//! An encrypted socket in two halves: like a plain one, one task reads and any task may write without
//! waiting.
//!
//! rustls keeps the state of both directions in one place, so both halves share it behind a lock. The
//! lock is also held while encrypted bytes are handed to the operating system, because their order is
//! part of the protocol. Those calls never wait.

use std::io::{self, IoSlice, Write};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio_rustls::rustls::ClientConnection;

/// How much is read from the socket at once, in bytes: two records of the largest size.
const READ_SIZE: usize = 32 * 1024;

/// How much is encrypted ahead of what the socket takes, in bytes.
const WRITE_SIZE: usize = 64 * 1024;

pub(super) fn split(stream: TcpStream, connection: ClientConnection) -> (TlsReader, TlsWriter) {
    let socket = Arc::new(Socket {
        stream,
        session: Mutex::new(Session {
            connection,
            holds_a_byte: false,
            failure: None,
        }),
    });
    let reader = TlsReader {
        socket: Arc::clone(&socket),
        encrypted: BytesMut::new(),
    };
    (reader, TlsWriter { socket })
}

#[derive(Debug)]
struct Socket {
    stream: TcpStream,
    session: Mutex<Session>,
}

#[derive(Debug)]
struct Session {
    connection: ClientConnection,
    /// The last byte that was encrypted has not been reported as written. See [`TlsWriter::take`].
    holds_a_byte: bool,
    /// Why the socket took no more, after bytes were encrypted and reported as written.
    failure: Option<io::Error>,
}

impl Session {
    /// Hands what is encrypted to the socket.
    fn flush(&mut self, stream: &TcpStream) -> io::Result<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut TryWrite(stream)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Decrypts all of `encrypted` behind what is in `buffer`; returns how many bytes came.
    fn decrypt(&mut self, encrypted: &mut BytesMut, buffer: &mut BytesMut) -> io::Result<usize> {
        let before = buffer.len();
        loop {
            let state = self.connection.process_new_packets();
            let state = state.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let ready = state.plaintext_bytes_to_read();
            if ready > 0 {
                let start = buffer.len();
                buffer.resize(start + ready, 0);
                io::Read::read_exact(&mut self.connection.reader(), &mut buffer[start..])?;
            }
            if encrypted.is_empty() {
                return Ok(buffer.len() - before);
            }
            // Takes no more than rustls has room for, and leaves the rest for the next round.
            let taken = self.connection.read_tls(&mut &encrypted[..])?;
            if taken == 0 {
                return Err(io::ErrorKind::InvalidData.into());
            }
            encrypted.advance(taken);
        }
    }
}

/// A socket as rustls writes to it: vectored, and without waiting.
struct TryWrite<'a>(&'a TcpStream);

impl Write for TryWrite<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct TlsReader {
    socket: Arc<Socket>,
    /// Read from the socket, and not decrypted yet.
    encrypted: BytesMut,
}

impl TlsReader {
    /// Reads behind what is in `buffer`; 0 bytes mean the end.
    ///
    /// An end that the server did not announce is an end as well: every reply says how long it is, so
    /// one that was cut off is noticed.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        loop {
            let decrypted = {
                let mut session = self.socket.session.lock();
                let decrypted = session.decrypt(&mut self.encrypted, buffer);
                // Answers to the server's key updates, and alerts; if they have to wait, the next
                // request takes them along.
                match session.flush(&self.socket.stream) {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                        decrypted.and(Err(error))
                    }
                    _ => decrypted,
                }
            };
            match decrypted {
                Ok(0) => {}
                decrypted => return Poll::Ready(decrypted),
            }
            if ready!(self.poll_encrypted(context))? == 0 {
                return Poll::Ready(Ok(0));
            }
        }
    }

    fn poll_encrypted(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.encrypted.reserve(READ_SIZE);
        loop {
            ready!(self.socket.stream.poll_read_ready(context))?;
            match self.socket.stream.try_read_buf(&mut self.encrypted) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct TlsWriter {
    socket: Arc<Socket>,
}

impl TlsWriter {
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.take(&[IoSlice::new(bytes)])
    }

    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.take(slices)
    }

    /// Encrypts and writes what the socket takes, and returns how many bytes that were.
    ///
    /// Bytes that are encrypted can't be taken back, so they count as written although the socket may
    /// not have taken them yet. But then nobody would see to it that they are written: therefore the
    /// last of them is reported only when they are. No request is a single byte, so which requests
    /// were begun is told correctly all the same.
    fn take(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut guard = self.socket.session.lock();
        let session = &mut *guard;
        session.flush(&self.socket.stream)?;
        if std::mem::take(&mut session.holds_a_byte) {
            return Ok(1);
        }
        let mut taken = 0;
        for slice in slices {
            let piece = &slice[..slice.len().min(WRITE_SIZE - taken)];
            let count = session.connection.writer().write(piece)?;
            taken += count;
            if count < slice.len() {
                break;
            }
        }
        let Err(error) = session.flush(&self.socket.stream) else {
            return Ok(taken);
        };
        session.holds_a_byte = true;
        if error.kind() != io::ErrorKind::WouldBlock {
            session.failure = Some(error);
        } else if taken < 2 {
            return Err(error);
        }
        Ok(taken.saturating_sub(1))
    }

    /// Waits until the socket takes more. One task at a time may wait.
    pub(super) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.stream.poll_write_ready(context)
    }
}
