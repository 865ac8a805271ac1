//! MD5 of short texts, one or several at a time.
//!
//! A key of up to 55 bytes is one MD5 block, and one block is a chain of 64 dependent steps: its
//! cost is latency, not work. So the steps are unrolled with everything that does not depend on
//! the previous step added first, and [`first_words`] runs four keys through the same chain side
//! by side, which costs little more than one. Longer texts go to the `md-5` crate.

use std::array::from_fn;
use std::num::Wrapping;

use md5::{Digest, Md5};

/// The longest text whose padding and length still fit into one 64-byte block.
const ONE_BLOCK: usize = 55;

/// How many texts [`first_words`] hashes side by side.
pub(in crate::ring) const LANES: usize = 4;

/// Initial state (RFC 1321, 3.3).
const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// Step constants: the integer part of 2^32 * |sin(i + 1)| (RFC 1321, 3.4).
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

/// The first word of the digest, as [`words`] has it. It is known three steps before the others.
#[inline]
pub(in crate::ring) fn first_word(text: &[u8]) -> u32 {
    if text.len() <= ONE_BLOCK {
        let [[first], ..] = compress([block(text)]);
        return first;
    }
    words(text)[0]
}

/// The four words of the digest, each read little-endian as the ketama recipes do.
pub(in crate::ring) fn words(text: &[u8]) -> [u32; 4] {
    if text.len() <= ONE_BLOCK {
        return compress([block(text)]).map(|[word]| word);
    }
    from_fn(word_of(&Md5::digest(text)))
}

/// The whole digest as one number, the way `int(hexdigest, 16)` reads it.
pub(in crate::ring) fn number(text: &[u8]) -> u128 {
    words(text).iter().fold(0, |number, word| {
        (number << 32) | u128::from(word.swap_bytes())
    })
}

/// The first word of each text's digest.
pub(in crate::ring) fn first_words(texts: [&[u8]; LANES]) -> [u32; LANES] {
    if texts.iter().all(|text| text.len() <= ONE_BLOCK) {
        let [first, ..] = compress(texts.map(block));
        return first;
    }
    texts.map(first_word)
}

/// Pads a text of at most [`ONE_BLOCK`] bytes into the 16 words of its only block.
fn block(text: &[u8]) -> [u32; 16] {
    let mut bytes = [0; 64];
    bytes[..text.len()].copy_from_slice(text);
    bytes[text.len()] = 0x80;
    bytes[56..].copy_from_slice(&(text.len() as u64 * 8).to_le_bytes());
    from_fn(word_of(&bytes))
}

/// Reads little-endian words by their number.
fn word_of(bytes: &[u8]) -> impl Fn(usize) -> u32 {
    let (words, _) = bytes.as_chunks();
    |i| u32::from_le_bytes(words[i])
}

/// One number of each of `N` texts.
type Lanes<const N: usize> = [u32; N];

/// The digests of `N` one-block texts, word by word. Inlined, so that no word is computed that nobody
/// wants.
#[inline(always)]
fn compress<const N: usize>(blocks: [[u32; 16]; N]) -> [Lanes<N>; 4] {
    let words: [Lanes<N>; 16] = from_fn(|i| blocks.map(|block| block[i]));
    let [mut a, mut b, mut c, mut d] = START.map(|word| [word; N]);
    // Steps $first to $first + 15 of RFC 1321, 3.4: $i takes the word $factor * $i + $offset.
    macro_rules! round {
        ($first:literal, $factor:literal, $offset:literal, $turns:expr, $mix:expr) => {
            round!(@four $first, $factor, $offset, $turns, $mix);
            round!(@four $first + 4, $factor, $offset, $turns, $mix);
            round!(@four $first + 8, $factor, $offset, $turns, $mix);
            round!(@four $first + 12, $factor, $offset, $turns, $mix);
        };
        (@four $i:expr, $factor:literal, $offset:literal, $turns:expr, $mix:expr) => {
            let word = |i: usize| words[(i * $factor + $offset) % 16];
            a = step::<N, { $i }>(a, b, c, d, word($i), $turns[0], $mix);
            d = step::<N, { $i + 1 }>(d, a, b, c, word($i + 1), $turns[1], $mix);
            c = step::<N, { $i + 2 }>(c, d, a, b, word($i + 2), $turns[2], $mix);
            b = step::<N, { $i + 3 }>(b, c, d, a, word($i + 3), $turns[3], $mix);
        };
    }
    round!(0, 1, 0, [7, 12, 17, 22], |early, b, c, d| early
        + (d ^ (b & (c ^ d))));
    // `+` for RFC 1321's `|`: the halves share no bit, and `c & !d` is known before `b` is.
    round!(16, 5, 1, [5, 9, 14, 20], |early, b, c, d| early
        + (c & !d)
        + (b & d));
    round!(32, 3, 5, [4, 11, 16, 23], |early, b, c, d| early
        + (b ^ (c ^ d)));
    round!(48, 7, 0, [6, 10, 15, 21], |early, b, c, d| early
        + (c ^ (b | !d)));

    let mut state = [a, b, c, d];
    for (lanes, start) in state.iter_mut().zip(START) {
        *lanes = lanes.map(|word| word.wrapping_add(start));
    }
    state
}

/// Step `STEP` of RFC 1321, 3.4. Written lane by lane, operation by operation, it becomes vector
/// code for several lanes.
#[inline(always)]
fn step<const N: usize, const STEP: usize>(
    a: Lanes<N>,
    b: Lanes<N>,
    c: Lanes<N>,
    d: Lanes<N>,
    word: Lanes<N>,
    turn: u32,
    mix: impl Fn(Wrapping<u32>, Wrapping<u32>, Wrapping<u32>, Wrapping<u32>) -> Wrapping<u32>,
) -> Lanes<N> {
    let early: Lanes<N> = from_fn(|i| a[i].wrapping_add(SINES[STEP]).wrapping_add(word[i]));
    let mixed: Lanes<N> = from_fn(|i| {
        mix(
            Wrapping(early[i]),
            Wrapping(b[i]),
            Wrapping(c[i]),
            Wrapping(d[i]),
        )
        .0
    });
    from_fn(|i| mixed[i].rotate_left(turn).wrapping_add(b[i]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digest(text: &[u8]) -> u128 {
        u128::from_be_bytes(Md5::digest(text).into())
    }

    proptest! {
        #[test]
        fn agrees_with_the_md5_crate(text in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(number(&text), digest(&text));
            let first = (digest(&text) >> 96) as u32;
            prop_assert_eq!(words(&text)[0], first.swap_bytes());
            prop_assert_eq!(first_word(&text), first.swap_bytes());
        }

        #[test]
        fn several_texts_agree_with_one(
            texts in prop::array::uniform4(prop::collection::vec(any::<u8>(), 0..60)),
        ) {
            let together = first_words(texts.each_ref().map(Vec::as_slice));
            prop_assert_eq!(together, texts.each_ref().map(|text| words(text)[0]));
        }
    }

    #[test]
    fn lengths_around_the_end_of_a_block() {
        for length in 50..70 {
            let text = vec![b'x'; length];
            assert_eq!(number(&text), digest(&text), "{length} bytes");
        }
    }
}
