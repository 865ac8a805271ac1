//! Many keys at once: pasted, one in a line.

use egui::{Role, ScrollArea, TextEdit, Ui};

use super::super::ViewContext;
use super::{RingView, namespace};
use crate::model::placement::KeyList;
use crate::model::wording::foreign;
use crate::theme::Theme;
use crate::widgets::{card_with, ghost_button, named};

/// How much of a namespace is shown.
const LONGEST: usize = 24;

/// The name of the field.
const FIELD: &str = "Keys, one in a line";

impl RingView {
    pub(super) fn list_card(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let mut clear = false;
        let has_text = !self.key_text.is_empty();
        let beside = |ui: &mut Ui| {
            if has_text {
                clear = ghost_button(ui, "Clear keys").clicked();
            }
        };
        let mut changed = false;
        card_with(ui, ui.max_rect(), "Many keys", beside, |ui| {
            let theme = Theme::of(ui);
            ui.label(theme.soft(self.summary(cx)));
            ScrollArea::vertical().id_salt("keys").show(ui, |ui| {
                let field = TextEdit::multiline(&mut self.key_text)
                    .hint_text(
                        theme.faint("Paste keys, one in a line: each becomes a dot on the ring."),
                    )
                    .font(crate::theme::mono(crate::theme::SMALL))
                    .desired_rows(5)
                    .desired_width(f32::INFINITY);
                changed = named(ui.add(field), Role::TextInput, FIELD).changed();
            });
        });
        if clear {
            self.key_text.clear();
        }
        if clear || changed {
            self.key_list = KeyList::of(cx.cluster.ring(), &namespace(cx), &self.key_text);
        }
    }

    fn summary(&self, cx: &ViewContext<'_>) -> String {
        let list = &self.key_list;
        let namespace = namespace(cx);
        let in_front = if namespace.is_empty() {
            String::new()
        } else {
            format!(", with {} in front", foreign(namespace.as_bytes(), LONGEST))
        };
        if list.keys + list.refused == 0 {
            return format!("How a list of keys{in_front} is spread over the nodes");
        }
        let mut text = match list.keys {
            1 => format!("1 key{in_front}"),
            keys => format!("{keys} keys{in_front}"),
        };
        let fullest = list
            .per_node
            .iter()
            .enumerate()
            .max_by_key(|(_, keys)| **keys);
        if let (Some((node, keys)), true) = (fullest, list.keys > 0) {
            text.push_str(&format!(", most on {}: {keys}", cx.label(node)));
        }
        if list.refused > 0 {
            text.push_str(&match list.refused {
                1 => ", 1 line is no key".to_owned(),
                lines => format!(", {lines} lines are no keys"),
            });
        }
        if list.left_out > 0 {
            text.push_str(&format!(", {} left out", list.left_out));
        }
        text
    }
}
