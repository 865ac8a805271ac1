//! The window: what is round the screens, and what keys do.
//!
//! [`Shell`] is all of it without an operating system: it is given what was published, draws a
//! frame, and returns what the backend shall do. [`window`] puts it into a real window; tests and
//! `--screenshot` run it without one.

mod banner;
mod help;
mod navigation;
mod omnibox;
mod save;
mod shortcuts;
mod status_line;
mod toasts;
mod top_bar;
mod welcome;
pub mod window;
mod write;

use std::sync::Arc;

use egui::{CentralPanel, Frame, Margin, Panel, Rect, Ui, ViewportCommand, pos2};

use crate::model::Rules;
use crate::model::whatif::Change;
use crate::preferences::Preferences;
use crate::published::{Command, Published};
use crate::theme::{GAP_LARGE, Theme};
use crate::views::{Action, Desk, View, ViewContext, Views};
use crate::widgets::place;

pub use help::SHORTCUTS;

use banner::Banner;
use help::Help;
use omnibox::Omnibox;
use save::SavePanel;
use toasts::Toasts;
use welcome::Welcome;
use write::WritePanel;

/// Height of the bar at the top, in points.
const TOP_BAR: f32 = 44.0;
/// Width of the navigation, in points.
const NAVIGATION: f32 = 148.0;
/// Height of the line at the bottom, in points.
const STATUS_LINE: f32 = 26.0;

/// Screens that Esc leads back through.
const EARLIER_KEPT: usize = 32;

/// The window's state from frame to frame.
#[derive(Debug)]
pub struct Shell {
    view: View,
    /// Screens that were shown before, the last one last.
    earlier: Vec<View>,
    views: Views,
    desk: Desk,
    omnibox: Omnibox,
    help: Help,
    save: SavePanel,
    write: WritePanel,
    toasts: Toasts,
    welcome: Welcome,
    commands: Vec<Command>,
    window_title: String,
}

impl Shell {
    /// A window that opens on `view`.
    #[must_use]
    pub fn new(view: View, preferences: Preferences, may_write: bool) -> Self {
        // The backend begins with the built-in rules.
        let rules = preferences.alert_rules.clone();
        let is_changed = rules != Rules::default();
        let commands = is_changed.then_some(Command::SetRules(rules));
        Self {
            view,
            earlier: Vec::new(),
            views: Views::default(),
            desk: Desk {
                preferences,
                may_write,
                ..Desk::default()
            },
            omnibox: Omnibox::default(),
            help: Help::default(),
            save: SavePanel::default(),
            write: WritePanel::default(),
            toasts: Toasts::default(),
            welcome: Welcome::default(),
            commands: commands.into_iter().collect(),
            window_title: String::new(),
        }
    }

    /// What has to be remembered.
    #[must_use]
    pub const fn preferences(&self) -> &Preferences {
        &self.desk.preferences
    }

    /// Shows what a change of the cluster would do, beside those that are on the plan already.
    pub fn simulate(&mut self, change: Change) {
        self.views.simulate(change);
        self.open(View::WhatIf);
    }

    /// The screen that is shown.
    #[must_use]
    pub const fn view(&self) -> View {
        self.view
    }

    /// Shows another screen.
    pub fn open(&mut self, view: View) {
        if view == self.view {
            return;
        }
        if self.earlier.len() == EARLIER_KEPT {
            self.earlier.remove(0);
        }
        self.earlier.push(self.view);
        self.view = view;
    }

    /// Selects a node.
    pub fn select(&mut self, node: Arc<str>) {
        self.desk.selected = Some(node);
    }

    /// Looks for a key on the ring, whatever screen is shown.
    pub fn probe(&mut self, key: &str) {
        key.clone_into(&mut self.desk.probe);
    }

    /// Shows the screen that was shown before.
    fn go_back(&mut self) {
        if let Some(view) = self.earlier.pop() {
            self.view = view;
        }
    }

    /// Draws one frame. Returns what the backend shall do.
    pub fn ui(&mut self, ui: &mut Ui, published: &Published) -> Vec<Command> {
        let theme = Theme::of(ui);
        self.toasts
            .take(&published.notices, ui.input(|input| input.time));
        let mut actions = Vec::new();
        if let (Some(cluster), Some(snapshot)) = (&published.cluster, &published.snapshot) {
            let (cluster, snapshot) = (Arc::clone(cluster), Arc::clone(snapshot));
            let desk = self.desk.clone();
            let cx = ViewContext {
                published,
                cluster: &cluster,
                snapshot: &snapshot,
                desk: &desk,
            };
            shortcuts::before_view(ui, self, &cx, &mut actions);
            self.cluster_ui(ui, &cx, &mut actions);
            shortcuts::after_view(ui, self, &cx, &mut actions);
        } else {
            bar(Panel::top("top bar"), TOP_BAR, theme).show(ui, |ui| top_bar::title(ui, "memlens"));
            CentralPanel::no_frame()
                .frame(Frame::new().fill(theme.background))
                .show(ui, |ui| self.welcome.ui(ui, &self.desk, &mut actions));
        }
        self.set_title(ui, published);
        self.help.ui(ui);
        self.save.ui(ui, &mut actions);
        self.write.ui(ui, &mut actions);
        self.toasts.ui(ui);
        for action in actions {
            self.act(ui, action);
        }
        std::mem::take(&mut self.commands)
    }

    fn cluster_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
        let theme = Theme::of(ui);
        bar(Panel::top("top bar"), TOP_BAR, theme).show(ui, |ui| {
            top_bar::ui(ui, cx, &mut self.omnibox, actions);
        });
        bar(Panel::bottom("status line"), STATUS_LINE, theme).show(ui, |ui| {
            status_line::ui(ui, cx);
        });
        bar(Panel::left("navigation"), NAVIGATION, theme).show(ui, |ui| {
            if let Some(view) = navigation::ui(ui, self.view) {
                actions.push(Action::Open(view));
            }
        });
        CentralPanel::no_frame()
            .frame(Frame::new().fill(theme.background))
            .show(ui, |ui| {
                let mut rect = ui.max_rect().shrink(GAP_LARGE);
                if let Some(banner) = Banner::of(cx) {
                    let line = Rect::from_min_max(
                        rect.min,
                        pos2(rect.right(), rect.top() + banner::HEIGHT),
                    );
                    place(ui, line, |ui| banner.ui(ui, actions));
                    rect.min.y = line.bottom();
                }
                let view = self.view;
                let wanted = place(ui, rect, |ui| self.views.ui(view, ui, cx));
                actions.extend(wanted);
            });
        self.omnibox.results(ui, cx, actions);
    }

    /// Names the window after what it shows, for task bars and screen readers.
    fn set_title(&mut self, ui: &Ui, published: &Published) {
        let title = match &published.cluster {
            Some(cluster) => format!("{} · {} · memlens", self.view.title(), cluster.name()),
            None => "memlens".to_owned(),
        };
        if title != self.window_title {
            ui.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.window_title = title;
        }
    }

    fn act(&mut self, ui: &Ui, action: Action) {
        match action {
            Action::Open(view) => self.open(view),
            Action::Select(node) => self.desk.selected = node,
            Action::Probe(key) => {
                self.desk.probe = key;
                self.open(View::Ring);
            }
            Action::SimulateRemoval(node) => self.simulate(Change::Remove {
                node: node.to_string(),
            }),
            Action::Copy(text) => {
                ui.copy_text(text);
                self.toasts.say("Copied", ui.input(|input| input.time));
            }
            Action::Export(export) => self.save.offer(ui, export),
            Action::SetWindow(window) => self.desk.window = window,
            Action::SetPreferences(preferences) => {
                if preferences.theme != self.desk.preferences.theme {
                    ui.set_theme(preferences.theme);
                }
                if preferences.reduce_motion != self.desk.preferences.reduce_motion {
                    crate::theme::set_motion(ui, preferences.reduce_motion);
                }
                if preferences.alert_rules != self.desk.preferences.alert_rules {
                    let rules = preferences.alert_rules.clone();
                    self.commands.push(Command::SetRules(rules));
                }
                self.desk.preferences = *preferences;
            }
            // Views do not offer it then; this is the second lock, the backend's is the third.
            Action::ProposeWrite(_) if !self.desk.may_write => {}
            Action::ProposeWrite(command) => self.write.propose(command),
            Action::Command(command) => self.commands.push(command),
        }
    }
}

/// What a dialog lies on.
fn dialog_frame(ui: &Ui) -> Frame {
    Frame::popup(ui.style()).inner_margin(Margin::same(18))
}

/// A bar of a fixed size at one side, with a hairline towards the rest.
fn bar(panel: Panel, size: f32, theme: &Theme) -> Panel {
    panel
        .exact_size(size)
        .resizable(false)
        .show_separator_line(true)
        .frame(
            Frame::new()
                .fill(theme.panel)
                .inner_margin(Margin::symmetric(8, 0)),
        )
}
