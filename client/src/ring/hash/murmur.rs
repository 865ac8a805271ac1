//! Austin Appleby's Murmur hashes in the four forms that clients use.

/// The seed of libmemcached and twemproxy for a text of this length.
pub(super) const fn length_seed(text: &[u8]) -> u32 {
    0xdead_beef_u32.wrapping_mul(text.len() as u32)
}

/// MurmurHash2, 32 bits.
pub(super) fn murmur2(text: &[u8], seed: u32) -> u32 {
    const FACTOR: u32 = 0x5bd1_e995;
    let mut hash = seed ^ text.len() as u32;
    let (words, tail) = text.as_chunks::<4>();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(FACTOR);
        word ^= word >> 24;
        hash = hash.wrapping_mul(FACTOR) ^ word.wrapping_mul(FACTOR);
    }
    if !tail.is_empty() {
        hash = (hash ^ little_endian(tail) as u32).wrapping_mul(FACTOR);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ (hash >> 15)
}

/// MurmurHash3 for x86, 32 bits, fed piece by piece.
#[derive(Clone, Copy, Debug)]
pub(in crate::ring) struct Murmur3 {
    hash: u32,
    length: usize,
    /// The bytes after the last whole word, in the low end.
    pending: u32,
}

impl Murmur3 {
    pub(in crate::ring) const fn new(seed: u32) -> Self {
        Self {
            hash: seed,
            length: 0,
            pending: 0,
        }
    }

    /// Hashes on over `text`.
    pub(in crate::ring) fn update(&mut self, text: &[u8]) {
        let waiting = self.length % 4;
        let head = text.len().min((4 - waiting) % 4);
        let (head, rest) = text.split_at(head);
        self.pending |= (little_endian(head) as u32) << (8 * waiting);
        if waiting > 0 && waiting + head.len() == 4 {
            self.take_word(self.pending);
            self.pending = 0;
        }
        let (words, tail) = rest.as_chunks::<4>();
        for word in words {
            self.take_word(u32::from_le_bytes(*word));
        }
        self.pending |= little_endian(tail) as u32;
        self.length += text.len();
    }

    fn take_word(&mut self, word: u32) {
        self.hash = (self.hash ^ Self::mix(word))
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64);
    }

    const fn mix(word: u32) -> u32 {
        word.wrapping_mul(0xcc9e_2d51)
            .rotate_left(15)
            .wrapping_mul(0x1b87_3593)
    }

    /// The hash of everything fed so far.
    pub(in crate::ring) const fn finish(&self) -> u32 {
        let mut hash = self.hash ^ Self::mix(self.pending) ^ self.length as u32;
        hash ^= hash >> 16;
        hash = hash.wrapping_mul(0x85eb_ca6b);
        hash ^= hash >> 13;
        hash = hash.wrapping_mul(0xc2b2_ae35);
        hash ^ (hash >> 16)
    }
}

/// MurmurHash3 for x86, 32 bits, of one text.
pub(super) fn murmur3(text: &[u8], seed: u32) -> u32 {
    let mut hash = Murmur3::new(seed);
    hash.update(text);
    hash.finish()
}

/// The first half of MurmurHash3 for x64, 128 bits, seed 0.
pub(in crate::ring) fn murmur3_x64_first(text: &[u8]) -> u64 {
    const FACTOR_1: u64 = 0x87c3_7b91_1142_53d5;
    const FACTOR_2: u64 = 0x4cf5_ad43_2745_937f;
    let mix_1 = |word: u64| {
        let word = word.wrapping_mul(FACTOR_1).rotate_left(31);
        word.wrapping_mul(FACTOR_2)
    };
    let mix_2 = |word: u64| {
        let word = word.wrapping_mul(FACTOR_2).rotate_left(33);
        word.wrapping_mul(FACTOR_1)
    };
    let (mut first, mut second) = (0_u64, 0_u64);
    let (blocks, tail) = text.as_chunks::<16>();
    for block in blocks {
        let (low, high) = block.split_at(8);
        first = (first ^ mix_1(little_endian(low)))
            .rotate_left(27)
            .wrapping_add(second)
            .wrapping_mul(5)
            .wrapping_add(0x52dc_e729);
        second = (second ^ mix_2(little_endian(high)))
            .rotate_left(31)
            .wrapping_add(first)
            .wrapping_mul(5)
            .wrapping_add(0x3849_5ab5);
    }
    let (low, high) = tail.split_at(tail.len().min(8));
    let length = text.len() as u64;
    first ^= mix_1(little_endian(low)) ^ length;
    second ^= mix_2(little_endian(high)) ^ length;
    first = first.wrapping_add(second);
    second = second.wrapping_add(first);
    spread(first).wrapping_add(spread(second))
}

/// The finish of MurmurHash3's 64-bit halves.
const fn spread(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// MurmurHash64A.
pub(in crate::ring) fn murmur64a(text: &[u8], seed: u64) -> u64 {
    const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;
    let mut hash = seed ^ (text.len() as u64).wrapping_mul(FACTOR);
    let (words, tail) = text.as_chunks::<8>();
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(FACTOR);
        word ^= word >> 47;
        hash = (hash ^ word.wrapping_mul(FACTOR)).wrapping_mul(FACTOR);
    }
    if !tail.is_empty() {
        hash = (hash ^ little_endian(tail)).wrapping_mul(FACTOR);
    }
    hash ^= hash >> 47;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ (hash >> 47)
}

/// Up to eight bytes as a number, the first byte lowest.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_hash_like_the_whole(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..6),
            seed: u32,
        ) {
            let mut hash = Murmur3::new(seed);
            for piece in &pieces {
                hash.update(piece);
            }
            prop_assert_eq!(hash.finish(), murmur3(&pieces.concat(), seed));
        }
    }

    #[test]
    fn known_values() {
        assert_eq!(murmur3(b"", 0), 0);
        assert_eq!(murmur3(b"test", 0), 0xba6b_d213);
        assert_eq!(murmur3(b"hello", 0), 0x248b_fa47);
    }
}
