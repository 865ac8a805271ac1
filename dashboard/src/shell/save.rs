//! Where to write a file: somebody sees the place, and may change it, before anything is written.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use egui::{ColorImage, Id, Key, Modal, TextEdit, Ui};

use crate::picture;
use crate::published::Command;
use crate::theme::Theme;
use crate::views::{Action, Export, ExportContent};

#[derive(Debug, Default)]
pub(super) struct SavePanel {
    offered: Option<Offered>,
    awaited: Option<(String, Receiver<Arc<ColorImage>>)>,
}

#[derive(Debug)]
struct Offered {
    path: String,
    bytes: Arc<[u8]>,
    /// Whether the field has to be given the focus.
    is_new: bool,
}

impl SavePanel {
    /// Asks where `export` shall go. A picture is taken first, so that the question is not on it.
    pub(super) fn offer(&mut self, ui: &Ui, export: Export) {
        match export.content {
            ExportContent::Bytes(bytes) => self.ask(&export.file_name, bytes),
            ExportContent::Picture => {
                let (tell, told) = channel();
                let context = ui.ctx().clone();
                ui.request_screenshot(move |image| {
                    // Nobody waits any more when another picture was asked for meanwhile.
                    let _ = tell.send(image);
                    context.request_repaint();
                });
                self.awaited = Some((export.file_name, told));
            }
        }
    }

    fn take_picture(&mut self) {
        let Some((_, told)) = &self.awaited else {
            return;
        };
        let Ok(image) = told.try_recv() else {
            return;
        };
        let encoded = picture::png(&image);
        if let (Some((file_name, _)), Ok(bytes)) = (self.awaited.take(), encoded) {
            self.ask(&file_name, bytes.into());
        }
    }

    fn ask(&mut self, file_name: &str, bytes: Arc<[u8]>) {
        let folder = std::env::current_dir().unwrap_or_default();
        self.offered = Some(Offered {
            path: folder.join(file_name).display().to_string(),
            bytes,
            is_new: true,
        });
    }

    pub(super) fn ui(&mut self, ui: &Ui, actions: &mut Vec<Action>) {
        self.take_picture();
        let Some(offered) = &mut self.offered else {
            return;
        };
        let theme = Theme::of(ui);
        let mut is_over = false;
        let modal = Modal::new(Id::unique("save"))
            .frame(super::dialog_frame(ui))
            .show(ui.ctx(), |ui| {
                ui.set_width(460.0);
                ui.label(theme.title("Save"));
                let size = crate::model::wording::bytes(offered.bytes.len() as u64);
                ui.label(theme.soft(format!("{size}, to the file:")));
                let field = TextEdit::singleline(&mut offered.path).desired_width(f32::INFINITY);
                let field = ui.add(field);
                let field = crate::widgets::named(field, egui::Role::TextInput, "file");
                if std::mem::take(&mut offered.is_new) {
                    field.request_focus();
                }
                let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
                ui.horizontal(|ui| {
                    let save = ui.button("Save");
                    if (save.clicked() || entered) && !offered.path.trim().is_empty() {
                        actions.push(Action::Command(Command::Save {
                            path: PathBuf::from(offered.path.trim()),
                            bytes: Arc::clone(&offered.bytes),
                        }));
                        is_over = true;
                    }
                    is_over |= ui.button("Cancel").clicked();
                });
            });
        if is_over || modal.should_close() {
            self.offered = None;
        }
    }
}
