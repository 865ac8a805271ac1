//! CRC-16 (CCITT, as in XMODEM) as twemproxy has it.

const POLYNOMIAL: u16 = 0x1021;

const TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut checksum = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            let carry = checksum & 0x8000 != 0;
            checksum = (checksum << 1) ^ if carry { POLYNOMIAL } else { 0 };
            bit += 1;
        }
        table[byte] = checksum;
        byte += 1;
    }
    table
}

/// The checksum of `text` without the mask to 16 bits: what is shifted out of the low half stays
/// in the high one.
pub(super) fn unmasked(text: &[u8]) -> u32 {
    text.iter().fold(0_u32, |checksum, byte| {
        let index = (checksum >> 8) as u8 ^ byte;
        (checksum << 8) ^ u32::from(TABLE[usize::from(index)])
    })
}
