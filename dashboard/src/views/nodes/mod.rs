//! The screen "Nodes": every node in a row, and one of them in depth.

mod connections;
mod drawer;
mod rows;

use std::sync::Arc;

use egui::{Key, Ui};

use super::{Action, Export, ViewContext};
use crate::model::Snapshot;
use crate::theme::{GAP_LARGE, ROW_HEIGHT, Theme};
use crate::widgets::{
    Empty, Split, TableState, card_with, csv, empty, ghost_button, place, pressed, rows,
    search_field, table,
};

use self::rows::{Row, node_columns};
use drawer::Drawer;

/// Height of a table's card without its rows, in points.
const HEAD: f32 = 96.0;

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct NodesView {
    state: TableState,
    filter: String,
    passing: Passing,
    drawer: Drawer,
}

/// Which nodes pass the filter, found once for each snapshot.
#[derive(Debug, Default)]
struct Passing {
    of: Option<(Arc<Snapshot>, String)>,
    nodes: Vec<usize>,
    /// Grows whenever they were found anew.
    version: u64,
}

impl Passing {
    fn refresh(&mut self, cx: &ViewContext<'_>, filter: &str) {
        let is_current = |(known, passed): &(Arc<Snapshot>, String)| {
            std::ptr::eq(&raw const **known, cx.snapshot) && passed == filter
        };
        if self.of.as_ref().is_some_and(is_current) {
            return;
        }
        let snapshot = cx.published.snapshot.clone();
        self.of = snapshot.map(|snapshot| (snapshot, filter.to_owned()));
        let rows = Row::all(cx).enumerate();
        let passing = rows.filter(|(_, row)| row.contains(filter));
        self.nodes = passing.map(|(node, _)| node).collect();
        self.version += 1;
    }
}

impl NodesView {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let selected = cx.selected();
        let whole = ui.max_rect();
        let parts = if selected.is_some() {
            // No higher than its rows need, so that the charts below get what is left.
            let needed = HEAD + ROW_HEIGHT * cx.snapshot.nodes.len() as f32;
            let height = needed.min(whole.height() * 0.44);
            rows(whole, GAP_LARGE, &[Split::Exact(height), Split::Share(1.0)])
        } else {
            vec![whole]
        };
        place(ui, parts[0], |ui| self.table(ui, cx, &mut actions));
        if let (Some(node), Some(rect)) = (selected, parts.get(1)) {
            place(ui, *rect, |ui| self.drawer.ui(ui, cx, node, &mut actions));
        }
        actions
    }

    fn table(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
        let theme = Theme::of(ui);
        let filter = self.filter.trim().to_lowercase();
        self.passing.refresh(cx, &filter);
        self.state.rows_are(self.passing.version);
        let nodes = self.passing.nodes.iter();
        let rows: Vec<Row<'_>> = nodes.map(|node| Row::of(cx, *node)).collect();
        let table_columns = node_columns(theme);
        let title = if rows.len() == cx.snapshot.nodes.len() {
            format!("Nodes · {}", rows.len())
        } else {
            format!("Nodes · {} of {}", rows.len(), cx.snapshot.nodes.len())
        };
        let (state, text) = (&mut self.state, &mut self.filter);
        let mut export = pressed(ui, Key::E);
        let focus_filter = pressed(ui, Key::Slash);
        state.follows_arrows = true;
        card_with(
            ui,
            ui.max_rect(),
            &title,
            |ui| {
                export |= ghost_button(ui, "Export CSV").clicked();
                let field = search_field(ui, text, "Filter nodes", 180.0);
                if focus_filter {
                    field.request_focus();
                }
                if cx.desk.selected.is_none() {
                    ui.label(theme.faint("Click a row, or press N, for its charts"));
                }
            },
            |ui| {
                if rows.is_empty() {
                    let what = Empty {
                        title: "No such node",
                        text: "No node's name, state or version contains this.",
                    };
                    empty(ui, ui.available_rect_before_wrap(), what);
                    return;
                }
                let clicks = table(ui, "nodes", state, &table_columns, &rows, |row| {
                    cx.desk.selected.as_ref() == Some(&row.node.name)
                });
                if let Some(row) = clicks.clicked.and_then(|index| rows.get(index)) {
                    let name = row.node.name.clone();
                    let is_selected = cx.desk.selected.as_ref() == Some(&name);
                    actions.push(Action::Select((!is_selected).then_some(name)));
                }
            },
        );
        if export {
            let text = csv(&self.state, &table_columns, &rows);
            actions.push(Action::Export(Export::text("memlens-nodes.csv", &text)));
        }
    }
}
