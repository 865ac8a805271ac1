//! Splitting a command line into words, with memcached's limits.

/// How many words of a line memcached looks at; what follows is only seen by multi-key reads.
const MAX_WORDS: usize = 23;

/// The words of one command line, split at spaces only (a tab is part of a word).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tokens<'a> {
    words: [&'a [u8]; MAX_WORDS],
    len: usize,
}

impl<'a> Tokens<'a> {
    /// Splits `line`, which has no line ending. A NUL byte ends the line early, as it ends a C string.
    pub(crate) fn split(line: &'a [u8]) -> Self {
        let mut words = [&line[..0]; MAX_WORDS];
        let mut len = 0;
        for word in words_of(line) {
            words[len] = word;
            len += 1;
            if len == MAX_WORDS {
                break;
            }
        }
        Self { words, len }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The word at `index`, or an empty slice.
    pub(crate) fn get(&self, index: usize) -> &'a [u8] {
        if index < self.len {
            self.words[index]
        } else {
            &[]
        }
    }

    /// The words from `index` on.
    pub(crate) fn from(&self, index: usize) -> &[&'a [u8]] {
        self.words.get(index..self.len).unwrap_or(&[])
    }

    /// Whether the last word asks for silence. Word number two and on only: the verb is never it.
    pub(crate) fn noreply(&self) -> bool {
        self.len > 0 && self.words[self.len - 1] == b"noreply"
    }
}

/// The part of a line before its first NUL.
pub(crate) fn until_nul(line: &[u8]) -> &[u8] {
    memchr::memchr(0, line).map_or(line, |nul| &line[..nul])
}

/// Every word of a line, without a limit.
pub(crate) fn words_of(line: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    until_nul(line)
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_separate_and_tabs_do_not() {
        let tokens = Tokens::split(b"  get  a\tb c ");
        assert_eq!(tokens.from(0), [&b"get"[..], b"a\tb", b"c"]);
    }

    #[test]
    fn a_nul_ends_the_line() {
        assert_eq!(Tokens::split(b"get a\0b c").from(0), [&b"get"[..], b"a"]);
        assert_eq!(Tokens::split(b"\0get").len(), 0);
    }

    #[test]
    fn only_the_first_twenty_three_words_count() {
        let line = b"w ".repeat(40);
        assert_eq!(Tokens::split(&line).len(), 23);
        assert_eq!(words_of(&line).count(), 40);
    }
}
