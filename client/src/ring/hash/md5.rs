//! MD5 of short texts, one or several at a time.
//!
//! A key of up to 55 bytes is one MD5 block, and one block is a chain of 64 dependent steps: its
//! cost is latency, not work. So the steps are unrolled with everything that does not depend on
//! the previous step added first, and [`first_words`] runs four keys through the same chain side
//! by side, which costs little more than one. Longer texts go to the `md-5` crate.

use md5::{Digest, Md5};

/// The longest text whose padding and length still fit into one 64-byte block.
const ONE_BLOCK: usize = 55;

/// How many texts [`first_words`] hashes side by side.
pub(in crate::ring) const LANES: usize = 4;

/// Initial state (RFC 1321, 3.3).
const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// Step constants: the integer part of 2^32 * |sin(i + 1)| (RFC 1321, 3.4).
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// The four words of the digest, each read little-endian as the ketama recipes do.
pub(in crate::ring) fn words(text: &[u8]) -> [u32; 4] {
    if text.len() <= ONE_BLOCK {
        return compress([block(text)]).map(|[word]| word);
    }
    let digest = Md5::digest(text);
    std::array::from_fn(|i| {
        u32::from_le_bytes([
            digest[4 * i],
            digest[4 * i + 1],
            digest[4 * i + 2],
            digest[4 * i + 3],
        ])
    })
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
    texts.map(|text| words(text)[0])
}

/// Pads a text of at most [`ONE_BLOCK`] bytes into the 16 words of its only block.
fn block(text: &[u8]) -> [u32; 16] {
    let mut bytes = [0; 64];
    bytes[..text.len()].copy_from_slice(text);
    bytes[text.len()] = 0x80;
    bytes[56..].copy_from_slice(&(text.len() as u64 * 8).to_le_bytes());
    std::array::from_fn(|i| {
        u32::from_le_bytes([
            bytes[4 * i],
            bytes[4 * i + 1],
            bytes[4 * i + 2],
            bytes[4 * i + 3],
        ])
    })
}

/// The digests of `N` one-block texts: word by word, and in each word lane by lane.
fn compress<const N: usize>(blocks: [[u32; 16]; N]) -> [[u32; N]; 4] {
    let [mut a, mut b, mut c, mut d] = START.map(|word| [word; N]);

    // One step of RFC 1321, 3.4. `$early` are the terms that do not need the newest word `$b`.
    macro_rules! step {
        ($a:ident, $b:ident, $c:ident, $d:ident, $i:expr, $word:expr, $shift:expr, $mix:expr) => {
            for lane in 0..N {
                let early = $a[lane]
                    .wrapping_add(SINES[$i])
                    .wrapping_add(blocks[lane][$word % 16]);
                $a[lane] = $mix(early, $b[lane], $c[lane], $d[lane])
                    .rotate_left($shift)
                    .wrapping_add($b[lane]);
            }
        };
    }
    macro_rules! round {
        ($base:expr, $factor:expr, $offset:expr, $shifts:expr, $mix:expr) => {
            round!(@four $base, $factor, $offset, $shifts, $mix);
            round!(@four $base + 4, $factor, $offset, $shifts, $mix);
            round!(@four $base + 8, $factor, $offset, $shifts, $mix);
            round!(@four $base + 12, $factor, $offset, $shifts, $mix);
        };
        (@four $i:expr, $factor:expr, $offset:expr, $shifts:expr, $mix:expr) => {
            step!(a, b, c, d, $i, ($i) * $factor + $offset, $shifts[0], $mix);
            step!(d, a, b, c, $i + 1, ($i + 1) * $factor + $offset, $shifts[1], $mix);
            step!(c, d, a, b, $i + 2, ($i + 2) * $factor + $offset, $shifts[2], $mix);
            step!(b, c, d, a, $i + 3, ($i + 3) * $factor + $offset, $shifts[3], $mix);
        };
    }
    round!(0, 1, 0, [7, 12, 17, 22], |early: u32, b, c, d| early
        .wrapping_add(d ^ (b & (c ^ d))));
    // `+` instead of `|`: the halves share no bit, and `c & !d` is known before `b` is.
    round!(16, 5, 1, [5, 9, 14, 20], |early: u32, b, c, d: u32| early
        .wrapping_add(c & !d)
        .wrapping_add(b & d));
    round!(32, 3, 5, [4, 11, 16, 23], |early: u32, b, c, d| early
        .wrapping_add(b ^ (c ^ d)));
    round!(48, 7, 0, [6, 10, 15, 21], |early: u32, b, c, d: u32| early
        .wrapping_add(c ^ (b | !d)));

    for (state, start) in [&mut a, &mut b, &mut c, &mut d].into_iter().zip(START) {
        for word in state {
            *word = word.wrapping_add(start);
        }
    }
    [a, b, c, d]
}
