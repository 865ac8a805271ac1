//! All keys on one sheet.

use egui::{Grid, Id, Key, Modal, Ui};

use crate::theme::Theme;

/// What each key does.
const KEYS: [(&str, &str); 17] = [
    ("1 – 9", "show a screen"),
    ("Ctrl K", "find a key, a node or a command"),
    ("/", "filter the table"),
    ("Space", "pause, go on"),
    ("N  P", "next, previous node"),
    ("← → ↑ ↓", "move within a screen"),
    ("Enter", "open what is selected"),
    ("Esc", "close, or select nothing"),
    ("[  ]", "look less, more far back"),
    ("W", "what if the selected node was removed"),
    ("E", "export the table"),
    ("S", "save a picture of the window"),
    ("T", "dark or light"),
    ("Ctrl +  Ctrl −", "larger, smaller"),
    ("Tab", "go from control to control"),
    ("?", "this sheet"),
    ("Ctrl Q", "quit"),
];

#[derive(Debug, Default)]
pub(super) struct Help {
    is_open: bool,
}

impl Help {
    pub(super) const fn toggle(&mut self) {
        self.is_open = !self.is_open;
    }

    pub(super) fn ui(&mut self, ui: &Ui) {
        if !self.is_open {
            return;
        }
        let theme = Theme::of(ui);
        let modal = Modal::new(Id::unique("help")).show(ui.ctx(), |ui| {
            ui.set_min_width(380.0);
            ui.label(theme.title("Keys"));
            ui.add_space(8.0);
            Grid::new("keys")
                .num_columns(2)
                .spacing([24.0, 7.0])
                .show(ui, |ui| {
                    for (key, does) in KEYS {
                        ui.label(theme.mono(key).color(theme.accent));
                        ui.label(theme.body(does));
                        ui.end_row();
                    }
                });
        });
        if modal.should_close() || ui.input(|input| input.key_pressed(Key::Escape)) {
            self.is_open = false;
        }
    }
}
