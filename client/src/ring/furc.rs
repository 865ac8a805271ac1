//! mcrouter's Ch3, which its sources call furc_hash: a hash read bit by bit.
//!
//! The bits walk down a binary tree that has the list's positions for leaves: first skip the levels
//! above the highest set bit, then read a position of that many bits. A position beyond the list
//! is drawn anew from bits further on.

use super::hash::murmur::murmur64a;

/// mcrouter's seed for MurmurHash64A.
const SEED: u64 = 4_193_360_111;

/// The distance between two bits that belong to one position.
const STRIDE: usize = 23;

/// After this many positions beyond the list the first one is taken.
const TRIES: u32 = 32;

/// The first 64 bits of the row that belongs to `key`.
pub(super) fn hash(key: &[u8]) -> u64 {
    murmur64a(key, SEED)
}

/// The position that the row of bits beginning with `hash` leads to in a list of `count`.
pub(super) fn position(hash: u64, count: u32) -> u32 {
    if count <= 1 {
        return 0;
    }
    let mut bits = Bits { words: vec![hash] };
    let mut depth = (u32::BITS - (count - 1).leading_zeros()) as usize;
    let mut at = depth;
    for _ in 0..TRIES {
        while !bits.get(at) {
            depth -= 1;
            if depth == 0 {
                return 0;
            }
            at = depth;
        }
        at += STRIDE;
        let mut position = 1;
        for _ in 1..depth {
            position = (position << 1) | u32::from(bits.get(at));
            at += STRIDE;
        }
        if position < count {
            return position;
        }
    }
    0
}

/// An endless row of bits: the key's hash, the hash of that hash, and so on.
struct Bits {
    words: Vec<u64>,
}

impl Bits {
    fn get(&mut self, index: usize) -> bool {
        while let Some(last) = self.words.last()
            && self.words.len() <= index / 64
        {
            self.words.push(murmur64a(&last.to_le_bytes(), SEED));
        }
        self.words[index / 64] >> (index % 64) & 1 == 1
    }
}
