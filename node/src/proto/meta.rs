//! The meta commands' flags: `mg`, `ms`, `md`, `ma`.

use super::base64;
use super::number::{parse_i32, parse_u32, parse_u64};
use super::request::{MetaArithmetic, Rejection, Request, StoreMode};
use super::tokens::Tokens;
use super::{BAD_FORMAT, KEY_MAX};

/// The most words a meta command may have.
const MAX_WORDS: usize = 19;
/// The longest opaque flag, with its letter.
const MAX_OPAQUE: usize = 32;
/// A 250-byte base64 key is at most this many bytes.
const DECODED_MAX: usize = 188;
const BAD_TOKEN: &str = "CLIENT_ERROR bad token in command line format";

/// The key of a meta command, decoded where it came as base64.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MetaKey<'a> {
    Plain(&'a [u8]),
    Binary { bytes: [u8; DECODED_MAX], len: u8 },
}

impl MetaKey<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(key) => key,
            Self::Binary { bytes, len } => &bytes[..usize::from(*len)],
        }
    }

    pub(crate) fn is_binary(&self) -> bool {
        matches!(self, Self::Binary { .. })
    }

    /// Decodes base64 as it stands on the line.
    pub(crate) fn decode(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; DECODED_MAX];
        let len = base64::decode(text, &mut bytes).filter(|&len| len > 0)?;
        Some(Self::Binary {
            bytes,
            len: len as u8,
        })
    }
}

/// What the flags of a meta command ask for. Times are as the client sent them.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct MetaFlags {
    /// `q`: the nominal reply is left out.
    pub(crate) quiet: bool,
    /// `v`: return the value.
    pub(crate) value: bool,
    /// `u`: do not count this as an access.
    pub(crate) no_update: bool,
    /// `I`: mark as stale, or store over a newer cas.
    pub(crate) invalidate: bool,
    /// `N`: create the item on a miss, with this exptime.
    pub(crate) vivify: Option<i32>,
    /// `T`: the new exptime.
    pub(crate) exptime: Option<i32>,
    /// `R`: win the right to recache where less than this remains.
    pub(crate) recache: Option<i32>,
    /// `l` or `h`: the access is counted after the reply is built, since it shows the state before.
    pub(crate) shows_access: bool,
    /// `F`: client flags to store.
    pub(crate) client_flags: u32,
    /// `C`: the cas unique to compare with.
    pub(crate) cas: Option<u64>,
    /// `M`: the mode letter.
    pub(crate) mode: Option<u8>,
    /// `D`: the delta; 1 where not given.
    pub(crate) delta: Option<u64>,
    /// `J`: the value to create a counter with.
    pub(crate) initial: u64,
}

impl MetaFlags {
    /// Whether memcached takes the item's lock for the whole command, and counts the access last.
    pub(crate) fn holds_item(&self) -> bool {
        self.vivify.is_some()
            || self.exptime.is_some()
            || self.recache.is_some()
            || self.shows_access
    }
}

/// A meta command: its key, what its flags ask for, and the flags in the order they came, which is the
/// order of the reply.
#[derive(Debug)]
pub(crate) struct MetaCommand<'a> {
    pub(crate) key: MetaKey<'a>,
    pub(crate) flags: MetaFlags,
    words: Tokens<'a>,
    first_flag: usize,
}

impl<'a> MetaCommand<'a> {
    /// The flags as words, in the client's order.
    pub(crate) fn words(&self) -> &[&'a [u8]] {
        self.words.from(self.first_flag)
    }

    /// The opaque flag is only checked where it would be echoed.
    pub(crate) fn opaque_is_too_long(&self) -> bool {
        self.words()
            .iter()
            .any(|word| word[0] == b'O' && word.len() > MAX_OPAQUE)
    }
}

/// Reads the flags from word `first_flag` on.
fn parse<'a>(words: Tokens<'a>, first_flag: usize) -> Result<MetaCommand<'a>, &'static str> {
    let mut command = MetaCommand {
        key: MetaKey::Plain(words.get(1)),
        flags: MetaFlags::default(),
        words,
        first_flag,
    };
    let mut seen = 0_u128;
    let mut error = None;
    for word in words.from(first_flag) {
        let letter = word[0];
        if letter >= 127 || seen & 1 << letter != 0 {
            return Err("CLIENT_ERROR duplicate flag");
        }
        seen |= 1 << letter;
        match apply(&mut command, word) {
            Applied::Ok => {}
            // A bad flag does not end the search: a later one's message replaces this one's.
            Applied::Bad(message) => error = Some(message.or(error.flatten())),
            Applied::Unknown => return Err("CLIENT_ERROR invalid flag"),
        }
    }
    match error {
        None => Ok(command),
        Some(message) => Err(message.unwrap_or(BAD_FORMAT)),
    }
}

enum Applied {
    Ok,
    /// With the reply to give, or none of its own.
    Bad(Option<&'static str>),
    Unknown,
}

fn apply(command: &mut MetaCommand<'_>, word: &[u8]) -> Applied {
    let MetaCommand {
        key, flags, words, ..
    } = command;
    let text = &word[1..];
    match word[0] {
        b'b' => match MetaKey::decode(words.get(1)) {
            Some(decoded) => store(key, Some(decoded), BAD_FORMAT),
            None => Applied::Bad(Some("CLIENT_ERROR error decoding key")),
        },
        b'N' => store(&mut flags.vivify, parse_i32(text).map(Some), BAD_TOKEN),
        b'T' => store(&mut flags.exptime, parse_i32(text).map(Some), BAD_TOKEN),
        b'R' => store(&mut flags.recache, parse_i32(text).map(Some), BAD_TOKEN),
        b'C' => store(&mut flags.cas, parse_u64(text).map(Some), BAD_TOKEN),
        b'J' => {
            let bad = "CLIENT_ERROR invalid numeric initial value";
            store(&mut flags.initial, parse_u64(text), bad)
        }
        b'D' => {
            let bad = "CLIENT_ERROR invalid numeric delta value";
            store(&mut flags.delta, parse_u64(text).map(Some), bad)
        }
        b'F' => match parse_u32(text) {
            Some(client_flags) => store(&mut flags.client_flags, Some(client_flags), BAD_FORMAT),
            None => Applied::Bad(None),
        },
        b'M' => {
            let mode = (text.len() == 1).then(|| Some(text[0]));
            store(
                &mut flags.mode,
                mode,
                "CLIENT_ERROR incorrect length for M token",
            )
        }
        letter => apply_switch(flags, letter),
    }
}

/// The flags without an argument, or whose argument is only echoed.
fn apply_switch(flags: &mut MetaFlags, letter: u8) -> Applied {
    match letter {
        b'O' | b'P' | b'L' | b'k' | b's' | b't' | b'c' | b'f' => {}
        b'l' | b'h' => flags.shows_access = true,
        b'v' => flags.value = true,
        b'u' => flags.no_update = true,
        b'q' => flags.quiet = true,
        b'I' => flags.invalidate = true,
        _ => return Applied::Unknown,
    }
    Applied::Ok
}

fn store<T>(slot: &mut T, parsed: Option<T>, bad: &'static str) -> Applied {
    match parsed {
        Some(value) => {
            *slot = value;
            Applied::Ok
        }
        None => Applied::Bad(Some(bad)),
    }
}

/// The checks every meta command starts with.
fn check(tokens: &Tokens<'_>, too_many: &'static str) -> Result<(), Rejection> {
    if tokens.len() < 2 {
        Err(Rejection::always("ERROR"))
    } else if tokens.get(1).len() > KEY_MAX {
        Err(Rejection::always(BAD_FORMAT))
    } else if tokens.len() > MAX_WORDS {
        Err(Rejection::always(too_many))
    } else {
        Ok(())
    }
}

/// `mg <key> <flags>*`
pub(super) fn get<'a>(tokens: &Tokens<'a>) -> Result<Request<'a>, Rejection> {
    check(tokens, "CLIENT_ERROR options flags are too long")?;
    parse(*tokens, 2)
        .map(Request::MetaGet)
        .map_err(Rejection::always)
}

/// `md <key> <flags>*`
pub(super) fn delete<'a>(tokens: &Tokens<'a>) -> Result<Request<'a>, Rejection> {
    check(tokens, "CLIENT_ERROR options flags too long")?;
    let invalid = |_| Rejection::always("CLIENT_ERROR invalid or duplicate flag");
    parse(*tokens, 2).map(Request::MetaDelete).map_err(invalid)
}

/// `ma <key> <flags>*`
pub(super) fn arithmetic<'a>(tokens: &Tokens<'a>) -> Result<Request<'a>, Rejection> {
    check(tokens, "CLIENT_ERROR options flags too long")?;
    let invalid = |_| Rejection::always("CLIENT_ERROR invalid or duplicate flag");
    let command = parse(*tokens, 2).map_err(invalid)?;
    let increment = match command.flags.mode {
        None | Some(b'I' | b'+') => true,
        Some(b'D' | b'-') => false,
        Some(_) => {
            return Err(Rejection::always(
                "CLIENT_ERROR invalid mode for ma M token",
            ));
        }
    };
    Ok(Request::MetaArithmetic(MetaArithmetic {
        command,
        increment,
    }))
}

/// An `ms` line before its data block.
#[derive(Debug)]
pub(super) struct StoreLine<'a> {
    /// The length of the value, without its line ending.
    pub(super) length: usize,
    /// The command, or why it is refused; then the data block is still skipped.
    pub(super) command: Result<(MetaCommand<'a>, StoreMode), &'static str>,
}

/// `ms <key> <datalen> <flags>*`
pub(super) fn store_line<'a>(tokens: &Tokens<'a>) -> Result<StoreLine<'a>, Rejection> {
    if tokens.len() < 2 {
        return Err(Rejection::always("ERROR"));
    }
    if tokens.get(1).len() > KEY_MAX || tokens.len() == 2 {
        return Err(Rejection::always(BAD_FORMAT));
    }
    check(tokens, "CLIENT_ERROR options flags too long")?;
    let length = super::text::data_length(tokens.get(2)).ok_or(Rejection::always(BAD_FORMAT))?;
    let command = parse(*tokens, 3).and_then(|command| {
        let mode = store_mode(&command.flags)?;
        if command.opaque_is_too_long() {
            return Err("CLIENT_ERROR opaque token too long");
        }
        Ok((command, mode))
    });
    Ok(StoreLine { length, command })
}

fn store_mode(flags: &MetaFlags) -> Result<StoreMode, &'static str> {
    let mode = match flags.mode {
        None | Some(b'S') => StoreMode::Set,
        Some(b'E') => StoreMode::Add,
        Some(b'A') => StoreMode::Append,
        Some(b'P') => StoreMode::Prepend,
        Some(b'R') => StoreMode::Replace,
        Some(_) => return Err("CLIENT_ERROR invalid mode for ms M token"),
    };
    // With a cas unique, set and replace become cas.
    Ok(match mode {
        StoreMode::Set | StoreMode::Replace if flags.cas.is_some() => StoreMode::Cas,
        mode => mode,
    })
}
