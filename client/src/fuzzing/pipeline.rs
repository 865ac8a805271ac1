//! One connection's pipeline under any order of events, with a server that is honest for a while and then
//! may say anything.

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Buf as _, BytesMut};

use super::choices::Choices;
use crate::error::{Error, ErrorKind};
use crate::proto::command::WireKey;
use crate::proto::command::admin::Version;
use crate::proto::command::item::Delete;
use crate::proto::frame::Scanner;
use crate::proto::group::Retrieval;
use crate::proto::output::OutBuffer;
use crate::proto::pipeline::{Limits, Pipeline};
use crate::proto::reply::{Reply, Status};
use crate::proto::slots::Ticket;

const LIMITS: Limits = Limits {
    operations: 24,
    bytes: 512,
    keys_per_line: 4,
    drain_timeout: Duration::from_millis(500),
};

/// What was asked; keys are numbers.
enum Asked {
    Get(u32),
    GetMany(Vec<u32>),
    Delete(u32),
    Version,
}

fn key(number: u32) -> String {
    format!("k{number}")
}

/// Every third key is missing; the value of the others is their number.
fn is_there(number: u32) -> bool {
    !number.is_multiple_of(3)
}

struct World {
    pipeline: Pipeline,
    now: Instant,
    waiting: Vec<(Ticket, Asked)>,
    next_key: u32,
    lent: Option<Box<OutBuffer>>,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    scanner: Scanner,
    inbox: BytesMut,
    /// Nothing that the server says can be relied on any more.
    lies: bool,
}

/// Any events, as the bytes choose them: no wrong answer, no caller left behind, no slot lost.
pub fn pipeline(bytes: &[u8]) {
    let mut choices = Choices::of(bytes);
    let mut world = World {
        pipeline: Pipeline::new(LIMITS),
        now: Instant::now(),
        waiting: Vec::new(),
        next_key: 0,
        lent: None,
        to_server: Vec::new(),
        to_client: Vec::new(),
        scanner: Scanner::new(4096),
        inbox: BytesMut::new(),
        lies: false,
    };
    while !choices.is_over() {
        world.step(&mut choices);
    }
    world.finish();
}

impl World {
    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.below(16) {
            0..=3 => self.submit(choices),
            4 | 5 => self.poll(choices),
            6 => self.abandon(choices),
            7..=9 => self.write(choices),
            10 => self.serve(),
            11 | 12 => self.read(choices.below(256)),
            13 => self.pass_time(choices.below(256)),
            14 => self.break_connection(choices.below(2) == 1),
            _ => {
                let length = choices.below(64);
                self.to_client.extend_from_slice(choices.bytes(length));
                self.lies = true;
            }
        }
    }

    fn submit(&mut self, choices: &mut Choices<'_>) {
        let deadline = self.now + Duration::from_millis(1 + choices.below(256) as u64);
        let pipeline = &mut self.pipeline;
        let number = self.next_key;
        self.next_key += 4;
        let name = key(number);
        let (pushed, asked) = match choices.below(4) {
            0 => {
                let retrieval = [Retrieval::Get, Retrieval::Gets][choices.below(2)];
                let pushed = pipeline.push_get(retrieval, b"", name.as_bytes(), deadline);
                (pushed, Asked::Get(number))
            }
            1 => {
                let numbers: Vec<u32> = (number..=number + choices.below(4) as u32).collect();
                let names: Vec<String> = numbers.iter().copied().map(key).collect();
                let keys = names.iter().map(String::as_bytes);
                let pushed = pipeline.push_get_many(Retrieval::Get, b"", keys, deadline);
                (pushed, Asked::GetMany(numbers))
            }
            2 => {
                let key = WireKey {
                    prefix: b"",
                    key: name.as_bytes(),
                    is_base64: false,
                };
                let pushed = pipeline.push(&Delete { key }, deadline);
                (pushed, Asked::Delete(number))
            }
            _ => (pipeline.push(&Version, deadline), Asked::Version),
        };
        if let Ok(ticket) = pushed {
            self.waiting.push((ticket, asked));
        }
    }

    fn poll(&mut self, choices: &mut Choices<'_>) {
        if self.waiting.is_empty() {
            return;
        }
        let index = choices.below(self.waiting.len());
        let mut context = Context::from_waker(Waker::noop());
        let polled = self.pipeline.poll(&self.waiting[index].0, &mut context);
        if let Poll::Ready(answer) = polled {
            let (_, asked) = self.waiting.swap_remove(index);
            if let (Ok(reply), false) = (answer, self.lies) {
                check(&asked, &reply);
            }
        }
    }

    fn abandon(&mut self, choices: &mut Choices<'_>) {
        if !self.waiting.is_empty() {
            let index = choices.below(self.waiting.len());
            let (ticket, _) = self.waiting.swap_remove(index);
            self.pipeline.abandon(ticket);
        }
    }

    /// The socket takes some bytes, the writer gives the buffer back or goes on.
    fn write(&mut self, choices: &mut Choices<'_>) {
        let Some(mut buffer) = self.lent.take().or_else(|| self.pipeline.take_output()) else {
            return;
        };
        let mut slices = [std::io::IoSlice::new(&[]); 4];
        let count = buffer.slices(&mut slices);
        let bytes: Vec<u8> = slices[..count].iter().flat_map(|it| it.to_vec()).collect();
        let take = match choices.below(2) {
            0 => bytes.len(),
            _ => choices.below(bytes.len() + 1),
        };
        self.to_server.extend_from_slice(&bytes[..take]);
        buffer.advance(take);
        if choices.below(4) == 3 {
            self.lent = Some(buffer);
        } else {
            self.pipeline.give_back(buffer);
        }
    }

    /// The server answers the requests that are complete.
    fn serve(&mut self) {
        while let Some(end) = self.to_server.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.to_server.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).into_owned();
            assert!(line.ends_with("\r\n"), "the pipeline wrote {line:?}");
            let mut words = line.split_ascii_whitespace();
            let verb = words.next();
            let numbers: Vec<u32> = words
                .map_while(|word| word.strip_prefix('k')?.parse().ok())
                .collect();
            let reply = match verb {
                Some("get" | "gets") => {
                    let cas = if verb == Some("gets") { " 7" } else { "" };
                    let there = numbers.into_iter().filter(|number| is_there(*number));
                    let mut reply: String = there
                        .map(|number| {
                            let value = number.to_string();
                            format!("VALUE k{number} 0 {}{cas}\r\n{value}\r\n", value.len())
                        })
                        .collect();
                    reply.push_str("END\r\n");
                    reply
                }
                Some("delete") if numbers.iter().copied().all(is_there) => "DELETED\r\n".to_owned(),
                Some("delete") => "NOT_FOUND\r\n".to_owned(),
                Some("version") => "VERSION 1\r\n".to_owned(),
                other => unreachable!("the pipeline wrote {other:?}"),
            };
            self.to_client.extend_from_slice(reply.as_bytes());
        }
    }

    fn read(&mut self, most: usize) {
        let take = most.min(self.to_client.len());
        self.inbox.extend_from_slice(&self.to_client[..take]);
        self.to_client.drain(..take);
        let mut wake = Vec::new();
        let (length, dealt) = self
            .pipeline
            .deal_read(&mut self.scanner, &self.inbox, &mut wake);
        self.inbox.advance(length);
        let is_broken = dealt.is_err();
        assert!(self.lies || !is_broken, "out of step with an honest server");
        if is_broken {
            self.break_connection(false);
        }
    }

    fn pass_time(&mut self, milliseconds: usize) {
        self.now += Duration::from_millis(milliseconds as u64);
        let found = self.pipeline.expire(self.now, &mut Vec::new());
        assert!(found.is_stalled || found.next.is_none_or(|next| next > self.now));
        if found.is_stalled {
            self.break_connection(false);
        }
    }

    fn break_connection(&mut self, is_refused: bool) {
        let cause = Error::new(ErrorKind::ConnectionClosed);
        self.pipeline.disconnect(&cause, &mut Vec::new());
        if let Some(stale) = self.lent.take() {
            self.pipeline.give_back(stale);
        }
        if is_refused {
            let refused = Error::new(ErrorKind::Connect);
            self.pipeline.fail_unsent(&refused, &mut Vec::new());
        }
        self.to_server.clear();
        self.to_client.clear();
        self.inbox.clear();
        self.scanner = Scanner::new(4096);
    }

    /// The connection ends: everybody is answered, and no slot stays taken.
    fn finish(mut self) {
        self.break_connection(true);
        let mut context = Context::from_waker(Waker::noop());
        for (ticket, asked) in std::mem::take(&mut self.waiting) {
            match self.pipeline.poll(&ticket, &mut context) {
                Poll::Ready(Ok(reply)) if !self.lies => check(&asked, &reply),
                Poll::Ready(_) => {}
                Poll::Pending => unreachable!("a caller waits for ever"),
            }
        }
        assert!(self.pipeline.is_idle());
        assert_eq!(self.pipeline.operations(), 0, "slots leak");
    }
}

fn check(asked: &Asked, reply: &Reply) {
    let is_right = |number: u32, item: &Option<crate::proto::reply::Item>| match item {
        Some(item) => is_there(number) && item.data == number.to_string(),
        None => !is_there(number),
    };
    let is_right = match (asked, reply) {
        (Asked::Get(number), Reply::Item(item)) => is_right(*number, item),
        (Asked::GetMany(numbers), Reply::Items(items)) => {
            let mut pairs = numbers.iter().zip(items);
            numbers.len() == items.len() && pairs.all(|(number, item)| is_right(*number, item))
        }
        (Asked::Delete(number), Reply::Status(Status::Deleted)) => is_there(*number),
        (Asked::Delete(number), Reply::Status(Status::NotFound)) => !is_there(*number),
        (Asked::Version, Reply::Line(line)) => line == "VERSION 1",
        _ => false,
    };
    assert!(is_right, "another's answer: {reply:?}");
}
