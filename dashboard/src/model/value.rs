//! A value as it is shown: as text, as JSON, or byte for byte.

use std::fmt::Write as _;

use super::wording::foreign;

/// Bytes of a value that are shown at most.
pub const MOST_SHOWN: usize = 64 * 1024;

/// Bytes in a line of a hex dump.
const HEX_LINE: usize = 16;

/// How to show a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueForm {
    /// As text, with what is not text escaped.
    Text,
    /// As JSON, indented.
    Json,
    /// Byte for byte.
    Hex,
}

impl ValueForm {
    /// All forms.
    pub const ALL: [Self; 3] = [Self::Text, Self::Json, Self::Hex];

    /// Its name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Json => "JSON",
            Self::Hex => "Hex",
        }
    }

    /// The form that suits a value best.
    #[must_use]
    pub fn suited_to(value: &[u8]) -> Self {
        let begins_like_json = matches!(value.trim_ascii_start().first(), Some(b'{' | b'['));
        if begins_like_json && serde_json::from_slice::<serde::de::IgnoredAny>(value).is_ok() {
            return Self::Json;
        }
        let is_text = str::from_utf8(value).is_ok_and(|text| {
            !text
                .chars()
                .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        });
        if is_text { Self::Text } else { Self::Hex }
    }

    /// The value in this form: at most [`MOST_SHOWN`] bytes of it, with a last line that says how
    /// many are left out. `None` if it is no JSON.
    #[must_use]
    pub fn show(self, value: &[u8]) -> Option<String> {
        let part = &value[..value.len().min(MOST_SHOWN)];
        let mut shown = match self {
            Self::Text => lines(part),
            Self::Json => {
                let json: serde_json::Value = serde_json::from_slice(value).ok()?;
                let text = serde_json::to_string_pretty(&json).ok()?;
                lines(&text.as_bytes()[..text.len().min(MOST_SHOWN * 2)])
            }
            Self::Hex => hex(part),
        };
        if value.len() > part.len() && self != Self::Json {
            let _ = write!(shown, "\n… {} more bytes", value.len() - part.len());
        }
        Some(shown)
    }
}

/// Text line by line, each escaped: a line break is the only control that passes.
fn lines(text: &[u8]) -> String {
    let mut shown = String::with_capacity(text.len());
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            shown.push('\n');
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (indent, line) = line.split_at(line.iter().take_while(|b| **b == b'\t').count());
        shown.extend(indent.iter().map(|_| "    "));
        shown.push_str(&foreign(line, MOST_SHOWN).replace("\\\\", "\\"));
    }
    shown
}

fn hex(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len() * 5);
    for (number, line) in bytes.chunks(HEX_LINE).enumerate() {
        if number > 0 {
            shown.push('\n');
        }
        let _ = write!(shown, "{:06x} ", number * HEX_LINE);
        for place in 0..HEX_LINE {
            if place == HEX_LINE / 2 {
                shown.push(' ');
            }
            match line.get(place) {
                Some(byte) => {
                    let _ = write!(shown, " {byte:02x}");
                }
                None => shown.push_str("   "),
            }
        }
        shown.push_str("  ");
        let printable = |byte: &u8| matches!(byte, b' '..=b'~');
        shown.extend(line.iter().map(|byte| {
            if printable(byte) {
                char::from(*byte)
            } else {
                '.'
            }
        }));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{MOST_SHOWN, ValueForm};

    #[test]
    fn a_value_suggests_its_form() {
        assert_eq!(ValueForm::suited_to(br#" {"a":[1,2]}"#), ValueForm::Json);
        assert_eq!(ValueForm::suited_to(b"{not json"), ValueForm::Text);
        assert_eq!(ValueForm::suited_to("grüße\n".as_bytes()), ValueForm::Text);
        assert_eq!(ValueForm::suited_to(b"\x80\x04\x95pickle"), ValueForm::Hex);
        assert_eq!(ValueForm::suited_to(b"nul\0"), ValueForm::Hex);
    }

    #[test]
    fn values_are_shown_as_what_they_are() {
        let json = ValueForm::Json.show(br#"{"a":[1]}"#).unwrap();
        assert_eq!(json, "{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(ValueForm::Json.show(b"plain"), None);
        assert_eq!(
            ValueForm::Text.show(b"a\r\n\tb\x1b[0m\\n").unwrap(),
            "a\n    b\\u{1b}[0m\\n"
        );
        let hex = ValueForm::Hex.show(b"0123456789abcdef\xff").unwrap();
        let expected = "000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef\n\
                        000010  ff                                                .";
        assert_eq!(hex, expected);
    }

    #[test]
    fn a_long_value_says_what_is_left_out() {
        let long = vec![b'x'; MOST_SHOWN + 7];
        assert!(
            ValueForm::Text
                .show(&long)
                .unwrap()
                .ends_with("\n… 7 more bytes")
        );
    }
}
