//! What stands in the window before there is anything to watch.

use egui::{Button, Frame, Margin, Rect, Stroke, TextEdit, Ui, vec2};

use crate::preferences::{ConnectionProfile, joined};
use crate::published::Command;
use crate::theme::{BODY, CARD_RADIUS, GAP, Theme, mono, semi_bold};
use crate::views::{Action, Desk};
use crate::widgets::{named, place};

/// Width of the middle column, in points.
const WIDTH: f32 = 520.0;

#[derive(Debug, Default)]
pub(super) struct Welcome {
    name: String,
    servers: String,
    error: Option<String>,
}

impl Welcome {
    pub(super) fn ui(&mut self, ui: &mut Ui, desk: &Desk, actions: &mut Vec<Action>) {
        let whole = ui.max_rect();
        let size = vec2(
            WIDTH.min(whole.width() - 32.0),
            (whole.height() - 32.0).min(560.0),
        );
        let middle = Rect::from_center_size(whole.center(), size);
        place(ui, middle, |ui| {
            let theme = Theme::of(ui);
            ui.label(
                egui::RichText::new("See your memcached cluster")
                    .font(semi_bold(24.0))
                    .color(theme.text),
            );
            ui.label(theme.body(
                "Hit rate, memory and the hash ring of every node, live; and what adding or removing \
                 a server would do, before anybody does it.",
            ).color(theme.text_soft));
            ui.add_space(GAP);
            self.connect(ui, desk, actions);
            ui.add_space(GAP);
            group(ui, "Nothing at hand?", |ui| {
                ui.label(theme.soft(
                    "Embedded nodes on this machine, with a realistic load. Nothing is installed.",
                ));
                let button = Button::new(theme.strong("Try the demo cluster"))
                    .fill(theme.accent_soft)
                    .stroke(Stroke::new(1.0, theme.accent));
                if ui.add(button).clicked() {
                    actions.push(Action::Command(Command::StartDemo));
                }
            });
            if !desk.preferences.profiles.is_empty() {
                ui.add_space(GAP);
                group(ui, "Where you were before", |ui| {
                    profiles(ui, desk, actions);
                });
            }
        });
    }

    fn connect(&mut self, ui: &mut Ui, desk: &Desk, actions: &mut Vec<Action>) {
        let theme = Theme::of(ui);
        group(ui, "Connect", |ui| {
            ui.label(theme.soft(
                "Paste a server list: with commas or line by line, or a memcache:// URL. Write the \
                 servers as your clients do, in the same order: then the ring shown is theirs.",
            ));
            let field = TextEdit::multiline(&mut self.servers)
                .hint_text("cache-01:11211, cache-02:11211")
                .font(mono(BODY))
                .desired_rows(3)
                .desired_width(f32::INFINITY);
            let field = ui.add(field);
            named(field, egui::Role::TextInput, "servers");
            ui.horizontal(|ui| {
                let field = TextEdit::singleline(&mut self.name)
                    .hint_text("name (optional)")
                    .desired_width(180.0);
                let field = ui.add(field);
                named(field, egui::Role::TextInput, "name");
                let button = Button::new(theme.strong("Connect").color(theme.accent));
                if ui
                    .add_enabled(!self.servers.trim().is_empty(), button)
                    .clicked()
                {
                    self.submit(desk, actions);
                }
            });
            if let Some(error) = &self.error {
                ui.label(theme.soft(format!("✗ {error}")).color(theme.bad));
            }
        });
    }

    fn submit(&mut self, desk: &Desk, actions: &mut Vec<Action>) {
        match ConnectionProfile::parse(&self.name, &self.servers) {
            Ok(profile) => {
                actions.push(Action::Command(Command::Connect {
                    name: profile.name.clone(),
                    // As it was typed: a password is used now, but not remembered.
                    servers: joined(&self.servers),
                }));
                let mut preferences = desk.preferences.clone();
                preferences.remember(profile);
                actions.push(Action::SetPreferences(Box::new(preferences)));
                *self = Self::default();
            }
            Err(error) => self.error = Some(error),
        }
    }
}

fn profiles(ui: &mut Ui, desk: &Desk, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    for profile in &desk.preferences.profiles {
        ui.horizontal(|ui| {
            if ui.button(&profile.name).clicked() {
                actions.push(Action::Command(Command::Connect {
                    name: profile.name.clone(),
                    servers: profile.url.clone(),
                }));
            }
            ui.label(theme.faint(&profile.url));
        });
    }
}

fn group(ui: &mut Ui, title: &str, draw: impl FnOnce(&mut Ui)) {
    let theme = Theme::of(ui);
    Frame::new()
        .fill(theme.panel)
        .stroke(Stroke::new(1.0, theme.line))
        .corner_radius(CARD_RADIUS)
        .inner_margin(Margin::same(14))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.label(theme.title(title));
            draw(ui);
        });
}
