//! CRC-32 (IEEE) as crc32fast computes it, and the ways in which clients cut it down.

/// Bits 16 to 30 of the checksum: what Perl's Cache::Memcached began with and python-memcached,
/// libmemcached, twemproxy and spymemcached call "crc" or "crc32".
pub(super) fn shifted(text: &[u8]) -> u32 {
    (crc32fast::hash(text) >> 16) & 0x7fff
}
