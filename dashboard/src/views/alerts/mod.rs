//! The screen "Alerts": the rules, what meets them now, and what met them before.

mod episodes;
mod rules;

use egui::{Frame, Label, Margin, Role, ScrollArea, Ui};

use super::advice::severity_tone;
use super::{Action, Condition, View, ViewContext};
use crate::format::{ago, clock};
use crate::model::{Alert, AlertState, Rule, Subject};
use crate::theme::{CONTROL_RADIUS, GAP, GAP_LARGE, Theme};
use crate::widgets::{Empty, Split, badge, card, columns, empty, link_button, named, place};

/// Height of the rules, in points: a line for each, and the title.
const RULES: f32 = 92.0 + 34.0 * 8.0;

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct AlertsView {}

impl AlertsView {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let parts = super::super::widgets::rows(
            ui.max_rect(),
            GAP_LARGE,
            &[Split::Exact(RULES), Split::Share(1.0)],
        );
        let below = columns(parts[1], GAP_LARGE, &[Split::Share(1.0), Split::Share(1.2)]);
        place(ui, parts[0], |ui| rules::ui(ui, cx, &mut actions));
        place(ui, below[0], |ui| active(ui, cx, &mut actions));
        place(ui, below[1], |ui| episodes::ui(ui, cx, &mut actions));
        actions
    }
}

/// A rule's name as it stands in a table.
fn rule_title(rule: Rule) -> String {
    let name = rule.name();
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// What a rule is met by, in a few words.
fn subject_text(cx: &ViewContext<'_>, subject: &Subject) -> String {
    let label = |name: &str| {
        let nodes = cx.snapshot.nodes.iter();
        let index = nodes
            .map(|node| &*node.name)
            .position(|known| known == name);
        index.map_or_else(|| name.to_owned(), |index| cx.label(index).to_owned())
    };
    match subject {
        Subject::Cluster => "cluster".to_owned(),
        Subject::Node(node) => label(node),
        Subject::Class { node, class } => format!("class {class} on {}", label(node)),
    }
}

/// Where there is more about an alert.
const fn place_of(alert: &Alert) -> View {
    match alert.subject {
        Subject::Class { .. } => View::Slabs,
        _ => View::Nodes,
    }
}

fn active(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let alerts = cx.published.alerts.active();
    let firing = cx.published.alerts.firing();
    let hint = format!("{firing} firing · {} pending", alerts.len() - firing);
    card(ui, ui.max_rect(), "Now", &hint, |ui| {
        if alerts.is_empty() {
            let room = ui.available_rect_before_wrap();
            let what = match cx.condition() {
                Condition::Connecting => Empty {
                    title: "Nothing to judge yet",
                    text: "Rules are checked from the first answers on.",
                },
                _ => Empty {
                    title: "All quiet",
                    text: "No rule is met by anything.",
                },
            };
            empty(ui, room, what);
            return;
        }
        ScrollArea::vertical()
            .id_salt("active")
            .auto_shrink(false)
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = GAP;
                for alert in alerts {
                    draw_alert(ui, cx, alert, actions);
                }
            });
    });
}

fn draw_alert(ui: &mut Ui, cx: &ViewContext<'_>, alert: &Alert, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    let is_firing = alert.state == AlertState::Firing;
    let severity = alert.rule.severity();
    let tone = if is_firing {
        severity_tone(severity)
    } else {
        crate::widgets::Tone::Neutral
    };
    let frame = Frame::new()
        .fill(theme.raised)
        .corner_radius(CONTROL_RADIUS)
        .inner_margin(Margin::symmetric(10, 7));
    let subject = subject_text(cx, &alert.subject);
    let state = if is_firing { "firing" } else { "pending" };
    let shown = frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.horizontal(|ui| {
            badge(ui, state, tone);
            ui.label(theme.strong(format!("{}: {subject}", rule_title(alert.rule))));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if let Some(node) = alert.subject.node() {
                    let link = link_button(ui, "Open");
                    let link = named(link, Role::Button, format!("open {node}"));
                    if link.clicked() {
                        actions.push(Action::Select(Some(node.clone())));
                        actions.push(Action::Open(place_of(alert)));
                    }
                }
                ui.label(theme.faint(format!("for {}", ago(cx.ago(alert.since)))));
            });
        });
        ui.add(Label::new(theme.soft(&alert.text)).wrap());
    });
    let since = clock(alert.since);
    let name = format!(
        "{state}: {} on {subject}: {}, since {since}",
        alert.rule.name(),
        alert.text
    );
    named(shown.response, Role::Label, name);
}
