//! The base64 of binary keys, with the decoder's leniency that memcached has: bytes outside the
//! alphabet are skipped, and the first group with padding ends the key.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends the padded base64 of `data` to `out`.
pub(crate) fn encode(data: &[u8], out: &mut impl Extend<u8>) {
    for group in data.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        let symbol = |shift: u32| ALPHABET[(bits >> shift & 0x3f) as usize];
        let third = if group.len() > 1 { symbol(6) } else { b'=' };
        let fourth = if group.len() > 2 { symbol(0) } else { b'=' };
        out.extend([symbol(18), symbol(12), third, fourth]);
    }
}

fn value_of(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        b'=' => 0,
        _ => return None,
    }))
}

/// Decodes `text` into `out` and returns the number of bytes, or `None` where memcached refuses.
pub(crate) fn decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
    let symbols = text
        .iter()
        .filter(|&&byte| value_of(byte).is_some())
        .count();
    if symbols == 0 || !symbols.is_multiple_of(4) || symbols / 4 * 3 > out.len() {
        return None;
    }
    let (mut bits, mut count, mut padding, mut len) = (0_u32, 0, 0, 0);
    for &byte in text {
        let Some(value) = value_of(byte) else {
            continue;
        };
        padding += usize::from(byte == b'=');
        bits = bits << 6 | value;
        count += 1;
        if count < 4 {
            continue;
        }
        out[len..len + 3].copy_from_slice(&bits.to_be_bytes()[1..]);
        len += 3;
        (bits, count) = (0, 0);
        match padding {
            0 => {}
            1 | 2 => return Some(len - padding),
            _ => return None,
        }
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &[u8]) -> Option<Vec<u8>> {
        let mut out = [0; 256];
        decode(text, &mut out).map(|len| out[..len].to_vec())
    }

    #[test]
    fn every_length_round_trips() {
        for len in 1..60 {
            let data: Vec<u8> = (0..len).map(|byte: u8| byte.wrapping_mul(7)).collect();
            let mut text = Vec::new();
            encode(&data, &mut text);
            assert_eq!(decoded(&text), Some(data));
        }
    }

    #[test]
    fn known_text() {
        let mut text = Vec::new();
        encode(b"foo bar", &mut text);
        assert_eq!(text, b"Zm9vIGJhcg==");
    }

    #[test]
    fn leniency_and_refusals() {
        assert_eq!(decoded(b"Zm9v!!YmFy").as_deref(), Some(&b"foobar"[..]));
        assert_eq!(decoded(b"Zg==Zm9v").as_deref(), Some(&b"f"[..]));
        assert_eq!(decoded(b"Zm9"), None);
        assert_eq!(decoded(b"===="), None);
        assert_eq!(decoded(b"!!!!"), None);
    }
}
