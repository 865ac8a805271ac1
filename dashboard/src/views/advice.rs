//! What needs attention, as a list: what is the matter, how that is known, and what to do.

use egui::{Frame, Label, Margin, Rect, Role, Ui, pos2};

use super::{Action, View, ViewContext};
use crate::format::ago;
use crate::model::{Advice, AdviceKind, Severity};
use crate::theme::{CONTROL_RADIUS, GAP_SMALL, Theme};
use crate::widgets::{Tone, badge, ghost_button, link_button, named};

/// How much of a finding is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What is the matter, and where there is more.
    Brief,
    /// Also how it is known, and what to do.
    Full,
}

/// What to think of a severity.
pub(super) const fn severity_tone(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Bad,
        Severity::Warning => Tone::Warn,
        Severity::Notice => Tone::Neutral,
    }
}

/// A finding's title with its node's short name: the full one would push out what matters.
pub(super) fn title_of(cx: &ViewContext<'_>, advice: &Advice) -> String {
    let index = advice.subject.node().and_then(|name| {
        let mut nodes = cx.snapshot.nodes.iter();
        nodes.position(|node| node.name == *name)
    });
    match (index, advice.subject.node()) {
        (Some(index), Some(name)) => advice.title.replace(&**name, cx.label(index)),
        _ => advice.title.clone(),
    }
}

/// Draws one finding.
pub(super) fn advice_item(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    advice: &Advice,
    depth: Depth,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui);
    let tone = severity_tone(advice.severity);
    let margin = Margin {
        left: 14,
        right: 10,
        top: 8,
        bottom: 8,
    };
    let frame = Frame::new()
        .fill(theme.raised)
        .corner_radius(CONTROL_RADIUS)
        .inner_margin(margin);
    let shown = frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = GAP_SMALL;
        ui.horizontal(|ui| {
            ui.label(theme.strong(title_of(cx, advice)));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if depth == Depth::Brief {
                    open_link(ui, advice, actions);
                }
                badge(ui, advice.kind.label(), tone);
                let since = cx.ago(advice.since);
                if since.as_secs() > 0 {
                    ui.label(theme.faint(format!("for {}", ago(since))));
                }
            });
        });
        ui.add(Label::new(theme.soft(&advice.evidence)).wrap());
        if depth == Depth::Full {
            remedy(ui, advice, actions);
        }
    });
    let rect = shown.response.rect;
    let edge = Rect::from_min_max(rect.min, pos2(rect.left() + 3.0, rect.bottom()));
    ui.painter().rect_filled(edge, 1.5, tone.color(theme));
    let name = format!(
        "{}: {}. {}",
        advice.severity.label(),
        advice.title,
        advice.evidence
    );
    named(shown.response, Role::Label, name);
}

fn remedy(ui: &mut Ui, advice: &Advice, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    ui.add_space(GAP_SMALL);
    ui.add(Label::new(theme.body(&advice.remedy.text)).wrap());
    if let Some(command) = &advice.remedy.command {
        command_box(ui, command, actions);
    }
    ui.add(Label::new(theme.faint(format!("How it is known: {}", advice.formula))).wrap());
}

/// A command that can be copied. It is never run.
pub(super) fn command_box(ui: &mut Ui, command: &str, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    let frame = Frame::new()
        .fill(theme.background)
        .corner_radius(CONTROL_RADIUS)
        .inner_margin(Margin::symmetric(8, 4));
    frame.show(ui, |ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
            let button = ghost_button(ui, "Copy");
            let button = named(button, Role::Button, format!("copy {command}"));
            if button.clicked() {
                actions.push(Action::Copy(command.to_owned()));
            }
            ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
                ui.add_space(4.0);
                ui.add(Label::new(theme.mono(command)).wrap());
            });
        });
    });
}

/// Leads to the screen where there is more about a finding.
fn open_link(ui: &mut Ui, advice: &Advice, actions: &mut Vec<Action>) {
    let link = link_button(ui, "Open");
    let link = named(link, Role::Button, format!("open: {}", advice.title));
    if link.clicked() {
        if let Some(node) = advice.subject.node() {
            actions.push(Action::Select(Some(node.clone())));
        }
        actions.push(Action::Open(place_of(advice.kind)));
    }
}

const fn place_of(kind: AdviceKind) -> View {
    match kind {
        AdviceKind::OutOfMemory
        | AdviceKind::Starvation
        | AdviceKind::TooManyClasses
        | AdviceKind::EvictedBeforeExpiry
        | AdviceKind::EvictedUnread
        | AdviceKind::Waste => View::Slabs,
        AdviceKind::Imbalance => View::Ring,
        AdviceKind::Skew => View::Live,
        _ => View::Nodes,
    }
}

/// Whether a finding is about where memory goes.
pub(super) fn is_about_memory(kind: AdviceKind) -> bool {
    place_of(kind) == View::Slabs
}

/// The button of what a screen is there for. Returns whether it was clicked.
pub(super) fn primary_button(ui: &mut Ui, text: &str, is_enabled: bool) -> bool {
    let theme = Theme::of(ui);
    let button = egui::Button::new(theme.strong(text))
        .fill(theme.accent_soft)
        .stroke(egui::Stroke::new(1.0, theme.accent));
    ui.add_enabled(is_enabled, button).clicked()
}
