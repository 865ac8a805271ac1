//! What fired since the watch began, the newest first.

use egui::{Key, Ui};

use super::super::advice::severity_tone;
use super::super::{Action, Export, ViewContext};
use super::{rule_title, subject_text};
use crate::format::{ago, clock};
use crate::theme::Theme;
use crate::widgets::{
    Column, Empty, Split, TableState, card_with, csv, empty, ghost_button, pressed, table,
};

struct Row {
    fired: std::time::Duration,
    lasted: std::time::Duration,
    fires: bool,
    rule: String,
    tone: crate::widgets::Tone,
    subject: String,
    text: String,
}

pub(super) fn ui(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let episodes = cx.published.alerts.episodes().rev();
    let rows: Vec<Row> = episodes
        .map(|episode| Row {
            fired: episode.fired,
            lasted: episode
                .over
                .unwrap_or(cx.snapshot.at)
                .saturating_sub(episode.fired),
            fires: episode.over.is_none(),
            rule: rule_title(episode.rule),
            tone: severity_tone(episode.rule.severity()),
            subject: subject_text(cx, &episode.subject),
            text: episode.text.clone(),
        })
        .collect();
    let theme = Theme::of(ui);
    let columns = [
        Column::text("At", Split::Exact(40.0), |row: &Row| clock(row.fired)),
        Column::text("Lasted", Split::Exact(84.0), |row: &Row| {
            let so_far = if row.fires { " so far" } else { "" };
            format!("{}{so_far}", ago(row.lasted))
        })
        .colored(move |row| {
            if row.fires {
                row.tone.color(theme)
            } else {
                theme.text_soft
            }
        }),
        Column::text("Rule", Split::Exact(112.0), |row: &Row| row.rule.clone()),
        Column::text("What", Split::Share(1.1), |row: &Row| row.subject.clone()),
        Column::text("Figure", Split::Share(2.2), |row: &Row| row.text.clone())
            .colored(move |_| theme.text_soft),
    ];
    let mut state = TableState::default();
    let mut export = pressed(ui, Key::E);
    card_with(
        ui,
        ui.max_rect(),
        "What has fired",
        |ui| {
            export |= ghost_button(ui, "Export CSV").clicked();
            ui.label(theme.faint("times since the watch began"));
        },
        |ui| {
            if rows.is_empty() {
                let room = ui.available_rect_before_wrap();
                let what = Empty {
                    title: "Nothing has fired",
                    text: "What fires is listed here, with how long it lasted.",
                };
                empty(ui, room, what);
                return;
            }
            table(ui, "episodes", &mut state, &columns, &rows, |_| false);
        },
    );
    if export {
        let text = csv(&state, &columns, &rows);
        actions.push(Action::Export(Export::text("memlens-alerts.csv", &text)));
    }
}
