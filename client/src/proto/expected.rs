//! Deals out nearly all that a client reads: what the oldest requests wait for.
//!
//! The values of a `get` line come in the order of its keys, what changes an item is answered by one
//! of a few words, and a meta command by one line, with or without a value. Who knows what was asked
//! need not search for the end of a key or a line first, nor keep a list of what was found: that halves
//! the instructions a value takes.
//!
//! It takes only what is whole and as expected. From the first byte on that is anything else, all is
//! left to [`Scanner`](super::frame::Scanner) and [`Pipeline::deal`], which alone say what is wrong.

use std::task::Waker;

use bytes::{Bytes, BytesMut};

use super::deal::give;
use super::detach::{LARGE, SHARED};
use super::frame::END;
use super::group::Group;
use super::pipeline::{Entry, Kind, Pipeline};
use super::reply::{Allowed, Expect, Item, MetaCode, MetaReply, Reply, Status};
use super::slots::Slots;
use super::value_line::{MetaLine, VALUE, ValueLine};

/// The longest line that is a [`Status`], with its end.
const LONGEST_STATUS: usize = "NOT_STORED\r\n".len();

impl Pipeline {
    /// Deals out the front of `bytes`, which begin with a reply, as far as it is expected, and returns
    /// how many bytes that were. Adds to `wake` every caller now served.
    ///
    /// A value of more than `max_value` bytes is left, and so is a large one, which may not have to be
    /// copied.
    pub(crate) fn deal_expected(
        &mut self,
        bytes: &[u8],
        max_value: usize,
        wake: &mut Vec<Waker>,
    ) -> usize {
        let mut arrived = Arrived {
            bytes,
            at: 0,
            longest: max_value.min(LARGE - 1),
            block: BytesMut::new(),
        };
        while let Some(Entry { start, kind, .. }) = self.queue.front_mut()
            && *start < self.taken
        {
            match kind {
                Kind::Get(group) => {
                    if !arrived.values(group, &mut self.slots, wake) {
                        break;
                    }
                }
                Kind::One {
                    slot,
                    expect: Expect::Line(allowed),
                } => {
                    let Some(status) = arrived.status(*allowed) else {
                        break;
                    };
                    self.slots.complete(*slot, Reply::Status(status), wake);
                }
                Kind::One {
                    slot,
                    expect: Expect::Meta(_),
                } => {
                    let Some(reply) = arrived.meta() else {
                        break;
                    };
                    self.slots.complete(*slot, Reply::Meta(reply), wake);
                }
                Kind::One { .. } => break,
            }
            self.pop_front();
        }
        arrived.at
    }
}

/// What was read, and how far it is dealt out.
struct Arrived<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The longest value to take.
    longest: usize,
    /// Where values go: what a value that is kept keeps alive besides itself is bounded.
    block: BytesMut,
}

/// A value, and how many keys of its line have missed before it.
struct Found {
    line: ValueLine,
    missed: usize,
    size: usize,
}

impl Arrived<'_> {
    /// Deals out the values of a line of keys, and tells whether that was its whole reply.
    #[inline]
    fn values(&mut self, group: &mut Group, slots: &mut Slots, wake: &mut Vec<Waker>) -> bool {
        loop {
            if self.bytes[self.at..].starts_with(END) {
                self.at += END.len();
                while let Some(member) = group.advance() {
                    give(slots, member, None, wake);
                }
                return true;
            }
            let Some(found) = self.find(group) else {
                return false;
            };
            for _ in 0..found.missed {
                if let Some(member) = group.advance() {
                    give(slots, member, None, wake);
                }
            }
            let Some(member) = group.advance() else {
                return false;
            };
            let item = self.take(&found, slots.get(member.slot).is_waiting());
            give(slots, member, Some(item), wake);
        }
    }

    /// The next value, if it is whole, and for a key of the line.
    #[inline(always)]
    fn find(&self, group: &Group) -> Option<Found> {
        let rest = &self.bytes[self.at..];
        let (line, missed) = match ValueLine::of(group.next_key()?, rest) {
            Some(line) => (line, 0),
            None => {
                let line = ValueLine::parse(rest)?;
                let key = &rest[VALUE.len()..VALUE.len() + line.key_length];
                (line, group.distance_to(key)?)
            }
        };
        let size = self.whole(line.length, line.size)?;
        Some(Found { line, missed, size })
    }

    /// The size that is stated of the data behind a line of `length`, if all of it is there, with its
    /// line end, and it is to be taken.
    #[inline(always)]
    fn whole(&self, length: usize, stated: u64) -> Option<usize> {
        let size = usize::try_from(stated).ok()?;
        if size > self.longest {
            return None;
        }
        let end = self.at + length + size;
        let is_whole = self.bytes.get(end..end + 2)? == b"\r\n";
        is_whole.then_some(size)
    }

    /// The item that was found, with its data if somebody waits for it.
    #[inline(always)]
    fn take(&mut self, found: &Found, is_wanted: bool) -> Item {
        let start = self.at + found.line.length;
        self.at = start + found.size + 2;
        Item {
            data: match is_wanted {
                true => self.copy(start, found.size),
                false => Bytes::new(),
            },
            flags: found.line.flags,
            cas: found.line.cas,
        }
    }

    /// The `size` bytes from `start` on.
    #[inline]
    fn copy(&mut self, start: usize, size: usize) -> Bytes {
        let data = &self.bytes[start..start + size];
        if self.block.capacity() < size {
            // Its own, if nothing comes to share a block with.
            let behind = self.bytes.len() - start - size;
            if size > SHARED || behind <= 2 + END.len() {
                return Bytes::copy_from_slice(data);
            }
            self.block = BytesMut::with_capacity(SHARED.min(size + behind));
        }
        self.block.extend_from_slice(data);
        self.block.split().freeze()
    }

    /// The reply of a meta command, in one piece.
    #[inline]
    fn meta(&mut self) -> Option<MetaReply> {
        let rest = &self.bytes[self.at..];
        let line = MetaLine::parse(rest).filter(|line| line.code != MetaCode::Noop)?;
        let flags = line.flags.len();
        let Some(size) = line.size else {
            let flags = match flags {
                0 => Bytes::new(),
                _ => self.copy(self.at + line.flags.start, flags),
            };
            self.at += line.length;
            return Some(MetaReply::without_data(line.code, flags));
        };
        let size = self.whole(line.length, size)?;
        let end = line.length + size;
        // As of a frame: without flags, the data alone.
        let start = match flags {
            0 => line.length,
            _ => line.flags.start,
        };
        let payload = match end - start {
            0 => Bytes::new(),
            length => self.copy(self.at + start, length),
        };
        self.at += end + 2;
        Some(MetaReply::with_data(line.code, payload, (flags, size)))
    }

    /// The word that is the next line.
    #[inline]
    fn status(&mut self, allowed: Allowed) -> Option<Status> {
        let rest = &self.bytes[self.at..];
        let front = &rest[..rest.len().min(LONGEST_STATUS)];
        let end = front.iter().position(|byte| *byte == b'\n')?;
        let line = front[..end].strip_suffix(b"\r")?;
        let status = Status::parse(line).filter(|status| allowed.allows(*status))?;
        self.at += end + 1;
        Some(status)
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::proto::command::admin::Version;
    use crate::proto::command::item::{Delete, Touch};
    use crate::proto::command::{Request, WireKey};
    use crate::proto::group::Retrieval;
    use crate::proto::output::OutBuffer;
    use crate::proto::pipeline::Limits;
    use crate::proto::reply::Body;
    use crate::proto::slots::Ticket;

    struct Calls {
        pipeline: Pipeline,
        deadline: Instant,
    }

    fn wire_key(key: &str) -> WireKey<'_> {
        WireKey {
            prefix: b"",
            key: key.as_bytes(),
            is_base64: false,
        }
    }

    impl Calls {
        fn new() -> Self {
            let limits = Limits {
                operations: 1000,
                bytes: 1 << 20,
                keys_per_line: 1000,
                drain_timeout: Duration::from_secs(1),
            };
            Self {
                pipeline: Pipeline::new(limits),
                deadline: Instant::now() + Duration::from_secs(60),
            }
        }

        fn get(&mut self, key: &str) -> Ticket {
            let key = key.as_bytes();
            let pushed = self
                .pipeline
                .push_get(Retrieval::Get, b"", key, self.deadline);
            pushed.expect("room")
        }

        fn get_many(&mut self, keys: &[&str]) -> Ticket {
            let keys = keys.iter().map(|key| key.as_bytes());
            let pushed = self
                .pipeline
                .push_get_many(Retrieval::Get, b"", keys, self.deadline);
            pushed.expect("room")
        }

        fn push(&mut self, request: &impl Request) -> Ticket {
            self.pipeline.push(request, self.deadline).expect("room")
        }

        /// The requests up to now are written, so that replies may come.
        fn write(&mut self) {
            let mut out = self.pipeline.take_output().expect("something to write");
            out.advance(out.len());
            self.pipeline.give_back(out);
        }

        /// How many bytes of `reply` were expected.
        fn deal(&mut self, reply: &[u8]) -> usize {
            self.pipeline.deal_expected(reply, 1 << 20, &mut Vec::new())
        }

        fn reply(&mut self, ticket: &Ticket) -> Option<Reply> {
            let mut context = Context::from_waker(Waker::noop());
            match self.pipeline.poll(ticket, &mut context) {
                Poll::Ready(reply) => Some(reply.expect("no failure")),
                Poll::Pending => None,
            }
        }

        fn items(&mut self, ticket: &Ticket) -> Vec<Option<Bytes>> {
            let items = match self.reply(ticket) {
                Some(Reply::Item(item)) => vec![item],
                Some(Reply::Items(items)) => items,
                other => panic!("{other:?}"),
            };
            items.into_iter().map(|item| Some(item?.data)).collect()
        }
    }

    #[test]
    fn values_misses_and_words_of_several_callers() {
        let mut calls = Calls::new();
        let touched = calls.push(&Touch {
            key: wire_key("t"),
            exptime: 0,
        });
        let deleted = calls.push(&Delete { key: wire_key("d") });
        let first = calls.get("a");
        let many = calls.get_many(&["b", "c", "d", "e"]);
        let last = calls.get("f");
        let given_up = calls.get("g");
        calls.write();
        calls.pipeline.abandon(given_up);
        let reply: &[u8] =
            b"TOUCHED\r\nNOT_FOUND\r\nVALUE a 0 1\r\n1\r\nVALUE c 7 5\r\nEND\r\n\r\n\
            VALUE d 0 0 99\r\n\r\nVALUE g 0 1\r\n4\r\nEND\r\n";
        assert_eq!(calls.deal(reply), reply.len());
        assert_eq!(calls.reply(&touched), Some(Reply::Status(Status::Touched)));
        assert_eq!(calls.reply(&deleted), Some(Reply::Status(Status::NotFound)));
        assert_eq!(calls.items(&first), [Some("1".into())]);
        let expected = [None, Some("END\r\n".into()), Some("".into()), None];
        assert_eq!(calls.items(&many), expected);
        assert_eq!(calls.items(&last), [None]);
        assert_eq!(calls.pipeline.operations(), 0);
    }

    #[test]
    fn it_stops_before_what_is_not_whole_or_not_expected() {
        let good = b"VALUE a 0 1\r\n1\r\n";
        let odd: [&[u8]; 12] = [
            b"",
            b"E",
            b"END\r",
            b"VALUE b 0 10\r\n",
            b"VALUE b 0 1\r\n2\r",
            b"VALUE b 0 1\r\n23\r\n",
            b"VALUE x 0 1\r\n2\r\n",
            b"VALUE a 0 1\r\n1\r\n",
            b"VALUE b 0 1048577\r\n",
            b"VALUE b -1 1\r\n2\r\n",
            b"SERVER_ERROR out of memory\r\n",
            b"STORED\r\n",
        ];
        for odd in odd {
            let mut calls = Calls::new();
            let many = calls.get_many(&["a", "b"]);
            calls.write();
            let reply = [good, odd].concat();
            assert_eq!(calls.deal(&reply), good.len(), "{}", odd.escape_ascii());
            assert_eq!(calls.reply(&many), None);
            assert_eq!(calls.deal(b"VALUE b 0 1\r\n2\r\nEND\r\nEND\r\n"), 21);
            assert_eq!(calls.items(&many), [Some("1".into()), Some("2".into())]);
        }
        let odd: [&[u8]; 6] = [
            b"DELETED",
            b"DELETED\n",
            b"TOUCHED\r\n",
            b"1\r\n",
            b"DELETED NOT_FOUND\r\n",
            b"CLIENT_ERROR bad\r\n",
        ];
        for odd in odd {
            let mut calls = Calls::new();
            let deleted = calls.push(&Delete { key: wire_key("d") });
            assert_eq!(calls.deal(b"DELETED\r\n"), 0, "it is not written yet");
            calls.write();
            assert_eq!(calls.deal(odd), 0, "{}", odd.escape_ascii());
            assert_eq!(calls.deal(b"DELETED\r\nDELETED\r\n"), 9);
            assert!(calls.reply(&deleted).is_some());
        }
        let mut calls = Calls::new();
        calls.push(&Version);
        calls.write();
        assert_eq!(
            calls.deal(b"VERSION 1\r\n"),
            0,
            "its text is not copied here"
        );
    }

    /// A request of a meta command, whatever it says.
    struct AnyMeta;

    impl Request for AnyMeta {
        fn encode(&self, out: &mut OutBuffer) {
            out.put(b"mg k v\r\n");
        }

        fn expect(&self) -> Expect {
            Expect::Meta(Body::None)
        }
    }

    #[test]
    fn replies_of_meta_commands() {
        let mut calls = Calls::new();
        let tickets = [(); 5].map(|()| calls.push(&AnyMeta));
        calls.write();
        let reply: &[u8] = b"EN\r\nVA 5 f7 t-1\r\nEND\r\n\r\nHD c99\r\nVA 0\r\n\r\nVA 1\r\n1\r\n";
        assert_eq!(calls.deal(reply), reply.len());
        let replies = tickets.map(|ticket| match calls.reply(&ticket) {
            Some(Reply::Meta(reply)) => {
                let flags = String::from_utf8(reply.flags().to_vec()).unwrap();
                (reply.code, flags, reply.into_data())
            }
            other => panic!("{other:?}"),
        });
        let expected = [
            (MetaCode::Miss, "", None),
            (MetaCode::Value, " f7 t-1", Some("END\r\n")),
            (MetaCode::Done, " c99", None),
            (MetaCode::Value, "", Some("")),
            (MetaCode::Value, "", Some("1")),
        ];
        let expected =
            expected.map(|(code, flags, data)| (code, flags.to_owned(), data.map(Bytes::from)));
        assert_eq!(replies, expected);
        let odd: [&[u8]; 9] = [
            b"MN\r\n",
            b"EN\r",
            b"EN\n",
            b"VA 1 f0\r\n1\r",
            b"VA 1 f0\r\n12\r\n",
            b"VA 1048577\r\n",
            b"VALUE k 0 1\r\n1\r\n",
            b"STORED\r\n",
            b"SERVER_ERROR out of memory\r\n",
        ];
        for odd in odd {
            calls.push(&AnyMeta);
            calls.write();
            assert_eq!(calls.deal(odd), 0, "{}", odd.escape_ascii());
            assert_eq!(calls.deal(b"EN\r\nEN\r\n"), 4);
        }
    }

    #[test]
    fn values_share_blocks_of_bounded_size() {
        let keys: Vec<String> = (0..200).map(|number| format!("k{number}")).collect();
        let mut calls = Calls::new();
        let many = calls.get_many(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        let lone = calls.get("lone");
        let large = calls.get("large");
        calls.write();
        let values = keys
            .iter()
            .map(|key| format!("VALUE {key} 0 100\r\n{key:100}\r\n"));
        let mut reply: String = values.collect();
        reply += "VALUE lone 0 3\r\none\r\n";
        let expected = reply.len();
        reply += &format!("VALUE large 0 {LARGE}\r\n{:LARGE$}\r\nEND\r\n", 1);
        assert_eq!(
            calls.deal(reply.as_bytes()),
            expected,
            "the large one is left"
        );
        let values = calls.items(&many);
        let values: Vec<Bytes> = values.into_iter().map(|value| value.unwrap()).collect();
        let in_a_row = |pair: &[Bytes]| pair[0].as_ptr_range().end == pair[1].as_ptr();
        let blocks = values.windows(2).filter(|pair| !in_a_row(pair)).count() + 1;
        let fewest = values.len() * 100 / SHARED;
        assert!((fewest..=fewest + 2).contains(&blocks), "{blocks} blocks");
        assert_eq!(calls.items(&lone), [Some("one".into())]);
        assert_eq!(calls.reply(&large), None);
    }
}
