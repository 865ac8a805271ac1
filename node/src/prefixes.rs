//! `stats detail`: reads and writes counted by key prefix.

use std::collections::HashMap;

/// What ends a prefix.
const DELIMITER: u8 = b':';
/// memcached's table of prefixes has this many buckets, and lists them in that order.
const BUCKETS: u32 = 256;
/// The most prefixes kept. memcached has no limit; a node must have one.
const PREFIXES_MAX: usize = 10_000;

/// Counts of one prefix.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PrefixCounts {
    pub(crate) gets: u64,
    pub(crate) hits: u64,
    pub(crate) sets: u64,
    pub(crate) deletes: u64,
    /// The order in which prefixes were first seen.
    order: usize,
}

/// All prefixes seen since counting began.
#[derive(Debug, Default)]
pub(crate) struct Prefixes {
    counts: HashMap<Vec<u8>, PrefixCounts>,
}

impl Prefixes {
    /// The counts of a key's prefix; `None` where it has none, or there are too many already.
    pub(crate) fn of(&mut self, key: &[u8]) -> Option<&mut PrefixCounts> {
        let end = key
            .iter()
            .position(|&byte| byte == DELIMITER || byte == 0)?;
        if key[end] != DELIMITER {
            return None;
        }
        let order = self.counts.len();
        let prefix = &key[..end];
        if !self.counts.contains_key(prefix) {
            if order == PREFIXES_MAX {
                return None;
            }
            self.counts.insert(
                prefix.to_vec(),
                PrefixCounts {
                    order,
                    ..PrefixCounts::default()
                },
            );
        }
        self.counts.get_mut(prefix)
    }

    /// Every prefix in the order memcached lists them: by bucket, and there the newest first.
    pub(crate) fn sorted(&self) -> Vec<(&[u8], PrefixCounts)> {
        let mut all: Vec<_> = self
            .counts
            .iter()
            .map(|(prefix, &counts)| (prefix.as_slice(), counts))
            .collect();
        all.sort_by_key(|(prefix, counts)| {
            (murmur3(prefix) % BUCKETS, std::cmp::Reverse(counts.order))
        });
        all
    }

    pub(crate) fn clear(&mut self) {
        self.counts.clear();
    }
}

/// MurmurHash3 for 32-bit results, seed 0: memcached's default hash, here for its order alone.
fn murmur3(key: &[u8]) -> u32 {
    let scramble = |block: u32| {
        block
            .wrapping_mul(0xcc9e_2d51)
            .rotate_left(15)
            .wrapping_mul(0x1b87_3593)
    };
    let mut hash = 0_u32;
    let (blocks, rest) = key.as_chunks::<4>();
    for &block in blocks {
        hash ^= scramble(u32::from_le_bytes(block));
        hash = hash
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64);
    }
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    hash ^= scramble(u32::from_le_bytes(last));
    hash ^= key.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur3_matches_its_published_vectors() {
        assert_eq!(murmur3(b""), 0);
        assert_eq!(murmur3(b"test"), 0xba6b_d213);
        assert_eq!(murmur3(b"Hello, world!"), 0xc036_3e43);
    }

    #[test]
    fn only_keys_with_a_delimiter_have_a_prefix() {
        let mut prefixes = Prefixes::default();
        assert!(prefixes.of(b"plain").is_none());
        prefixes.of(b"user:1").expect("a prefix").gets += 1;
        prefixes.of(b"user:2").expect("a prefix").gets += 1;
        assert_eq!(prefixes.sorted().len(), 1);
        assert_eq!(prefixes.sorted()[0].1.gets, 2);
    }
}
