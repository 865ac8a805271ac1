//! The line in front of a value that a read has found, and decimal numbers.
//!
//! It is most of what a client reads, so it is taken apart in one walk, without looking for its end
//! first.

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
        let at = VALUE.len() + key_length;
        // At a line end, the line ends in the middle.
        let (flags, at) = number_behind_space(text, at)?;
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

/// The decimal number behind the space at `at`, and where it ends.
#[inline(always)]
fn number_behind_space(text: &[u8], at: usize) -> Option<(u64, usize)> {
    if *text.get(at)? != b' ' {
        return None;
    }
    let start = at + 1;
    let mut end = start;
    let mut value = 0_u64;
    while let Some(digit) = text.get(end).map(|byte| byte.wrapping_sub(b'0'))
        && digit <= 9
    {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        end += 1;
    }
    match end - start {
        0 => None,
        // Less than u64::MAX in any case.
        1..20 => Some((value, end)),
        _ => number(&text[start..end]).map(|(value, _)| (value, end)),
    }
}

/// A decimal number at the front of `bytes`, and what stands behind it.
pub(super) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
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
