//! The question before anything on a server is changed: the node's name has to be typed.

use egui::{Button, Id, Modal, TextEdit, Ui};

use crate::published::{Command, WriteCommand};
use crate::theme::Theme;
use crate::views::Action;
use crate::widgets::named;

#[derive(Debug, Default)]
pub(super) struct WritePanel {
    proposed: Option<WriteCommand>,
    typed: String,
    /// Whether the field has to be given the focus.
    is_new: bool,
}

impl WritePanel {
    /// Asks whether `command` is really meant.
    pub(super) fn propose(&mut self, command: WriteCommand) {
        self.proposed = Some(command);
        self.typed.clear();
        self.is_new = true;
    }

    pub(super) fn ui(&mut self, ui: &Ui, actions: &mut Vec<Action>) {
        let Some(command) = &self.proposed else {
            return;
        };
        let theme = Theme::of(ui);
        let mut is_over = false;
        let modal = Modal::new(Id::unique("write"))
            .frame(super::dialog_frame(ui))
            .show(ui.ctx(), |ui| {
                ui.set_width(420.0);
                ui.label(theme.title(command.write.title()).color(theme.bad));
                ui.label(theme.body(command.write.consequence()));
                ui.label(theme.soft("This is sent to the server, and written to the audit list:"));
                ui.label(theme.mono(command.write.line()));
                ui.label(theme.soft(format!("Type {} to go on:", command.node)));
                let field =
                    ui.add(TextEdit::singleline(&mut self.typed).desired_width(f32::INFINITY));
                let field = named(field, egui::Role::TextInput, "name of the node");
                if std::mem::take(&mut self.is_new) {
                    field.request_focus();
                }
                ui.horizontal(|ui| {
                    let is_meant = self.typed == *command.node;
                    let go = Button::new(theme.strong("Send").color(theme.bad));
                    if ui.add_enabled(is_meant, go).clicked() {
                        actions.push(Action::Command(Command::Write(command.clone())));
                        is_over = true;
                    }
                    is_over |= ui.button("Cancel").clicked();
                });
            });
        if is_over || modal.should_close() {
            self.proposed = None;
        }
    }
}
