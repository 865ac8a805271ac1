//! Lines of `name=value` pairs, as `metadump` and `watch` write them.

use percent_encoding::percent_decode;

/// The pairs of one line.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) const fn of(line: &'a [u8]) -> Self {
        Self(line)
    }

    pub(super) fn get(self, name: &str) -> Option<&'a [u8]> {
        self.0
            .split(|byte| *byte == b' ')
            .find_map(|field| field.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    }

    /// The field as text, if that is what it is.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// The field as a number, if it is one. Some fields are -1 for "none", and `cfd` can be any
    /// number when the server has lost track of the connection.
    pub(super) fn number<T: std::str::FromStr>(self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }
}

/// Keys are percent-encoded in both.
pub(super) fn decode_key(encoded: &[u8]) -> Vec<u8> {
    percent_decode(encoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let fields = Fields::of(b"key=a%3Db exp=-1 la=17 xla=3");
        assert_eq!(fields.get("key").map(decode_key), Some(b"a=b".to_vec()));
        assert_eq!(fields.number::<u64>("la"), Some(17));
        assert_eq!(fields.number::<u64>("exp"), None);
        assert_eq!(fields.number::<i64>("exp"), Some(-1));
        assert_eq!(fields.get("l"), None);
    }
}
