//! The bar at the top: which cluster, how its keys are found, and whether it is live.

use egui::{Align, Align2, Label, Layout, Rect, Role, Sense, Ui, UiBuilder, vec2};

use egui::containers::menu::MenuButton;

use super::omnibox::Omnibox;
use crate::format::compact_with;
use crate::model::wording::foreign;
use crate::published::Command;
use crate::theme::{Theme, semi_bold};
use crate::views::{Action, View, ViewContext};
use crate::widgets::{Tone, elided, named, paint_text};

/// Width of the field in the middle, in points.
const OMNIBOX: f32 = 330.0;

/// How much of the cluster's name is shown.
const LONGEST_NAME: usize = 28;

/// A bar with a title alone.
pub(super) fn title(ui: &mut Ui, text: &str) {
    let theme = Theme::of(ui);
    ui.horizontal_centered(|ui| {
        ui.add_space(6.0);
        ui.label(theme.title(text));
    });
}

pub(super) fn ui(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    omnibox: &mut Omnibox,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui);
    let whole = ui.max_rect();
    let width = OMNIBOX.min(whole.width() * 0.3);
    let field = Rect::from_center_size(whole.center(), vec2(width, 28.0));
    ui.horizontal_centered(|ui| {
        ui.add_space(2.0);
        cluster_menu(ui, cx, actions);
        let room = (field.left() - ui.cursor().left() - 12.0).max(0.0);
        ui.scope(|ui| {
            ui.set_max_width(room);
            ui.add(Label::new(theme.soft(cx.cluster.ring_spec())).truncate())
                .on_hover_text(cx.cluster.config().ring.summary());
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(4.0);
            live(ui, cx, actions);
        });
    });
    let middle = UiBuilder::new()
        .max_rect(field)
        .layout(Layout::left_to_right(Align::Center));
    ui.scope_builder(middle, |ui| omnibox.field(ui, width));
}

fn cluster_menu(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    let name = egui::RichText::new(format!(
        "{} ▾",
        foreign(cx.cluster.name().as_bytes(), LONGEST_NAME)
    ))
    .font(semi_bold(crate::theme::TITLE))
    .color(theme.text);
    let button = egui::Button::new(name).frame_when_inactive(false);
    MenuButton::from_button(button).ui(ui, |ui| {
        ui.set_min_width(220.0);
        for profile in &cx.desk.preferences.profiles {
            if ui.button(&profile.name).clicked() {
                actions.push(Action::Command(Command::Connect {
                    name: profile.name.clone(),
                    servers: profile.url.clone(),
                }));
            }
        }
        if !cx.desk.preferences.profiles.is_empty() {
            ui.separator();
        }
        if ui.button("Demo cluster").clicked() {
            actions.push(Action::Command(Command::StartDemo));
        }
        if ui.button("Other servers…").clicked() {
            actions.push(Action::Command(Command::Disconnect));
        }
        if ui.button("Settings").clicked() {
            actions.push(Action::Open(View::Settings));
        }
    });
}

/// Whether figures are fresh, in a pill that also pauses.
fn live(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    let totals = &cx.snapshot.totals;
    let is_paused = cx.published.is_paused;
    let (word, tone) = match (is_paused, totals.answering) {
        (true, _) => ("paused", Tone::Warn),
        (false, 0) => ("no answer", Tone::Bad),
        (false, answering) if answering < totals.nodes => ("live", Tone::Warn),
        _ => ("live", Tone::Ok),
    };
    let interval = compact_with(Some(cx.snapshot.interval.as_secs_f64()), "s");
    let text = format!(
        "{word} · {interval} · {} / {}",
        totals.answering, totals.nodes
    );
    let font = crate::theme::regular(crate::theme::SMALL);
    let wide = elided(ui, &text, font.clone(), theme.text, f32::INFINITY)
        .size()
        .x;
    let (rect, _) = ui.allocate_exact_size(vec2(wide + 40.0, 24.0), Sense::hover());
    let response = ui.interact(rect, ui.scope_id().with("live"), Sense::click());
    let fill = if response.hovered() || response.has_focus() {
        theme.line
    } else {
        theme.raised
    };
    ui.painter().rect_filled(rect, 12.0, fill);
    let stroke = egui::Stroke::new(1.0, theme.line);
    ui.painter()
        .rect_stroke(rect, 12.0, stroke, egui::StrokeKind::Inside);
    let dot = rect.left_center() + vec2(14.0, 0.0);
    ui.painter().circle_filled(dot, 4.0, tone.color(theme));
    let text_rect = Rect::from_min_max(rect.min + vec2(26.0, 0.0), rect.max);
    paint_text(ui, text_rect, Align2::LEFT_CENTER, &text, font, theme.text);
    let name = format!("{text}, {}", if is_paused { "go on" } else { "pause" });
    let response = named(response, Role::Button, name)
        .on_hover_text("Nodes that answer, of all. Click or press Space to pause and go on.");
    if response.clicked() {
        actions.push(Action::Command(Command::Pause(!is_paused)));
    }
}
