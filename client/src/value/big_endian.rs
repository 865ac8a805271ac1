//! Numbers as spymemcached writes them: most significant byte first, leading zero bytes left out.
//! Zero has no bytes at all.

use super::payload::Payload;

/// The number of at most `N` bytes, filled up with zeros on the left.
fn widen<const N: usize>(data: &[u8]) -> Option<[u8; N]> {
    let start = N.checked_sub(data.len())?;
    let mut bytes = [0; N];
    bytes[start..].copy_from_slice(data);
    Some(bytes)
}

fn without_leading_zeros(bytes: &[u8]) -> Payload<'static> {
    let start = bytes.iter().position(|byte| *byte != 0);
    Payload::inline(start.map_or(&[], |start| &bytes[start..]))
}

pub(super) fn read_i8(data: &[u8]) -> Option<i32> {
    widen(data).map(|bytes| i8::from_be_bytes(bytes).into())
}

pub(super) fn read_i32(data: &[u8]) -> Option<i32> {
    widen(data).map(i32::from_be_bytes)
}

pub(super) fn read_i64(data: &[u8]) -> Option<i64> {
    widen(data).map(i64::from_be_bytes)
}

pub(super) fn read_f32(data: &[u8]) -> Option<f32> {
    widen(data).map(f32::from_be_bytes)
}

pub(super) fn read_f64(data: &[u8]) -> Option<f64> {
    widen(data).map(f64::from_be_bytes)
}

pub(super) fn write_i32(number: i32) -> Payload<'static> {
    without_leading_zeros(&number.to_be_bytes())
}

pub(super) fn write_i64(number: i64) -> Payload<'static> {
    without_leading_zeros(&number.to_be_bytes())
}

pub(super) fn write_f32(number: f32) -> Payload<'static> {
    without_leading_zeros(&number.to_be_bytes())
}

pub(super) fn write_f64(number: f64) -> Payload<'static> {
    without_leading_zeros(&number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        for (number, bytes) in [
            (0, &b""[..]),
            (42, b"\x2a"),
            (256, b"\x01\x00"),
            (-17, b"\xff\xff\xff\xef"),
            (i32::MIN, b"\x80\x00\x00\x00"),
        ] {
            assert_eq!(write_i32(number).as_slice(), bytes);
            assert_eq!(read_i32(bytes), Some(number));
        }
        assert_eq!(read_i32(b"12345"), None);
        assert_eq!(write_i64(i64::MAX).len(), 8);
        assert_eq!(read_i64(write_i64(-17).as_slice()), Some(-17));
        assert_eq!(read_i8(b"\xff"), Some(-1));
        assert_eq!(read_i8(b""), Some(0));
    }

    #[test]
    fn floating_point_numbers() {
        for number in [0.0, 3.5, -0.0, f64::MIN_POSITIVE / 1e10, f64::INFINITY] {
            let back = read_f64(write_f64(number).as_slice()).unwrap();
            assert_eq!(back.to_bits(), number.to_bits());
        }
        assert_eq!(read_f32(write_f32(3.5).as_slice()), Some(3.5));
    }
}
