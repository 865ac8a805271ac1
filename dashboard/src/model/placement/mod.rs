//! Where keys lie, for eyes: the way of one key step by step, its neighbourhood, many keys at once.

mod key_list;
mod lens;
mod probe;

pub use key_list::{KeyList, MOST_KEYS, PlacedKey};
pub use lens::{Lens, LensArc};
pub use probe::{Probe, ProbeStep};
