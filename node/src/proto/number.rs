//! Numbers as C's `strtol` family reads them, which is what memcached's clients have come to rely on:
//! leading white space and a sign are accepted, the number must end at white space or the end of the
//! word, and a value too large for the 32-bit destination keeps its low bits.

/// A number as it stands in the text: its sign, its magnitude, and whether that overflowed 64 bits.
struct Scanned {
    negative: bool,
    magnitude: u64,
    overflow: bool,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn scan(text: &[u8]) -> Option<Scanned> {
    let start = text.iter().position(|&byte| !is_space(byte))?;
    let (negative, digits) = match text[start] {
        b'-' => (true, &text[start + 1..]),
        b'+' => (false, &text[start + 1..]),
        _ => (false, &text[start..]),
    };
    let len = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let ends_well = digits
        .get(len)
        .is_none_or(|&byte| byte == 0 || is_space(byte));
    if len == 0 || !ends_well {
        return None;
    }
    let mut magnitude = 0_u64;
    let mut overflow = false;
    for &digit in &digits[..len] {
        let next = magnitude
            .checked_mul(10)
            .and_then(|n| n.checked_add(u64::from(digit - b'0')));
        overflow |= next.is_none();
        magnitude = next.unwrap_or(u64::MAX);
    }
    Some(Scanned {
        negative,
        magnitude,
        overflow,
    })
}

/// An unsigned 64-bit number. A minus sign is refused only where the wrapped value has its top bit set.
pub(crate) fn parse_u64(text: &[u8]) -> Option<u64> {
    let scanned = scan(text)?;
    if scanned.overflow {
        return None;
    }
    let value = if scanned.negative {
        scanned.magnitude.wrapping_neg()
    } else {
        scanned.magnitude
    };
    let looks_negative = (value as i64) < 0 && memchr::memchr(b'-', text).is_some();
    (!looks_negative).then_some(value)
}

/// An unsigned 32-bit number: the low bits of the 64-bit one.
pub(crate) fn parse_u32(text: &[u8]) -> Option<u32> {
    parse_u64(text).map(|value| value as u32)
}

/// A signed 32-bit number: the low bits of the 64-bit one.
pub(crate) fn parse_i32(text: &[u8]) -> Option<i32> {
    let scanned = scan(text)?;
    let limit = i64::MAX as u64 + u64::from(scanned.negative);
    if scanned.overflow || scanned.magnitude > limit {
        return None;
    }
    let value = scanned.magnitude as i64;
    Some(if scanned.negative {
        value.wrapping_neg()
    } else {
        value
    } as i32)
}

/// A floating-point number in decimal notation.
pub(crate) fn parse_f64(text: &[u8]) -> Option<f64> {
    let word = text
        .split(|&byte| is_space(byte))
        .find(|word| !word.is_empty())?;
    std::str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_numbers_wrap_as_in_c() {
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_u64(b"18446744073709551616"), None);
        assert_eq!(parse_u64(b"-1"), None);
        assert_eq!(parse_u64(b"-0"), Some(0));
        assert_eq!(parse_u64(b"-18446744073709551615"), Some(1));
        assert_eq!(parse_u32(b"4294967297"), Some(1));
    }

    #[test]
    fn signed_numbers_keep_their_low_bits() {
        assert_eq!(parse_i32(b"-5"), Some(-5));
        assert_eq!(parse_i32(b"4294967296"), Some(0));
        assert_eq!(parse_i32(b"9223372036854775807"), Some(-1));
        assert_eq!(parse_i32(b"9223372036854775808"), None);
    }

    #[test]
    fn a_number_ends_at_white_space_or_not_at_all() {
        assert_eq!(parse_u64(b" \t12 34"), Some(12));
        assert_eq!(parse_u64(b"12\r"), Some(12));
        assert_eq!(parse_u64(b"12\0junk"), Some(12));
        for bad in [&b"12a"[..], b"", b"  ", b"-", b"+-1", b"0x10", b"1.5"] {
            assert_eq!(parse_u64(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn floats() {
        assert_eq!(parse_f64(b"0.8"), Some(0.8));
        assert_eq!(parse_f64(b"x"), None);
    }
}
