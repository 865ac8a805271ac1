//! Colour, and text of a known width.

use std::env;
use std::io::{IsTerminal, stdout};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether text carries colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text alone, without any escape code.
    Plain,
    /// With ANSI colours.
    Coloured,
}

impl Style {
    /// Coloured when the standard output is a terminal and `NO_COLOR` is unset or empty, as
    /// no-color.org asks.
    #[must_use]
    pub fn of_stdout() -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if stdout().is_terminal() && !refused {
            Self::Coloured
        } else {
            Self::Plain
        }
    }
}

/// What a piece of text means; a colour never says anything that the words do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Normal,
    Strong,
    Faint,
    Good,
    Warning,
    Bad,
}

impl Tone {
    /// The parameters of the SGR escape sequence (ECMA-48) that turns the tone on.
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Normal => None,
            Self::Strong => Some("1"),
            Self::Faint => Some("2"),
            Self::Good => Some("32"),
            Self::Warning => Some("33"),
            Self::Bad => Some("31"),
        }
    }
}

/// A piece of text with a tone. Control characters never get in: names and error texts may come
/// from afar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    text: String,
    tone: Tone,
}

impl Span {
    pub(super) fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        let text = text
            .as_ref()
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c });
        Self {
            text: text.collect(),
            tone,
        }
    }

    pub(super) fn normal(text: impl AsRef<str>) -> Self {
        Self::new(text, Tone::Normal)
    }

    pub(super) fn spaces(count: usize) -> Self {
        Self {
            text: " ".repeat(count),
            tone: Tone::Normal,
        }
    }

    /// The same text, faint unless its tone says something.
    pub(super) fn faded(self) -> Self {
        let tone = if self.tone == Tone::Normal {
            Tone::Faint
        } else {
            self.tone
        };
        Self { tone, ..self }
    }

    /// Columns of the terminal that the text takes.
    pub(super) fn width(&self) -> usize {
        self.text.width()
    }

    /// The text cut to `width` columns, with an ellipsis for what was cut from its end.
    pub(super) fn cut_end(&self, width: usize) -> Self {
        if self.width() <= width {
            return self.clone();
        }
        let mut text = take_width(self.text.chars(), width.saturating_sub(1));
        text.push_str(if width == 0 { "" } else { "…" });
        Self {
            text,
            tone: self.tone,
        }
    }

    /// The text cut to `width` columns, with an ellipsis for what was cut from its beginning: of an
    /// address the port tells most.
    pub(super) fn cut_start(&self, width: usize) -> Self {
        if self.width() <= width {
            return self.clone();
        }
        let kept = take_width(self.text.chars().rev(), width.saturating_sub(1));
        let ellipsis = if width == 0 { "" } else { "…" };
        Self {
            text: ellipsis.chars().chain(kept.chars().rev()).collect(),
            tone: self.tone,
        }
    }

    fn write_to(&self, out: &mut String, style: Style) {
        match self.tone.code().filter(|_| style == Style::Coloured) {
            Some(code) => {
                out.push_str("\x1b[");
                out.push_str(code);
                out.push('m');
                out.push_str(&self.text);
                out.push_str("\x1b[0m");
            }
            None => out.push_str(&self.text),
        }
    }
}

fn take_width(characters: impl Iterator<Item = char>, width: usize) -> String {
    let mut taken = 0;
    let fitting = characters.take_while(|character| {
        taken += character.width().unwrap_or(0);
        taken <= width
    });
    fitting.collect()
}

/// Writes a line of spans, cut to `width` columns, without spaces at its end.
pub(super) fn write_line(out: &mut String, spans: &[Span], width: usize, style: Style) {
    let mut left = width;
    let mut line = String::new();
    for span in spans {
        let shown = span.cut_end(left);
        left -= shown.width();
        shown.write_to(&mut line, style);
        if left == 0 {
            break;
        }
    }
    out.push_str(line.trim_end_matches(' '));
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::{Span, Style, Tone, write_line};

    #[test]
    fn text_is_cut_by_columns_not_by_characters() {
        let wide = Span::normal("節点節点");
        assert_eq!(wide.width(), 8);
        assert_eq!(wide.cut_end(5), Span::normal("節点…"));
        assert_eq!(wide.cut_end(4), Span::normal("節…"));
        assert_eq!(wide.cut_start(5), Span::normal("…節点"));
        assert_eq!(wide.cut_end(0), Span::normal(""));
        assert_eq!(wide.cut_start(8), wide);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut line = String::new();
        write_line(&mut line, &[Span::normal("a\x1b[2Jb\n")], 80, Style::Plain);
        assert_eq!(line, "a\u{fffd}[2Jb\u{fffd}\n");
    }

    #[test]
    fn colour_adds_nothing_to_the_width() {
        let mut line = String::new();
        let spans = [Span::new("down", Tone::Bad), Span::normal(" refused")];
        write_line(&mut line, &spans, 9, Style::Coloured);
        assert_eq!(line, "\x1b[31mdown\x1b[0m ref…\n");
    }
}
