//! The fonts, which the program carries with it.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

/// Name of the family for titles and figures.
pub const SEMI_BOLD: &str = "semi-bold";

const REGULAR: &str = "Inter";
const MONO: &str = "JetBrains Mono";

/// Inter for text and JetBrains Mono for figures and keys. Each stands in for signs that the other
/// lacks.
#[must_use]
pub fn font_definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let mut add = |name: &str, bytes: &'static [u8]| {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    };
    add(
        REGULAR,
        include_bytes!("../../assets/fonts/Inter-Regular.otf"),
    );
    add(
        SEMI_BOLD,
        include_bytes!("../../assets/fonts/Inter-SemiBold.otf"),
    );
    add(
        MONO,
        include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf"),
    );
    let families = [
        (FontFamily::Proportional, [REGULAR, MONO]),
        (FontFamily::Name(SEMI_BOLD.into()), [SEMI_BOLD, MONO]),
        (FontFamily::Monospace, [MONO, REGULAR]),
    ];
    for (family, names) in families {
        fonts
            .families
            .insert(family, names.map(str::to_owned).to_vec());
    }
    fonts
}
