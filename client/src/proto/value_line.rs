//! The lines in front of a value that a read has found, and decimal numbers.
//!
//! They are most of what a client reads, so they are taken apart in one walk, without looking for
//! their end first.

use std::ops::Range;

use super::reply::MetaCode;
use crate::key::MAX_KEY_LENGTH;

pub(super) const VALUE: &[u8; 6] = b"VALUE ";

/// `VALUE <key> <flags> <bytes> [<cas unique>]`.
pub(super) struct ValueLine {
    pub(super) key_length: usize,
    pub(super) flags: u32,
    pub(super) size: u64,
    pub(super) cas: u64,
    /// With the line end.
    pub(super) length: usize,
}

impl ValueLine {
    /// The line at the front of `text`; `None` if it is not complete, or is no such line.
    #[inline(always)]
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let behind = text.strip_prefix(VALUE.as_slice())?;
        let key = &behind[..behind.len().min(MAX_KEY_LENGTH + 1)];
        let key_length = memchr::memchr2(b' ', b'\n', key)?;
        Self::behind_key(text, key_length)
    }

    /// As [`Self::parse`], if the line is of `key`, which has no space.
    #[inline(always)]
    pub(super) fn of(key: &[u8], text: &[u8]) -> Option<Self> {
        let behind = text.strip_prefix(VALUE.as_slice())?;
        if !behind.starts_with(key) {
            return None;
        }
        Self::behind_key(text, key.len())
    }

    #[inline(always)]
    fn behind_key(text: &[u8], key_length: usize) -> Option<Self> {
        // At a line end, the line ends in the middle.
        let (flags, at) = number_behind_space(text, VALUE.len() + key_length)?;
        let (size, at) = number_behind_space(text, at)?;
        let (cas, at) = match text.get(at)? {
            b' ' => number_behind_space(text, at)?,
            _ => (0, at),
        };
        let length = match text.get(at..)? {
            [b'\r', b'\n', ..] => at + 2,
            [b'\n', ..] => at + 1,
            _ => return None,
        };
        Some(Self {
            key_length,
            flags: u32::try_from(flags).ok()?,
            size,
            cas,
            length,
        })
    }
}

/// How far the end of a meta command's flags is looked for, in bytes. Without a key or an opaque
/// token among them, they are shorter; longer ones are left to the search for any line's end.
const NEAR: usize = 64;

/// `VA <bytes> <flags>`, or another code of a meta command with its flags.
pub(super) struct MetaLine {
    pub(super) code: MetaCode,
    /// Of a `VA`.
    pub(super) size: Option<u64>,
    /// Where the flags stand, with the space in front.
    pub(super) flags: Range<usize>,
    /// With the line end.
    pub(super) length: usize,
}

impl MetaLine {
    /// The line at the front of `text`; `None` if it is not complete, is no such line, or is a long
    /// one.
    #[inline(always)]
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (code, size, start) = match text {
            [b'V', b'A', b' ', ..] => {
                let (size, start) = number_behind_space(text, 2)?;
                (MetaCode::Value, Some(size), start)
            }
            [first, second, b' ' | b'\r', ..] => (MetaCode::parse(&[*first, *second])?, None, 2),
            _ => return None,
        };
        let near = &text[start..text.len().min(start + NEAR)];
        let end = start + near.iter().position(|byte| *byte == b'\n')?;
        let flags = match text[start..end] {
            [.., b'\r'] => start..end - 1,
            _ => start..end,
        };
        if !flags.is_empty() && text[start] != b' ' {
            return None;
        }
        Some(Self {
            code,
            size,
            flags,
            length: end + 1,
        })
    }
}

/// The decimal number behind the space at `at`, and where it ends.
#[inline(always)]
fn number_behind_space(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let [b' ', digits @ ..] = text.get(at..)? else {
        return None;
    };
    if let Some((value, length)) = digits.first_chunk().and_then(|front| short_number(*front)) {
        return Some((value, at + 1 + length));
    }
    let (value, rest) = number(digits)?;
    Some((value, text.len() - rest.len()))
}

/// The decimal number of 1 to 7 digits at the front of `text`, and its length.
///
/// All digits at once, in one register: first those that are next to each other are put together, then
/// pairs, then fours.
#[inline(always)]
fn short_number(text: [u8; 8]) -> Option<(u64, usize)> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(text);
    let digits = word ^ (EACH * 0x30);
    // The highest bit of each byte that is none of 0 to 9.
    let others = (((digits & (EACH * 0x7f)) + EACH * 0x76) | digits) & (EACH * 0x80);
    let bits = others.trailing_zeros() & !7;
    if bits == 0 || others == 0 {
        return None;
    }
    let ones = (digits & (EACH * 0x0f)) << (64 - bits);
    let pairs = (ones.wrapping_mul((10 << 8) | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul((100 << 16) | 1) >> 16) & 0x0000_ffff_0000_ffff;
    let value = fours.wrapping_mul((10_000 << 32) | 1) >> 32;
    Some((value, bits as usize / 8))
}

/// A decimal number at the front of `bytes`, and what stands behind it.
#[inline]
pub(crate) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut length = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        length += 1;
    }
    (length > 0).then(|| (value, &bytes[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<(usize, u32, u64, u64, usize)> {
        let line = ValueLine::parse(text.as_bytes())?;
        Some((
            line.key_length,
            line.flags,
            line.size,
            line.cas,
            line.length,
        ))
    }

    #[test]
    fn lines_with_and_without_a_cas_unique() {
        assert_eq!(parse("VALUE key 7 5\r\nhello\r\n"), Some((3, 7, 5, 0, 15)));
        assert_eq!(
            parse("VALUE k 4294967295 0 12\n"),
            Some((1, u32::MAX, 0, 12, 24))
        );
        let most = parse("VALUE k 0 1 18446744073709551615\r\n");
        assert_eq!(most.map(|line| line.3), Some(u64::MAX));
    }

    #[test]
    fn the_line_of_a_key_that_is_known() {
        let length = |key: &str, text: &str| {
            let line = ValueLine::of(key.as_bytes(), text.as_bytes())?;
            Some((line.key_length, line.length))
        };
        assert_eq!(length("key", "VALUE key 7 5\r\nhello\r\n"), Some((3, 15)));
        for key in ["ke", "keys", "key 7"] {
            assert_eq!(length(key, "VALUE key 7 5\r\nhello\r\n"), None, "{key}");
        }
    }

    #[test]
    fn short_numbers_of_every_length_before_every_byte() {
        for number in [
            0, 7, 10, 99, 100, 1234, 65536, 999_999, 1_048_576, 9_999_999,
        ] {
            let digits = number.to_string();
            for end in 0..=u8::MAX {
                let mut text = [end; 8];
                text[..digits.len()].copy_from_slice(digits.as_bytes());
                let expected = match end {
                    b'0'..=b'9' => None,
                    _ => Some((number, digits.len())),
                };
                assert_eq!(short_number(text), expected, "{}", text.escape_ascii());
            }
        }
        for first in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
            assert_eq!(
                short_number([first, b'1', b'2', b' ', b'3', b' ', b'4', b' ']),
                None
            );
        }
    }

    #[test]
    fn lines_of_meta_commands_with_and_without_flags() {
        use MetaCode::{Done, Miss, Value};
        let parse = |text: &'static str| {
            let line = MetaLine::parse(text.as_bytes())?;
            Some((line.code, line.size, &text[line.flags], line.length))
        };
        assert_eq!(parse("VA 5\r\nhello\r\n"), Some((Value, Some(5), "", 6)));
        assert_eq!(parse("VA 0\n\r\n"), Some((Value, Some(0), "", 5)));
        let flags = "VA 12 f0 t-1 W\r\n";
        assert_eq!(parse(flags), Some((Value, Some(12), " f0 t-1 W", 16)));
        assert_eq!(parse("HD c7\r\n"), Some((Done, None, " c7", 7)));
        assert_eq!(parse("EN\r\nEN\r\n"), Some((Miss, None, "", 4)));
        for text in [
            "VA 1 f0\r",
            "VA \r\n",
            "VA x\r\n",
            "VA 1x\r\n",
            "VA\r\n",
            "EN\r",
            "EN\rx\n",
            "HDx\r\n",
            "OK\r\n",
            "12\r\n",
            "VALUE 1\r\n",
            "ERROR\r\n",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        let long = format!("VA 1 k{}\r\n", "x".repeat(NEAR));
        assert!(MetaLine::parse(long.as_bytes()).is_none());
    }

    #[test]
    fn what_is_no_such_line_or_no_whole_one() {
        let whole = "VALUE key 7 5 99\r\n";
        for cut in 0..whole.len() {
            assert_eq!(parse(&whole[..cut]), None, "{cut}");
        }
        for text in [
            "VALUE  7 5\r",
            "VALUE key\r\n7 5\r\n",
            "VALUE key 7\r\n",
            "VALUE key -7 5\r\n",
            "VALUE key 7 5 \r\n",
            "VALUE key 7  5\r\n",
            "VALUE key 7 5 9 9\r\n",
            "VALUE key 4294967296 5\r\n",
            "VALUE key 7 18446744073709551616\r\n",
            "VALUE key 7 99999999999999999999999\r\n",
            "value key 7 5\r\n",
            "END\r\n",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
