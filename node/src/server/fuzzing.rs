//! What the fuzz target of the node calls: a conversation without sockets, on any bytes.
//!
//! The inputs that fuzzing has kept are fed to it by a unit test as well.

use std::sync::Arc;

use bytes::{Buf, BytesMut};

use super::Shared;
use super::connections::{ConnectionInfo, Transport};
use super::session::{Next, Session};
use crate::clock::Clock;
use crate::config::Config;
use crate::proto::{Decoder, Limits, Step};

/// More than any request of the inputs needs, less than a fuzzer's limit.
const MEMORY: usize = 8 * 1024 * 1024;
const MAX_ITEM: usize = 512 * 1024;

/// The first byte tells how the rest is cut: the requests found are the same, and the node carries them
/// out, whatever they are.
pub fn requests(bytes: &[u8]) {
    let Some((first, stream)) = bytes.split_first() else {
        return;
    };
    let part = usize::from(*first).max(1);
    let whole = decode(std::iter::once(stream));
    let cut = decode(stream.chunks(part));
    // A line over its limit is served if it comes in one piece, as memcached does it.
    if stream
        .split(|byte| *byte == b'\n')
        .all(|line| line.len() < 2048)
    {
        assert_eq!(whole, cut, "cut into parts of {part}");
    }
    serve(stream.chunks(part));
}

fn decode<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut decoder = Decoder::new(Limits {
        item_size_max: 4096,
        item_overhead: 59,
    });
    let mut inbox = BytesMut::new();
    let mut seen = Vec::new();
    for part in parts {
        inbox.extend_from_slice(part);
        loop {
            let consumed = match decoder.step(&inbox) {
                Step::Incomplete => break,
                Step::Overlong => return seen,
                Step::Discarded(count) => count,
                Step::Request { consumed, request } => {
                    seen.push(format!("{request:?}"));
                    consumed
                }
            };
            assert!(consumed > 0, "it would go on for ever");
            inbox.advance(consumed);
        }
    }
    seen
}

fn serve<'a>(parts: impl Iterator<Item = &'a [u8]>) {
    let config = Config {
        memory: MEMORY,
        max_item_size: MAX_ITEM,
        ..Config::default()
    };
    let shared = Arc::new(Shared::new(config, 11211, Clock::manual()));
    let info = ConnectionInfo::new(
        7,
        Transport::Tcp,
        "tcp:127.0.0.1:40000".into(),
        Some("tcp:127.0.0.1:11211".into()),
        ("127.0.0.1".into(), 40000),
        shared.store.clock.now(),
    );
    let Some(info) = shared.connections.enter(info, 100) else {
        return;
    };
    let mut session = Session::new(Arc::clone(&shared), info);
    let mut inbox = BytesMut::new();
    for part in parts {
        inbox.extend_from_slice(part);
        loop {
            let (consumed, next) = session.serve(&inbox);
            inbox.advance(consumed);
            session.replies.mark_sent();
            let due = session.replies.due();
            drop(session.replies.copy_to_bytes(due));
            match next {
                Next::Read | Next::ReadHoldingBack => break,
                Next::Send => {}
                Next::Flow(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_fuzzing_has_kept_of_requests() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fuzz/corpus/node_request"
        );
        let mut count = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            super::requests(&std::fs::read(file.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "{folder} is empty");
    }
}
