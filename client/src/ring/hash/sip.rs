//! SipHash-1-3 with zero keys: what Rust's `DefaultHasher` has been since 1.13.
//!
//! The standard library does not promise to keep it; clients built with these releases depend on it.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// The hash of a `str`: its bytes and a 0xff.
pub(super) fn of_str(text: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(text);
    hasher.write_u8(0xff);
    hasher.finish()
}

/// The hash of a `[u8]`: its length as a number of 64 bits and its bytes.
pub(in crate::ring) fn of_slice(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write_u64((bytes.len() as u64).to_le());
    hasher.write(bytes);
    hasher.finish()
}
