//! What a client asked for, borrowed from the bytes it sent.

use super::meta::MetaCommand;
use super::tokens::{Tokens, words_of};

/// How a value is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreMode {
    Add,
    Set,
    Replace,
    Append,
    Prepend,
    Cas,
}

/// `set`, `add`, `replace`, `append`, `prepend` or `cas` with its data block.
#[derive(Debug)]
pub(crate) struct TextStore<'a> {
    pub(crate) mode: StoreMode,
    pub(crate) key: &'a [u8],
    pub(crate) flags: u32,
    pub(crate) exptime: i32,
    /// The cas unique to compare with; 0 where none was given.
    pub(crate) cas: u64,
    /// The value without its line ending.
    pub(crate) value: &'a [u8],
    /// Whether the data block ended in CR LF, as it must.
    pub(crate) terminated: bool,
    pub(crate) noreply: bool,
}

/// `ms` with its data block.
#[derive(Debug)]
pub(crate) struct MetaStore<'a> {
    pub(crate) command: MetaCommand<'a>,
    pub(crate) mode: StoreMode,
    pub(crate) value: &'a [u8],
    pub(crate) terminated: bool,
}

/// `ma`.
#[derive(Debug)]
pub(crate) struct MetaArithmetic<'a> {
    pub(crate) command: MetaCommand<'a>,
    pub(crate) increment: bool,
}

/// The keys of a multi-key read, however many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'a>(pub(crate) &'a [u8]);

impl<'a> Keys<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a [u8]> + Clone {
        words_of(self.0)
    }
}

/// Commands for operators, parsed where they are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdminVerb {
    CacheMemlimit,
    FlushAll,
    Lru,
    LruCrawler,
    MetaDebug,
    Shutdown,
    Slabs,
    Stats,
    Verbosity,
    Watch,
}

/// A refusal of a line: the reply to give, unless the line also asked for silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) reply: &'static str,
    pub(crate) noreply: bool,
}

impl Rejection {
    /// A refusal that is always answered.
    pub(crate) fn always(reply: &'static str) -> Self {
        Self {
            reply,
            noreply: false,
        }
    }
}

/// One complete request.
#[derive(Debug)]
pub(crate) enum Request<'a> {
    /// `get`, `gets`, and with an exptime `gat`, `gats`.
    Get {
        keys: Keys<'a>,
        with_cas: bool,
        exptime: Option<i32>,
    },
    Store(TextStore<'a>),
    /// A classic storage command whose value can never fit: its data block is discarded.
    Oversized {
        key: &'a [u8],
        mode: StoreMode,
        noreply: bool,
    },
    Delete {
        key: &'a [u8],
        noreply: bool,
    },
    Touch {
        key: &'a [u8],
        exptime: i32,
        noreply: bool,
    },
    Arithmetic {
        key: &'a [u8],
        increment: bool,
        delta: u64,
        noreply: bool,
    },
    MetaGet(MetaCommand<'a>),
    MetaStore(MetaStore<'a>),
    /// An `ms` whose value can never fit: its data block is discarded.
    OversizedMeta {
        command: MetaCommand<'a>,
        mode: StoreMode,
    },
    MetaDelete(MetaCommand<'a>),
    MetaArithmetic(MetaArithmetic<'a>),
    MetaNoop,
    Version,
    Quit,
    Admin {
        verb: AdminVerb,
        tokens: Tokens<'a>,
    },
    Reject(Rejection),
    /// A web browser's first line: the connection is closed without a word.
    Http,
}

impl From<Rejection> for Request<'_> {
    fn from(rejection: Rejection) -> Self {
        Self::Reject(rejection)
    }
}
