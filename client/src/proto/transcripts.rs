//! What memcached really answers, fed in every possible cut, and what it could answer, at random.

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes, BytesMut};
use proptest::prelude::*;

use super::command::Request;
use super::frame::{Frame, Scanner, Span, Violation};
use super::group::Retrieval;
use super::output::OutBuffer;
use super::pipeline::{Limits, Pipeline};
use super::reply::{Allowed, Body, Expect, MetaCode, Reply, Status};

const TRANSCRIPTS: &str = include_str!("../../tests/data/transcripts.txt");

struct Transcript {
    request: Vec<u8>,
    reply: Vec<u8>,
}

fn transcripts() -> Vec<Transcript> {
    let lines: Vec<&str> = TRANSCRIPTS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let pairs = lines.chunks_exact(2).map(|pair| Transcript {
        request: unescape(pair[0].strip_prefix("> ").expect("a request")),
        reply: unescape(pair[1].strip_prefix("< ").expect("a reply")),
    });
    let transcripts: Vec<_> = pairs.collect();
    assert!(
        transcripts.len() >= 200,
        "only {} transcripts",
        transcripts.len()
    );
    transcripts
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next().expect("an escape") {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'x' => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.expect("a digit"));
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    bytes
}

/// A frame with the bytes that it points to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen(String, Vec<Vec<u8>>);

fn see(block: &[u8], frame: Frame) -> Seen {
    let bytes = |span: Span| block[span.range()].to_vec();
    match frame {
        Frame::Value {
            key,
            flags,
            cas,
            data,
        } => Seen(
            format!("value {flags} {cas}"),
            vec![bytes(key), bytes(data)],
        ),
        Frame::Meta { code, flags, data } => {
            let data = data.map(bytes);
            Seen(
                format!("{code:?}"),
                [bytes(flags)].into_iter().chain(data).collect(),
            )
        }
        Frame::Error(class, text) => Seen(format!("{class:?}"), vec![bytes(text)]),
        Frame::Line(line) => Seen("line".to_owned(), vec![bytes(line)]),
        Frame::Status(_) | Frame::Number(_) => Seen(format!("{frame:?}"), Vec::new()),
    }
}

fn scan<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut scanner = Scanner::new(1 << 20);
    let mut inbox = BytesMut::new();
    let mut seen = Vec::new();
    for part in parts {
        inbox.extend_from_slice(part);
        let mut frames = Vec::new();
        let scanned = scanner.scan(&inbox, &mut frames);
        assert_eq!(scanned.violation, None);
        let complete = scanned.complete;
        let block = inbox.split_to(complete);
        seen.extend(frames.into_iter().map(|frame| see(&block, frame)));
    }
    assert!(inbox.is_empty(), "{} bytes are left over", inbox.len());
    seen
}

#[test]
fn every_reply_is_the_same_however_it_is_cut() {
    for Transcript { request, reply } in transcripts() {
        let whole = scan([&reply[..]]);
        assert_eq!(scan(reply.chunks(1)), whole, "{}", request.escape_ascii());
        for cut in 0..=reply.len() {
            let (front, back) = reply.split_at(cut);
            assert_eq!(
                scan([front, back]),
                whole,
                "{} cut at {cut}",
                request.escape_ascii()
            );
        }
    }
}

struct Recorded<'a>(&'a [u8], Expect);

impl Request for Recorded<'_> {
    fn encode(&self, out: &mut OutBuffer) {
        out.put(self.0);
    }

    fn expect(&self) -> Expect {
        self.1
    }
}

/// What the request of a transcript expects; `None` where its reply ends the connection.
fn expectation(transcript: &Transcript) -> Option<Expect> {
    const STATUSES: &[Status] = &[
        Status::Stored,
        Status::NotStored,
        Status::Exists,
        Status::NotFound,
        Status::Deleted,
        Status::Touched,
        Status::Ok,
    ];
    let request = &transcript.request;
    let body = match request.iter().filter(|byte| **byte == b'\n').count() {
        0 | 1 => Body::None,
        _ => Body::Data,
    };
    let is_refused = [&b"CLIENT_ERROR"[..], b"ERROR"]
        .iter()
        .any(|it| transcript.reply.starts_with(it));
    if transcript.reply.is_empty() || body == Body::Data && is_refused {
        return None;
    }
    let verb = request.split(|byte| b" \r".contains(byte)).next()?;
    Some(match verb {
        b"mn" => Expect::Noop,
        b"mg" | b"ms" | b"md" | b"ma" | b"me" => Expect::Meta(body),
        b"stats" | b"get" | b"gets" | b"gat" | b"gats" => Expect::Lines,
        _ => Expect::Line(Allowed::statuses(STATUSES, body).or_number().or_text()),
    })
}

fn limits() -> Limits {
    Limits {
        operations: 10_000,
        bytes: 1 << 30,
        keys_per_line: 100,
        drain_timeout: Duration::from_secs(1),
    }
}

/// A way to deal out what was read.
type Deal =
    fn(&mut Pipeline, &mut Scanner, &[u8], &mut Vec<Waker>) -> (usize, Result<(), Violation>);

/// Pushes every transcript's request into one pipeline, and deals out their replies in parts.
fn deal_all(transcripts: &[Transcript], deal: Deal, part: impl Fn() -> usize) -> Vec<Reply> {
    let mut pipeline = Pipeline::new(limits());
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut tickets = Vec::new();
    let mut bytes = Vec::new();
    for transcript in transcripts {
        let Some(expect) = expectation(transcript) else {
            continue;
        };
        let keys: Vec<&[u8]> = transcript
            .request
            .trim_ascii_end()
            .split(|b| *b == b' ')
            .collect();
        let ticket = match keys[0] {
            b"gat" | b"gats" => continue, // The client sends them with one key only.
            b"get" | b"gets" if keys.len() > 1 => {
                let many = keys[1..].iter().copied();
                let retrieval = if keys[0] == b"get" {
                    Retrieval::Get
                } else {
                    Retrieval::Gets
                };
                pipeline.push_get_many(retrieval, b"", many, deadline)
            }
            _ => pipeline.push(&Recorded(&transcript.request, expect), deadline),
        };
        tickets.push(ticket.expect("room"));
        // Each request on its own line, as it was when it was recorded.
        let mut out = pipeline.take_output().expect("something to write");
        out.advance(out.len());
        pipeline.give_back(out);
        bytes.extend_from_slice(&transcript.reply);
    }
    let mut scanner = Scanner::new(1 << 20);
    let mut inbox = BytesMut::new();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let (front, back) = rest.split_at(part().clamp(1, rest.len()));
        rest = back;
        inbox.extend_from_slice(front);
        let (length, dealt) = deal(&mut pipeline, &mut scanner, &inbox, &mut Vec::new());
        dealt.expect("in step");
        inbox.advance(length);
    }
    let mut context = Context::from_waker(Waker::noop());
    let replies = tickets
        .iter()
        .map(|ticket| match pipeline.poll(ticket, &mut context) {
            Poll::Ready(reply) => reply.expect("a reply"),
            Poll::Pending => panic!("a request without a reply"),
        });
    replies.collect()
}

#[test]
fn all_replies_in_a_row_pair_with_their_requests_however_they_are_cut() {
    let transcripts = transcripts();
    let whole = deal_all(&transcripts, Pipeline::deal_scanned, || usize::MAX);
    assert!(
        whole.len() >= 180,
        "only {} of them can follow each other",
        whole.len()
    );
    // What is expected takes a way of its own.
    for deal in [Pipeline::deal_read, Pipeline::deal_scanned] {
        assert_eq!(deal_all(&transcripts, deal, || usize::MAX), whole);
        assert_eq!(deal_all(&transcripts, deal, || 1), whole);
        for seed in 0..20 {
            let random = std::cell::RefCell::new(fastrand::Rng::with_seed(seed));
            let part = || random.borrow_mut().usize(1..200);
            assert_eq!(deal_all(&transcripts, deal, part), whole);
        }
    }
}

#[derive(Clone, Debug)]
enum Sent {
    Value(Vec<u8>, u32, Option<u64>, Vec<u8>),
    Meta(Vec<u8>),
    Word(&'static str),
    Number(u64),
    Stat(String),
}

impl Sent {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Value(key, flags, cas, data) => {
                let cas = cas.map_or_else(String::new, |cas| format!(" {cas}"));
                let tail = format!(" {flags} {}{cas}\r\n", data.len());
                [b"VALUE ", &key[..], tail.as_bytes(), data, b"\r\n"].concat()
            }
            Self::Meta(data) => [
                format!("VA {} t-1 f0\r\n", data.len()).as_bytes(),
                data,
                b"\r\n",
            ]
            .concat(),
            Self::Word(word) => format!("{word}\r\n").into_bytes(),
            Self::Number(number) => format!("{number}\r\n").into_bytes(),
            Self::Stat(line) => format!("STAT {line}\r\n").into_bytes(),
        }
    }

    fn seen(&self) -> Seen {
        match self {
            Self::Value(key, flags, cas, data) => {
                let name = format!("value {flags} {}", cas.unwrap_or(0));
                Seen(name, vec![key.clone(), data.clone()])
            }
            Self::Meta(data) => Seen(
                format!("{:?}", MetaCode::Value),
                vec![b" t-1 f0".to_vec(), data.clone()],
            ),
            Self::Word(word) => {
                let status = Status::parse(word.as_bytes()).expect("a status");
                Seen(format!("{:?}", Frame::Status(status)), Vec::new())
            }
            Self::Number(number) => Seen(format!("{:?}", Frame::Number(*number)), Vec::new()),
            Self::Stat(line) => Seen("line".into(), vec![format!("STAT {line}").into_bytes()]),
        }
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    let key = prop::collection::vec(0x21..0x7f_u8, 1..250);
    let data = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..100),
        Just(b"END\r\nVALUE a 0 1\r\n".to_vec())
    ];
    prop_oneof![
        (key, any::<u32>(), any::<Option<u64>>(), data.clone())
            .prop_map(|(key, flags, cas, data)| Sent::Value(key, flags, cas, data)),
        data.prop_map(Sent::Meta),
        prop::sample::select(vec!["END", "STORED", "NOT_FOUND", "OK"]).prop_map(Sent::Word),
        any::<u64>().prop_map(Sent::Number),
        "[ -~]{0,50}".prop_map(Sent::Stat),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_is_what_is_seen(
        sent in prop::collection::vec(sent(), 0..30),
        part in 1..70_usize,
    ) {
        let bytes: Vec<u8> = sent.iter().flat_map(Sent::encode).collect();
        let expected: Vec<Seen> = sent.iter().map(Sent::seen).collect();
        prop_assert_eq!(scan(bytes.chunks(part)), expected);
    }

    #[test]
    fn garbage_neither_panics_nor_is_waited_for_in_vain(
        garbage in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let mut frames = Vec::new();
        let complete = Scanner::new(1 << 20).scan(&garbage, &mut frames).complete;
        prop_assert!(complete <= garbage.len());
        let block = Bytes::from(garbage).slice(..complete);
        frames.into_iter().for_each(|frame| drop(see(&block, frame)));
    }
}
