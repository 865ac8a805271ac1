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

/// One key of the line: the slot that waits for it, and its place among that slot's keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    key_end: u32,
    pub(super) slot: u32,
    /// `None` when the slot waits for this one key.
    pub(super) index: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) retrieval: Retrieval,
    keys: Vec<u8>,
    members: Vec<Member>,
    next: usize,
}

impl Group {
    pub(super) fn new(retrieval: Retrieval) -> Self {
        Self {
            retrieval,
            keys: Vec::new(),
            members: Vec::new(),
            next: 0,
        }
    }

    /// Empties a used one.
    pub(super) fn renew(mut self: Box<Self>, retrieval: Retrieval) -> Box<Self> {
        self.retrieval = retrieval;
        self.keys.clear();
        self.members.clear();
        self.next = 0;
        self
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn push(&mut self, prefix: &[u8], key: &[u8], slot: u32, index: Option<u32>) {
        self.keys.extend_from_slice(prefix);
        self.keys.extend_from_slice(key);
        self.members.push(Member {
            key_end: self.keys.len() as u32,
            slot,
            index,
        });
    }

    /// The next member whose turn it is, with its key.
    pub(super) fn advance(&mut self) -> Option<(Member, &[u8])> {
        let member = *self.members.get(self.next)?;
        let start = match self.next.checked_sub(1) {
            Some(before) => self.members[before].key_end as usize,
            None => 0,
        };
        self.next += 1;
        Some((member, &self.keys[start..member.key_end as usize]))
    }

    /// How many members stand before the next one with this key; `None` if there is none.
    pub(super) fn distance_to(&self, key: &[u8]) -> Option<usize> {
        self.keys()
            .skip(self.next)
            .position(|(candidate, _)| candidate == key)
    }

    /// Every key with its member, answered or not.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&[u8], Member)> {
        self.members.iter().scan(0, |start, member| {
            let key = &self.keys[*start..member.key_end as usize];
            *start = member.key_end as usize;
            Some((key, *member))
        })
    }
}
