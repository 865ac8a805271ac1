//! Python's pickles, as far as clients pickle scalars: None, bool, float, integers and strings.
//!
//! Nothing here can run code: everything that is not a single scalar, and every opcode that builds
//! an object, makes the pickle unreadable. The opcodes are those of Python's `pickletools`.

use bytes::Buf;

use super::datum::Datum;
use super::payload::Payload;

/// The scalar of a pickle of protocol 0 to 5.
pub(super) fn read(pickle: &[u8]) -> Option<Datum<'static>> {
    let mut rest = pickle;
    let mut value = None;
    loop {
        let opcode = rest.try_get_u8().ok()?;
        match opcode {
            // STOP
            b'.' => return if rest.is_empty() { value } else { None },
            // PROTO, BINPUT, LONG_BINPUT, FRAME, MEMOIZE, PUT: versions, lengths, and names for a
            // value that nothing here refers to
            0x80 | b'q' => drop(rest.split_off(..1)?),
            b'r' => drop(rest.split_off(..4)?),
            0x95 => drop(rest.split_off(..8)?),
            0x94 => {}
            b'p' => drop(line(&mut rest)?),
            _ if value.is_some() => return None,
            _ => value = Some(scalar(opcode, &mut rest)?),
        }
    }
}

fn scalar(opcode: u8, rest: &mut &[u8]) -> Option<Datum<'static>> {
    Some(match opcode {
        // NONE, NEWTRUE, NEWFALSE
        b'N' => Datum::Null,
        0x88 => Datum::Bool(true),
        0x89 => Datum::Bool(false),
        // INT, which was also how protocol 0 wrote a bool, and LONG
        b'I' => match line(rest)? {
            "01" => Datum::Bool(true),
            "00" => Datum::Bool(false),
            digits => Datum::Integer(digits.parse().ok()?),
        },
        b'L' => Datum::Integer(line(rest)?.strip_suffix('L')?.parse().ok()?),
        // BININT, BININT1, BININT2, LONG1
        b'J' => Datum::Integer(rest.try_get_i32_le().ok()?.into()),
        b'K' => Datum::Integer(rest.try_get_u8().ok()?.into()),
        b'M' => Datum::Integer(rest.try_get_u16_le().ok()?.into()),
        0x8a => Datum::Integer(long(rest)?),
        // FLOAT, BINFLOAT
        b'F' => Datum::Float(line(rest)?.parse().ok()?),
        b'G' => Datum::Float(rest.try_get_f64().ok()?),
        // UNICODE, SHORT_BINUNICODE, BINUNICODE, BINUNICODE8
        b'V' => Datum::Text(unescaped(line(rest)?)?.to_vec().into()),
        0x8c => Datum::Text(string(rest, 1)?),
        b'X' => Datum::Text(string(rest, 4)?),
        0x8d => Datum::Text(string(rest, 8)?),
        // SHORT_BINSTRING, BINSTRING, SHORT_BINBYTES, BINBYTES, BINBYTES8
        b'U' | b'C' => Datum::Bytes(string(rest, 1)?),
        b'T' | b'B' => Datum::Bytes(string(rest, 4)?),
        0x8e => Datum::Bytes(string(rest, 8)?),
        _ => return None,
    })
}

fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let line = rest.split_off(..end)?;
    rest.advance(1);
    std::str::from_utf8(line).ok()
}

/// Bytes after their length, which is a little-endian number of `width` bytes.
fn string(rest: &mut &[u8], width: usize) -> Option<Payload<'static>> {
    let length = rest.try_get_uint_le(width).ok()?;
    let bytes = rest.split_off(..usize::try_from(length).ok()?)?;
    Some(bytes.to_vec().into())
}

/// Little-endian two's complement of a length that comes first.
fn long(rest: &mut &[u8]) -> Option<i128> {
    let length = usize::from(rest.try_get_u8().ok()?);
    let digits = rest.split_off(..length)?;
    let is_negative = digits.last().is_some_and(|top| top & 0x80 != 0);
    let mut bytes = [if is_negative { 0xff } else { 0 }; 16];
    bytes.get_mut(..length)?.copy_from_slice(digits);
    Some(i128::from_le_bytes(bytes))
}

/// Text of protocol 0, unless it holds escapes or Latin-1.
fn unescaped(line: &str) -> Option<&[u8]> {
    (line.is_ascii() && !line.contains('\\')).then_some(line.as_bytes())
}

/// A pickle of protocol 0, which every Python can read.
pub(super) fn write(datum: &Datum<'_>) -> Option<Payload<'static>> {
    Some(match datum {
        Datum::Null => Payload::inline(b"N."),
        Datum::Bool(true) => Payload::inline(b"I01\n."),
        Datum::Bool(false) => Payload::inline(b"I00\n."),
        Datum::Float(number) => Payload::format(format_args!("F{number:?}\n.")),
        Datum::Float32(number) => Payload::format(format_args!("F{:?}\n.", f64::from(*number))),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_of_every_protocol() {
        let table: [(&[u8], Datum<'_>); 22] = [
            (b"N.", Datum::Null),
            (b"\x80\x05N.", Datum::Null),
            (b"I01\n.", Datum::Bool(true)),
            (b"I00\n.", Datum::Bool(false)),
            (b"\x80\x02\x88.", Datum::Bool(true)),
            (b"\x80\x02\x89.", Datum::Bool(false)),
            (b"F3.5\n.", Datum::Float(3.5)),
            (b"Finf\n.", Datum::Float(f64::INFINITY)),
            (
                b"\x80\x02G@\x0c\x00\x00\x00\x00\x00\x00.",
                Datum::Float(3.5),
            ),
            (
                b"\x80\x04\x95\x0a\0\0\0\0\0\0\0G@\x0c\x00\x00\x00\x00\x00\x00.",
                Datum::Float(3.5),
            ),
            (b"I42\n.", Datum::Integer(42)),
            (b"L42L\n.", Datum::Integer(42)),
            (b"\x80\x02K*.", Datum::Integer(42)),
            (b"\x80\x02M\xe8\x03.", Datum::Integer(1000)),
            (b"\x80\x02J\xef\xff\xff\xff.", Datum::Integer(-17)),
            (b"\x80\x02\x8a\x01\xef.", Datum::Integer(-17)),
            (
                b"\x80\x02\x8a\x05\x00\x00\x00\x80\x00.",
                Datum::Integer(1 << 31),
            ),
            (b"Vtext\np0\n.", Datum::Text("text".into())),
            (
                b"\x80\x03X\x02\x00\x00\x00\xc3\xa9q\x00.",
                Datum::Text("é".into()),
            ),
            (b"\x80\x04\x8c\x02\xc3\xa9\x94.", Datum::Text("é".into())),
            (b"\x80\x02U\x02ab.", Datum::Bytes("ab".into())),
            (
                b"\x80\x03C\x02\xff\x00q\x00.",
                Datum::Bytes((&b"\xff\x00"[..]).into()),
            ),
        ];
        for (pickle, datum) in table {
            assert_eq!(read(pickle), Some(datum), "{}", pickle.escape_ascii());
        }
    }

    #[test]
    fn everything_else_is_unreadable() {
        for pickle in [
            &b""[..],
            b".",
            b"N",
            b"N.N.",
            b"NN.",
            b"(lp0\nI1\na.",
            b"\x80\x05]\x94.",
            b"cos\nsystem\n(S'id'\ntR.",
            b"\x80",
            b"I4x\n.",
            b"I42",
            b"L42\n.",
            b"G@.",
            b"X\xff\xff\xff\xffa.",
            b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.",
            b"\x8a\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0.",
            b"V\\u00e9\n.",
        ] {
            assert_eq!(read(pickle), None, "{}", pickle.escape_ascii());
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for datum in [
            Datum::Null,
            Datum::Bool(true),
            Datum::Bool(false),
            Datum::Float(3.5),
            Datum::Float(1e300),
            Datum::Float(-f64::MIN_POSITIVE),
            Datum::Float(f64::NEG_INFINITY),
        ] {
            assert_eq!(read(write(&datum).unwrap().as_slice()), Some(datum));
        }
        assert_eq!(write(&Datum::Text("x".into())), None);
    }
}
