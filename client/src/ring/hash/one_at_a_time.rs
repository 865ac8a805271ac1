//! Bob Jenkins's one-at-a-time hash, libmemcached's default.

/// The hash of `text` as C code on x86-64 computes it, where `char` is signed: bytes from 0x80 on
/// are added as negative numbers.
pub(super) fn signed(text: &[u8]) -> u32 {
    let mut hash = 0_u32;
    for byte in text {
        hash = hash.wrapping_add(i32::from(*byte as i8) as u32);
        hash = hash.wrapping_add(hash << 10);
        hash ^= hash >> 6;
    }
    hash = hash.wrapping_add(hash << 3);
    hash ^= hash >> 11;
    hash.wrapping_add(hash << 15)
}
