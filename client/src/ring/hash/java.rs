//! Hashes over UTF-16 units, as Java and JavaScript see a text.

/// `String.hashCode()`.
pub(super) fn string_hash_code(text: &[u8]) -> u32 {
    units(text).fold(0_u32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    })
}

/// The UTF-16 units of a UTF-8 text. What is no UTF-8 becomes U+FFFD, as both languages read it.
pub(super) fn units(text: &[u8]) -> impl Iterator<Item = u16> {
    text.utf8_chunks().flat_map(|chunk| {
        let replaced = (!chunk.invalid().is_empty()).then_some(0xfffd);
        chunk.valid().encode_utf16().chain(replaced)
    })
}
