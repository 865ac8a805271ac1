//! How everything looks: colours, fonts and spacing, in one place.
//!
//! Dark and light are two values of one struct. Three levels of surface, three of text, one accent;
//! `ok`, `warn` and `bad` say how something is doing and nothing else; `leaves` and `arrives` belong
//! to simulations. `contrast` in the tests holds every pair that carries text to a ratio of 4.5.

mod fonts;
mod style;

use egui::{Color32, FontFamily, FontId, RichText, Ui};

pub use fonts::{SEMI_BOLD, font_definitions};
pub use style::{apply, set_motion};

/// Space between things that belong together.
pub const GAP_SMALL: f32 = 4.0;
/// Space between things in a row or column.
pub const GAP: f32 = 8.0;
/// Space between cards, and round a view.
pub const GAP_LARGE: f32 = 12.0;
/// Space inside a card.
pub const CARD_PADDING: f32 = 14.0;
/// Corners of a card.
pub const CARD_RADIUS: u8 = 8;
/// Corners of a control.
pub const CONTROL_RADIUS: u8 = 5;
/// Height of a row in a table.
pub const ROW_HEIGHT: f32 = 24.0;

/// Size of ordinary text.
pub const BODY: f32 = 12.5;
/// Size of what explains a figure.
pub const SMALL: f32 = 11.0;
/// Size of a card's title.
pub const TITLE: f32 = 13.0;
/// Size of a figure that is to be read from afar.
pub const FIGURE: f32 = 22.0;

/// The colours of a theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Whether it is the dark one.
    pub is_dark: bool,
    /// Behind everything.
    pub background: Color32,
    /// Cards, the navigation and the bars.
    pub panel: Color32,
    /// What stands out of a card: tiles, fields, the row under the pointer.
    pub raised: Color32,
    /// The line round cards and between rows.
    pub line: Color32,
    /// The empty part of a bar.
    pub track: Color32,
    /// What is to be read first.
    pub text: Color32,
    /// Labels and explanations.
    pub text_soft: Color32,
    /// Units, hints, axis labels.
    pub text_faint: Color32,
    /// Data, selection, links.
    pub accent: Color32,
    /// Behind data: bands, selected rows.
    pub accent_soft: Color32,
    /// As it should be.
    pub ok: Color32,
    /// Worth a look.
    pub warn: Color32,
    /// Broken.
    pub bad: Color32,
    /// In a simulation: what leaves a node.
    pub leaves: Color32,
    /// In a simulation: what arrives at a node.
    pub arrives: Color32,
}

impl Theme {
    /// Light text on dark surfaces.
    pub const DARK: Self = Self {
        is_dark: true,
        background: Color32::from_rgb(0x0d, 0x10, 0x14),
        panel: Color32::from_rgb(0x13, 0x17, 0x1d),
        raised: Color32::from_rgb(0x1b, 0x20, 0x28),
        line: Color32::from_rgb(0x28, 0x2f, 0x39),
        track: Color32::from_rgb(0x3a, 0x43, 0x50),
        text: Color32::from_rgb(0xe6, 0xeb, 0xf1),
        text_soft: Color32::from_rgb(0xa3, 0xae, 0xbc),
        text_faint: Color32::from_rgb(0x81, 0x8c, 0x9b),
        accent: Color32::from_rgb(0x56, 0x9c, 0xff),
        accent_soft: Color32::from_rgb(0x1c, 0x28, 0x3a),
        ok: Color32::from_rgb(0x3f, 0xb9, 0x8c),
        warn: Color32::from_rgb(0xe5, 0xa8, 0x3b),
        bad: Color32::from_rgb(0xf0, 0x6a, 0x62),
        leaves: Color32::from_rgb(0xf0, 0x8c, 0x3c),
        arrives: Color32::from_rgb(0x4f, 0xc1, 0x7e),
    };

    /// Dark text on light surfaces.
    pub const LIGHT: Self = Self {
        is_dark: false,
        background: Color32::from_rgb(0xf4, 0xf6, 0xf9),
        panel: Color32::from_rgb(0xff, 0xff, 0xff),
        raised: Color32::from_rgb(0xf0, 0xf3, 0xf7),
        line: Color32::from_rgb(0xdb, 0xe1, 0xe8),
        track: Color32::from_rgb(0xcb, 0xd3, 0xdc),
        text: Color32::from_rgb(0x17, 0x1d, 0x26),
        text_soft: Color32::from_rgb(0x4c, 0x58, 0x68),
        text_faint: Color32::from_rgb(0x61, 0x6c, 0x7b),
        accent: Color32::from_rgb(0x14, 0x64, 0xdc),
        accent_soft: Color32::from_rgb(0xe1, 0xeb, 0xfb),
        ok: Color32::from_rgb(0x0b, 0x75, 0x52),
        warn: Color32::from_rgb(0x8f, 0x59, 0x00),
        bad: Color32::from_rgb(0xc5, 0x30, 0x2a),
        leaves: Color32::from_rgb(0xb3, 0x54, 0x0a),
        arrives: Color32::from_rgb(0x12, 0x7a, 0x43),
    };

    /// The theme that `ui` is drawn in.
    #[must_use]
    pub fn of(ui: &Ui) -> &'static Self {
        if ui.visuals().dark_mode {
            &Self::DARK
        } else {
            &Self::LIGHT
        }
    }

    /// A card's title.
    #[must_use]
    pub fn title(&self, text: impl Into<String>) -> RichText {
        RichText::new(text).font(semi_bold(TITLE)).color(self.text)
    }

    /// Ordinary text.
    #[must_use]
    pub fn body(&self, text: impl Into<String>) -> RichText {
        RichText::new(text).size(BODY).color(self.text)
    }

    /// Ordinary text that matters more than its neighbours.
    #[must_use]
    pub fn strong(&self, text: impl Into<String>) -> RichText {
        RichText::new(text).font(semi_bold(BODY)).color(self.text)
    }

    /// Text that explains.
    #[must_use]
    pub fn soft(&self, text: impl Into<String>) -> RichText {
        RichText::new(text).size(SMALL).color(self.text_soft)
    }

    /// Text that can be overlooked.
    #[must_use]
    pub fn faint(&self, text: impl Into<String>) -> RichText {
        RichText::new(text).size(SMALL).color(self.text_faint)
    }

    /// Keys, commands and anything else whose letters have to be told apart.
    #[must_use]
    pub fn mono(&self, text: impl Into<String>) -> RichText {
        RichText::new(text).font(mono(SMALL)).color(self.text)
    }

    /// A colour of a single-hue ramp from the empty track to the accent; `share` is 0 to 1.
    #[must_use]
    pub fn heat(&self, share: f32) -> Color32 {
        mix(self.raised, self.accent, share.clamp(0.0, 1.0))
    }

    /// A hue for a node, always the same for the same name. Only for lenses and for charts of a few
    /// lines: no colour tells 64 nodes apart.
    #[must_use]
    pub fn node_hue(&self, name: &str) -> Color32 {
        let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        // Names that differ in a digit differ in the low bits alone; the golden ratio spreads them.
        let hue = f32::from((hash.wrapping_mul(0x9e37_79b9) >> 16) as u16) / 65_536.0;
        let (saturation, value) = if self.is_dark {
            (0.38, 0.62)
        } else {
            (0.42, 0.70)
        };
        egui::ecolor::Hsva::new(hue, saturation, value, 1.0).into()
    }
}

/// The font for figures in tables: every digit is as wide as any other.
#[must_use]
pub const fn mono(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

/// The font for titles and figures.
#[must_use]
pub fn semi_bold(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(SEMI_BOLD.into()))
}

/// The font for everything else.
#[must_use]
pub const fn regular(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// `share` of the way from one colour to another.
#[must_use]
pub fn mix(from: Color32, to: Color32, share: f32) -> Color32 {
    from.lerp_to_gamma(to, share)
}

#[cfg(test)]
mod tests {
    use egui::Color32;

    use super::Theme;

    /// Relative luminance and contrast ratio as WCAG 2.2 defines them.
    fn contrast(one: Color32, other: Color32) -> f32 {
        let luminance = |color: Color32| {
            let channel = |value: u8| {
                let value = f32::from(value) / 255.0;
                if value <= 0.04045 {
                    value / 12.92
                } else {
                    ((value + 0.055) / 1.055).powf(2.4)
                }
            };
            0.2126 * channel(color.r()) + 0.7152 * channel(color.g()) + 0.0722 * channel(color.b())
        };
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_can_be_read_on_every_surface() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            let texts = [
                ("text", theme.text),
                ("text_soft", theme.text_soft),
                ("text_faint", theme.text_faint),
                ("accent", theme.accent),
                ("ok", theme.ok),
                ("warn", theme.warn),
                ("bad", theme.bad),
                ("leaves", theme.leaves),
                ("arrives", theme.arrives),
            ];
            let surfaces = [
                ("background", theme.background),
                ("panel", theme.panel),
                ("raised", theme.raised),
            ];
            for (text_name, text) in texts {
                for (surface_name, surface) in surfaces {
                    let ratio = contrast(text, surface);
                    let dark = theme.is_dark;
                    assert!(
                        ratio >= 4.5,
                        "{text_name} on {surface_name}, dark {dark}: {ratio:.2}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_node_keeps_its_hue() {
        let theme = Theme::DARK;
        assert_eq!(
            theme.node_hue("cache-01:11211"),
            theme.node_hue("cache-01:11211")
        );
        assert_ne!(
            theme.node_hue("cache-01:11211"),
            theme.node_hue("cache-02:11211")
        );
    }
}
