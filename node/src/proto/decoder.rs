//! Framing: where requests begin and end in the byte stream.

use super::meta;
use super::request::{AdminVerb, MetaStore, Rejection, Request, TextStore};
use super::text;
use super::tokens::Tokens;

/// A line longer than this with no end in sight closes the connection, unless it is a `get`. As in
/// memcached, a longer line is served if it arrives in one piece.
const LINE_MAX: usize = 2048;
/// A complete line of any other command may be this long: the size of memcached's read buffer.
const WHOLE_LINE_MAX: usize = 16 * 1024;
/// The longest `get` or `gets` line. memcached has no limit here; a node must have one.
const GET_LINE_MAX: usize = 1024 * 1024;

/// What the decoder must know of the store to tell a data block that can fit from one that cannot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The largest item, all overhead included.
    pub(crate) item_size_max: usize,
    /// What an item takes besides its key, its value and its client flags.
    pub(crate) item_overhead: usize,
}

impl Limits {
    fn fits(self, key: &[u8], flags: u32, length: usize) -> bool {
        let flags_size = if flags == 0 { 0 } else { size_of::<u32>() };
        self.item_overhead + key.len() + flags_size + length <= self.item_size_max
    }
}

/// What the next bytes turned out to be.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, on the stack: a box would allocate"
)]
pub(crate) enum Step<'a> {
    /// Nothing complete yet: more bytes are needed, and none were consumed.
    Incomplete,
    /// This many bytes belonged to a data block that is being discarded.
    Discarded(usize),
    /// A request, and the bytes it took.
    Request {
        consumed: usize,
        request: Request<'a>,
    },
    /// The line has no end within its limit: the connection must be closed.
    Overlong,
}

/// Finds requests in a byte stream. Holds no bytes itself: the caller keeps what was not consumed and
/// calls again with more behind it.
#[derive(Debug)]
pub(crate) struct Decoder {
    limits: Limits,
    /// How much of the pending line was already searched for its end.
    searched: usize,
    /// The bytes a pending storage command needs in all; 0 where none is pending.
    needed: usize,
    /// The bytes of a refused data block still to come.
    discard: usize,
}

impl Decoder {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            searched: 0,
            needed: 0,
            discard: 0,
        }
    }

    /// Whether a refused data block is still arriving. memcached holds its replies back meanwhile.
    pub(crate) fn is_discarding(&self) -> bool {
        self.discard > 0
    }

    /// Whether a command line is complete and its data block is awaited.
    pub(crate) fn awaits_data(&self) -> bool {
        self.needed > 0
    }

    /// How many bytes must be buffered in all before a step can do more than say `Incomplete`;
    /// 0 where that is unknown.
    pub(crate) fn needed(&self) -> usize {
        self.needed
    }

    /// Looks at the unconsumed bytes.
    pub(crate) fn step<'a>(&mut self, input: &'a [u8]) -> Step<'a> {
        if self.discard > 0 && !input.is_empty() {
            let taken = self.discard.min(input.len());
            self.discard -= taken;
            return Step::Discarded(taken);
        }
        if input.is_empty() || input.len() < self.needed {
            return Step::Incomplete;
        }
        let Some(end) = self.find_line_end(input) else {
            return self.unfinished_line(input);
        };
        if end > WHOLE_LINE_MAX && !is_get(input) {
            return Step::Overlong;
        }
        let step = self.decode(input, end);
        if !matches!(step, Step::Incomplete) {
            self.searched = 0;
            self.needed = 0;
        }
        step
    }

    /// The position of the line feed that ends the first line.
    fn find_line_end(&mut self, input: &[u8]) -> Option<usize> {
        // With `needed` set the line is complete, and `searched` is its end.
        let found = memchr::memchr(b'\n', &input[self.searched..]);
        let end = found.map(|at| at + self.searched);
        self.searched = end.unwrap_or(input.len());
        end
    }

    fn unfinished_line<'a>(&self, input: &[u8]) -> Step<'a> {
        let limit = if is_get(input) {
            GET_LINE_MAX
        } else {
            LINE_MAX
        };
        if input.len() > limit {
            Step::Overlong
        } else {
            Step::Incomplete
        }
    }

    /// Decodes the request whose line ends at `end`.
    fn decode<'a>(&mut self, input: &'a [u8], end: usize) -> Step<'a> {
        let line = match input[..end] {
            // A line of a lone CR keeps it, and is then a word.
            [ref line @ .., b'\r'] if end > 1 => line,
            ref line => line,
        };
        let tokens = Tokens::split(line);
        let verb = tokens.get(0);
        let consumed = end + 1;
        if verb.len() < 2 {
            return Step::Request {
                consumed,
                request: Rejection::always("ERROR").into(),
            };
        }
        if let Some(mode) = text::store_mode(verb) {
            return match text::store_line(mode, &tokens) {
                Ok(store) => self.text_store(input, consumed, &store),
                Err(rejection) => Step::Request {
                    consumed,
                    request: rejection.into(),
                },
            };
        }
        if verb == b"ms" {
            return match meta::store_line(&tokens) {
                Ok(store) => self.meta_store(input, consumed, store),
                Err(rejection) => Step::Request {
                    consumed,
                    request: rejection.into(),
                },
            };
        }
        let request = match verb {
            b"mg" => meta::get(&tokens),
            b"md" => meta::delete(&tokens),
            b"ma" => meta::arithmetic(&tokens),
            b"mn" => Ok(Request::MetaNoop),
            b"me" => Ok(Request::Admin {
                verb: AdminVerb::MetaDebug,
                tokens,
            }),
            [b'm', _] => Err(Rejection::always("ERROR")),
            _ => text::parse(line, &tokens),
        };
        Step::Request {
            consumed,
            request: request.unwrap_or_else(Into::into),
        }
    }

    /// The data block after a line: the value, whether it is terminated, and where it ends.
    fn data_block<'a>(
        &mut self,
        input: &'a [u8],
        start: usize,
        length: usize,
    ) -> Option<(&'a [u8], bool, usize)> {
        let end = start + length + 2;
        if input.len() < end {
            self.needed = end;
            return None;
        }
        let (value, ending) = input[start..end].split_at(length);
        Some((value, ending == b"\r\n", end))
    }

    fn text_store<'a>(
        &mut self,
        input: &'a [u8],
        start: usize,
        line: &text::StoreLine<'a>,
    ) -> Step<'a> {
        let &text::StoreLine {
            mode,
            key,
            flags,
            exptime,
            cas,
            length,
            noreply,
        } = line;
        if !self.limits.fits(key, flags, length) {
            self.discard = length + 2;
            let request = Request::Oversized { key, mode, noreply };
            return Step::Request {
                consumed: start,
                request,
            };
        }
        let Some((value, terminated, consumed)) = self.data_block(input, start, length) else {
            return Step::Incomplete;
        };
        let store = TextStore {
            mode,
            key,
            flags,
            exptime,
            cas,
            value,
            terminated,
            noreply,
        };
        Step::Request {
            consumed,
            request: Request::Store(store),
        }
    }

    fn meta_store<'a>(
        &mut self,
        input: &'a [u8],
        start: usize,
        line: meta::StoreLine<'a>,
    ) -> Step<'a> {
        let (command, mode) = match line.command {
            Ok(parsed) => parsed,
            Err(reply) => {
                self.discard = line.length + 2;
                return Step::Request {
                    consumed: start,
                    request: Rejection::always(reply).into(),
                };
            }
        };
        if !self
            .limits
            .fits(command.key.bytes(), command.flags.client_flags, line.length)
        {
            self.discard = line.length + 2;
            let request = Request::OversizedMeta { command, mode };
            return Step::Request {
                consumed: start,
                request,
            };
        }
        let Some((value, terminated, consumed)) = self.data_block(input, start, line.length) else {
            return Step::Incomplete;
        };
        let request = Request::MetaStore(MetaStore {
            command,
            mode,
            value,
            terminated,
        });
        Step::Request { consumed, request }
    }
}

/// Whether a line is a classic multi-key read, which may be long.
fn is_get(input: &[u8]) -> bool {
    let spaces = input
        .iter()
        .take(101)
        .take_while(|&&byte| byte == b' ')
        .count();
    let line = &input[spaces..];
    spaces <= 100 && (line.starts_with(b"get ") || line.starts_with(b"gets "))
}
