//! The keys of one `get` or `gets` line, and whose they are.
//!
//! Keys of several callers share one line: memcached up to 1.6.34 sends the reply to every `get`
//! line by itself, and a server serves a limited number of lines a turn (its option `-R`), so one
//! line of many keys costs both sides far less than many lines of one key.
//!
//! The server answers the keys it has, in the order of the line, and says nothing of the others. A
//! value therefore belongs to the next member with its key, and the members passed over have missed.

/// `get`, or `gets`, which also answers each item's cas unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retrieval {
    Get,
    Gets,
}

impl Retrieval {
    pub(super) const fn word(self) -> &'static [u8] {
        match self {
            Self::Get => b"get",
            Self::Gets => b"gets",
        }
    }
}

/// One key of the line, and the slot that waits for it. The keys of one slot stand together, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    key_end: u32,
    pub(super) slot: u32,
    /// Whether the slot waits for [several keys](super::slots::Partial::Items).
    pub(super) is_one_of_many: bool,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) retrieval: Retrieval,
    /// The line as it is sent, without its end. Every key has a space in front.
    line: Vec<u8>,
    members: Vec<Member>,
    next: usize,
}

impl Group {
    pub(super) fn new(retrieval: Retrieval) -> Self {
        Self {
            retrieval,
            line: retrieval.word().to_vec(),
            members: Vec::new(),
            next: 0,
        }
    }

    /// Empties a used one.
    #[inline]
    pub(super) fn renew(mut self: Box<Self>, retrieval: Retrieval) -> Box<Self> {
        self.retrieval = retrieval;
        self.line.clear();
        self.line.extend_from_slice(retrieval.word());
        self.members.clear();
        self.next = 0;
        self
    }

    /// How many keys it has.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    #[inline]
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    #[inline]
    pub(super) fn push(&mut self, prefix: &[u8], key: &[u8], slot: u32, is_one_of_many: bool) {
        self.line.push(b' ');
        self.line.extend_from_slice(prefix);
        self.line.extend_from_slice(key);
        self.members.push(Member {
            key_end: self.line.len() as u32,
            slot,
            is_one_of_many,
        });
    }

    /// Where the key of the member at `index` begins.
    #[inline]
    fn key_start(&self, index: usize) -> usize {
        let before = match index.checked_sub(1) {
            Some(before) => self.members[before].key_end as usize,
            None => self.retrieval.word().len(),
        };
        before + 1
    }

    /// The next member whose turn it is.
    #[inline]
    pub(super) fn advance(&mut self) -> Option<Member> {
        let member = *self.members.get(self.next)?;
        self.next += 1;
        Some(member)
    }

    /// The key of the next member.
    #[inline]
    pub(super) fn next_key(&self) -> Option<&[u8]> {
        let member = self.members.get(self.next)?;
        Some(&self.line[self.key_start(self.next)..member.key_end as usize])
    }

    /// How many members stand before the next one with this key; `None` if there is none.
    ///
    /// What it passes over has missed, so that all the values of a line together cost one walk along
    /// it.
    #[inline]
    pub(super) fn distance_to(&self, key: &[u8]) -> Option<usize> {
        self.keys_from(self.next)
            .position(|(candidate, _)| candidate == key)
    }

    /// Every key with its member, answered or not.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&[u8], Member)> {
        self.keys_from(0)
    }

    #[inline]
    fn keys_from(&self, first: usize) -> impl Iterator<Item = (&[u8], Member)> {
        let mut start = self.key_start(first);
        self.members[first..].iter().map(move |member| {
            let end = member.key_end as usize;
            let key = &self.line[start..end];
            start = end + 1;
            (key, *member)
        })
    }
}
