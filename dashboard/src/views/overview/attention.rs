//! What needs attention, the worst first, each with its evidence.

use egui::{Align2, Key, Rect, Role, ScrollArea, Sense, Ui, pos2, vec2};

use super::super::advice::{severity_tone, title_of};
use super::super::{Action, Condition, Export, View, ViewContext};
use crate::format::ago;
use crate::model::wording::csv_cell;
use crate::model::{Advice, Subject};
use crate::theme::{BODY, GAP, SMALL, Theme, regular, semi_bold};
use crate::widgets::{Empty, card, empty, named, paint_text, pressed};

/// Height of an entry, in points.
const ENTRY: f32 = 52.0;

pub(super) fn ui(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let advice = &cx.published.advice;
    let hint = match advice.len() {
        0 => String::new(),
        count => format!("{count} open"),
    };
    if pressed(ui, Key::E) {
        let text = csv(cx);
        actions.push(Action::Export(Export::text("memlens-attention.csv", &text)));
    }
    card(ui, ui.max_rect(), "Needs attention", &hint, |ui| {
        if advice.is_empty() {
            let room = ui.available_rect_before_wrap();
            let what = match cx.condition() {
                Condition::Connecting => Empty {
                    title: "Nothing known yet",
                    text: "Nodes are judged from their first answers on.",
                },
                Condition::Well => Empty {
                    title: "Nothing",
                    text: "Every node answers, and no rule found anything.",
                },
                _ => Empty {
                    title: "Nothing else",
                    text: "No rule found anything about the nodes that answer.",
                },
            };
            empty(ui, room, what);
            return;
        }
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = GAP;
            for advice in advice.iter() {
                entry(ui, cx, advice, actions);
            }
        });
    });
}

/// What needs attention as comma-separated values, the worst first.
fn csv(cx: &ViewContext<'_>) -> String {
    let mut text = "Severity,What,Evidence,What to do,Command\r\n".to_owned();
    for advice in cx.published.advice.iter() {
        let cells = [
            advice.severity.label(),
            &advice.title,
            &advice.evidence,
            &advice.remedy.text,
            advice.remedy.command.as_deref().unwrap_or_default(),
        ];
        text.push_str(&cells.map(csv_cell).join(","));
        text.push_str("\r\n");
    }
    text
}

fn entry(ui: &mut Ui, cx: &ViewContext<'_>, advice: &Advice, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    let tone = severity_tone(advice.severity);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ENTRY), Sense::hover());
    let id = ui.scope_id().with((advice.kind, &advice.subject));
    let response = ui.interact(rect, id, Sense::click());
    let fill = if response.hovered() || response.has_focus() {
        theme.line
    } else {
        theme.raised
    };
    ui.painter().rect_filled(rect, 5.0, fill);
    let edge = Rect::from_min_size(rect.min, vec2(3.0, rect.height()));
    ui.painter().rect_filled(edge, 1.5, tone.color(theme));
    let inner = rect.shrink2(vec2(14.0, 9.0));
    // Not by colour alone: the severity stands there as a word.
    let word = Rect::from_min_size(inner.min, vec2(inner.width(), 15.0));
    let word = paint_text(
        ui,
        word,
        Align2::RIGHT_CENTER,
        advice.severity.label(),
        regular(10.0),
        tone.color(theme),
    );
    let title = Rect::from_min_max(inner.min, pos2(word.left() - 8.0, inner.top() + 15.0));
    paint_text(
        ui,
        title,
        Align2::LEFT_CENTER,
        &title_of(cx, advice),
        semi_bold(BODY),
        theme.text,
    );
    let evidence = Rect::from_min_max(pos2(inner.left(), inner.bottom() - 14.0), inner.max);
    let font = regular(SMALL);
    paint_text(
        ui,
        evidence,
        Align2::LEFT_CENTER,
        &advice.evidence,
        font,
        theme.text_soft,
    );
    let name = format!(
        "{}: {}, {}",
        advice.severity.label(),
        advice.title,
        advice.evidence
    );
    let response = named(response, Role::Button, name).on_hover_ui(|ui| hover(ui, cx, advice));
    if response.clicked() {
        actions.push(Action::Select(advice.subject.node().cloned()));
        actions.push(Action::Open(match &advice.subject {
            Subject::Class { .. } => View::Slabs,
            Subject::Node(_) => View::Nodes,
            Subject::Cluster => View::Ring,
        }));
    }
    if response.secondary_clicked()
        && let Some(command) = &advice.remedy.command
    {
        actions.push(Action::Copy(command.clone()));
    }
}

fn hover(ui: &mut Ui, cx: &ViewContext<'_>, advice: &Advice) {
    let theme = Theme::of(ui);
    ui.label(theme.strong(&advice.title));
    ui.label(theme.body(&advice.evidence));
    ui.label(theme.faint(advice.formula));
    ui.label(theme.soft(&advice.remedy.text));
    if let Some(command) = &advice.remedy.command {
        ui.label(theme.mono(command));
        ui.label(theme.faint("right-click copies the command; nothing is ever sent"));
    }
    ui.label(theme.faint(format!("since {}", ago(cx.ago(advice.since)))));
}
