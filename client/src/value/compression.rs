//! Compressed values: what each client puts around them, and how large they may become.

use crate::error::{Error, ErrorKind, Result};

use super::fastlz;

/// How a value is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// A zlib stream (RFC 1950).
    Zlib,
    /// A zlib stream, if the first two bytes say so; anything else was never compressed.
    ZlibIfItLooksLikeOne,
    /// A gzip file (RFC 1952).
    Gzip,
    /// Either: Ruby's dalli has both compressors under one flag.
    ZlibOrGzip,
    /// The length of the value, four bytes with the least significant first, then a zlib stream.
    LengthThenZlib,
    /// The same with FastLZ.
    LengthThenFastLz,
    /// The same with a Zstandard frame (RFC 8878).
    LengthThenZstd,
    /// A Zstandard frame without its first four bytes, the magic number.
    ZstdWithoutMagic,
}

impl Method {
    /// The value behind the compressed `data`; `None` if `data` was not compressed after all.
    ///
    /// `limit` is the largest value to make, in bytes: a few kilobytes of zlib can hold a
    /// thousand times as much.
    pub(super) fn unpack(self, data: &[u8], limit: usize) -> Result<Option<Vec<u8>>> {
        match self {
            Self::ZlibIfItLooksLikeOne if !looks_like_zlib(data) => return Ok(None),
            Self::ZlibOrGzip if !data.starts_with(GZIP_MAGIC) => zlib(data, limit),
            Self::Zlib | Self::ZlibIfItLooksLikeOne => zlib(data, limit),
            Self::Gzip | Self::ZlibOrGzip => gzip(data, limit),
            Self::LengthThenZlib => with_length(data, limit, |body, _| zlib(body, limit)),
            Self::LengthThenFastLz => with_length(data, limit, |body, length| {
                fastlz::decompress(body, length).ok_or_else(|| damaged("FastLZ", body))
            }),
            Self::LengthThenZstd => with_length(data, limit, |body, _| zstd(body, limit)),
            Self::ZstdWithoutMagic => zstd(&[ZSTD_MAGIC, data].concat(), limit),
        }
        .map(Some)
    }

    /// The compressed `value`, or `None` if that is not shorter.
    pub(super) fn pack(self, value: &[u8]) -> Option<Vec<u8>> {
        let packed = match self {
            Self::Zlib | Self::ZlibIfItLooksLikeOne | Self::ZlibOrGzip => {
                deflate::to_zlib(value, Vec::new())
            }
            Self::Gzip => deflate::to_gzip(value),
            Self::LengthThenZlib => {
                let length = u32::try_from(value.len()).ok()?;
                deflate::to_zlib(value, length.to_le_bytes().to_vec())
            }
            Self::LengthThenFastLz | Self::LengthThenZstd | Self::ZstdWithoutMagic => None,
        };
        packed.filter(|packed| packed.len() < value.len())
    }
}

const GZIP_MAGIC: &[u8] = b"\x1f\x8b";
const ZSTD_MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";

/// RFC 1950, 2.2: the method is deflate, and the first two bytes are a multiple of 31.
fn looks_like_zlib(data: &[u8]) -> bool {
    match data {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0
        }
        _ => false,
    }
}

fn with_length(
    data: &[u8],
    limit: usize,
    unpack: impl FnOnce(&[u8], usize) -> Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    let (length, body) = data
        .split_first_chunk()
        .ok_or_else(|| damaged("compressed", data))?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(beyond(limit));
    }
    let value = unpack(body, length)?;
    if value.len() != length {
        return Err(damaged("compressed", data));
    }
    Ok(value)
}

fn zlib(data: &[u8], limit: usize) -> Result<Vec<u8>> {
    deflate::from_zlib(data, limit)
}

fn gzip(data: &[u8], limit: usize) -> Result<Vec<u8>> {
    deflate::from_gzip(data, limit)
}

#[cold]
fn damaged(kind: &str, data: &[u8]) -> Error {
    Error::decode(format!("damaged {kind} data of {} bytes", data.len()))
}

#[cold]
fn beyond(limit: usize) -> Error {
    let detail = format!("decompressed, it has more than {limit} bytes");
    Error::with_detail(ErrorKind::TooLarge, detail).sent(true)
}

#[cfg(not(all(feature = "zlib", feature = "zstd")))]
#[cold]
fn needs_feature(what: &str, feature: &str) -> Error {
    Error::decode(format!(
        "the value is compressed with {what}, which needs memlens's feature `{feature}`"
    ))
}

#[cfg(any(feature = "zlib", feature = "zstd"))]
fn read_up_to(
    limit: usize,
    expected: usize,
    reader: impl std::io::Read,
    on_damage: impl FnOnce() -> Error,
) -> Result<Vec<u8>> {
    use std::io::Read as _;
    let mut value = Vec::with_capacity(expected.min(limit));
    let one_more = u64::try_from(limit).map_or(u64::MAX, |limit| limit.saturating_add(1));
    if reader.take(one_more).read_to_end(&mut value).is_err() {
        return Err(on_damage());
    }
    if value.len() > limit {
        return Err(beyond(limit));
    }
    Ok(value)
}

#[cfg(feature = "zlib")]
mod deflate {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::bufread::{GzDecoder, ZlibDecoder};
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::{damaged, read_up_to};
    use crate::error::Result;

    pub(super) fn from_zlib(data: &[u8], limit: usize) -> Result<Vec<u8>> {
        let mut decoder = ZlibDecoder::new(data);
        let value = read_up_to(limit, data.len() * 3, &mut decoder, || {
            damaged("zlib", data)
        })?;
        // Something was appended to the compressed value.
        if !decoder.into_inner().is_empty() {
            return Err(damaged("zlib", data));
        }
        Ok(value)
    }

    pub(super) fn from_gzip(data: &[u8], limit: usize) -> Result<Vec<u8>> {
        let mut decoder = GzDecoder::new(data);
        let value = read_up_to(limit, data.len() * 3, &mut decoder, || {
            damaged("gzip", data)
        })?;
        if !decoder.into_inner().is_empty() {
            return Err(damaged("gzip", data));
        }
        Ok(value)
    }

    pub(super) fn to_zlib(value: &[u8], prefix: Vec<u8>) -> Option<Vec<u8>> {
        let mut encoder = ZlibEncoder::new(prefix, Compression::default());
        encoder.write_all(value).ok()?;
        encoder.finish().ok()
    }

    pub(super) fn to_gzip(value: &[u8]) -> Option<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(value).ok()?;
        encoder.finish().ok()
    }
}

#[cfg(not(feature = "zlib"))]
mod deflate {
    use super::needs_feature;
    use crate::error::Result;

    pub(super) fn from_zlib(_data: &[u8], _limit: usize) -> Result<Vec<u8>> {
        Err(needs_feature("zlib", "zlib"))
    }

    pub(super) fn from_gzip(_data: &[u8], _limit: usize) -> Result<Vec<u8>> {
        Err(needs_feature("gzip", "zlib"))
    }

    pub(super) fn to_zlib(_value: &[u8], _prefix: Vec<u8>) -> Option<Vec<u8>> {
        None
    }

    pub(super) fn to_gzip(_value: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

#[cfg(feature = "zstd")]
fn zstd(data: &[u8], limit: usize) -> Result<Vec<u8>> {
    use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
    let mut frame = FrameDecoder::new();
    // A frame may ask for a window far larger than its content.
    frame.set_max_window_size(limit.max(SMALLEST_WINDOW) as u64);
    let mut rest = data;
    let decoder =
        StreamingDecoder::new_with_decoder(&mut rest, frame).map_err(|_| damaged("zstd", data))?;
    let value = read_up_to(limit, data.len() * 3, decoder, || damaged("zstd", data))?;
    if !rest.is_empty() {
        return Err(damaged("zstd", data));
    }
    Ok(value)
}

/// RFC 8878, 3.1.1.1.2: every decoder should accept a window of 8 MiB.
#[cfg(feature = "zstd")]
const SMALLEST_WINDOW: usize = 8 << 20;

#[cfg(not(feature = "zstd"))]
fn zstd(_data: &[u8], _limit: usize) -> Result<Vec<u8>> {
    Err(needs_feature("zstd", "zstd"))
}

#[cfg(all(test, feature = "zlib"))]
mod tests {
    use super::*;

    const METHODS: [Method; 5] = [
        Method::Zlib,
        Method::ZlibIfItLooksLikeOne,
        Method::Gzip,
        Method::ZlibOrGzip,
        Method::LengthThenZlib,
    ];

    #[test]
    fn what_is_packed_unpacks_up_to_the_limit() {
        let value = b"the quick brown fox ".repeat(500);
        for method in METHODS {
            let packed = method.pack(&value).unwrap();
            assert!(packed.len() < 200, "{method:?}");
            assert_eq!(method.unpack(&packed, value.len()).unwrap().unwrap(), value);
            let error = method.unpack(&packed, value.len() - 1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge, "{method:?}");
        }
    }

    #[test]
    fn what_would_grow_is_not_packed() {
        let value: Vec<u8> = (0..=255).collect();
        for method in METHODS {
            assert_eq!(method.pack(&value), None, "{method:?}");
        }
    }

    #[test]
    fn damage_is_an_error_that_shows_no_bytes() {
        let packed = b"abc".repeat(100);
        for method in METHODS {
            let packed = method.pack(&packed).unwrap();
            for cut in 2..packed.len() {
                let error = method.unpack(&packed[..cut], 1 << 20).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Decode, "{method:?} cut at {cut}");
            }
            let longer = [packed.as_slice(), b"x"].concat();
            assert!(method.unpack(&longer, 1 << 20).is_err(), "{method:?}");
            let mut wrong = packed.clone();
            *wrong.last_mut().unwrap() ^= 1;
            assert!(method.unpack(&wrong, 1 << 20).is_err(), "{method:?}");
        }
    }

    #[test]
    fn a_claimed_length_is_checked_first() {
        let error = Method::LengthThenFastLz.unpack(b"\xff\xff\xff\xff\x00a", 1 << 20);
        assert_eq!(error.unwrap_err().kind(), ErrorKind::TooLarge);
        assert!(Method::LengthThenZlib.unpack(b"\x01\x00", 1 << 20).is_err());
    }

    #[test]
    fn what_only_carries_the_flag_is_left_alone() {
        for data in [&b""[..], b"x", b"42", b"hello", b"{}"] {
            let unpacked = Method::ZlibIfItLooksLikeOne.unpack(data, 100).unwrap();
            assert_eq!(unpacked, None, "{}", data.escape_ascii());
        }
    }
}

#[cfg(all(test, feature = "zstd"))]
mod zstd_tests {
    use super::*;

    /// A frame of 1,000 times "x" in one run-length block, without the magic number.
    const RUN: &[u8] = b"\x60\xe8\x02\x43\x1f\x00x";

    #[test]
    fn frames_without_magic_number() {
        let hello = b"\x20\x05\x29\x00\x00hello";
        let unpack = |data: &[u8], limit| Method::ZstdWithoutMagic.unpack(data, limit);
        assert_eq!(unpack(hello, 5).unwrap().unwrap(), b"hello");
        assert_eq!(unpack(RUN, 1000).unwrap().unwrap(), b"x".repeat(1000));
        assert_eq!(unpack(RUN, 999).unwrap_err().kind(), ErrorKind::TooLarge);
        for cut in 0..hello.len() {
            assert_eq!(
                unpack(&hello[..cut], 5).unwrap_err().kind(),
                ErrorKind::Decode
            );
        }
        assert!(unpack(&[hello, b"x".as_slice()].concat(), 100).is_err());
    }

    #[test]
    fn frames_after_their_length() {
        let data = [&1000_u32.to_le_bytes(), ZSTD_MAGIC, RUN].concat();
        let value = Method::LengthThenZstd.unpack(&data, 1000).unwrap().unwrap();
        assert_eq!(value, b"x".repeat(1000));
        assert!(Method::LengthThenZstd.unpack(&data, 999).is_err());
    }

    #[test]
    fn a_giant_window_is_refused() {
        // No single segment; the window descriptor asks for 1 GiB.
        let frame = b"\x00\xa0\x43\x1f\x00x";
        let error = Method::ZstdWithoutMagic.unpack(frame, 1 << 20).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
    }
}
