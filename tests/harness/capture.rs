//! A server that reads requests as strictly as can be, answers each with a miss or its like, and keeps a
//! list: for what a client must never put on the wire.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Whether this can be a key: protocol.txt's rule, and no byte that some server takes for a space.
#[must_use]
pub fn is_legal(key: &[u8]) -> bool {
    (1..=250).contains(&key.len()) && key.iter().all(|byte| *byte > b' ' && *byte != 0x7f)
}

/// What the client has sent.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    /// Verb and key of each request.
    pub requests: Vec<(String, Vec<u8>)>,
    /// The first thing that was no request.
    pub violation: Option<String>,
}

/// A capturing server on a free port. It lives until the process ends or every connection is closed.
#[derive(Debug)]
pub struct CaptureServer {
    address: SocketAddr,
    captured: Arc<Mutex<Captured>>,
}

fn lock(captured: &Mutex<Captured>) -> MutexGuard<'_, Captured> {
    captured.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CaptureServer {
    /// Listens on a free port of the loopback interface.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen on loopback");
        let address = listener.local_addr().expect("a listener has an address");
        let captured = Arc::new(Mutex::new(Captured::default()));
        thread::spawn({
            let captured = Arc::clone(&captured);
            move || {
                while let Ok((stream, _)) = listener.accept() {
                    let captured = Arc::clone(&captured);
                    thread::spawn(move || {
                        if let Err(violation) = serve(&stream, &captured) {
                            lock(&captured).violation.get_or_insert(violation);
                        }
                    });
                }
            }
        });
        Self { address, captured }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has come since the last time.
    pub fn take(&self) -> Captured {
        std::mem::take(&mut lock(&self.captured))
    }
}

/// Serves one connection to its end; an error says what was no request.
fn serve(stream: &TcpStream, captured: &Mutex<Captured>) -> Result<(), String> {
    let mut writer = stream;
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        if !matches!(reader.read_until(b'\n', &mut line), Ok(length) if length > 0) {
            return Ok(());
        }
        let shown = line.escape_ascii().to_string();
        let wrong = |what: &str| format!("{what}: {shown}");
        let text = line
            .strip_suffix(b"\r\n")
            .ok_or_else(|| wrong("no line end"))?;
        let words: Vec<&[u8]> = text.split(|byte| *byte == b' ').collect();
        let verb = String::from_utf8_lossy(words[0]).into_owned();
        // The least and the most words, which of them tells the length of the data, and the answer.
        let (least, most, data, answer) = match &*verb {
            "get" | "gets" => (2, usize::MAX, None, "END\r\n"),
            "gat" | "gats" => (3, 3, None, "END\r\n"),
            "set" | "add" | "replace" | "append" | "prepend" => (5, 5, Some(4), "STORED\r\n"),
            "cas" => (6, 6, Some(4), "NOT_FOUND\r\n"),
            "incr" | "decr" | "touch" => (3, 3, None, "NOT_FOUND\r\n"),
            "delete" => (2, 2, None, "NOT_FOUND\r\n"),
            "mg" => (2, 10, None, "EN\r\n"),
            "ms" => (3, 10, Some(2), "HD\r\n"),
            "md" | "ma" => (2, 10, None, "NF\r\n"),
            _ => return Err(wrong("no known command")),
        };
        if !(least..=most).contains(&words.len()) {
            return Err(wrong("too few or too many words"));
        }
        let keys = match &*verb {
            "get" | "gets" => &words[1..],
            "gat" | "gats" => &words[2..],
            _ => &words[1..2],
        };
        if let Some(index) = data {
            let length = std::str::from_utf8(words[index]).ok();
            let length: usize = length
                .and_then(|it| it.parse().ok())
                .ok_or_else(|| wrong("no length"))?;
            let mut block = vec![0; length + 2];
            reader
                .read_exact(&mut block)
                .map_err(|_| wrong("too little data"))?;
            if !block.ends_with(b"\r\n") {
                return Err(wrong("more data than announced"));
            }
        }
        for key in keys {
            if !is_legal(key) {
                return Err(wrong("an illegal key"));
            }
            lock(captured).requests.push((verb.clone(), key.to_vec()));
        }
        if writer.write_all(answer.as_bytes()).is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RawClient;

    #[test]
    fn it_tells_requests_from_anything_else() {
        let server = CaptureServer::start();
        let mut client = RawClient::connect(server.address());
        let replies = client.request(b"set a 0 0 3\r\nb\r\n\r\nget c d\r\n", b"END\r\n");
        assert_eq!(replies, b"STORED\r\nEND\r\n");
        let captured = server.take();
        let requests: Vec<_> = captured.requests.iter().map(|(verb, _)| &**verb).collect();
        assert_eq!(requests, ["set", "get", "get"]);
        assert_eq!(captured.violation, None);
        client.send(b"set a 0 0 1\r\nb\r\nflush_all\r\n").unwrap();
        client.read_to_end().unwrap();
        assert_eq!(
            server.take().violation.as_deref(),
            Some("no known command: flush_all\\r\\n")
        );
    }
}
