//! Numbers as text: fixed decimals per kind, and a dash for what is not known.

use std::time::Duration;

/// Stands for an unknown figure. Never 0, which would be a figure.
pub const UNKNOWN: &str = "–";

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// A whole number, in groups of three; from ten million on in millions.
#[must_use]
pub fn count(value: Option<u64>) -> String {
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
#[must_use]
pub fn whole_rate(value: Option<f64>) -> String {
    count(value.map(|value| value.round() as u64))
}

/// A rate with one decimal, for what is rare.
#[must_use]
pub fn fine_rate(value: Option<f64>) -> String {
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
#[must_use]
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(
        || UNKNOWN.to_owned(),
        |share| format!("{:.2} %", share * 100.0),
    )
}

/// Bytes used of a limit, both in the unit of the limit.
#[must_use]
pub fn used_of(used: Option<u64>, limit: Option<u64>) -> String {
    let Some(unit) = limit.or(used).map(Unit::of) else {
        return UNKNOWN.to_owned();
    };
    let number = |bytes: Option<u64>| bytes.map_or_else(|| UNKNOWN.to_owned(), |b| unit.number(b));
    format!("{}/{} {}", number(used), number(limit), unit.name)
}

/// Bytes with their unit.
#[must_use]
pub fn bytes(value: Option<u64>) -> String {
    let Some(value) = value else {
        return UNKNOWN.to_owned();
    };
    let unit = Unit::of(value);
    format!("{} {}", unit.number(value), unit.name)
}

/// A figure and its unit apart, in three significant digits: `1.28` and `M`, `412` and nothing.
#[must_use]
pub fn compact(value: Option<f64>) -> (String, &'static str) {
    let Some(value) = value.filter(|value| value.is_finite()) else {
        return (UNKNOWN.to_owned(), "");
    };
    let (scaled, prefix) = match value.abs() {
        ..999.5 => (value, ""),
        999.5..999_500.0 => (value / 1e3, "k"),
        999_500.0..999_500_000.0 => (value / 1e6, "M"),
        _ => (value / 1e9, "G"),
    };
    let decimals = match scaled.abs() {
        _ if prefix.is_empty() && scaled.fract() == 0.0 => 0,
        ..9.995 => 2,
        9.995..99.95 => 1,
        _ => 0,
    };
    (format!("{scaled:.decimals$}"), prefix)
}

/// A figure in three significant digits, with its unit: `1.28 M/s`.
#[must_use]
pub fn compact_with(value: Option<f64>, unit: &str) -> String {
    let (figure, prefix) = compact(value);
    match (prefix, unit) {
        ("", "") => figure,
        _ if figure == UNKNOWN => figure,
        _ => format!("{figure} {prefix}{unit}"),
    }
}

/// A share, 0 to 1, in percent with one decimal and without the sign.
#[must_use]
pub fn percent_figure(share: Option<f64>) -> String {
    share.map_or_else(
        || UNKNOWN.to_owned(),
        |share| format!("{:.1}", share * 100.0),
    )
}

/// A latency and its unit apart: `1.9` and `ms`, `230` and `µs`.
#[must_use]
pub fn latency(time: Option<Duration>) -> (String, &'static str) {
    let Some(time) = time else {
        return (UNKNOWN.to_owned(), "");
    };
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        ..999.5 => (format!("{micros:.0}"), "µs"),
        999.5..999_500.0 => (format!("{:.1}", micros / 1e3), "ms"),
        _ => (format!("{:.1}", micros / 1e6), "s"),
    }
}

/// A length of time as a clock shows it: `0:07`, `12:30`, `1:00:05`.
#[must_use]
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A length of time in words: `4 s`, `3 min`, `2 h`.
#[must_use]
pub fn ago(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// A bar of `cells` columns filled by `share`, in steps of an eighth of a column. More than all is
/// shown as full.
#[must_use]
pub fn bar(share: f64, cells: usize) -> String {
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

    use super::{
        ago, bar, bytes, clock, compact, compact_with, count, fine_rate, latency, percent, used_of,
        whole_rate,
    };

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
    fn compact_figures_have_three_digits() {
        let text = |value| compact_with(Some(value), "/s");
        assert_eq!(text(0.0), "0 /s");
        assert_eq!(text(7.25), "7.25 /s");
        assert_eq!(text(41.53), "41.5 /s");
        assert_eq!(text(412.0), "412 /s");
        assert_eq!(text(999.7), "1.00 k/s");
        assert_eq!(text(38_210.0), "38.2 k/s");
        assert_eq!(text(1_284_000.0), "1.28 M/s");
        assert_eq!(text(2.5e9), "2.50 G/s");
        assert_eq!(compact(None), ("–".to_owned(), ""));
        assert_eq!(compact_with(Some(f64::NAN), "/s"), "–");
    }

    #[test]
    fn latencies_have_the_unit_that_fits() {
        let text = |micros| latency(Some(Duration::from_micros(micros)));
        assert_eq!(text(87), ("87".to_owned(), "µs"));
        assert_eq!(text(1_930), ("1.9".to_owned(), "ms"));
        assert_eq!(text(2_400_000), ("2.4".to_owned(), "s"));
        assert_eq!(latency(None), ("–".to_owned(), ""));
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
