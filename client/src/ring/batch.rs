//! Lookups of many keys at once.

use super::Ring;
use super::hash::KeyHash;
use super::hash::md5::{self, LANES};
use super::table::Table;

impl Ring {
    /// The index of the member for each of `keys`, in their order, into `out`, which is cleared
    /// first.
    ///
    /// Worth it for a multi-get: ketama hashes four keys side by side.
    pub fn nodes_for_keys<K: AsRef<[u8]>>(&self, keys: &[K], out: &mut Vec<usize>) {
        out.clear();
        out.reserve(keys.len());
        let Table::Narrow(KeyHash::Md5, continuum) = &self.table else {
            out.extend(keys.iter().map(|key| self.node_for(key.as_ref())));
            return;
        };
        let (groups, rest) = keys.as_chunks::<LANES>();
        for group in groups {
            let hashes = md5::first_words(
                group
                    .each_ref()
                    .map(|key| self.distribution.hashed_part.of(key.as_ref())),
            );
            out.extend(hashes.map(|hash| continuum.owner(hash) as usize));
        }
        out.extend(rest.iter().map(|key| self.node_for(key.as_ref())));
    }
}
