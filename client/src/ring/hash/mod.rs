//! Hash functions as clients use them, quirks included.

mod crc32;
pub(super) mod md5;

/// What a key is hashed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyHash {
    /// CRC-32 (IEEE).
    Crc32,
    /// Bits 16 to 30 of CRC-32: what many clients call "crc".
    Crc32Shifted,
    /// The first four bytes of MD5, read little-endian.
    Md5,
    /// All of MD5 as a number of 128 bits, the first byte most significant.
    Md5Number,
}

impl KeyHash {
    /// The hash of `text`.
    #[inline]
    pub(super) fn of(self, text: &[u8]) -> u64 {
        u64::from(match self {
            Self::Crc32 => crc32fast::hash(text),
            Self::Crc32Shifted => crc32::shifted(text),
            Self::Md5 => md5::words(text)[0],
            Self::Md5Number => return md5::number(text) as u64,
        })
    }

    /// The whole hash of `text`, which [`of`](Self::of) cuts to 64 bits.
    #[inline]
    pub(super) fn wide(self, text: &[u8]) -> u128 {
        match self {
            Self::Md5Number => md5::number(text),
            _ => u128::from(self.of(text)),
        }
    }

    /// How many bits the hash has.
    pub(super) const fn bits(self) -> u32 {
        match self {
            Self::Crc32Shifted => 15,
            Self::Crc32 | Self::Md5 => 32,
            Self::Md5Number => 128,
        }
    }
}
