//! Runs a script against a server and collects what it answers.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use fastrand::Rng;

use crate::normal::{CasSeen, Part, normalise};
use crate::raw::RawClient;
use crate::script::{Context, Script};

/// Far beyond what any reply takes; only a server that owes a reply ever lets it pass.
const DEADLINE: Duration = Duration::from_secs(5);

/// What came back for one step, or for a whole script sent at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The lines and data blocks, normalised.
    pub lines: Vec<Vec<Part>>,
    /// What followed them.
    pub ending: Ending,
}

/// How a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The server was ready for the next request.
    Ready,
    /// The server closed the connection.
    Closed,
    /// Nothing more came within the deadline.
    Silent,
}

/// Makes the server forget all items, including those a delayed `flush_all` had in view.
///
/// A server that forbids it keeps them: its scripts use keys of their own.
pub fn flush(server: SocketAddr) {
    let reply = RawClient::connect(server).request(b"flush_all\r\n", b"\r\n");
    let expected: [&[u8]; 2] = [b"OK\r\n", b"CLIENT_ERROR flush_all not allowed\r\n"];
    assert!(
        expected.contains(&&reply[..]),
        "{server} answers {}",
        reply.escape_ascii()
    );
}

/// Sends step by step; each step's reply is complete when its last line has come, if the script says
/// which, else when a barrier request sent after it is answered.
///
/// The barrier is a delete of a key that does not exist, with an opaque token to recognise its reply by.
/// It ends early where the server closes or falls silent.
pub fn stepwise(server: SocketAddr, script: &Script, now: i64) -> Vec<Reply> {
    let mut client = RawClient::connect(server);
    client.set_deadline(DEADLINE);
    let mut cas = CasSeen::default();
    let mut replies = Vec::new();
    for (number, step) in script.steps.iter().enumerate() {
        let context = Context {
            now,
            cas_seen: cas.distinct(),
            cas_last: cas.last(),
        };
        // An error means that the server has closed, which the read will show.
        let _ = client.send(&step.bytes(context));
        let read = match &step.until {
            Some(line) => client.read_until(format!("{line}\r\n").as_bytes()),
            None => read_until_barrier(&mut client, number),
        };
        let (bytes, ending) = match read {
            Ok(bytes) => (bytes, Ending::Ready),
            Err(error) => (client.take_received(), ending_of(&error)),
        };
        replies.push(Reply {
            lines: normalise(&bytes, &mut cas),
            ending,
        });
        if ending != Ending::Ready {
            break;
        }
    }
    replies
}

fn read_until_barrier(client: &mut RawClient, number: usize) -> io::Result<Vec<u8>> {
    let _ = client.send(format!("md memlens-barrier O~{number}~\r\n").as_bytes());
    let barrier_reply = format!("NF O~{number}~\r\n");
    let mut bytes = client.read_until(barrier_reply.as_bytes())?;
    bytes.truncate(bytes.len() - barrier_reply.len());
    Ok(bytes)
}

/// Sends the whole script, then the end of the stream, and reads until the server closes.
///
/// With a generator the bytes are written in pieces of random length, else in one.
pub fn one_stream(server: SocketAddr, script: &Script, now: i64, split: Option<&mut Rng>) -> Reply {
    let context = Context {
        now,
        cas_seen: &[],
        cas_last: 0,
    };
    let bytes: Vec<u8> = script
        .steps
        .iter()
        .flat_map(|step| step.bytes(context))
        .collect();
    let pieces = match split {
        None => vec![bytes.as_slice()],
        Some(random) => random_pieces(&bytes, random),
    };
    let mut client = RawClient::connect(server);
    client.set_deadline(DEADLINE);
    let (bytes, ending) = match client.exchange(&pieces) {
        Ok(bytes) => (bytes, Ending::Closed),
        Err(error) => (client.take_received(), ending_of(&error)),
    };
    Reply {
        lines: normalise(&bytes, &mut CasSeen::default()),
        ending,
    }
}

fn ending_of(error: &io::Error) -> Ending {
    if error.kind() == io::ErrorKind::TimedOut {
        Ending::Silent
    } else {
        Ending::Closed
    }
}

fn random_pieces<'a>(mut bytes: &'a [u8], random: &mut Rng) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        // Mostly a few bytes, now and then a lot: long scripts would take too long byte by byte.
        let longest = if random.u8(..8) == 0 {
            1 << random.u32(..16)
        } else {
            12
        };
        let length = random.usize(1..=longest).min(bytes.len());
        let (piece, rest) = bytes.split_at(length);
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}
