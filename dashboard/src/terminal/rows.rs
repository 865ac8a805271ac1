//! The table as plain rows: one line per node and one for the cluster at each interval, for logs
//! and pipes.

use std::time::Duration;

use super::columns::Table;
use super::figures::Figures;
use super::marks;
use super::style::{Span, Style, write_line};
use crate::format::clock;
use crate::model::Snapshot;

/// Columns that the elapsed time takes.
const ELAPSED: usize = 8;

/// The heading over [`rows`].
#[must_use]
pub fn row_heading(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    let (table, _) = table(snapshot);
    write_row(&mut text, "elapsed", &table.heading());
    text
}

/// One line per node and one for the cluster, after one for everything that happened to a node
/// since `before`, the moment of the rows before.
#[must_use]
pub fn rows(snapshot: &Snapshot, before: Duration) -> String {
    let mut text = String::new();
    for (at, happened) in marks::since(snapshot, before) {
        write_row(&mut text, &clock(at), &[Span::normal(happened)]);
    }
    let (table, lines) = table(snapshot);
    for line in &lines {
        write_row(&mut text, &clock(snapshot.at), &table.line(line));
    }
    text
}

fn table(snapshot: &Snapshot) -> (Table, Vec<Figures>) {
    let nodes = snapshot.nodes.iter();
    let mut lines: Vec<_> = nodes.map(|node| Figures::of_node(snapshot, node)).collect();
    lines.push(Figures::of_cluster(snapshot));
    (Table::plain(&lines), lines)
}

fn write_row(text: &mut String, elapsed: &str, columns: &[Span]) {
    let mut spans = vec![Span::normal(format!("{elapsed:>ELAPSED$}  "))];
    spans.extend_from_slice(columns);
    write_line(text, &spans, usize::MAX, Style::Plain);
}
