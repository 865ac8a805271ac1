//! Keys as text, for log lines and listings.

use std::fmt::Write as _;

/// Appends `key` with everything but letters, digits and `-._~` percent-encoded.
pub(crate) fn uri_encode(key: &[u8], out: &mut String) {
    for &byte in key {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_unusual_is_encoded() {
        let mut out = String::new();
        uri_encode(b"a-b.c_d~e:f/g%\xff\x01", &mut out);
        assert_eq!(out, "a-b.c_d~e%3Af%2Fg%25%FF%01");
    }
}
