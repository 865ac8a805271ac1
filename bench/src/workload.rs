//! What is asked of every contender, and what the answers must be.

use anyhow::{Result, ensure};
use clap::ValueEnum;

/// Keys of small values. So many that the server's cache lines are not all hot.
const SMALL_ITEMS: usize = 10_000;
const SMALL_VALUE: usize = 100;
const LARGE_ITEMS: usize = 100;
const LARGE_VALUE: usize = 100 * 1024;

/// Keys of one multi-get.
const KEYS_A_CALL: usize = 100;

/// One set among so many operations of the mixed workload.
const SET_EVERY: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// One caller gets values of 100 bytes, one after another.
    Get,
    /// One caller sets values of 100 bytes, one after another.
    Set,
    /// 64 callers share one client and get values of 100 bytes.
    Get64,
    /// As get64, but one operation in ten is a set.
    Mixed64,
    /// As get64, with 1,000 callers.
    Get1000,
    /// As mixed64, with 1,000 callers.
    Mixed1000,
    /// One caller gets 100 keys a call.
    MultiGet,
    /// One caller gets values of 100 KiB.
    Large,
}

impl Workload {
    pub(crate) const ALL: [Self; 8] = [
        Self::Get,
        Self::Set,
        Self::Get64,
        Self::Mixed64,
        Self::Get1000,
        Self::Mixed1000,
        Self::MultiGet,
        Self::Large,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Get64 => "get64",
            Self::Mixed64 => "mixed64",
            Self::Get1000 => "get1000",
            Self::Mixed1000 => "mixed1000",
            Self::MultiGet => "multi-get",
            Self::Large => "large",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Get => "One caller, get of 100 bytes",
            Self::Set => "One caller, set of 100 bytes",
            Self::Get64 => "64 callers, get of 100 bytes",
            Self::Mixed64 => "64 callers, 90 % get and 10 % set of 100 bytes",
            Self::Get1000 => "1,000 callers, get of 100 bytes",
            Self::Mixed1000 => "1,000 callers, 90 % get and 10 % set of 100 bytes",
            Self::MultiGet => "One caller, 100 keys a call (an operation is a call)",
            Self::Large => "One caller, get of 100 KiB",
        }
    }

    /// How many tasks, or threads, ask at the same time.
    pub(crate) const fn callers(self) -> usize {
        match self {
            Self::Get | Self::Set | Self::MultiGet | Self::Large => 1,
            Self::Get64 | Self::Mixed64 => 64,
            Self::Get1000 | Self::Mixed1000 => 1000,
        }
    }

    /// Whether it stores something.
    #[cfg(feature = "peers")]
    pub(crate) const fn has_sets(self) -> bool {
        matches!(self, Self::Set | Self::Mixed64 | Self::Mixed1000)
    }

    /// The contender that shows what is possible at all, or nearly, with so many servers.
    pub(crate) const fn floor(self, servers: usize) -> &'static str {
        match (self.callers(), servers) {
            (1, 1) => "floor/tokio@current",
            (1, _) => "floor/blocking",
            _ => "floor/window",
        }
    }

    /// The items that this workload works on. They live as long as the process.
    pub(crate) fn items(self) -> &'static [Item] {
        let items: Vec<_> = match self {
            Self::Large => (0..LARGE_ITEMS)
                .map(|index| Item::new("large", index, LARGE_VALUE))
                .collect(),
            _ => (0..SMALL_ITEMS)
                .map(|index| Item::new("small", index, SMALL_VALUE))
                .collect(),
        };
        items.leak()
    }
}

/// A key with the only value it ever has.
pub(crate) struct Item {
    pub(crate) key: String,
    pub(crate) value: Vec<u8>,
    /// By which the floors choose a server.
    pub(crate) number: usize,
}

impl Item {
    fn new(family: &str, index: usize, length: usize) -> Self {
        let mut random = Random::new(index as u64);
        Self {
            key: format!("{family}:{index:010}"),
            value: (0..length)
                .map(|_| b'a' + (random.next() % 26) as u8)
                .collect(),
            number: (random.next() >> 32) as usize,
        }
    }

    /// The index of the server on which a floor looks for it, among `servers`.
    pub(crate) fn place(&self, servers: usize) -> usize {
        self.number % servers
    }

    pub(crate) fn check(&self, value: &[u8]) -> Result<()> {
        ensure!(value == self.value, "wrong value for {}", self.key);
        Ok(())
    }

    pub(crate) fn check_hit(&self, value: Option<impl AsRef<[u8]>>) -> Result<()> {
        ensure!(
            value.is_some_and(|value| value.as_ref() == self.value),
            "no or wrong value for {}",
            self.key
        );
        Ok(())
    }
}

/// One operation.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    Get(&'static Item),
    Set(&'static Item),
    GetMany(&'static [Item]),
}

/// The operations of one caller; the same at every run.
pub(crate) struct Steps {
    workload: Workload,
    items: &'static [Item],
    random: Random,
}

impl Steps {
    pub(crate) fn new(workload: Workload, items: &'static [Item], caller: usize) -> Self {
        Self {
            workload,
            items,
            random: Random::new(caller as u64),
        }
    }

    pub(crate) fn next(&mut self) -> Step {
        let random = self.random.next();
        let item = &self.items[(random >> 32) as usize % self.items.len()];
        match self.workload {
            Workload::Get | Workload::Get64 | Workload::Get1000 | Workload::Large => {
                Step::Get(item)
            }
            Workload::Mixed64 | Workload::Mixed1000 if !random.is_multiple_of(SET_EVERY) => {
                Step::Get(item)
            }
            Workload::Set | Workload::Mixed64 | Workload::Mixed1000 => Step::Set(item),
            Workload::MultiGet => {
                let first = (random >> 32) as usize % (self.items.len() - KEYS_A_CALL);
                Step::GetMany(&self.items[first..first + KEYS_A_CALL])
            }
        }
    }
}

/// SplitMix64: a few instructions a number, so that the measuring costs little.
pub(crate) struct Random(u64);

impl Random {
    const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

    pub(crate) const fn new(stream: u64) -> Self {
        Self(stream.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::GOLDEN_GAMMA);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
