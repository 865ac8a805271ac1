//! Figures and foreign text inside sentences.
//!
//! What servers and keys say is text, never markup or control: [`foreign`] escapes it and bounds
//! its length, so that a hostile key can neither break a layout nor look like something else.

use std::fmt::Write as _;
use std::time::Duration;

/// Bytes in the largest binary unit that leaves at least 1, with one decimal.
#[must_use]
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if value < 1024 {
        return format!("{value} B");
    }
    let mut scaled = value as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be rounded to "1024.0".
    while scaled >= 1023.95 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{scaled:.1} {}", UNITS[unit])
}

/// A count: whole up to 9,999, then in thousands, millions or milliards.
#[must_use]
pub fn count(value: u64) -> String {
    match value {
        0..10_000 => value.to_string(),
        10_000..1_000_000 => format!("{:.1} k", value as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} M", value as f64 / 1e6),
        _ => format!("{:.1} G", value as f64 / 1e9),
    }
}

/// A rate per second: with a decimal below 10, then as [`count`].
#[must_use]
pub fn rate(per_second: f64) -> String {
    if per_second < 9.95 {
        format!("{per_second:.1}/s")
    } else {
        format!("{}/s", count(per_second.round() as u64))
    }
}

/// A share, 0 to 1, in percent: with a decimal below 10 %.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent.abs() < 9.95 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// A length of time in its largest whole unit: `41 s`, `3 min`, `2 h`, `5 d`.
#[must_use]
pub fn lasting(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// Text from outside, as text: what is no printable UTF-8 is written as `\n`, `\u{202e}` or
/// `\xff`, and what comes after `longest` characters is cut off with `…`.
///
/// Characters that reorder or hide others (bidirectional marks, zero-width ones) count as not
/// printable: with them a key could show as another key.
#[must_use]
pub fn foreign(text: &[u8], longest: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(longest) + 4);
    let mut left = longest;
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            if left == 0 {
                shown.push('…');
                return shown;
            }
            left -= 1;
            push_escaped(&mut shown, character);
        }
        for byte in chunk.invalid() {
            if left == 0 {
                shown.push('…');
                return shown;
            }
            left -= 1;
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

fn push_escaped(shown: &mut String, character: char) {
    match character {
        '\\' => shown.push_str("\\\\"),
        ' '..='~' => shown.push(character),
        _ if is_deceptive(character) || character.is_control() => {
            shown.extend(character.escape_default());
        }
        _ => shown.push(character),
    }
}

/// Format characters that change what is around them without being seen (Unicode category Cf, as
/// far as it matters for text in one line), line and paragraph separators, and private use.
const fn is_deceptive(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e007f}' | '\u{f0000}'..='\u{10ffff}')
}

/// A cell of comma-separated values (RFC 4180), always quoted. A sign in front that a spreadsheet would
/// take for the beginning of a formula is made harmless by an apostrophe: keys come from strangers.
#[must_use]
pub fn csv_cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let apostrophe = if is_formula { "'" } else { "" };
    format!("\"{apostrophe}{}\"", text.replace('"', "\"\""))
}

/// A word of a shell command, quoted when it has to be.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,[]".contains(&byte);
    if !word.is_empty() && word.bytes().all(harmless) && !word.contains(['[', ']']) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, csv_cell, foreign, lasting, percent, rate, shell_word};
    use std::time::Duration;

    #[test]
    fn figures_keep_three_digits_or_so() {
        assert_eq!(
            [bytes(0), bytes(1023), bytes(1024)],
            ["0 B", "1023 B", "1.0 KiB"]
        );
        assert_eq!(bytes(18_107_360), "17.3 MiB");
        assert_eq!(bytes((1 << 30) - 1), "1.0 GiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
        assert_eq!([count(9_999), count(41_400)], ["9999", "41.4 k"]);
        assert_eq!(
            [rate(0.26), rate(9.96), rate(20_114.0)],
            ["0.3/s", "10/s", "20.1 k/s"]
        );
        assert_eq!([percent(0.0156), percent(0.947)], ["1.6 %", "95 %"]);
        let seconds = [41, 180, 7_200, 400_000].map(|s| lasting(Duration::from_secs(s)));
        assert_eq!(seconds, ["41 s", "3 min", "2 h", "4 d"]);
    }

    #[test]
    fn foreign_text_cannot_break_out() {
        assert_eq!(foreign(b"user:42", 20), "user:42");
        assert_eq!(
            foreign(b"a\r\n\x1b[31mred\0", 99),
            r"a\r\n\u{1b}[31mred\u{0}"
        );
        assert_eq!(
            foreign("a\u{202e}b\u{200b}c".as_bytes(), 99),
            r"a\u{202e}b\u{200b}c"
        );
        assert_eq!(foreign(b"caf\xc3\xa9 \xff\\", 99), r"café \xff\\");
        assert_eq!(foreign("ключ".as_bytes(), 3), "клю…");
        assert_eq!(foreign(&[b'x'; 250], 4), "xxxx…");
        assert_eq!(foreign(b"", 4), "");
    }

    #[test]
    fn cells_are_never_formulas() {
        assert_eq!(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv_cell("=1+1"), "\"'=1+1\"");
        assert_eq!(csv_cell(""), "\"\"");
    }

    #[test]
    fn shell_words_are_one_word() {
        assert_eq!(shell_word("10.0.0.1"), "10.0.0.1");
        assert_eq!(shell_word("/run/mem cached"), "'/run/mem cached'");
        assert_eq!(shell_word("a'; rm -rf /"), r"'a'\''; rm -rf /'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("[::1]"), "'[::1]'");
    }
}
