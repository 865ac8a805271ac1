//! Numbers as text: fixed decimals per kind, and a dash for what is not known.

use std::time::Duration;

/// Stands for an unknown figure. Never 0, which would be a figure.
pub(super) const UNKNOWN: &str = "–";

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// A whole number, in groups of three; from ten million on in millions.
pub(super) fn count(value: Option<u64>) -> String {
    let Some(value) = value else {
        return UNKNOWN.to_owned();
    };
    match value {
        0..10_000_000 => grouped(value),
        10_000_000..10_000_000_000 => format!("{:.1} M", value as f64 / 1e6),
        _ => format!("{:.1} G", value as f64 / 1e9),
    }
}

/// A rate without decimals.
pub(super) fn whole_rate(value: Option<f64>) -> String {
    count(value.map(|value| value.round() as u64))
}

/// A rate with one decimal, for what is rare.
pub(super) fn fine_rate(value: Option<f64>) -> String {
    let Some(value) = value else {
        return UNKNOWN.to_owned();
    };
    if value >= 9_999_999.95 {
        return count(Some(value as u64));
    }
    let tenths = (value.max(0.0) * 10.0).round() as u64;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

/// A share, 0 to 1, in percent with two decimals.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(
        || UNKNOWN.to_owned(),
        |share| format!("{:.2} %", share * 100.0),
    )
}

/// Bytes used of a limit, both in the unit of the limit.
pub(super) fn used_of(used: Option<u64>, limit: Option<u64>) -> String {
    let Some(unit) = limit.or(used).map(Unit::of) else {
        return UNKNOWN.to_owned();
    };
    let number = |bytes: Option<u64>| bytes.map_or_else(|| UNKNOWN.to_owned(), |b| unit.number(b));
    format!("{}/{} {}", number(used), number(limit), unit.name)
}

/// Bytes with their unit.
pub(super) fn bytes(value: Option<u64>) -> String {
    let Some(value) = value else {
        return UNKNOWN.to_owned();
    };
    let unit = Unit::of(value);
    format!("{} {}", unit.number(value), unit.name)
}

/// A length of time as a clock shows it: `0:07`, `12:30`, `1:00:05`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A length of time in words: `4 s`, `3 min`, `2 h`.
pub(super) fn ago(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// A bar of `cells` columns filled by `share`, in steps of an eighth of a column. More than all is
/// shown as full.
pub(super) fn bar(share: f64, cells: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * (cells * 8) as f64).round() as usize;
    let (full, part) = (eighths / 8, EIGHTHS[eighths % 8]);
    let empty = cells - full - usize::from(!part.is_empty());
    format!("{}{part}{}", "█".repeat(full), "░".repeat(empty))
}

struct Unit {
    name: &'static str,
    bytes: f64,
}

impl Unit {
    fn of(bytes: u64) -> Self {
        match bytes as f64 / MEBIBYTE {
            ..1024.0 => Self {
                name: "MiB",
                bytes: MEBIBYTE,
            },
            1024.0..1_048_576.0 => Self {
                name: "GiB",
                bytes: MEBIBYTE * 1024.0,
            },
            _ => Self {
                name: "TiB",
                bytes: MEBIBYTE * 1024.0 * 1024.0,
            },
        }
    }

    fn number(&self, bytes: u64) -> String {
        format!("{:.1}", bytes as f64 / self.bytes)
    }
}

fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ago, bar, bytes, clock, count, fine_rate, percent, used_of, whole_rate};

    #[test]
    fn unknown_is_a_dash_and_zero_is_zero() {
        assert_eq!(count(None), "–");
        assert_eq!(count(Some(0)), "0");
        assert_eq!(fine_rate(None), "–");
        assert_eq!(fine_rate(Some(0.0)), "0.0");
        assert_eq!(percent(None), "–");
        assert_eq!(percent(Some(0.0)), "0.00 %");
        assert_eq!(bytes(None), "–");
        assert_eq!(used_of(None, None), "–");
        assert_eq!(used_of(None, Some(1 << 20)), "–/1.0 MiB");
    }

    #[test]
    fn numbers_are_grouped_until_they_are_large() {
        assert_eq!(count(Some(999)), "999");
        assert_eq!(count(Some(1_000)), "1,000");
        assert_eq!(count(Some(9_999_999)), "9,999,999");
        assert_eq!(count(Some(12_345_678)), "12.3 M");
        assert_eq!(count(Some(u64::MAX)), "18446744073.7 G");
        assert_eq!(whole_rate(Some(19_934.6)), "19,935");
        assert_eq!(fine_rate(Some(33.75)), "33.8");
        assert_eq!(fine_rate(Some(1_234.04)), "1,234.0");
        assert_eq!(percent(Some(0.921_7)), "92.17 %");
        assert_eq!(percent(Some(1.0)), "100.00 %");
    }

    #[test]
    fn memory_has_the_unit_of_its_limit() {
        assert_eq!(used_of(Some(13_390_150), Some(25_165_824)), "12.8/24.0 MiB");
        assert_eq!(used_of(Some(39_845_888), Some(25_165_824)), "38.0/24.0 MiB");
        assert_eq!(used_of(Some(1 << 30), Some(8 << 30)), "1.0/8.0 GiB");
        assert_eq!(bytes(Some(36_700_160)), "35.0 MiB");
        assert_eq!(bytes(Some(2 << 40)), "2.0 TiB");
    }

    #[test]
    fn bars_fill_by_eighths_and_stop_at_full() {
        assert_eq!(bar(0.0, 4), "░░░░");
        assert_eq!(bar(0.5, 4), "██░░");
        assert_eq!(bar(0.53, 4), "██▏░");
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(1.58, 4), "████");
        assert_eq!(bar(f64::NAN, 4), "░░░░");
    }

    #[test]
    fn times_read_naturally() {
        assert_eq!(clock(Duration::from_secs(7)), "0:07");
        assert_eq!(clock(Duration::from_secs(3605)), "1:00:05");
        assert_eq!(ago(Duration::from_millis(4900)), "4 s");
        assert_eq!(ago(Duration::from_secs(180)), "3 min");
        assert_eq!(ago(Duration::from_secs(7200)), "2 h");
    }
}
