//! Decompression of FastLZ, which php-memcached uses by default.
//!
//! The format is a sequence of instructions, each begun by one byte (FastLZ 0.5, "Block format"):
//! its three upper bits are 0 for a run of literals, else the length of a match. The upper bits of
//! the very first one tell the level of the whole block instead.

/// The distance from which on level 2 writes it in two bytes of its own.
const FAR: usize = 8191;

/// The decompressed block; `None` if it is damaged or has not exactly `length` bytes.
///
/// Allocates no more than the block's own content can expand to.
pub(super) fn decompress(block: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut rest = block;
    let first = next(&mut rest)?;
    let is_level_2 = match first >> 5 {
        0 => false,
        1 => true,
        _ => return None,
    };
    let mut output = Vec::with_capacity(length.min(block.len().saturating_mul(4)));
    let mut instruction = first & 0x1f;
    loop {
        if instruction < 0x20 {
            let run = rest.split_off(..usize::from(instruction) + 1)?;
            output.extend_from_slice(run);
        } else {
            let (distance, count) = find_match(instruction, is_level_2, &mut rest)?;
            if count > length.checked_sub(output.len())? {
                return None;
            }
            repeat(&mut output, distance, count)?;
        }
        match next(&mut rest) {
            Some(byte) if output.len() <= length => instruction = byte,
            _ => break,
        }
    }
    (output.len() == length && rest.is_empty()).then_some(output)
}

fn next(rest: &mut &[u8]) -> Option<u8> {
    rest.split_off_first().copied()
}

/// How far back a match lies, and how many bytes it has.
fn find_match(instruction: u8, is_level_2: bool, rest: &mut &[u8]) -> Option<(usize, usize)> {
    let mut count = usize::from(instruction >> 5) + 2;
    if instruction >> 5 == 7 {
        count += more_length(is_level_2, rest)?;
    }
    let high = usize::from(instruction & 0x1f) << 8;
    let low = next(rest)?;
    if is_level_2 && low == 0xff && instruction & 0x1f == 0x1f {
        let far = (usize::from(next(rest)?) << 8) + usize::from(next(rest)?);
        return Some((far + FAR + 1, count));
    }
    Some((high + usize::from(low) + 1, count))
}

/// One byte in level 1; in level 2, every 255 is followed by another byte.
fn more_length(is_level_2: bool, rest: &mut &[u8]) -> Option<usize> {
    let mut sum = 0;
    loop {
        let byte = next(rest)?;
        sum += usize::from(byte);
        if !is_level_2 || byte != 0xff {
            return Some(sum);
        }
    }
}

/// Appends `count` bytes from `distance` back. They may overlap with what they produce.
fn repeat(output: &mut Vec<u8>, distance: usize, count: usize) -> Option<()> {
    let start = output.len().checked_sub(distance)?;
    if distance >= count {
        output.extend_from_within(start..start + count);
    } else {
        for at in start..start + count {
            output.push(*output.get(at)?);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_matches_of_level_1() {
        // "ab", then 4 bytes from 2 back, then "c".
        let block = b"\x01ab\x40\x01\x00c";
        assert_eq!(decompress(block, 7).unwrap(), b"abababc");
        // A long match: 7 + 2 + 250 bytes from 1 back.
        let block = b"\x00x\xe0\xfa\x00";
        assert_eq!(decompress(block, 260).unwrap(), b"x".repeat(260));
    }

    #[test]
    fn level_2_lengthens_matches_byte_by_byte() {
        let block = b"\x20x\xe0\xff\xff\x01\x00";
        assert_eq!(decompress(block, 1 + 9 + 511).unwrap(), b"x".repeat(521));
    }

    #[test]
    fn level_2_reaches_far_back() {
        // 8,449 literals, then 4 bytes from 8,192 + 258 = 8,450 back would be one too far;
        // 8,192 + 257 = 8,449 back is the first byte.
        let text: Vec<u8> = (0..8449_u32).map(|n| (n % 251) as u8).collect();
        let mut block = Vec::new();
        for (at, run) in text.chunks(32).enumerate() {
            let level = if at == 0 { 0x20 } else { 0 };
            block.push(level + (run.len() - 1) as u8);
            block.extend_from_slice(run);
        }
        block.extend_from_slice(b"\x5f\xff\x01\x01");
        let mut expected = text.clone();
        expected.extend_from_slice(&text[..4]);
        assert_eq!(decompress(&block, 8453).unwrap(), expected);
        *block.last_mut().unwrap() = 2;
        assert_eq!(decompress(&block, 8453), None);
    }

    #[test]
    fn damaged_blocks_are_refused() {
        let block = b"\x01ab\x40\x01\x00c";
        for cut in 0..block.len() {
            assert_eq!(decompress(&block[..cut], 7), None, "cut at {cut}");
        }
        assert_eq!(decompress(block, 6), None);
        assert_eq!(decompress(block, 8), None);
        assert_eq!(
            decompress(b"\x00a\x20\x01", 4),
            None,
            "before the beginning"
        );
        assert_eq!(decompress(b"\x40a", 1), None, "level 3");
    }

    #[test]
    fn a_claimed_length_allocates_nothing() {
        let block = b"\x00x\xe0\xfa\x00";
        assert_eq!(decompress(block, usize::MAX), None);
    }
}
