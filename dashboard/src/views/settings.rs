//! The screen "Settings": connections, polling, looks, and the demo.

use std::time::Duration;

use egui::{Grid, ScrollArea, Slider, ThemePreference, Ui};

use super::{Action, ViewContext};
use crate::format::{compact_with, count};
use crate::preferences::{ConnectionProfile, Preferences};
use crate::published::{Command, DemoCommand, DemoNodeState, DemoState};
use crate::theme::{GAP_LARGE, Theme};
use crate::widgets::{Split, Tone, badge, card, columns, named, place, rows, segmented};

/// Polling intervals to choose from.
const INTERVALS: [(Duration, &str); 5] = [
    (Duration::from_millis(500), "0.5 s"),
    (Duration::from_secs(1), "1 s"),
    (Duration::from_secs(2), "2 s"),
    (Duration::from_secs(5), "5 s"),
    (Duration::from_secs(15), "15 s"),
];

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct SettingsView {
    name: String,
    servers: String,
    error: Option<String>,
}

impl SettingsView {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let halves = columns(
            ui.max_rect(),
            GAP_LARGE,
            &[Split::Share(1.0), Split::Share(1.0)],
        );
        let left = rows(
            halves[0],
            GAP_LARGE,
            &[Split::Share(1.0), Split::Exact(190.0)],
        );
        place(ui, left[0], |ui| self.connections(ui, cx, &mut actions));
        place(ui, left[1], |ui| looks(ui, cx, &mut actions));
        let audit = if cx.desk.may_write { 170.0 } else { 0.0 };
        let parts = [Split::Exact(190.0), Split::Share(1.0), Split::Exact(audit)];
        let right = rows(
            halves[1],
            GAP_LARGE,
            &parts[..if cx.desk.may_write { 3 } else { 2 }],
        );
        place(ui, right[0], |ui| polling(ui, cx, &mut actions));
        place(ui, right[1], |ui| match &cx.published.demo {
            Some(demo) => demo_controls(ui, cx, demo, &mut actions),
            None => cluster(ui, cx),
        });
        if let Some(rect) = right.get(2) {
            place(ui, *rect, |ui| audit_list(ui, cx));
        }
        actions
    }

    fn connections(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
        card(
            ui,
            ui.max_rect(),
            "Connections",
            "kept without passwords",
            |ui| {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    let preferences = &cx.desk.preferences;
                    for profile in &preferences.profiles {
                        profile_row(ui, preferences, profile, actions);
                    }
                    if preferences.profiles.is_empty() {
                        let theme = Theme::of(ui);
                        let text = "None yet. What you connect to is listed here, at the start, and \
                                    in the menu at the top left.";
                        ui.add(egui::Label::new(theme.soft(text)).wrap());
                    }
                    ui.add_space(GAP_LARGE);
                    self.add(ui, preferences, actions);
                });
            },
        );
    }

    fn add(&mut self, ui: &mut Ui, preferences: &Preferences, actions: &mut Vec<Action>) {
        let theme = Theme::of(ui);
        ui.label(theme.strong("Add a cluster"));
        ui.label(theme.soft("A server list or a memcache:// URL, as its clients have it."));
        let servers = egui::TextEdit::multiline(&mut self.servers)
            .hint_text("memcache://cache-01,cache-02?ring=pymemcache")
            .desired_rows(2)
            .desired_width(f32::INFINITY);
        let field = ui.add(servers);
        named(field, egui::Role::TextInput, "servers of the new cluster");
        ui.horizontal(|ui| {
            let name = egui::TextEdit::singleline(&mut self.name)
                .hint_text("name (optional)")
                .desired_width(160.0);
            let field = ui.add(name);
            named(field, egui::Role::TextInput, "name of the new cluster");
            if ui.button("Add").clicked() {
                match ConnectionProfile::parse(&self.name, &self.servers) {
                    Ok(profile) => {
                        let mut preferences = preferences.clone();
                        preferences.remember(profile);
                        actions.push(Action::SetPreferences(Box::new(preferences)));
                        *self = Self::default();
                    }
                    Err(error) => self.error = Some(error),
                }
            }
        });
        if let Some(error) = &self.error {
            ui.label(theme.soft(format!("✗ {error}")).color(theme.bad));
        }
    }
}

fn profile_row(
    ui: &mut Ui,
    preferences: &Preferences,
    profile: &ConnectionProfile,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        if ui.button(&profile.name).on_hover_text("watch it").clicked() {
            actions.push(Action::Command(Command::Connect {
                name: profile.name.clone(),
                servers: profile.url.clone(),
            }));
        }
        let forget = ui.small_button("✗");
        let forget = named(
            forget,
            egui::Role::Button,
            format!("forget {}", profile.name),
        );
        if forget.on_hover_text("forget it").clicked() {
            let mut preferences = preferences.clone();
            preferences
                .profiles
                .retain(|known| known.name != profile.name);
            actions.push(Action::SetPreferences(Box::new(preferences)));
        }
        ui.add(egui::Label::new(theme.faint(&profile.url)).truncate());
    });
}

fn looks(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    card(ui, ui.max_rect(), "Looks", "", |ui| {
        let theme = Theme::of(ui);
        let mut preferences = cx.desk.preferences.clone();
        Grid::new("looks")
            .num_columns(2)
            .spacing([24.0, 10.0])
            .show(ui, |ui| {
                ui.label(theme.soft("Colours"));
                let choices = [
                    (ThemePreference::System, "As the system"),
                    (ThemePreference::Dark, "Dark"),
                    (ThemePreference::Light, "Light"),
                ];
                segmented(ui, &mut preferences.theme, &choices);
                ui.end_row();
                ui.label(theme.soft("Motion"));
                ui.checkbox(&mut preferences.reduce_motion, "Nothing slides or fades");
                ui.end_row();
                ui.label(theme.soft("Size"));
                let mut zoom = ui.zoom_factor();
                let slider = ui.add(
                    Slider::new(&mut zoom, 0.7..=2.0)
                        .step_by(0.1)
                        .fixed_decimals(1),
                );
                if named(slider, egui::Role::Slider, "zoom").drag_stopped() {
                    ui.set_zoom_factor(zoom);
                }
                ui.end_row();
            });
        if preferences != cx.desk.preferences {
            actions.push(Action::SetPreferences(Box::new(preferences)));
        }
    });
}

fn polling(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    card(
        ui,
        ui.max_rect(),
        "Polling",
        "stats each interval; items and slabs every 5 s",
        |ui| {
            let theme = Theme::of(ui);
            let cost = cx.published.cost;
            Grid::new("polling")
                .num_columns(2)
                .spacing([24.0, 10.0])
                .show(ui, |ui| {
                    ui.label(theme.soft("Ask each node every"));
                    let mut interval = cx.snapshot.interval;
                    if segmented(ui, &mut interval, &INTERVALS) {
                        actions.push(Action::Command(Command::SetInterval(interval)));
                    }
                    ui.end_row();
                    ui.label(theme.soft("What it costs"));
                    ui.label(theme.body(format!(
                        "{}, {}",
                        compact_with(Some(cost.requests_per_second), "requests/s"),
                        compact_with(Some(cost.bytes_per_second), "B/s"),
                    )));
                    ui.end_row();
                    ui.label(theme.soft("Changes to servers"));
                    let (word, tone, text) = if cx.desk.may_write {
                        ("allowed", Tone::Warn, "started with --allow-writes")
                    } else {
                        (
                            "read-only",
                            Tone::Ok,
                            "--allow-writes at the start would allow them",
                        )
                    };
                    ui.horizontal(|ui| {
                        badge(ui, word, tone);
                        ui.label(theme.faint(text));
                    });
                    ui.end_row();
                });
        },
    );
}

fn cluster(ui: &mut Ui, cx: &ViewContext<'_>) {
    card(ui, ui.max_rect(), "This cluster", "", |ui| {
        let theme = Theme::of(ui);
        let config = cx.cluster.config();
        Grid::new("cluster")
            .num_columns(2)
            .spacing([24.0, 8.0])
            .show(ui, |ui| {
                for (what, value) in [
                    ("Ring", config.ring.name().to_owned()),
                    (
                        "Namespace",
                        config.namespace.as_bytes().escape_ascii().to_string(),
                    ),
                    ("Values", config.values.name().to_owned()),
                ] {
                    ui.label(theme.soft(what));
                    ui.label(theme.mono(if value.is_empty() {
                        "none".to_owned()
                    } else {
                        value
                    }));
                    ui.end_row();
                }
            });
        ui.add_space(GAP_LARGE);
        ui.label(theme.soft(config.ring.summary()));
    });
}

/// What was changed on servers, the newest first.
fn audit_list(ui: &mut Ui, cx: &ViewContext<'_>) {
    let audit = &cx.published.audit;
    let hint = if audit.is_empty() {
        "nothing was changed so far"
    } else {
        "newest first"
    };
    card(ui, ui.max_rect(), "Audit", hint, |ui| {
        let theme = Theme::of(ui);
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            for entry in audit.iter().rev() {
                ui.horizontal(|ui| {
                    ui.label(theme.faint(crate::format::clock(entry.at)));
                    ui.label(theme.mono(format!("{} {}", entry.node, entry.line)));
                    match &entry.outcome {
                        Ok(()) => ui.label(theme.soft("✓ done").color(theme.ok)),
                        Err(error) => ui.label(theme.soft(format!("✗ {error}")).color(theme.bad)),
                    };
                });
            }
        });
    });
}

const STRAY: &str = "As a client that missed a roll-out: see what the overview says of it.";

/// What can be done to the demo's nodes.
fn demo_controls(ui: &mut Ui, cx: &ViewContext<'_>, demo: &DemoState, actions: &mut Vec<Action>) {
    let hint = format!(
        "{} of {} commands/s, {} failed",
        compact_with(demo.sent_per_second, ""),
        compact_with(Some(demo.wanted_per_second as f64), ""),
        count(Some(demo.failed))
    );
    card(ui, ui.max_rect(), "Demo cluster", &hint, |ui| {
        let theme = Theme::of(ui);
        let mut send = |command| actions.push(Action::Command(Command::Demo(command)));
        ui.horizontal(|ui| {
            if ui.button("Add a node").clicked() {
                send(DemoCommand::Add { weight: 1 });
            }
            let mut is_warm = demo.is_warm;
            if ui
                .checkbox(&mut is_warm, "Hand keys over when servers change")
                .changed()
            {
                send(DemoCommand::SetWarm(is_warm));
            }
        });
        let mut has_strayed = demo.has_strayed;
        let stray = ui.checkbox(&mut has_strayed, "The client leaves out the last server");
        if stray.on_hover_text(STRAY).changed() {
            send(DemoCommand::SetStray(has_strayed));
        }
        ui.horizontal(|ui| {
            ui.label(theme.soft("Ring"));
            let mut ring = cx.cluster.config().ring.name();
            let rings = [
                ("libmemcached-ketama-weighted", "Ketama"),
                ("crc32-modulo", "Modulo"),
                ("rendezvous", "Rendezvous"),
                ("jump", "Jump"),
            ];
            if segmented(ui, &mut ring, &rings) {
                send(DemoCommand::SetRing(ring));
            }
        });
        let client = cx.published.client.as_ref();
        ui.label(theme.soft(match client.and_then(|client| client.hit_rate) {
            Some(rate) => format!("Its client sees a hit rate of {:.1} %.", rate * 100.0),
            None => "Its client has read nothing in the last second.".to_owned(),
        }));
        ui.add_space(4.0);
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            Grid::new("demo nodes")
                .num_columns(3)
                .spacing([16.0, 6.0])
                .show(ui, |ui| {
                    for node in &demo.nodes {
                        ui.label(theme.mono(node.name.to_string()));
                        let (word, tone) = match node.state {
                            DemoNodeState::Running => ("running", Tone::Ok),
                            DemoNodeState::Hanging => ("hangs", Tone::Warn),
                            DemoNodeState::Stopped => ("stopped", Tone::Bad),
                        };
                        badge(ui, word, tone);
                        ui.horizontal(|ui| {
                            for (text, command) in commands(node) {
                                let button = ui.button(text);
                                let name = format!("{text} {}", node.name);
                                if named(button, egui::Role::Button, name).clicked() {
                                    send(command);
                                }
                            }
                        });
                        ui.end_row();
                    }
                });
        });
    });
}

fn commands(node: &crate::published::DemoNode) -> Vec<(&'static str, DemoCommand)> {
    let name = || node.name.clone();
    match node.state {
        DemoNodeState::Running => vec![
            ("Stop", DemoCommand::Stop(name())),
            ("Hang", DemoCommand::Hang(name())),
            ("Remove", DemoCommand::Remove(name())),
        ],
        DemoNodeState::Hanging => vec![("Resume", DemoCommand::Resume(name()))],
        DemoNodeState::Stopped => {
            vec![
                ("Start", DemoCommand::Start(name())),
                ("Remove", DemoCommand::Remove(name())),
            ]
        }
    }
}
