//! Hash functions as clients use them, quirks included.

mod crc16;
mod crc32;
mod fnv;
mod hsieh;
mod java;
mod jenkins;
pub(super) mod md5;
pub(super) mod murmur;
mod one_at_a_time;
pub(super) mod sip;

use sha1::{Digest, Sha1};
use xxhash_rust::xxh3::xxh3_64;

/// What a key is hashed with.
///
/// "Signed" hashes take bytes from 0x80 on as negative numbers, because `char` is signed in C on
/// x86-64; they differ from the published function for keys beyond ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyHash {
    /// CRC-32 (IEEE).
    Crc32,
    /// Bits 16 to 30 of CRC-32: what python-memcached, libmemcached, twemproxy and others call
    /// "crc" or "crc32".
    Crc32Shifted,
    /// The lower 31 bits of CRC-32 (mcrouter).
    Crc32Low31,
    /// The lower 16 bits of CRC-32.
    Crc32Low16,
    /// CRC-16 (CCITT) without the mask to 16 bits (twemproxy).
    Crc16Unmasked,
    /// The first four bytes of MD5, read little-endian: ketama's hash.
    Md5,
    /// All of MD5 as a number of 128 bits, the first byte most significant.
    Md5Number,
    /// The first four bytes of SHA-1, read big-endian.
    Sha1,
    /// Jenkins's one-at-a-time, signed: libmemcached's default.
    OneAtATime,
    /// Jenkins's lookup3 with initial value 13 (libmemcached, twemproxy).
    Jenkins,
    /// FNV-1 of 32 bits, signed.
    Fnv1x32,
    /// FNV-1a of 32 bits, signed.
    Fnv1ax32,
    /// The lower half of FNV-1 of 64 bits, signed.
    Fnv1x64,
    /// libmemcached's "FNV1A_64", signed: 32-bit arithmetic with the constants of 64 bits cut off.
    Fnv1ax64Truncated,
    /// MurmurHash2 of 32 bits, seeded with 0xdeadbeef times the length (libmemcached, twemproxy).
    Murmur2,
    /// MurmurHash3 of 32 bits, seeded with 0xdeadbeef times the length (libmemcached).
    Murmur3,
    /// Hsieh's SuperFastHash, signed, beginning at 0 (twemproxy).
    Hsieh,
    /// Java's `String.hashCode()` as an unsigned number of 32 bits.
    JavaString,
    /// The absolute value of Java's `String.hashCode()` (memjs).
    JavaStringAbsolute,
    /// FNV-1 of 32 bits over UTF-16 units (spymemcached).
    Utf16Fnv1x32,
    /// FNV-1a of 32 bits over UTF-16 units (spymemcached).
    Utf16Fnv1ax32,
    /// The lower half of FNV-1 of 64 bits over UTF-16 units (spymemcached).
    Utf16Fnv1x64,
    /// The lower half of FNV-1a of 64 bits over UTF-16 units (spymemcached).
    Utf16Fnv1ax64,
    /// SipHash-1-3 with zero keys over the text and a 0xff byte, as Rust's `DefaultHasher` hashes
    /// a `str`.
    RustStr,
    /// xxh3 of 64 bits.
    Xxh3,
}

impl KeyHash {
    /// The hash of `text`, cut to 64 bits.
    ///
    /// The two that matter most are compared for and inlined; a jump table over all of them would
    /// cost as much as CRC-32 itself.
    #[inline]
    pub(super) fn of(self, text: &[u8]) -> u64 {
        if self == Self::Crc32 {
            u64::from(crc32fast::hash(text))
        } else if self == Self::Md5 {
            u64::from(md5::first_word(text))
        } else {
            self.of_any(text)
        }
    }

    #[inline(never)]
    fn of_any(self, text: &[u8]) -> u64 {
        match self {
            Self::Md5Number => md5::number(text) as u64,
            Self::RustStr => sip::of_str(text),
            Self::Xxh3 => xxh3_64(text),
            _ => u64::from(self.of_32_bits(text)),
        }
    }

    /// The whole hash of `text`.
    #[inline]
    pub(super) fn wide(self, text: &[u8]) -> u128 {
        match self {
            Self::Md5Number => md5::number(text),
            _ => u128::from(self.of(text)),
        }
    }

    /// The lower half of [`of`](Self::of), which is all of it for most hashes.
    fn of_32_bits(self, text: &[u8]) -> u32 {
        match self {
            Self::Crc32 | Self::Md5 | Self::Md5Number | Self::RustStr | Self::Xxh3 => {
                self.of(text) as u32
            }
            Self::Crc32Shifted => crc32::shifted(text),
            Self::Crc32Low31 => crc32fast::hash(text) & 0x7fff_ffff,
            Self::Crc32Low16 => crc32fast::hash(text) & 0xffff,
            Self::Crc16Unmasked => crc16::unmasked(text),
            Self::Sha1 => {
                let digest = Sha1::digest(text);
                u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
            }
            Self::OneAtATime => one_at_a_time::signed(text),
            Self::Jenkins => jenkins::lookup3(text, jenkins::INITIAL),
            Self::Fnv1x32 => fnv::fnv1_32(fnv::signed_32(text)),
            Self::Fnv1ax32 => fnv::fnv1a_32(fnv::signed_32(text)),
            Self::Fnv1x64 => fnv::fnv1_64(fnv::signed_64(text)),
            Self::Fnv1ax64Truncated => fnv::fnv1a_64_truncated(fnv::signed_32(text)),
            Self::Murmur2 => murmur::murmur2(text, murmur::length_seed(text)),
            Self::Murmur3 => murmur::murmur3(text, murmur::length_seed(text)),
            Self::Hsieh => hsieh::super_fast(text),
            Self::JavaString => java::string_hash_code(text),
            Self::JavaStringAbsolute => (java::string_hash_code(text) as i32).unsigned_abs(),
            Self::Utf16Fnv1x32 => fnv::fnv1_32(java::units(text).map(u32::from)),
            Self::Utf16Fnv1ax32 => fnv::fnv1a_32(java::units(text).map(u32::from)),
            Self::Utf16Fnv1x64 => fnv::fnv1_64(java::units(text).map(u64::from)),
            Self::Utf16Fnv1ax64 => fnv::fnv1a_64(java::units(text).map(u64::from)),
        }
    }

    /// What it is called where there is little room, like `md5` or `fnv1a-32`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc32Shifted => "crc32 bits 16-30",
            Self::Crc32Low31 => "crc32 low 31 bits",
            Self::Crc32Low16 => "crc32 low 16 bits",
            Self::Crc16Unmasked => "crc16 unmasked",
            Self::Md5 => "md5",
            Self::Md5Number => "md5 128 bits",
            Self::Sha1 => "sha1",
            Self::OneAtATime => "one-at-a-time",
            Self::Jenkins => "jenkins",
            Self::Fnv1x32 => "fnv1-32",
            Self::Fnv1ax32 => "fnv1a-32",
            Self::Fnv1x64 => "fnv1-64",
            Self::Fnv1ax64Truncated => "fnv1a-64 truncated",
            Self::Murmur2 => "murmur2",
            Self::Murmur3 => "murmur3",
            Self::Hsieh => "hsieh",
            Self::JavaString => "java hashCode",
            Self::JavaStringAbsolute => "java abs(hashCode)",
            Self::Utf16Fnv1x32 => "fnv1-32 utf-16",
            Self::Utf16Fnv1ax32 => "fnv1a-32 utf-16",
            Self::Utf16Fnv1x64 => "fnv1-64 utf-16",
            Self::Utf16Fnv1ax64 => "fnv1a-64 utf-16",
            Self::RustStr => "siphash-1-3",
            Self::Xxh3 => "xxh3",
        }
    }

    /// How many low bits the hash has: its values are below 2 to this power.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Crc32Shifted => 15,
            Self::Crc32Low16 => 16,
            // The absolute value of the least hash code is 2^31; one hash in four billion.
            Self::Crc32Low31 | Self::JavaStringAbsolute => 31,
            Self::RustStr | Self::Xxh3 => 64,
            Self::Md5Number => 128,
            _ => 32,
        }
    }
}
