//! Ruby's Marshal format 4.8, as far as scalars and strings go. dalli stores every value in it.
//!
//! Nothing here can build an object: arrays, hashes, symbols and everything of a class stay
//! unreadable. The format is described in the Ruby documentation, `doc/marshal.rdoc`.

use bytes::Buf;

use super::datum::Datum;
use super::payload::Payload;

const VERSION: &[u8] = b"\x04\x08";

/// Integers of 31 bits are written as such, larger ones as bignums, on every machine.
const SMALL: std::ops::Range<i128> = -(1 << 30)..1 << 30;

/// What a string is followed by when it is UTF-8 (`E` true) or ASCII (`E` false): one instance
/// variable, the symbol `E`, and its value.
const UTF8: &[u8] = b"\x06:\x06ET";
const ASCII: &[u8] = b"\x06:\x06EF";

/// The scalar or string of a dump.
pub(super) fn read(dump: &[u8]) -> Option<Datum<'static>> {
    let mut rest = dump.strip_prefix(VERSION)?;
    let datum = match rest.try_get_u8().ok()? {
        b'0' => Datum::Null,
        b'T' => Datum::Bool(true),
        b'F' => Datum::Bool(false),
        b'i' => Datum::Integer(small(&mut rest)?.into()),
        b'l' => Datum::Integer(bignum(&mut rest)?),
        b'f' => Datum::Float(float(string(&mut rest)?)?),
        b'"' => Datum::Bytes(string(&mut rest)?.to_vec().into()),
        b'I' => {
            rest = rest.strip_prefix(b"\"")?;
            let text = string(&mut rest)?;
            rest = rest
                .strip_prefix(UTF8)
                .or_else(|| rest.strip_prefix(ASCII))?;
            Datum::Text(text.to_vec().into())
        }
        _ => return None,
    };
    rest.is_empty().then_some(datum)
}

fn small(rest: &mut &[u8]) -> Option<i32> {
    let first = rest.try_get_i8().ok()?;
    match first {
        0 => Some(0),
        5.. => Some(i32::from(first) - 5),
        ..=-5 => Some(i32::from(first) + 5),
        count => {
            let width = usize::from(count.unsigned_abs());
            let mut bytes = [if count < 0 { 0xff } else { 0 }; 4];
            bytes[..width].copy_from_slice(rest.split_off(..width)?);
            Some(i32::from_le_bytes(bytes))
        }
    }
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(small(rest)?).ok()?;
    rest.split_off(..length)
}

/// A sign, the length in pairs of bytes, and the magnitude, least significant byte first.
fn bignum(rest: &mut &[u8]) -> Option<i128> {
    let sign = rest.try_get_u8().ok()?;
    let length = usize::try_from(small(rest)?).ok()?.checked_mul(2)?;
    let digits = rest.split_off(..length)?;
    let mut bytes = [0; 16];
    bytes.get_mut(..length)?.copy_from_slice(digits);
    let magnitude = u128::from_le_bytes(bytes);
    match sign {
        b'+' => i128::try_from(magnitude).ok(),
        b'-' => 0_i128.checked_sub_unsigned(magnitude),
        _ => None,
    }
}

fn float(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The dump of a scalar, text or bytes. A JSON document is dumped as text.
pub(super) fn write(datum: &Datum<'_>) -> Option<Payload<'static>> {
    let mut dump = VERSION.to_vec();
    match datum {
        Datum::Null => dump.push(b'0'),
        Datum::Bool(true) => dump.push(b'T'),
        Datum::Bool(false) => dump.push(b'F'),
        Datum::Int32(number) => put_integer(&mut dump, i128::from(*number)),
        Datum::Integer(number) => put_integer(&mut dump, *number),
        Datum::Float32(number) => put_float(&mut dump, f64::from(*number))?,
        Datum::Float(number) => put_float(&mut dump, *number)?,
        Datum::Bytes(payload) => {
            dump.push(b'"');
            put_string(&mut dump, payload.as_slice())?;
        }
        Datum::Text(payload) | Datum::Json(payload) => {
            dump.extend_from_slice(b"I\"");
            put_string(&mut dump, payload.as_slice())?;
            dump.extend_from_slice(UTF8);
        }
        Datum::Opaque { .. } => return None,
    }
    Some(dump.into())
}

fn put_integer(dump: &mut Vec<u8>, number: i128) {
    if let (true, Ok(number)) = (SMALL.contains(&number), i32::try_from(number)) {
        dump.push(b'i');
        return put_small(dump, number);
    }
    dump.push(b'l');
    dump.push(if number < 0 { b'-' } else { b'+' });
    let bytes = number.unsigned_abs().to_le_bytes();
    let used = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let pairs = used.div_ceil(2);
    // At most 8 pairs, which fit the one-byte form of a small integer.
    dump.push(pairs as u8 + 5);
    dump.extend_from_slice(&bytes[..pairs * 2]);
}

fn put_small(dump: &mut Vec<u8>, number: i32) {
    let short = match number {
        0 => Some(0),
        1..=122 => Some(number + 5),
        -123..=-1 => Some(number - 5),
        _ => None,
    };
    if let Some(short) = short {
        return dump.push(short.to_le_bytes()[0]);
    }
    let bytes = number.to_le_bytes();
    let fill = if number < 0 { 0xff } else { 0 };
    let width = bytes
        .iter()
        .rposition(|byte| *byte != fill)
        .map_or(1, |last| last + 1);
    let count = if number < 0 {
        -(width as i8)
    } else {
        width as i8
    };
    dump.push(count.to_le_bytes()[0]);
    dump.extend_from_slice(&bytes[..width]);
}

fn put_float(dump: &mut Vec<u8>, number: f64) -> Option<()> {
    dump.push(b'f');
    let text = match number {
        _ if number.is_nan() => "nan".to_owned(),
        _ => format!("{number:?}"),
    };
    // Ruby writes whole numbers without a fraction.
    put_string(dump, text.strip_suffix(".0").unwrap_or(&text).as_bytes())
}

fn put_string(dump: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    put_small(dump, i32::try_from(bytes.len()).ok()?);
    dump.extend_from_slice(bytes);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps_as_ruby_writes_them() {
        let table: [(&[u8], Datum<'_>); 22] = [
            (b"\x04\x080", Datum::Null),
            (b"\x04\x08T", Datum::Bool(true)),
            (b"\x04\x08F", Datum::Bool(false)),
            (b"\x04\x08i\x00", Datum::Integer(0)),
            (b"\x04\x08i\x06", Datum::Integer(1)),
            (b"\x04\x08i/", Datum::Integer(42)),
            (b"\x04\x08i\x7f", Datum::Integer(122)),
            (b"\x04\x08i\x01\x7b", Datum::Integer(123)),
            (b"\x04\x08i\x02\x00\x01", Datum::Integer(256)),
            (b"\x04\x08i\xea", Datum::Integer(-17)),
            (b"\x04\x08i\x80", Datum::Integer(-123)),
            (b"\x04\x08i\xff\x84", Datum::Integer(-124)),
            (b"\x04\x08i\xfe\xff\xfe", Datum::Integer(-257)),
            (
                b"\x04\x08i\x04\xff\xff\xff\x3f",
                Datum::Integer((1 << 30) - 1),
            ),
            (b"\x04\x08i\xfc\x00\x00\x00\xc0", Datum::Integer(-(1 << 30))),
            (b"\x04\x08l+\x07\x00\x00\x00\x40", Datum::Integer(1 << 30)),
            (
                b"\x04\x08l-\x07\x01\x00\x00\x40",
                Datum::Integer(-(1 << 30) - 1),
            ),
            (b"\x04\x08f\x083.5", Datum::Float(3.5)),
            (b"\x04\x08f\x063", Datum::Float(3.0)),
            (b"\x04\x08f\x09-inf", Datum::Float(f64::NEG_INFINITY)),
            (
                b"\x04\x08\"\x07\xff\x00",
                Datum::Bytes((&b"\xff\x00"[..]).into()),
            ),
            (b"\x04\x08I\"\x08two\x06:\x06ET", Datum::Text("two".into())),
        ];
        for (dump, datum) in table {
            assert_eq!(read(dump).as_ref(), Some(&datum), "{}", dump.escape_ascii());
            assert_eq!(write(&datum).unwrap().as_slice(), dump, "{datum:?}");
        }
    }

    #[test]
    fn every_size_of_integer_reads_back() {
        for shift in 0..127 {
            for number in [
                (1_i128 << shift) - 1,
                1 << shift,
                -(1 << shift),
                -(1 << shift) - 1,
            ] {
                let dump = write(&Datum::Integer(number)).unwrap();
                assert_eq!(read(dump.as_slice()), Some(Datum::Integer(number)));
            }
        }
        let least = write(&Datum::Integer(i128::MIN)).unwrap();
        assert_eq!(read(least.as_slice()), Some(Datum::Integer(i128::MIN)));
    }

    #[test]
    fn everything_else_is_unreadable() {
        for dump in [
            &b""[..],
            b"\x04\x08",
            b"\x04\x09T",
            b"\x04\x08TT",
            b"\x04\x08[\x06i\x06",
            b"\x04\x08:\x06a",
            b"\x04\x08o:\x06A\x00",
            b"\x04\x08i",
            b"\x04\x08i\x04\x00",
            b"\x04\x08\"\x04\xff\xff\xff\x7f",
            b"\x04\x08\"\xfa",
            b"\x04\x08l+\x0e\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"\x04\x08l*\x06\0\0",
            b"\x04\x08f\x06x",
            b"\x04\x08I\"\x06a\x06:\x0dencoding\"\x0eShift_JIS",
        ] {
            assert_eq!(read(dump), None, "{}", dump.escape_ascii());
        }
    }
}
