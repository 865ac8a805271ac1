//! Every fault at every stage of every kind of operation, held against the table that documents it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use memlens::Client;
use memlens_tests::Memcached;
use memlens_tests::faults::Fault;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::cell::{Cell, When, patient};
use super::kind::Kind;

/// The table, which is also what readers are told.
const TABLE: &str = include_str!("../../data/faults.md");

/// Cells under way at once: most of them wait.
const AT_ONCE: usize = 12;

type Row = (String, String);

fn key(fault: Fault, when: When) -> Row {
    (fault.name().into(), when.name().into())
}

/// The cells of each row, by fault and stage.
fn parse(table: &str) -> HashMap<Row, Vec<String>> {
    let rows = table.lines().filter_map(|line| {
        let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        let mut cells = cells.split('|').map(|cell| cell.trim().to_owned());
        Some(((cells.next()?, cells.next()?), cells.collect()))
    });
    rows.collect()
}

fn rows() -> impl Iterator<Item = (Fault, When)> {
    Fault::ALL
        .into_iter()
        .flat_map(|fault| When::ALL.map(|when| (fault, when)))
}

async fn play_all(direct: &Client) -> HashMap<Row, Vec<String>> {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut cells = JoinSet::new();
    for (fault, when) in rows() {
        for (column, kind) in Kind::ALL.into_iter().enumerate() {
            let (permits, direct) = (Arc::clone(&permits), direct.clone());
            cells.spawn(async move {
                let _permit = permits.acquire().await.expect("never closed");
                let cell = Cell { fault, when, kind };
                let played = tokio::spawn(async move { cell.play(&direct).await }).await;
                let finding = played.map_or_else(|_| "PANIC".into(), |it| it.to_string());
                (key(fault, when), column, finding)
            });
        }
    }
    let mut found = HashMap::new();
    while let Some(cell) = cells.join_next().await {
        let (row, column, finding) = cell.expect("a cell that ends");
        let cells = found.entry(row).or_insert_with(|| vec![String::new(); 8]);
        cells[column] = finding;
    }
    found
}

#[test]
fn every_fault_at_every_stage_does_to_every_operation_what_the_table_says() {
    let memcached = Memcached::with_arguments(&["-I", "8m", "-m", "512"]);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let found = runtime.block_on(async {
        let direct = Client::with_config(patient(memcached.address()))
            .await
            .expect("a client");
        play_all(&direct).await
    });
    let expected = parse(TABLE);
    let mut differences = String::new();
    for (fault, when) in rows() {
        let row = key(fault, when);
        let nothing = Vec::new();
        let (expected, found) = (expected.get(&row).unwrap_or(&nothing), &found[&row]);
        if expected != found {
            let (fault, when) = row;
            let _ = writeln!(differences, "| {fault} | {when} | {} |", found.join(" | "));
        }
    }
    assert!(
        differences.is_empty(),
        "tests/data/faults.md says otherwise than what happened:\n{differences}"
    );
}

#[test]
fn the_table_has_a_cell_for_everything() {
    let table = parse(TABLE);
    for (fault, when) in rows() {
        let row = &table[&key(fault, when)];
        assert_eq!(
            row.len(),
            Kind::ALL.len(),
            "{} {}",
            fault.name(),
            when.name()
        );
    }
    let heads = &table[&("fault".into(), "stage".into())];
    assert_eq!(heads[..], Kind::ALL.map(Kind::name));
}
