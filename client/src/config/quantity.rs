//! Durations and sizes as text: `250ms`, `1.5s`, `64KiB`.

use std::time::Duration;

/// The units of durations, in nanoseconds.
const TIME_UNITS: [(&str, u128); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3600 * 1_000_000_000),
];

/// The units of sizes, all of them powers of 1024, as in memcached's own options `-I` and `-m`.
const SIZE_UNITS: [(&str, usize); 10] = [
    ("", 1),
    ("k", 1 << 10),
    ("K", 1 << 10),
    ("KiB", 1 << 10),
    ("m", 1 << 20),
    ("M", 1 << 20),
    ("MiB", 1 << 20),
    ("g", 1 << 30),
    ("G", 1 << 30),
    ("GiB", 1 << 30),
];

/// A number, perhaps with a fraction, and a unit. Nothing is rounded: `0.5ns` is refused.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let (_, unit) = TIME_UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let fraction = digits(fraction)?.checked_mul(*unit)?;
    if fraction % scale != 0 {
        return None;
    }
    let nanos = digits(whole)?
        .checked_mul(*unit)?
        .checked_add(fraction / scale)?;
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    let nanos = u32::try_from(nanos % 1_000_000_000).ok()?;
    Some(Duration::new(seconds, nanos))
}

/// In the largest unit up to seconds that needs no fraction.
pub(super) fn format_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let mut units = TIME_UNITS[..4].iter().rev();
    let (name, unit) = units
        .find(|(_, unit)| nanos.is_multiple_of(*unit))
        .unwrap_or(&TIME_UNITS[0]);
    format!("{}{name}", nanos / unit)
}

/// A whole number of bytes, KiB, MiB or GiB.
pub(super) fn parse_size(text: &str) -> Option<usize> {
    let (number, unit) = split_unit(text)?;
    let (_, unit) = SIZE_UNITS.iter().find(|(name, _)| *name == unit)?;
    usize::try_from(digits(number)?).ok()?.checked_mul(*unit)
}

/// In the largest unit that needs no fraction.
pub(super) fn format_size(size: usize) -> String {
    for (name, unit) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if size >= unit && size.is_multiple_of(unit) {
            return format!("{}{name}", size / unit);
        }
    }
    size.to_string()
}

fn split_unit(text: &str) -> Option<(&str, &str)> {
    let is_unit = |c: char| !c.is_ascii_digit() && c != '.';
    let at = text.find(is_unit).unwrap_or(text.len());
    text.split_at_checked(at)
}

/// Only digits: `parse` alone would let a sign pass.
fn digits(text: &str) -> Option<u128> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations() {
        for (text, duration) in [
            ("250ms", Duration::from_millis(250)),
            ("1s", Duration::from_secs(1)),
            ("1.5s", Duration::from_millis(1500)),
            ("0.25s", Duration::from_millis(250)),
            ("2m", Duration::from_secs(120)),
            ("1.5h", Duration::from_secs(5400)),
            ("10us", Duration::from_micros(10)),
            ("7ns", Duration::from_nanos(7)),
            ("0s", Duration::ZERO),
        ] {
            assert_eq!(parse_duration(text), Some(duration), "{text}");
        }
        for text in [
            "",
            "1",
            "s",
            "ms",
            ".5s",
            "1.s",
            "-1s",
            "+1s",
            "1 s",
            "1S",
            "1sec",
            "0.5ns",
            "1.2.3s",
            "1d",
            "99999999999999999999h",
            "1e3s",
            "0.0000000000000000000000000000000000000001s",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, size) in [
            ("0", 0),
            ("100", 100),
            ("64k", 65_536),
            ("64K", 65_536),
            ("64KiB", 65_536),
            ("1m", 1_048_576),
            ("1MiB", 1_048_576),
            ("2g", 2_147_483_648),
        ] {
            assert_eq!(parse_size(text), Some(size), "{text}");
        }
        for text in [
            "",
            "k",
            "1.5k",
            "-1",
            "1kB",
            "1MB",
            "1 k",
            "1kib",
            "99999999999999999999",
        ] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_duration_reads_back(seconds: u64, nanos in 0..1_000_000_000_u32) {
            let duration = Duration::new(seconds, nanos);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }

        #[test]
        fn every_size_reads_back(size: usize, shift in 0..40_u32) {
            let size = size >> shift << (shift / 2);
            prop_assert_eq!(parse_size(&format_size(size)), Some(size));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = parse_duration(&text);
            let _ = parse_size(&text);
        }
    }
}
