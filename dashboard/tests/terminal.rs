//! The live table, letter by letter, at several widths. The figures are those of memcached 1.6.18
//! (see `data/captures/README.md`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use memlens::stats::{General, Items, Slabs};
use memlens_dashboard::load::LoadReport;
use memlens_dashboard::model::{Failure, Monitor, Observation, Snapshot};
use memlens_dashboard::terminal::{Frame, Size, Style, render, row_heading, rows};
use unicode_width::UnicodeWidthStr;

const SECOND: Duration = Duration::from_secs(1);

fn capture(name: &str) -> String {
    let path = format!(
        "{}/tests/data/captures/{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn pairs(answer: &str) -> impl Iterator<Item = (&str, &str)> {
    answer
        .lines()
        .filter_map(|line| line.strip_prefix("STAT ")?.split_once(' '))
}

fn general(name: &str) -> Observation {
    let general = Arc::new(General::parse(pairs(&capture(name))));
    Observation::General {
        general,
        round_trip: None,
    }
}

fn classes(node: &str) -> Observation {
    Observation::Classes {
        items: Arc::new(Items::parse(pairs(&capture(&format!(
            "{node}_stats_items_t1"
        ))))),
        slabs: Arc::new(Slabs::parse(pairs(&capture(&format!(
            "{node}_stats_slabs_t1"
        ))))),
    }
}

/// Three nodes at work, one in every other state.
fn snapshot() -> Snapshot {
    let names = [
        "10.0.0.1:11211",
        "10.0.0.2:11211",
        "cache-with-a-long-name.example.net:11211",
        "10.0.0.4:11211",
        "10.0.0.5:11211",
        "10.0.0.6:11211",
        "10.0.0.7:11211",
    ];
    let mut monitor = Monitor::new(names.map(Arc::from), SECOND);
    for (index, node) in ["a", "b", "c"].into_iter().enumerate() {
        monitor.observe(index, SECOND * 60, general(&format!("{node}_stats_t0")));
        monitor.observe(index, SECOND * 61, general(&format!("{node}_stats_t1")));
        monitor.observe(index, SECOND * 61, classes(node));
    }
    monitor.observe(3, SECOND * 57, general("fresh_stats"));
    monitor.observe(4, SECOND * 61, Observation::Failed(Failure::Refused));
    monitor.observe(
        5,
        SECOND * 61,
        Observation::Failed(Failure::Unauthenticated),
    );
    monitor.publish(SECOND * 61)
}

fn drawn(columns: usize, rows: Option<usize>, style: Style) -> String {
    let frame = Frame {
        title: "watching 7 servers",
        snapshot: &snapshot(),
        load: Some(LoadReport {
            wanted_per_second: 20_000,
            sent_per_second: Some(19_998.4),
            failed: 3,
        }),
        hint: "q or Ctrl-C ends",
    };
    render(&frame, Size { columns, rows }, style)
}

#[track_caller]
fn assert_drawn(actual: &str, file: &str) {
    let path = format!(
        "{}/tests/data/terminal/{file}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(actual == expected, "{file}.txt should read:\n{actual}");
}

#[test]
fn a_wide_terminal_shows_every_column() {
    assert_drawn(&drawn(170, None, Style::Plain), "wide");
}

#[test]
fn a_usual_terminal_shows_what_matters() {
    assert_drawn(&drawn(80, Some(40), Style::Plain), "usual");
}

#[test]
fn a_narrow_terminal_shows_the_hit_rate() {
    assert_drawn(&drawn(24, Some(40), Style::Plain), "narrow");
}

#[test]
fn a_low_terminal_shows_the_nodes_in_trouble() {
    assert_drawn(&drawn(80, Some(14), Style::Plain), "low");
}

#[test]
fn rows_carry_no_escape_codes_and_no_drawing() {
    let snapshot = snapshot();
    let text = row_heading(&snapshot) + &rows(&snapshot, SECOND * 60);
    assert!(!text.contains('\x1b') && !text.contains('█'));
    assert_drawn(&text, "rows");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in 0..200 {
        for line in drawn(columns, None, Style::Plain).lines() {
            assert!(line.width() <= columns, "{columns}: {line:?}");
        }
    }
}

#[test]
fn a_frame_fits_into_the_rows_there_are() {
    for rows in 12..40 {
        let lines = drawn(120, Some(rows), Style::Plain).lines().count();
        assert!(lines <= rows, "{lines} lines in {rows} rows");
    }
}

#[test]
fn colours_change_nothing_but_the_colour() {
    let coloured = drawn(170, None, Style::Coloured);
    assert!(coloured.contains("\x1b[31mdown: refused\x1b[0m"));
    let mut stripped = String::new();
    for part in coloured.split('\x1b') {
        let text = part
            .strip_prefix('[')
            .map_or(part, |rest| rest.split_once('m').unwrap().1);
        stripped.push_str(text);
    }
    let without_ends = |text: &str| {
        text.lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(
        without_ends(&stripped),
        without_ends(&drawn(170, None, Style::Plain))
    );
}
