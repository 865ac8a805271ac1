//! One field to find a key, a node or a command.

use std::sync::Arc;

use egui::{
    Align2, Area, Frame, Id, Key, Margin, Modifiers, Order, Rect, Role, Sense, Stroke, TextEdit,
    Ui, vec2,
};

use crate::published::Command;
use crate::theme::{BODY, CARD_RADIUS, SMALL, Theme, mono, regular};
use crate::views::{Action, View, ViewContext};
use crate::widgets::{named, paint_text};

/// Results shown at most.
const MOST_RESULTS: usize = 9;

/// The longest key of memcached, in bytes: a longer text can be no key.
const LONGEST_KEY: usize = 250;

#[derive(Debug, Default)]
pub(super) struct Omnibox {
    text: String,
    is_open: bool,
    place: usize,
    below: Option<Rect>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq)]
struct Hit {
    what: &'static str,
    text: String,
    action: Action,
}

impl Omnibox {
    fn id() -> Id {
        Id::unique("omnibox")
    }

    /// Puts the cursor into the field.
    pub(super) fn open(&mut self, ui: &Ui) {
        self.is_open = true;
        self.place = 0;
        ui.memory_mut(|memory| memory.request_focus(Self::id()));
    }

    pub(super) fn field(&mut self, ui: &mut Ui, width: f32) {
        let theme = Theme::of(ui);
        let field = TextEdit::singleline(&mut self.text)
            .id(Self::id())
            .hint_text(theme.faint("Find a key, node or command"))
            .char_limit(LONGEST_KEY * 2)
            .desired_width(width)
            .margin(Margin::symmetric(10, 5));
        let response = ui.add(field);
        if self.text.is_empty() && !response.has_focus() {
            let hint = response.rect.shrink2(vec2(10.0, 0.0));
            paint_text(
                ui,
                hint,
                Align2::RIGHT_CENTER,
                "Ctrl K",
                mono(10.0),
                theme.text_faint,
            );
        }
        if response.gained_focus() {
            self.is_open = true;
            self.place = 0;
        }
        if response.changed() {
            self.place = 0;
        }
        self.below = Some(response.rect);
        named(response, Role::TextInput, "Find a key, node or command");
    }

    pub(super) fn results(&mut self, ui: &Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
        let Some(field) = self.below.filter(|_| self.is_open) else {
            return;
        };
        let hits = find(&self.text, cx);
        let key = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        if key(Key::ArrowDown) {
            self.place = (self.place + 1).min(hits.len().saturating_sub(1));
        }
        if key(Key::ArrowUp) {
            self.place = self.place.saturating_sub(1);
        }
        // Enter also takes the focus from the field, in the same frame.
        let enter = ui.input(|input| input.key_pressed(Key::Enter));
        let mut chosen = hits.get(self.place).filter(|_| enter).cloned();
        let mut is_hovered = false;
        Area::new(Id::unique("omnibox results"))
            .order(Order::Foreground)
            .fixed_pos(field.left_bottom() + vec2(0.0, 4.0))
            .show(ui.ctx(), |ui| {
                let theme = Theme::of(ui);
                Frame::new()
                    .fill(theme.panel)
                    .stroke(Stroke::new(1.0, theme.line))
                    .corner_radius(CARD_RADIUS)
                    .shadow(ui.visuals().popup_shadow)
                    .inner_margin(Margin::same(6))
                    .show(ui, |ui| {
                        ui.set_width(field.width() - 12.0);
                        ui.spacing_mut().item_spacing.y = 2.0;
                        for (index, hit) in hits.iter().enumerate() {
                            let response = row(ui, hit, index == self.place);
                            is_hovered |= response.hovered();
                            if response.clicked() {
                                chosen = Some(hit.clone());
                            }
                        }
                    });
            });
        let has_focus = ui.memory(|memory| memory.has_focus(Self::id()));
        let is_over =
            ui.input(|input| input.key_pressed(Key::Escape)) || (!has_focus && !is_hovered);
        if let Some(hit) = chosen {
            actions.push(hit.action);
            self.close(ui);
        } else if is_over {
            self.close(ui);
        }
    }

    fn close(&mut self, ui: &Ui) {
        self.is_open = false;
        self.text.clear();
        ui.memory_mut(|memory| memory.surrender_focus(Self::id()));
    }
}

fn row(ui: &mut Ui, hit: &Hit, is_current: bool) -> egui::Response {
    let theme = Theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::hover());
    let response = ui.interact(
        rect,
        ui.scope_id().with((hit.what, &hit.text)),
        Sense::click(),
    );
    if is_current || response.hovered() {
        ui.painter().rect_filled(rect, 4.0, theme.accent_soft);
    }
    let inner = rect.shrink2(vec2(8.0, 0.0));
    let what = paint_text(
        ui,
        inner,
        Align2::RIGHT_CENTER,
        hit.what,
        regular(SMALL),
        theme.text_faint,
    );
    let text = Rect::from_min_max(inner.min, egui::pos2(what.left() - 8.0, inner.bottom()));
    paint_text(
        ui,
        text,
        Align2::LEFT_CENTER,
        &hit.text,
        regular(BODY),
        theme.text,
    );
    named(
        response,
        Role::Button,
        format!("{}: {}", hit.what, hit.text),
    )
}

/// What fits to `text`: nodes and commands that contain it, and what it is as a key.
fn find(text: &str, cx: &ViewContext<'_>) -> Vec<Hit> {
    let wanted = text.trim().to_lowercase();
    let mut hits = Vec::new();
    if !wanted.is_empty() && text.len() <= LONGEST_KEY && !text.trim().contains(char::is_whitespace)
    {
        let key = text.trim();
        let node = cx.cluster.node_for(key.as_bytes());
        hits.push(Hit {
            what: "key",
            text: format!("{key} → {}", cx.label(node)),
            action: Action::Probe(key.to_owned()),
        });
    }
    let nodes = cx.snapshot.nodes.iter().map(|node| Hit {
        what: "node",
        text: node.name.to_string(),
        action: Action::Select(Some(Arc::clone(&node.name))),
    });
    let screens = View::ALL.into_iter().map(|view| Hit {
        what: "screen",
        text: view.title().to_owned(),
        action: Action::Open(view),
    });
    let pause = cx.published.is_paused;
    let commands = [
        (
            if pause { "Go on" } else { "Pause" },
            Command::Pause(!pause),
        ),
        ("Demo cluster", Command::StartDemo),
        ("Other servers", Command::Disconnect),
    ]
    .map(|(text, command)| Hit {
        what: "command",
        text: text.to_owned(),
        action: Action::Command(command),
    });
    // Without a text the screens and commands are worth more than a list of all nodes.
    let others: Vec<_> = if wanted.is_empty() {
        screens.chain(commands).collect()
    } else {
        nodes.chain(screens).chain(commands).collect()
    };
    let fitting = others
        .into_iter()
        .filter(|hit| hit.text.to_lowercase().contains(&wanted));
    hits.extend(fitting);
    hits.truncate(MOST_RESULTS);
    hits
}
