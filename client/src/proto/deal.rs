//! Gives each frame to the request it answers: the oldest one, always.
//!
//! A frame that the oldest request cannot have caused means that requests and replies are out of
//! step. Then nothing on this connection can be trusted any more, and the connection is given up.

use std::task::Waker;

use bytes::Bytes;

#[cfg(any(test, fuzzing))]
use super::frame::Scanner;
use super::frame::{Frame, Span, TOO_LARGE, Violation};
use super::group::{Group, Member};
use super::pipeline::{Kind, Pipeline};
use super::reply::{
    Allowed, Body, ErrorClass, ErrorLine, Expect, Item, MetaCode, MetaReply, Reply, Status,
};
use super::slots::{Partial, Slots};
use crate::error::{Error, ErrorKind};

/// The most that one reply of many lines may hold, in bytes. The largest one memcached sends,
/// `stats cachedump`, ends at 2 MiB.
const MAX_LINES_BYTES: usize = 16 * 1024 * 1024;

/// What a frame did to the request at the front.
enum Step {
    /// It waits for more.
    More,
    Done,
    /// It is answered, but nothing behind it can be trusted.
    Last(Violation),
}

/// What the server says before it closes a connection that is one too many. Nobody asked for it, so
/// it must not be taken for a reply.
const TOO_MANY: &[u8] = b"Too many open connections";

/// What was read, cut into frames, with the payload of each on its own.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    /// The frames point into this.
    pub(crate) bytes: &'a [u8],
    pub(crate) frames: &'a [Frame],
    /// One for each frame: what [`Frame::payload`] points to. It is left empty.
    pub(crate) payloads: &'a mut Vec<Bytes>,
}

/// A frame with its payload.
struct Arrival<'a> {
    frame: Frame,
    payload: Bytes,
    bytes: &'a [u8],
}

impl Arrival<'_> {
    fn is_value_of_another_key(&self, crc32: u32) -> bool {
        match self.frame {
            Frame::Value { key, .. } => crc32fast::hash(&self.bytes[key.range()]) != crc32,
            _ => false,
        }
    }

    /// Whether a line is one of those that `stats` and its kin answer.
    fn is_listed(&self) -> bool {
        let words: [&[u8]; 3] = [b"STAT ", b"ITEM ", b"PREFIX "];
        words.iter().any(|word| self.payload.starts_with(word))
    }

    /// The reply of a meta command, whose payload this is.
    fn meta(self, code: MetaCode, flags: Span, data: Option<Span>) -> Reply {
        Reply::Meta(match data {
            Some(data) => {
                let lengths = (flags.range().len(), data.range().len());
                MetaReply::with_data(code, self.payload, lengths)
            }
            None => MetaReply::without_data(code, self.payload),
        })
    }

    /// An error line in place of a reply.
    fn error(self) -> Result<Reply, Violation> {
        match self.frame {
            Frame::Error(class, _) => Ok(Reply::Error(ErrorLine {
                class,
                message: self.payload,
            })),
            _ => Err(Violation(
                "a reply of another kind than the request can get",
            )),
        }
    }
}

impl Pipeline {
    /// Deals out a batch, behind which stands `violation`, if there is one. Adds to `wake` every caller
    /// now served.
    ///
    /// After an error the connection must be given up. The request that the error is about has
    /// been answered; what is left is for [`Pipeline::disconnect`].
    pub(crate) fn deal(
        &mut self,
        batch: Batch<'_>,
        violation: Option<Violation>,
        wake: &mut Vec<Waker>,
    ) -> Result<(), Violation> {
        let Batch {
            bytes,
            frames,
            payloads,
        } = batch;
        for (frame, payload) in frames.iter().zip(payloads.drain(..)) {
            let arrival = Arrival {
                frame: *frame,
                payload,
                bytes,
            };
            match self.deal_frame(arrival, wake) {
                Ok(Step::More) => {}
                Ok(Step::Done) => self.pop_front(),
                Ok(Step::Last(violation)) => {
                    self.pop_front();
                    return Err(violation);
                }
                Err(violation) => return Err(self.blame(violation, wake)),
            }
        }
        match violation {
            Some(violation) => Err(self.blame(violation, wake)),
            None => Ok(()),
        }
    }

    /// Deals out `bytes`, the front of which `scanner` is at, the way a connection does, and returns
    /// how many bytes that were.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn deal_read(
        &mut self,
        scanner: &mut Scanner,
        bytes: &[u8],
        wake: &mut Vec<Waker>,
    ) -> (usize, Result<(), Violation>) {
        let expected = self.deal_expected(bytes, scanner.max_value(), wake);
        if expected > 0 {
            scanner.restart();
        }
        let (rest, dealt) = self.deal_scanned(scanner, &bytes[expected..], wake);
        (expected + rest, dealt)
    }

    /// As [`Self::deal_read`], expecting nothing.
    #[cfg(any(test, fuzzing))]
    pub(super) fn deal_scanned(
        &mut self,
        scanner: &mut Scanner,
        bytes: &[u8],
        wake: &mut Vec<Waker>,
    ) -> (usize, Result<(), Violation>) {
        let (mut frames, mut payloads) = (Vec::new(), Vec::new());
        let scanned = scanner.scan(bytes, &mut frames);
        super::detach::detach(bytes, None, &frames, &mut payloads);
        let batch = Batch {
            bytes,
            frames: &frames,
            payloads: &mut payloads,
        };
        let dealt = self.deal(batch, scanned.violation, wake);
        (scanned.complete, dealt)
    }

    /// Fails the request that the server was answering when it broke the protocol.
    fn blame(&mut self, violation: Violation, wake: &mut Vec<Waker>) -> Violation {
        let error = match violation {
            TOO_LARGE => Error::with_detail(ErrorKind::TooLarge, violation.0).sent(true),
            other => Error::protocol(other.0),
        };
        self.fail_front(&error, wake);
        violation
    }

    #[inline]
    fn deal_frame(
        &mut self,
        arrival: Arrival<'_>,
        wake: &mut Vec<Waker>,
    ) -> Result<Step, Violation> {
        if matches!(arrival.frame, Frame::Error(..)) && arrival.payload == TOO_MANY {
            return Err(Violation("it has too many open connections"));
        }
        let entry = self
            .queue
            .front_mut()
            .filter(|entry| entry.start < self.taken);
        match entry.map(|entry| &mut entry.kind) {
            None => Err(Violation("a reply that nobody asked for")),
            Some(Kind::One { slot, expect }) => {
                deal_one(&mut self.slots, *slot, *expect, arrival, wake)
            }
            Some(Kind::Get(group)) => deal_group(&mut self.slots, group, arrival, wake),
        }
    }

    #[inline]
    pub(super) fn pop_front(&mut self) {
        if let Some(entry) = self.queue.pop_front()
            && let Kind::Get(group) = entry.kind
        {
            self.keep_group(group);
        }
    }
}

fn deal_one(
    slots: &mut Slots,
    slot: u32,
    expect: Expect,
    arrival: Arrival<'_>,
    wake: &mut Vec<Waker>,
) -> Result<Step, Violation> {
    if let (Frame::Error(class, _), Body::Data) = (arrival.frame, expect.body())
        && class != ErrorClass::Server
    {
        slots.complete(slot, arrival.error()?, wake);
        return Ok(Step::Last(Violation(
            "it may run the data it refused as commands",
        )));
    }
    let reply = match expect {
        Expect::Line(allowed) => line_reply(allowed, arrival)?,
        Expect::Meta(_) => match arrival.frame {
            Frame::Meta { code, flags, data } if code != MetaCode::Noop => {
                arrival.meta(code, flags, data)
            }
            _ => arrival.error()?,
        },
        Expect::Lines => match add_line(slots, slot, arrival)? {
            Some(reply) => reply,
            None => return Ok(Step::More),
        },
        Expect::Item { key } => match add_item(slots, slot, key, arrival)? {
            Some(reply) => reply,
            None => return Ok(Step::More),
        },
        Expect::Noop => match arrival.frame {
            Frame::Meta {
                code: MetaCode::Noop,
                flags,
                ..
            } => arrival.meta(MetaCode::Noop, flags, None),
            _ => arrival.error()?,
        },
        Expect::Close => arrival.error()?,
    };
    slots.complete(slot, reply, wake);
    Ok(Step::Done)
}

fn line_reply(allowed: Allowed, arrival: Arrival<'_>) -> Result<Reply, Violation> {
    Ok(match arrival.frame {
        Frame::Status(status) if allowed.allows(status) => Reply::Status(status),
        Frame::Number(number) if allowed.allows_number() => Reply::Number(number),
        Frame::Line(_) if allowed.allows_text() => Reply::Line(arrival.payload),
        _ => arrival.error()?,
    })
}

fn add_line(
    slots: &mut Slots,
    slot: u32,
    arrival: Arrival<'_>,
) -> Result<Option<Reply>, Violation> {
    let slot = slots.get_mut(slot);
    let is_wanted = slot.is_waiting();
    let Partial::Lines(lines, held) = &mut slot.partial else {
        return finish_unwanted(arrival);
    };
    match arrival.frame {
        Frame::Line(line) if arrival.is_listed() => {
            *held += line.range().len();
            if *held > MAX_LINES_BYTES {
                return Err(Violation("a list of lines without an end"));
            }
            if is_wanted {
                lines.push(arrival.payload);
            }
            Ok(None)
        }
        Frame::Status(Status::End) => Ok(Some(Reply::Lines(std::mem::take(lines)))),
        Frame::Status(status @ (Status::Ok | Status::Reset)) if lines.is_empty() => {
            Ok(Some(Reply::Status(status)))
        }
        _ => arrival.error().map(Some),
    }
}

/// Goes on to the end of a reply of many lines whose caller is gone.
fn finish_unwanted(arrival: Arrival<'_>) -> Result<Option<Reply>, Violation> {
    match arrival.frame {
        Frame::Line(_) if arrival.is_listed() => Ok(None),
        Frame::Status(status @ (Status::End | Status::Ok | Status::Reset)) => {
            Ok(Some(Reply::Status(status)))
        }
        _ => arrival.error().map(Some),
    }
}

fn add_item(
    slots: &mut Slots,
    slot: u32,
    expected_key: u32,
    arrival: Arrival<'_>,
) -> Result<Option<Reply>, Violation> {
    if arrival.is_value_of_another_key(expected_key) {
        return Err(Violation("a value for a key that was not asked for"));
    }
    let slot = slots.get_mut(slot);
    match (arrival.frame, &mut slot.partial) {
        (Frame::Value { flags, cas, .. }, Partial::Nothing) => {
            let data = arrival.payload;
            slot.partial = Partial::Item(Item { data, flags, cas });
            Ok(None)
        }
        (Frame::Status(Status::End), partial) => {
            Ok(Some(Reply::Item(match std::mem::take(partial) {
                Partial::Item(item) => Some(item),
                _ => None,
            })))
        }
        _ => arrival.error().map(Some),
    }
}

#[inline]
fn deal_group(
    slots: &mut Slots,
    group: &mut Group,
    arrival: Arrival<'_>,
    wake: &mut Vec<Waker>,
) -> Result<Step, Violation> {
    match arrival.frame {
        Frame::Value {
            key, flags, cas, ..
        } => {
            let Some(missed) = group.distance_to(&arrival.bytes[key.range()]) else {
                return Err(Violation("a value for a key that was not asked for"));
            };
            for _ in 0..missed {
                if let Some(member) = group.advance() {
                    give(slots, member, None, wake);
                }
            }
            if let Some(member) = group.advance() {
                let data = arrival.payload;
                give(slots, member, Some(Item { data, flags, cas }), wake);
            }
            Ok(Step::More)
        }
        Frame::Status(Status::End) => {
            while let Some(member) = group.advance() {
                give(slots, member, None, wake);
            }
            Ok(Step::Done)
        }
        _ => {
            let reply = arrival.error()?;
            while let Some(member) = group.advance() {
                slots.complete(member.slot, reply.clone(), wake);
            }
            Ok(Step::Done)
        }
    }
}

/// Gives one key's item, or its miss, to the slot that asked for it.
#[inline(always)]
pub(super) fn give(slots: &mut Slots, member: Member, item: Option<Item>, wake: &mut Vec<Waker>) {
    if !member.is_one_of_many {
        return slots.complete(member.slot, Reply::Item(item), wake);
    }
    let slot = slots.get_mut(member.slot);
    if let Partial::Items(items) = &mut slot.partial {
        items.push(item);
    }
    if slot.is_last_on_wire() {
        let reply = match std::mem::take(&mut slot.partial) {
            Partial::Items(items) => Reply::Items(items),
            _ => Reply::Items(Vec::new()),
        };
        slots.answer(member.slot, Ok(reply), wake);
    }
    slots.off_wire(member.slot);
}
