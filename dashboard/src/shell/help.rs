//! All keys on one sheet.

use egui::{Grid, Id, Key, Modal, Role, Sense, Ui};

use crate::theme::Theme;
use crate::widgets::named;

/// What each key does, in the order of the sheet.
pub const SHORTCUTS: [(&str, &str); 19] = [
    ("1 – 9", "show a screen"),
    ("Ctrl K", "find a key, a node or a command"),
    ("/", "filter the table, or find"),
    ("Space", "pause, go on"),
    ("R", "ask all nodes now"),
    ("N  P", "select the next, the previous node"),
    ("← → ↑ ↓", "move within a screen"),
    ("Enter", "open what is selected"),
    ("Esc", "close, select nothing, go back"),
    ("[  ]", "look less, more far back"),
    ("W", "what if the selected node was removed"),
    (
        "Ctrl Z  Ctrl Shift Z",
        "take back a change of the plan, make it again",
    ),
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
        let modal = Modal::new(Id::unique("help"))
            .frame(super::dialog_frame(ui))
            .show(ui.ctx(), |ui| {
                ui.set_min_width(380.0);
                ui.label(theme.title("Keys"));
                ui.add_space(8.0);
                Grid::new("keys")
                    .num_columns(2)
                    .spacing([24.0, 7.0])
                    .show(ui, |ui| {
                        for (key, does) in SHORTCUTS {
                            ui.label(theme.mono(key).color(theme.accent));
                            ui.label(theme.body(does));
                            ui.end_row();
                        }
                    });
                ui.add_space(8.0);
                let close = ui.button("Close");
                let sheet = ui.interact(ui.min_rect(), ui.scope_id().with("sheet"), Sense::hover());
                named(sheet, Role::Document, "keys and what they do");
                close.clicked()
            });
        let is_over = modal.inner || modal.should_close();
        if is_over || ui.input(|input| input.key_pressed(Key::Escape)) {
            self.is_open = false;
        }
    }
}
