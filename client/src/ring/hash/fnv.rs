//! The FNV family: as it was published, and as clients got it wrong and must keep it.
//!
//! Bytes come as numbers of the hash's width. C code on x86-64 takes them from a signed `char`, so
//! bytes from 0x80 on are negative; Java code takes UTF-16 units instead.

const START_32: u32 = 0x811c_9dc5;
const PRIME_32: u32 = 0x0100_0193;
const START_64: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME_64: u64 = 0x0000_0100_0000_01b3;

/// FNV-1 with 32 bits: multiply, then mix in.
pub(super) fn fnv1_32(units: impl Iterator<Item = u32>) -> u32 {
    units.fold(START_32, |hash, unit| hash.wrapping_mul(PRIME_32) ^ unit)
}

/// FNV-1a with 32 bits: mix in, then multiply.
pub(super) fn fnv1a_32(units: impl Iterator<Item = u32>) -> u32 {
    units.fold(START_32, |hash, unit| (hash ^ unit).wrapping_mul(PRIME_32))
}

/// FNV-1 with 64 bits, of which clients keep the lower half.
pub(super) fn fnv1_64(units: impl Iterator<Item = u64>) -> u32 {
    units.fold(START_64, |hash, unit| hash.wrapping_mul(PRIME_64) ^ unit) as u32
}

/// FNV-1a with 64 bits, of which clients keep the lower half.
pub(super) fn fnv1a_64(units: impl Iterator<Item = u64>) -> u32 {
    units.fold(START_64, |hash, unit| (hash ^ unit).wrapping_mul(PRIME_64)) as u32
}

/// What libmemcached and twemproxy call `fnv1a_64`: the constants of 64 bits cut to 32, and 32-bit
/// arithmetic. The lower half of [`fnv1a_64`] differs.
pub(super) fn fnv1a_64_truncated(units: impl Iterator<Item = u32>) -> u32 {
    units.fold(START_64 as u32, |hash, unit| {
        (hash ^ unit).wrapping_mul(PRIME_64 as u32)
    })
}

/// The bytes of `text` as signed 32-bit numbers.
pub(super) fn signed_32(text: &[u8]) -> impl Iterator<Item = u32> {
    text.iter().map(|byte| i32::from(*byte as i8) as u32)
}

/// The bytes of `text` as signed 64-bit numbers.
pub(super) fn signed_64(text: &[u8]) -> impl Iterator<Item = u64> {
    text.iter().map(|byte| i64::from(*byte as i8) as u64)
}
