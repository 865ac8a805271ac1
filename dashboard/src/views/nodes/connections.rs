//! Who is connected to a node, once somebody asks.

use std::time::Duration;

use egui::{Label, Ui};

use super::super::{Action, ViewContext};
use crate::format::{UNKNOWN, ago};
use crate::model::wording::foreign;
use crate::model::{NodeSnapshot, OpenConnection};
use crate::published::{Ask, Command};
use crate::theme::Theme;
use crate::widgets::{Column, Split, TableState, csv, link_button, table};

/// How much of what a server says is shown.
const LONGEST: usize = 60;

struct Row {
    descriptor: u32,
    from: String,
    state: String,
    idle: Option<u64>,
}

/// Draws the page. Returns it as comma-separated values.
pub(super) fn ui(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    node: &NodeSnapshot,
    state: &mut TableState,
    actions: &mut Vec<Action>,
) -> String {
    let theme = Theme::of(ui);
    let answer = cx.published.asked.connections.get(&node.name);
    ui.horizontal(|ui| {
        let text = match answer {
            None => "Ask for connections",
            Some(_) => "Ask again",
        };
        if link_button(ui, text).clicked() {
            let ask = Ask::Connections(node.name.clone());
            actions.push(Action::Command(Command::Ask(ask)));
        }
        if let Some(Ok(connections)) = answer {
            let others = connections.others.len();
            let own = match connections.own {
                0 => String::new(),
                own => format!(", and {own} of memlens's own, left out here"),
            };
            ui.label(theme.faint(format!("{others} open when asked{own}")));
        }
    });
    let connections = match answer {
        None => {
            let text = "stats conns lists who is connected, what each connection is doing, and for \
                        how long it has been idle.";
            ui.add(Label::new(theme.soft(text)).wrap());
            return String::new();
        }
        Some(Err(trouble)) => {
            let text = theme.soft(format!("✗ {trouble}")).color(theme.bad);
            ui.add(Label::new(text).wrap());
            return String::new();
        }
        Some(Ok(connections)) => connections,
    };
    let shown = |text: &Option<Box<str>>| {
        text.as_deref()
            .map_or(UNKNOWN.to_owned(), |text| foreign(text.as_bytes(), LONGEST))
    };
    let rows: Vec<Row> = connections
        .others
        .iter()
        .map(
            |OpenConnection {
                 descriptor,
                 connection,
             }| Row {
                descriptor: *descriptor,
                from: shown(&connection.addr),
                state: shown(&connection.state)
                    .trim_start_matches("conn_")
                    .to_owned(),
                idle: connection.secs_since_last_cmd,
            },
        )
        .collect();
    let columns = [
        Column::text("From", Split::Share(1.4), |row: &Row| row.from.clone())
            .by_text(|row| row.from.clone()),
        Column::text("Doing", Split::Share(1.0), |row: &Row| row.state.clone())
            .by_text(|row| row.state.clone())
            .colored(move |_| theme.text_soft),
        Column::number("Idle", 60.0, |row: &Row| {
            row.idle
                .map_or(UNKNOWN.to_owned(), |idle| ago(Duration::from_secs(idle)))
        })
        .by_number(|row| row.idle.map(|idle| idle as f64)),
        Column::number("fd", 44.0, |row: &Row| row.descriptor.to_string())
            .by_number(|row| Some(f64::from(row.descriptor))),
    ];
    table(ui, "connections", state, &columns, &rows, |_| false);
    csv(state, &columns, &rows)
}
