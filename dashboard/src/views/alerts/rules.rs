//! The rules as a table: thresholds to edit, how each stands, and when it fired.

use std::time::Duration;

use egui::{Align2, Checkbox, DragValue, Rect, Role, Sense, Ui, UiBuilder, pos2, vec2};

use super::super::advice::severity_tone;
use super::super::{Action, ViewContext};
use super::{rule_title, subject_text};
use crate::format::{ago, clock};
use crate::model::{AlertEpisode, AlertRule, AlertState, Rule, RuleUnit, Rules};
use crate::theme::{BODY, SMALL, Theme, regular, semi_bold};
use crate::widgets::{
    Split, Tone, badge, card_with, columns, ghost_button, named, paint_text, segmented,
};

/// Height of a rule, in points.
const ROW: f32 = 34.0;

/// The longest that a rule may have to be met before it fires, in seconds.
const LONGEST_HOLD: u64 = 24 * 3600;

/// Widths of the columns: on, name, threshold, for, state, since, history.
const COLUMNS: [Split; 7] = [
    Split::Exact(22.0),
    Split::Share(1.5),
    Split::Exact(118.0),
    Split::Exact(84.0),
    Split::Exact(92.0),
    Split::Exact(64.0),
    Split::Share(1.2),
];

const TITLES: [&str; 7] = ["", "Rule", "Threshold", "For", "State", "Since", "History"];

pub(super) fn ui(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let mut rules = cx.desk.preferences.alert_rules.clone();
    let before = rules.clone();
    let mut window = cx.desk.window;
    let mut back = false;
    card_with(
        ui,
        ui.max_rect(),
        "Rules",
        |ui| {
            let choices = super::super::TimeWindow::ALL.map(|window| (window, window.title()));
            if segmented(ui, &mut window, &choices) {
                actions.push(Action::SetWindow(window));
            }
            let is_changed = before != Rules::default();
            back = is_changed && ghost_button(ui, "Back to the built-in thresholds").clicked();
        },
        |ui| {
            head(ui);
            for rule in rules.all_mut() {
                row(ui, cx, rule);
            }
        },
    );
    if back {
        rules = Rules::default();
    }
    if rules != before {
        let mut preferences = cx.desk.preferences.clone();
        preferences.alert_rules = rules;
        actions.push(Action::SetPreferences(Box::new(preferences)));
    }
}

fn head(ui: &mut Ui) {
    let theme = Theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    for (place, title) in columns(rect, 12.0, &COLUMNS).into_iter().zip(TITLES) {
        paint_text(
            ui,
            place,
            Align2::LEFT_CENTER,
            title,
            regular(SMALL),
            theme.text_faint,
        );
    }
    ui.painter().hline(
        rect.x_range(),
        rect.bottom(),
        egui::Stroke::new(1.0, theme.line),
    );
    ui.spacing_mut().item_spacing.y = 0.0;
}

fn row(ui: &mut Ui, cx: &ViewContext<'_>, rule: &mut AlertRule) {
    let theme = Theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let places = columns(rect, 12.0, &COLUMNS);
    let name = rule.rule.name();
    inside(ui, places[0], name, |ui| {
        let enabled = ui.add(Checkbox::without_text(&mut rule.enabled));
        named(enabled, Role::CheckBox, format!("watch for {name}"));
    });
    let color = if rule.enabled {
        theme.text
    } else {
        theme.text_faint
    };
    let line = |top: f32| {
        Rect::from_min_size(
            places[1].min + vec2(0.0, top),
            vec2(places[1].width(), 15.0),
        )
    };
    paint_text(
        ui,
        line(3.0),
        Align2::LEFT_CENTER,
        &rule_title(rule.rule),
        semi_bold(BODY),
        color,
    );
    paint_text(
        ui,
        line(18.0),
        Align2::LEFT_CENTER,
        rule.rule.meaning(),
        regular(10.5),
        theme.text_faint,
    );
    inside(ui, places[2], name, |ui| threshold(ui, rule));
    inside(ui, places[3], name, |ui| hold(ui, rule));
    let (state, tone, since) = state(cx, rule);
    inside(ui, places[4], name, |ui| {
        badge(ui, &state, tone);
    });
    paint_text(
        ui,
        places[5],
        Align2::LEFT_CENTER,
        &since,
        regular(SMALL),
        theme.text_soft,
    );
    history(ui, cx, rule.rule, places[6]);
}

fn inside(ui: &mut Ui, rect: Rect, salt: &str, draw: impl FnOnce(&mut Ui)) {
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    let builder = UiBuilder::new()
        .max_rect(rect)
        .layout(layout)
        .id_salt((salt, rect.left() as i32));
    draw(&mut ui.new_child(builder));
}

fn threshold(ui: &mut Ui, rule: &mut AlertRule) {
    let theme = Theme::of(ui);
    let (least, most) = rule.rule.range();
    let unit = rule.rule.unit().suffix();
    let decimals = usize::from(matches!(
        rule.rule.unit(),
        RuleUnit::Points | RuleUnit::Times
    ));
    let speed = (rule.threshold.abs() * 0.01).max(0.05);
    let value = DragValue::new(&mut rule.threshold)
        .range(least..=most)
        .speed(speed)
        .fixed_decimals(decimals)
        .prefix(rule.rule.comparison());
    let field = ui.add_enabled(rule.enabled, value);
    let name = format!("threshold of {}, in {unit}", rule.rule.name());
    named(field, Role::SpinButton, name);
    ui.label(theme.faint(unit));
}

fn hold(ui: &mut Ui, rule: &mut AlertRule) {
    let theme = Theme::of(ui);
    let mut seconds = rule.hold.as_secs();
    let value = DragValue::new(&mut seconds)
        .range(0..=LONGEST_HOLD)
        .speed(1.0);
    let field = ui.add_enabled(rule.enabled, value);
    let name = format!("how long {} must last, in seconds", rule.rule.name());
    named(field, Role::SpinButton, name);
    if seconds != rule.hold.as_secs() {
        rule.hold = Duration::from_secs(seconds);
    }
    ui.label(theme.faint("s"));
}

/// How a rule stands, what to think of it, and since when.
fn state(cx: &ViewContext<'_>, rule: &AlertRule) -> (String, Tone, String) {
    if !rule.enabled {
        return ("off".to_owned(), Tone::Neutral, String::new());
    }
    let alerts = cx.published.alerts.active();
    let of = |state: AlertState| {
        let own = alerts
            .iter()
            .filter(move |alert| alert.rule == rule.rule && alert.state == state);
        let since = own.clone().map(|alert| alert.since).min();
        (
            own.count(),
            since.map(|since| ago(cx.ago(since))).unwrap_or_default(),
        )
    };
    match (of(AlertState::Firing), of(AlertState::Pending)) {
        ((0, _), (0, _)) => ("quiet".to_owned(), Tone::Ok, String::new()),
        ((0, _), (pending, since)) => (format!("pending {pending}"), Tone::Neutral, since),
        ((firing, since), _) => (
            format!("firing {firing}"),
            severity_tone(rule.rule.severity()),
            since,
        ),
    }
}

/// When the rule fired, over the time that charts show.
fn history(ui: &Ui, cx: &ViewContext<'_>, rule: Rule, rect: Rect) {
    let theme = Theme::of(ui);
    let strip = Rect::from_center_size(rect.center(), vec2(rect.width(), 14.0));
    ui.painter().rect_filled(strip, 3.0, theme.raised);
    let window = cx.desk.window.length().as_secs_f32();
    let now = cx.snapshot.at;
    let x = |at: Duration| {
        let back = now.saturating_sub(at).as_secs_f32() / window;
        strip.right() - strip.width() * back.min(1.0)
    };
    let color = match severity_tone(rule.severity()) {
        Tone::Neutral => theme.text_soft,
        tone => tone.color(theme),
    };
    let episodes: Vec<&AlertEpisode> = cx
        .published
        .alerts
        .episodes()
        .filter(|episode| episode.rule == rule)
        .filter(|episode| {
            now.saturating_sub(episode.over.unwrap_or(now))
                .as_secs_f32()
                < window
        })
        .collect();
    for episode in &episodes {
        let (left, right) = (x(episode.fired), x(episode.over.unwrap_or(now)));
        let bar = Rect::from_min_max(
            pos2(left.min(right - 2.0).max(strip.left()), strip.top() + 2.0),
            pos2(right, strip.bottom() - 2.0),
        );
        ui.painter().rect_filled(bar, 2.0, color);
    }
    // Where the watch had not begun, nothing can have fired.
    let begun = x(Duration::ZERO);
    if begun > strip.left() + 1.0 {
        let before = Rect::from_min_max(strip.min, pos2(begun, strip.bottom()));
        ui.painter().rect_filled(before, 3.0, theme.panel);
        let dash = egui::Stroke::new(1.0, theme.line);
        ui.painter()
            .hline(before.x_range(), before.center().y, dash);
    }
    let response = ui.interact(strip, ui.scope_id().with(("history", rule)), Sense::hover());
    let title = cx.desk.window.title();
    let name = format!(
        "{} fired {} times in the last {title}",
        rule.name(),
        episodes.len()
    );
    let response = named(response, Role::Image, name);
    response.on_hover_ui(|ui| {
        let theme = Theme::of(ui);
        for episode in episodes.iter().rev().take(8) {
            let over = episode.over.map_or("now".to_owned(), clock);
            let subject = subject_text(cx, &episode.subject);
            ui.label(theme.soft(format!(
                "{} – {over}  {subject}: {}",
                clock(episode.fired),
                episode.text
            )));
        }
        if episodes.is_empty() {
            ui.label(theme.soft("did not fire"));
        }
    });
}
