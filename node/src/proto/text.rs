//! The classic text commands: from words to requests.

use super::number::{parse_i32, parse_u32, parse_u64};
use super::request::{AdminVerb, Keys, Rejection, Request, StoreMode};
use super::tokens::{Tokens, until_nul};
use super::{BAD_FORMAT, KEY_MAX};

/// A storage line before its data block.
#[derive(Debug)]
pub(super) struct StoreLine<'a> {
    pub(super) mode: StoreMode,
    pub(super) key: &'a [u8],
    pub(super) flags: u32,
    pub(super) exptime: i32,
    pub(super) cas: u64,
    /// The length of the value, without its line ending.
    pub(super) length: usize,
    pub(super) noreply: bool,
}

/// Checks the length of a data block: what 32 bits hold, with room for the line ending.
pub(super) fn data_length(text: &[u8]) -> Option<usize> {
    let length = parse_i32(text)?;
    (0..=i32::MAX - 2)
        .contains(&length)
        .then_some(length as usize)
}

/// Parses `<verb> <key> <flags> <exptime> <bytes> [<cas unique>] [noreply]`.
pub(super) fn store_line<'a>(
    mode: StoreMode,
    tokens: &Tokens<'a>,
) -> Result<StoreLine<'a>, Rejection> {
    let words = if mode == StoreMode::Cas { 6 } else { 5 };
    if tokens.len() != words && tokens.len() != words + 1 {
        return Err(Rejection::always("ERROR"));
    }
    let noreply = tokens.noreply();
    parse_store_line(mode, tokens, noreply).ok_or(Rejection {
        reply: BAD_FORMAT,
        noreply,
    })
}

fn parse_store_line<'a>(
    mode: StoreMode,
    tokens: &Tokens<'a>,
    noreply: bool,
) -> Option<StoreLine<'a>> {
    let key = tokens.get(1);
    if key.len() > KEY_MAX {
        return None;
    }
    Some(StoreLine {
        mode,
        key,
        flags: parse_u32(tokens.get(2))?,
        exptime: parse_i32(tokens.get(3))?,
        length: data_length(tokens.get(4))?,
        cas: if mode == StoreMode::Cas {
            parse_u64(tokens.get(5))?
        } else {
            0
        },
        noreply,
    })
}

/// `get`, `gets`, `gat`, `gats` and the ancient alias `bget`. `line` is the line the words are from.
fn get<'a>(line: &'a [u8], tokens: &Tokens<'a>) -> Result<Request<'a>, Rejection> {
    let verb = tokens.get(0);
    let (with_cas, touch) = match verb {
        b"get" | b"bget" => (false, false),
        b"gets" => (true, false),
        b"gat" => (false, true),
        b"gats" => (true, true),
        _ => return Err(Rejection::always("ERROR")),
    };
    if !touch {
        return Ok(Request::Get {
            keys: Keys(after_word(line, verb)),
            with_cas,
            exptime: None,
        });
    }
    let Some(exptime) = parse_i32(tokens.get(1)) else {
        return Err(Rejection::always("CLIENT_ERROR invalid exptime argument"));
    };
    let keys = Keys(after_word(after_word(line, verb), tokens.get(1)));
    Ok(Request::Get {
        keys,
        with_cas,
        exptime: Some(exptime),
    })
}

/// What follows the first word of a line.
fn after_word<'a>(line: &'a [u8], word: &[u8]) -> &'a [u8] {
    let start = line.iter().take_while(|&&byte| byte == b' ').count();
    &line[start + word.len()..]
}

fn key_or_reject<'a>(tokens: &Tokens<'a>, noreply: bool) -> Result<&'a [u8], Rejection> {
    let key = tokens.get(1);
    if key.len() > KEY_MAX {
        return Err(Rejection {
            reply: BAD_FORMAT,
            noreply,
        });
    }
    Ok(key)
}

fn words_between(tokens: &Tokens<'_>, min: usize, max: usize) -> Result<(), Rejection> {
    if (min..=max).contains(&tokens.len()) {
        Ok(())
    } else {
        Err(Rejection::always("ERROR"))
    }
}

fn delete<'a>(tokens: &Tokens<'a>) -> Result<Request<'a>, Rejection> {
    words_between(tokens, 2, 4)?;
    let mut noreply = false;
    if tokens.len() > 2 {
        let zero = tokens.get(2) == b"0";
        noreply = tokens.noreply();
        let valid = match tokens.len() {
            3 => zero || noreply,
            _ => zero && noreply,
        };
        if !valid {
            let reply = "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]";
            return Err(Rejection { reply, noreply });
        }
    }
    Ok(Request::Delete {
        key: key_or_reject(tokens, noreply)?,
        noreply,
    })
}

fn touch<'a>(tokens: &Tokens<'a>) -> Result<Request<'a>, Rejection> {
    words_between(tokens, 3, 4)?;
    let noreply = tokens.noreply();
    let key = key_or_reject(tokens, noreply)?;
    let invalid = Rejection {
        reply: "CLIENT_ERROR invalid exptime argument",
        noreply,
    };
    let exptime = parse_i32(tokens.get(2)).ok_or(invalid)?;
    Ok(Request::Touch {
        key,
        exptime,
        noreply,
    })
}

fn arithmetic<'a>(tokens: &Tokens<'a>, increment: bool) -> Result<Request<'a>, Rejection> {
    words_between(tokens, 3, 4)?;
    let noreply = tokens.noreply();
    let key = key_or_reject(tokens, noreply)?;
    let invalid = Rejection {
        reply: "CLIENT_ERROR invalid numeric delta argument",
        noreply,
    };
    let delta = parse_u64(tokens.get(2)).ok_or(invalid)?;
    Ok(Request::Arithmetic {
        key,
        increment,
        delta,
        noreply,
    })
}

/// The storage mode a verb stands for.
pub(super) fn store_mode(verb: &[u8]) -> Option<StoreMode> {
    Some(match verb {
        b"set" => StoreMode::Set,
        b"add" => StoreMode::Add,
        b"replace" => StoreMode::Replace,
        b"append" => StoreMode::Append,
        b"prepend" => StoreMode::Prepend,
        b"cas" => StoreMode::Cas,
        _ => return None,
    })
}

/// Every classic command that has no data block.
pub(super) fn parse<'a>(line: &'a [u8], tokens: &Tokens<'a>) -> Result<Request<'a>, Rejection> {
    let admin = |verb, min: usize, max: usize| {
        words_between(tokens, min, max)?;
        Ok(Request::Admin {
            verb,
            tokens: *tokens,
        })
    };
    match tokens.get(0) {
        b"bget" | [b'g', ..] => {
            words_between(tokens, 2, usize::MAX)?;
            get(until_nul(line), tokens)
        }
        b"delete" => delete(tokens),
        b"touch" => touch(tokens),
        b"incr" => arithmetic(tokens, true),
        b"decr" => arithmetic(tokens, false),
        b"version" => Ok(Request::Version),
        b"quit" => Ok(Request::Quit),
        b"stats" => admin(AdminVerb::Stats, 1, usize::MAX),
        b"shutdown" => admin(AdminVerb::Shutdown, 1, usize::MAX),
        b"slabs" => admin(AdminVerb::Slabs, 1, usize::MAX),
        b"cache_memlimit" => admin(AdminVerb::CacheMemlimit, 2, 3),
        b"flush_all" => admin(AdminVerb::FlushAll, 1, 3),
        b"lru_crawler" => admin(AdminVerb::LruCrawler, 1, usize::MAX),
        b"watch" => admin(AdminVerb::Watch, 1, usize::MAX),
        b"verbosity" => admin(AdminVerb::Verbosity, 2, 3),
        b"lru" => admin(AdminVerb::Lru, 2, usize::MAX),
        b"refresh_certs" => Err(Rejection::always("Error TLS not enabled")),
        verb => unknown(verb, tokens),
    }
}

/// A line no command starts. Browsers are shut out silently, except where the first letter already
/// leads memcached to a family of commands.
fn unknown(verb: &[u8], tokens: &Tokens<'_>) -> Result<Request<'static>, Rejection> {
    let in_a_family = matches!(
        verb.first(),
        Some(b'g' | b's' | b'a' | b'c' | b'i' | b'd' | b't')
    );
    let last = tokens.get(tokens.len().saturating_sub(1));
    if !in_a_family && last.starts_with(b"HTTP/") {
        Ok(Request::Http)
    } else {
        Err(Rejection::always("ERROR"))
    }
}
