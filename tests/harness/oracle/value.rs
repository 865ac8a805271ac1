//! Values that say whose they are: each can be made again from its key, its writer and its number.

use fastrand::Rng;

/// One write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Write {
    pub(super) writer: usize,
    pub(super) number: u64,
}

/// The value of this write of this key. It looks like the protocol, and its length varies.
pub(super) fn value(key: &str, write: Write) -> String {
    let Write { writer, number } = write;
    let mut random = Rng::with_seed((writer as u64) << 40 ^ number);
    let filler = ["x", "END\r\n", "VALUE s-1 0 1\r\n", "\r\nSTORED\r\n"][random.usize(..4)];
    let filler = filler.repeat(random.usize(..30));
    format!("{key} {writer} {number} {:016x} {filler}", random.u64(..))
}

/// The write that `found` is of.
///
/// # Panics
/// If it is no value of this key, or not whole.
pub(super) fn check(key: &str, found: &str) -> Write {
    let mut words = found.splitn(4, ' ');
    let owner = words.next();
    assert_eq!(owner, Some(key), "a value of another key");
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    let (Some(writer), Some(count)) = (number(), number()) else {
        panic!("{key} has the value {found:?}");
    };
    let write = Write {
        writer: writer as usize,
        number: count,
    };
    assert_eq!(found, value(key, write), "a value that nobody has written");
    write
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_by_its_key_and_write() {
        let write = Write {
            writer: 7,
            number: 3,
        };
        assert_eq!(check("s-1", &value("s-1", write)), write);
    }

    #[test]
    #[should_panic(expected = "another key")]
    fn a_value_of_another_key_is_noticed() {
        let write = Write {
            writer: 7,
            number: 3,
        };
        check("s-2", &value("s-1", write));
    }

    #[test]
    #[should_panic(expected = "nobody has written")]
    fn a_value_that_is_cut_short_is_noticed() {
        let write = Write {
            writer: 7,
            number: 3,
        };
        let value = value("s-1", write);
        check("s-1", &value[..value.len() - 1]);
    }
}
