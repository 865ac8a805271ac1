//! Gives each frame to the request it answers: the oldest one, always.
//!
//! A frame that the oldest request cannot have caused means that requests and replies are out of
//! step. Then nothing on this connection can be trusted any more, and the connection is given up.

use std::task::Waker;

use bytes::Bytes;

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

/// The frames of one read, with what they point into.
#[derive(Clone, Copy)]
struct Source<'a> {
    block: &'a Bytes,
}

impl Source<'_> {
    fn bytes(self, span: Span) -> Bytes {
        self.block.slice(span.range())
    }

    fn error(self, class: ErrorClass, text: Span) -> ErrorLine {
        ErrorLine {
            class,
            message: self.bytes(text),
        }
    }

    fn meta(self, code: MetaCode, flags: Span, data: Option<Span>) -> MetaReply {
        MetaReply {
            code,
            flags: self.bytes(flags),
            data: data.map(|span| self.bytes(span)),
        }
    }
}

impl Pipeline {
    /// Deals out `frames`, which point into `block`. Adds to `wake` every caller now served.
    ///
    /// After an error the connection must be given up. The request that the error is about has
    /// been answered; what is left is for [`Pipeline::disconnect`].
    pub(crate) fn deal(
        &mut self,
        block: &Bytes,
        frames: &[Frame],
        wake: &mut Vec<Waker>,
    ) -> Result<(), Violation> {
        let source = Source { block };
        for frame in frames {
            let step = self.deal_frame(source, *frame, wake);
            match step {
                Ok(Step::More) => {}
                Ok(Step::Done) => self.pop_front(),
                Ok(Step::Last(violation)) => {
                    self.pop_front();
                    return Err(violation);
                }
                Err(violation) => {
                    self.blame(violation, wake);
                    return Err(violation);
                }
            }
        }
        Ok(())
    }

    /// Fails the request that the server was answering when it broke the protocol.
    pub(crate) fn blame(&mut self, violation: Violation, wake: &mut Vec<Waker>) {
        let error = match violation {
            TOO_LARGE => Error::with_detail(ErrorKind::TooLarge, violation.0).sent(true),
            other => Error::protocol(other.0),
        };
        self.fail_front(&error, wake);
    }

    fn deal_frame(
        &mut self,
        source: Source<'_>,
        frame: Frame,
        wake: &mut Vec<Waker>,
    ) -> Result<Step, Violation> {
        if let Frame::Error(_, text) = frame
            && source.block[text.range()] == *TOO_MANY
        {
            return Err(Violation("it has too many open connections"));
        }
        let entry = self
            .queue
            .front_mut()
            .filter(|entry| entry.start < self.taken);
        match entry.map(|entry| &mut entry.kind) {
            None => Err(Violation("a reply that nobody asked for")),
            Some(Kind::One { slot, expect }) => {
                deal_one(&mut self.slots, *slot, *expect, source, frame, wake)
            }
            Some(Kind::Get(group)) => deal_group(&mut self.slots, group, source, frame, wake),
        }
    }

    fn pop_front(&mut self) {
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
    source: Source<'_>,
    frame: Frame,
    wake: &mut Vec<Waker>,
) -> Result<Step, Violation> {
    if let (Frame::Error(class, text), Body::Data) = (frame, expect.body())
        && class != ErrorClass::Server
    {
        slots.complete(slot, Reply::Error(source.error(class, text)), wake);
        return Ok(Step::Last(Violation(
            "it may run the data it refused as commands",
        )));
    }
    let reply = match expect {
        Expect::Line(allowed) => line_reply(allowed, source, frame)?,
        Expect::Meta(_) => match frame {
            Frame::Meta { code, flags, data } if code != MetaCode::Noop => {
                Reply::Meta(source.meta(code, flags, data))
            }
            other => error_reply(source, other)?,
        },
        Expect::Lines => match add_line(slots, slot, source, frame)? {
            Some(reply) => reply,
            None => return Ok(Step::More),
        },
        Expect::Item { key } => match add_item(slots, slot, key, source, frame)? {
            Some(reply) => reply,
            None => return Ok(Step::More),
        },
        Expect::Noop => match frame {
            Frame::Meta {
                code: MetaCode::Noop,
                flags,
                ..
            } => Reply::Meta(source.meta(MetaCode::Noop, flags, None)),
            other => error_reply(source, other)?,
        },
        Expect::Close => error_reply(source, frame)?,
    };
    slots.complete(slot, reply, wake);
    Ok(Step::Done)
}

fn line_reply(allowed: Allowed, source: Source<'_>, frame: Frame) -> Result<Reply, Violation> {
    Ok(match frame {
        Frame::Status(status) if allowed.allows(status) => Reply::Status(status),
        Frame::Number(number) if allowed.allows_number() => Reply::Number(number),
        Frame::Line(line) if allowed.allows_text() => Reply::Line(source.bytes(line)),
        other => error_reply(source, other)?,
    })
}

/// An error line in place of a reply.
fn error_reply(source: Source<'_>, frame: Frame) -> Result<Reply, Violation> {
    match frame {
        Frame::Error(class, text) => Ok(Reply::Error(source.error(class, text))),
        _ => Err(Violation(
            "a reply of another kind than the request can get",
        )),
    }
}

fn add_line(
    slots: &mut Slots,
    slot: u32,
    source: Source<'_>,
    frame: Frame,
) -> Result<Option<Reply>, Violation> {
    let slot = slots.get_mut(slot);
    let is_wanted = slot.is_waiting();
    let Partial::Lines(lines, held) = &mut slot.partial else {
        return finish_unwanted(frame, source);
    };
    match frame {
        Frame::Line(line) if is_listed(source, line) => {
            *held += line.range().len();
            if *held > MAX_LINES_BYTES {
                return Err(Violation("a list of lines without an end"));
            }
            if is_wanted {
                lines.push(source.bytes(line));
            }
            Ok(None)
        }
        Frame::Status(Status::End) => Ok(Some(Reply::Lines(std::mem::take(lines)))),
        Frame::Status(status @ (Status::Ok | Status::Reset)) if lines.is_empty() => {
            Ok(Some(Reply::Status(status)))
        }
        other => error_reply(source, other).map(Some),
    }
}

/// Whether a line is one of those that `stats` and its kin answer.
fn is_listed(source: Source<'_>, line: Span) -> bool {
    let line = &source.block[line.range()];
    let words: [&[u8]; 3] = [b"STAT ", b"ITEM ", b"PREFIX "];
    words.iter().any(|word| line.starts_with(word))
}

/// Goes on to the end of a reply of many lines whose caller is gone.
fn finish_unwanted(frame: Frame, source: Source<'_>) -> Result<Option<Reply>, Violation> {
    match frame {
        Frame::Line(line) if is_listed(source, line) => Ok(None),
        Frame::Status(status @ (Status::End | Status::Ok | Status::Reset)) => {
            Ok(Some(Reply::Status(status)))
        }
        other => error_reply(source, other).map(Some),
    }
}

fn add_item(
    slots: &mut Slots,
    slot: u32,
    expected_key: u32,
    source: Source<'_>,
    frame: Frame,
) -> Result<Option<Reply>, Violation> {
    if let Frame::Value { key, .. } = frame
        && crc32fast::hash(&source.block[key.range()]) != expected_key
    {
        return Err(Violation("a value for a key that was not asked for"));
    }
    let slot = slots.get_mut(slot);
    match (frame, &mut slot.partial) {
        (
            Frame::Value {
                flags, cas, data, ..
            },
            Partial::Nothing,
        ) => {
            let data = source.bytes(data);
            slot.partial = Partial::Item(Item { data, flags, cas });
            Ok(None)
        }
        (Frame::Status(Status::End), partial) => {
            Ok(Some(Reply::Item(match std::mem::take(partial) {
                Partial::Item(item) => Some(item),
                _ => None,
            })))
        }
        _ => error_reply(source, frame).map(Some),
    }
}

fn deal_group(
    slots: &mut Slots,
    group: &mut Group,
    source: Source<'_>,
    frame: Frame,
    wake: &mut Vec<Waker>,
) -> Result<Step, Violation> {
    match frame {
        Frame::Value {
            key,
            flags,
            cas,
            data,
        } => {
            let Some(missed) = group.distance_to(&source.block[key.range()]) else {
                return Err(Violation("a value for a key that was not asked for"));
            };
            for _ in 0..missed {
                if let Some((member, _)) = group.advance() {
                    give(slots, member, None, wake);
                }
            }
            if let Some((member, _)) = group.advance() {
                let item = slots.get(member.slot).is_waiting().then(|| Item {
                    data: source.bytes(data),
                    flags,
                    cas,
                });
                give(slots, member, item, wake);
            }
            Ok(Step::More)
        }
        Frame::Status(Status::End) => {
            while let Some((member, _)) = group.advance() {
                give(slots, member, None, wake);
            }
            Ok(Step::Done)
        }
        other => {
            let reply = error_reply(source, other)?;
            while let Some((member, _)) = group.advance() {
                slots.complete(member.slot, reply.clone(), wake);
            }
            Ok(Step::Done)
        }
    }
}

/// Gives one key's item, or its miss, to the slot that asked for it.
fn give(slots: &mut Slots, member: Member, item: Option<Item>, wake: &mut Vec<Waker>) {
    let Some(index) = member.index else {
        return slots.complete(member.slot, Reply::Item(item), wake);
    };
    let slot = slots.get_mut(member.slot);
    if let Partial::Items(items) = &mut slot.partial {
        items[index as usize] = item;
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
