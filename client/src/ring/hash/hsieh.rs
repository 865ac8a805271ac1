//! Paul Hsieh's SuperFastHash as twemproxy has it.

/// The hash of `text`. It begins at 0 instead of at the length; of three odd bytes at the end the
/// last is a signed `char`, a single one is not.
pub(super) fn super_fast(text: &[u8]) -> u32 {
    let half = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]));
    let mut hash = 0_u32;
    let (words, tail) = text.as_chunks::<4>();
    for [a, b, c, d] in words {
        hash = hash.wrapping_add(half(*a, *b));
        let mixed = (half(*c, *d) << 11) ^ hash;
        hash = (hash << 16) ^ mixed;
        hash = hash.wrapping_add(hash >> 11);
    }
    match *tail {
        [a, b, c] => {
            hash = hash.wrapping_add(half(a, b));
            hash ^= hash << 16;
            hash ^= (i32::from(c as i8) as u32) << 18;
            hash = hash.wrapping_add(hash >> 11);
        }
        [a, b] => {
            hash = hash.wrapping_add(half(a, b));
            hash ^= hash << 11;
            hash = hash.wrapping_add(hash >> 17);
        }
        [a] => {
            hash = hash.wrapping_add(u32::from(a));
            hash ^= hash << 10;
            hash = hash.wrapping_add(hash >> 1);
        }
        _ => {}
    }
    hash ^= hash << 3;
    hash = hash.wrapping_add(hash >> 5);
    hash ^= hash << 4;
    hash = hash.wrapping_add(hash >> 17);
    hash ^= hash << 25;
    hash.wrapping_add(hash >> 6)
}
