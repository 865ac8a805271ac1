//! A seeded simulator: a pipeline, a model of a server, and a network that cuts, delays and breaks.
//!
//! Every request has a key of its own, and the server's answer follows from the key. So an answer
//! that reached the wrong caller is seen at once, and so is a request that reached the server after
//! its caller was promised that nothing was sent.

use std::collections::{HashMap, HashSet};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes, BytesMut};

use super::command::WireKey;
use super::command::admin::{Stats, Version};
use super::command::counter::{Count, Direction};
use super::command::item::{Delete, GetAndTouch};
use super::command::meta::Noop;
use super::command::store::{NewItem, Store, StoreVerb};
use super::frame::Scanner;
use super::group::Retrieval;
use super::output::OutBuffer;
use super::pipeline::{Limits, Pipeline};
use super::reply::{Item, MetaCode, MetaReply, Reply, Status};
use super::slots::Ticket;
use crate::error::{Error, ErrorKind};
use crate::value::Payload;

const PREFIX: &[u8] = b"ns:";

fn digest(key: &[u8]) -> u32 {
    crc32fast::hash(key)
}

fn stored_value(key: &[u8]) -> Option<Vec<u8>> {
    let digest = digest(key);
    (!digest.is_multiple_of(3)).then(|| {
        let filler = [&b"END\r\nVALUE "[..], b"x", b""][digest as usize % 3].repeat(3);
        [key, b"=", &filler].concat()
    })
}

/// What the server answers to one request line (and its data), as memcached would.
fn serve(line: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let value = |key: &[u8], cas: bool| {
        stored_value(key).map_or_else(Vec::new, |value| {
            let cas = if cas {
                format!(" {}", digest(key))
            } else {
                String::new()
            };
            let head = format!("VALUE {} 7 {}{cas}\r\n", key.escape_ascii(), value.len());
            [head.as_bytes(), &value, b"\r\n"].concat()
        })
    };
    match words[0] {
        word @ (b"get" | b"gets") => {
            let mut reply: Vec<u8> = words[1..]
                .iter()
                .flat_map(|key| value(key, word == b"gets"))
                .collect();
            reply.extend(b"END\r\n");
            reply
        }
        b"gat" => {
            let mut reply: Vec<u8> = words[2..]
                .iter()
                .flat_map(|key| value(key, false))
                .collect();
            reply.extend(b"END\r\n");
            reply
        }
        b"set" if digest(words[1]).is_multiple_of(5) => {
            b"SERVER_ERROR object too large for cache\r\n".to_vec()
        }
        b"set" => b"STORED\r\n".to_vec(),
        b"delete" if digest(words[1]).is_multiple_of(2) => b"DELETED\r\n".to_vec(),
        b"delete" => b"NOT_FOUND\r\n".to_vec(),
        b"incr" => format!("{}\r\n", digest(words[1])).into_bytes(),
        b"version" => b"VERSION 1\r\n".to_vec(),
        b"mn" => b"MN\r\n".to_vec(),
        b"stats" => {
            let argument = words[1].escape_ascii();
            format!("STAT argument {argument}\r\nSTAT x y\r\nEND\r\n").into_bytes()
        }
        other => panic!("the pipeline wrote garbage: {}", other.escape_ascii()),
    }
}

#[derive(Clone, Debug)]
enum Asked {
    Get(Vec<u8>, Retrieval),
    GetMany(Vec<Vec<u8>>),
    Gat(Vec<u8>),
    Set(Vec<u8>),
    Delete(Vec<u8>),
    Incr(Vec<u8>),
    Stats(Vec<u8>),
    Version,
    Noop,
}

fn full(key: &[u8]) -> Vec<u8> {
    [PREFIX, key].concat()
}

fn item(key: &[u8], with_cas: bool) -> Option<Item> {
    let key = full(key);
    let cas = if with_cas { u64::from(digest(&key)) } else { 0 };
    stored_value(&key).map(|data| Item {
        data: data.into(),
        flags: 7,
        cas,
    })
}

impl Asked {
    fn keys(&self) -> Vec<Vec<u8>> {
        match self {
            Self::GetMany(keys) => keys.iter().map(|key| full(key)).collect(),
            Self::Get(key, _)
            | Self::Gat(key)
            | Self::Set(key)
            | Self::Delete(key)
            | Self::Incr(key) => vec![full(key)],
            Self::Stats(key) => vec![key.clone()],
            Self::Version | Self::Noop => Vec::new(),
        }
    }

    fn check(&self, reply: Reply) {
        let expected = match self {
            Self::Get(key, retrieval) => Reply::Item(item(key, *retrieval == Retrieval::Gets)),
            Self::GetMany(keys) => Reply::Items(keys.iter().map(|key| item(key, false)).collect()),
            Self::Gat(key) => Reply::Item(item(key, false)),
            Self::Set(key) if digest(&full(key)).is_multiple_of(5) => {
                let Reply::Error(line) = reply else {
                    panic!("{self:?} got {reply:?}")
                };
                return assert_eq!(line.into_error().kind(), ErrorKind::TooLarge);
            }
            Self::Set(_) => Reply::Status(Status::Stored),
            Self::Delete(key) if digest(&full(key)).is_multiple_of(2) => {
                Reply::Status(Status::Deleted)
            }
            Self::Delete(_) => Reply::Status(Status::NotFound),
            Self::Incr(key) => Reply::Number(u64::from(digest(&full(key)))),
            Self::Stats(key) => Reply::Lines(vec![
                [b"STAT argument ", &key[..]].concat().into(),
                Bytes::from_static(b"STAT x y"),
            ]),
            Self::Version => Reply::Line(Bytes::from_static(b"VERSION 1")),
            Self::Noop => Reply::Meta(MetaReply::without_data(MetaCode::Noop, Bytes::new())),
        };
        assert_eq!(reply, expected, "the answer to {self:?}");
    }
}

struct World {
    random: fastrand::Rng,
    pipeline: Pipeline,
    now: Instant,
    waiting: Vec<(Ticket, Asked)>,
    lent: Option<Box<OutBuffer>>,
    /// Bytes on their way to the server, and on their way back.
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    scanner: Scanner,
    inbox: BytesMut,
    /// Keys that the server saw, and keys whose callers were promised that it never will.
    seen: HashSet<Vec<u8>>,
    promised: HashSet<Vec<u8>>,
    next_key: u64,
    outcomes: HashMap<&'static str, usize>,
}

impl World {
    fn new(seed: u64) -> Self {
        let limits = Limits {
            operations: 64,
            bytes: 4096,
            keys_per_line: 8,
            drain_timeout: Duration::from_millis(500),
        };
        Self {
            random: fastrand::Rng::with_seed(seed),
            pipeline: Pipeline::new(limits),
            now: Instant::now(),
            waiting: Vec::new(),
            lent: None,
            to_server: Vec::new(),
            to_client: Vec::new(),
            scanner: Scanner::new(1 << 20),
            inbox: BytesMut::new(),
            seen: HashSet::new(),
            promised: HashSet::new(),
            next_key: 0,
            outcomes: HashMap::new(),
        }
    }

    fn key(&mut self) -> Vec<u8> {
        self.next_key += 1;
        let padding = "p".repeat(self.random.usize(..20));
        format!("k{}{padding}", self.next_key).into_bytes()
    }

    fn submit(&mut self) {
        let deadline = self.now + Duration::from_millis(self.random.u64(1..2_000));
        let key = self.key();
        let wire = WireKey {
            prefix: PREFIX,
            key: &key,
            is_base64: false,
        };
        let asked = match self.random.u32(..12) {
            0..=3 => Asked::Get(key.clone(), Retrieval::Get),
            4 => Asked::Get(key.clone(), Retrieval::Gets),
            5 => {
                let count = self.random.usize(1..=8);
                Asked::GetMany((0..count).map(|_| self.key()).collect())
            }
            6 => Asked::Gat(key.clone()),
            7 => Asked::Set(key.clone()),
            8 => Asked::Delete(key.clone()),
            9 => Asked::Incr(key.clone()),
            10 => Asked::Stats(key.clone()),
            _ => [Asked::Version, Asked::Noop][self.random.usize(..2)].clone(),
        };
        let pipeline = &mut self.pipeline;
        let pushed = match &asked {
            Asked::Get(key, retrieval) => pipeline.push_get(*retrieval, PREFIX, key, deadline),
            Asked::GetMany(keys) => {
                let keys = keys.iter().map(Vec::as_slice);
                pipeline.push_get_many(Retrieval::Get, PREFIX, keys, deadline)
            }
            Asked::Gat(_) => {
                let retrieval = Retrieval::Get;
                let command = GetAndTouch {
                    retrieval,
                    exptime: 9,
                    key: wire,
                };
                pipeline.push(&command, deadline)
            }
            Asked::Set(_) => {
                let payload = Payload::from("get k\r\n\r\nset k 0 0 1\r\nx");
                let item = NewItem {
                    key: wire,
                    payload: &payload,
                    flags: 1,
                    exptime: 0,
                };
                pipeline.push(
                    &Store {
                        verb: StoreVerb::Set,
                        item,
                    },
                    deadline,
                )
            }
            Asked::Delete(_) => pipeline.push(&Delete { key: wire }, deadline),
            Asked::Incr(_) => {
                let direction = Direction::Increment;
                pipeline.push(
                    &Count {
                        direction,
                        key: wire,
                        delta: 1,
                    },
                    deadline,
                )
            }
            Asked::Stats(key) => pipeline.push(&Stats(std::str::from_utf8(key).unwrap()), deadline),
            Asked::Version => pipeline.push(&Version, deadline),
            Asked::Noop => pipeline.push(&Noop, deadline),
        };
        match pushed {
            Ok(ticket) => self.waiting.push((ticket, asked)),
            Err(_) => self.count("full"),
        }
    }

    fn count(&mut self, outcome: &'static str) {
        *self.outcomes.entry(outcome).or_default() += 1;
    }
    fn poll_one(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let index = self.random.usize(..self.waiting.len());
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(result) = self.pipeline.poll(&self.waiting[index].0, &mut context) else {
            return;
        };
        let (_, asked) = self.waiting.swap_remove(index);
        match result {
            Ok(reply) => {
                asked.check(reply);
                self.count("answered");
            }
            Err(error) => self.failed(&asked, &error),
        }
    }

    fn failed(&mut self, asked: &Asked, error: &Error) {
        self.count(match error.kind() {
            ErrorKind::Timeout => "timeout",
            ErrorKind::ConnectionClosed => "closed",
            ErrorKind::Connect => "refused",
            other => panic!("{other:?} for {asked:?}"),
        });
        if !error.was_sent() {
            for key in asked.keys() {
                assert!(
                    !self.seen.contains(&key),
                    "sent, though {error:?} says it was not"
                );
                self.promised.insert(key);
            }
        }
    }

    fn abandon_one(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let index = self.random.usize(..self.waiting.len());
        let (ticket, _) = self.waiting.swap_remove(index);
        self.pipeline.abandon(ticket);
        self.count("abandoned");
    }

    /// The socket takes some bytes, the writer gives the buffer back or goes on.
    fn write(&mut self) {
        let Some(mut buffer) = self.lent.take().or_else(|| self.pipeline.take_output()) else {
            return;
        };
        let mut slices = [std::io::IoSlice::new(&[]); 4];
        let count = buffer.slices(&mut slices);
        let bytes: Vec<u8> = slices[..count]
            .iter()
            .flat_map(|slice| slice.to_vec())
            .collect();
        let take = match self.random.u32(..3) {
            0 => self.random.usize(..=bytes.len()),
            _ => bytes.len(),
        };
        self.to_server.extend_from_slice(&bytes[..take]);
        buffer.advance(take);
        if self.random.u32(..4) == 0 {
            self.lent = Some(buffer);
        } else {
            self.pipeline.give_back(buffer);
        }
    }

    /// The server reads what has arrived and answers the requests that are complete.
    fn serve_some(&mut self) {
        for _ in 0..self.random.usize(..6) {
            let Some(end) = memchr::memchr(b'\n', &self.to_server) else {
                return;
            };
            let line = self.to_server[..end - 1].to_vec();
            let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
            let mut used = end + 1;
            if words[0] == b"set" {
                let length: usize = std::str::from_utf8(words[4]).unwrap().parse().unwrap();
                used += length + 2;
                if self.to_server.len() < used {
                    return;
                }
            }
            for key in &words[1..] {
                assert!(
                    !self.promised.contains(*key),
                    "a request that was promised unsent"
                );
                self.seen.insert(key.to_vec());
            }
            let reply = serve(&line);
            self.to_client.extend_from_slice(&reply);
            self.to_server.drain(..used);
        }
    }

    fn read(&mut self) {
        let take = match self.random.u32(..3) {
            0 => self.random.usize(..=self.to_client.len().min(9)),
            1 => self.random.usize(..=self.to_client.len()),
            _ => self.to_client.len(),
        };
        self.inbox.extend_from_slice(&self.to_client[..take]);
        self.to_client.drain(..take);
        let (length, dealt) =
            self.pipeline
                .deal_read(&mut self.scanner, &self.inbox, &mut Vec::new());
        dealt.expect("in step");
        self.inbox.advance(length);
    }

    fn break_connection(&mut self) {
        let cause = Error::new(ErrorKind::ConnectionClosed);
        self.pipeline.disconnect(&cause, &mut Vec::new());
        self.to_server.clear();
        self.to_client.clear();
        self.inbox.clear();
        self.scanner = Scanner::new(1 << 20);
        if let Some(stale) = self.lent.take() {
            self.pipeline.give_back(stale);
        }
        if self.random.bool() {
            let refused = Error::new(ErrorKind::Connect);
            self.pipeline.fail_unsent(&refused, &mut Vec::new());
        }
        self.count("broken");
    }

    fn pass_time(&mut self) {
        self.now += Duration::from_millis(self.random.u64(..300));
        let found = self.pipeline.expire(self.now, &mut Vec::new());
        assert!(found.next.is_none_or(|next| next > self.now) || found.is_stalled);
        if found.is_stalled {
            self.count("stalled");
            self.break_connection();
        }
    }

    fn step(&mut self) {
        match self.random.u32(..1000) {
            0..=299 => self.submit(),
            300..=549 => self.poll_one(),
            550..=579 => self.abandon_one(),
            580..=729 => self.write(),
            730..=859 => self.serve_some(),
            860..=979 => self.read(),
            980..=997 => self.pass_time(),
            _ => self.break_connection(),
        }
    }

    /// Lets everything come to its end: no caller may be left waiting, no slot left taken.
    fn finish(&mut self) {
        for _ in 0..100_000 {
            self.write();
            self.serve_some();
            self.read();
            self.poll_one();
            if self.waiting.is_empty() && self.pipeline.is_idle() {
                break;
            }
        }
        assert!(
            self.waiting.is_empty(),
            "{} callers wait for ever",
            self.waiting.len()
        );
        assert!(self.pipeline.is_idle());
        assert_eq!(self.pipeline.operations(), 0, "slots leak");
    }
}

#[test]
fn a_million_random_steps_pair_every_reply_with_its_request() {
    let mut outcomes: HashMap<&'static str, usize> = HashMap::new();
    for seed in 0..50 {
        let mut world = World::new(seed);
        for _ in 0..20_000 {
            world.step();
        }
        world.finish();
        for (outcome, count) in world.outcomes {
            *outcomes.entry(outcome).or_default() += count;
        }
    }
    let all = "answered timeout closed refused abandoned full broken stalled";
    for outcome in all.split(' ') {
        assert!(
            outcomes.contains_key(outcome),
            "no {outcome} in {outcomes:?}"
        );
    }
    assert!(outcomes["answered"] > 100_000);
}
