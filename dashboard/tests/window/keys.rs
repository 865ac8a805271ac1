//! The screen "Keys".

use std::sync::Arc;

use egui::Theme;
use egui_kittest::kittest::Queryable;
use memlens_dashboard::model::{ScanOptions, StreamTrouble};
use memlens_dashboard::published::{Ask, Command, KeyAnswer, Published};
use memlens_dashboard::rehearsal::{Trouble, asked, published, scan_under_way};
use memlens_dashboard::views::View;

use super::stand::{Stand, connecting, pictures, stand, troubled, type_into};

fn scanned(nodes: usize) -> Published {
    let published = published(nodes, 20, Trouble::ALL);
    Published {
        asked: asked(&published),
        ..published
    }
}

/// A window in which the key of the rehearsal was chosen.
fn with_key(theme: Theme) -> Stand {
    let mut stand = stand(View::Keys, scanned(2), theme);
    type_into(&mut stand, "Filter keys", "user:17:profile");
    let filter = stand
        .state()
        .commands
        .iter()
        .rev()
        .find_map(|command| match command {
            Command::Ask(Ask::Select(query)) => Some(query.clone()),
            _ => None,
        });
    let query = filter.expect("the filter is sent");
    let scan = stand.state().published.asked.scan.clone().unwrap();
    let mut scan = (*scan).clone();
    scan.selected = query.select(&scan.table).into();
    scan.query = query;
    let first = scan.table.row(scan.selected[0] as usize).unwrap();
    let node = scan.nodes[usize::from(first.node)].name.clone();
    let key = stand.state().published.asked.key.clone().unwrap();
    let mut key = (*key).clone();
    key.question.node = node;
    stand.state_mut().published.asked.scan = Some(Arc::new(scan));
    stand.state_mut().published.asked.key = Some(Arc::new(key));
    stand.run();
    stand
        .get_all_by_label_contains("user:17:profile, ")
        .next()
        .unwrap()
        .click();
    stand.run();
    stand
}

#[test]
fn pictures_of_a_scan() {
    pictures(View::Keys, "keys", &scanned(5));
}

#[test]
fn pictures_of_a_scan_under_way() {
    let mut under_way = published(5, 20, Trouble::ALL);
    under_way.asked = scan_under_way(&under_way);
    pictures(View::Keys, "keys_scanning", &under_way);
}

#[test]
fn pictures_before_a_scan() {
    pictures(View::Keys, "keys_before", &published(5, 20, Trouble::ALL));
}

#[test]
fn a_picture_of_a_value_in_the_dark() {
    with_key(Theme::Dark).snapshot("keys_value_dark");
}

#[test]
fn a_picture_of_a_value_in_the_light() {
    with_key(Theme::Light).snapshot("keys_value_light");
}

#[test]
fn nothing_is_scanned_until_somebody_says_so() {
    let mut stand = troubled(View::Keys);
    assert!(stand.state().commands.is_empty());
    stand.get_by_label("Scan keys").click();
    stand.run();
    let nodes = ["cache-02:11211", "cache-03:11211", "cache-05:11211"].map(Arc::from);
    let expected = ScanOptions {
        nodes: nodes.to_vec(),
        limit: ScanOptions::USUAL_LIMIT,
        keys_per_second: ScanOptions::USUAL_RATE,
    };
    assert_eq!(stand.state().commands, [Command::Ask(Ask::Scan(expected))]);
}

#[test]
fn a_scan_under_way_can_be_stopped() {
    let mut data = published(5, 20, Trouble::ALL);
    data.asked = scan_under_way(&data);
    let mut stand = stand(View::Keys, data, Theme::Dark);
    stand.get_by_label_contains("scan ");
    stand.get_by_label("Stop").click();
    stand.run();
    assert_eq!(stand.state().commands, [Command::Ask(Ask::StopScan)]);
}

#[test]
fn a_prefix_lists_its_keys() {
    let mut stand = stand(View::Keys, scanned(5), Theme::Dark);
    stand.get_by_label_contains("prefix user:, ").click();
    stand.run();
    let asked = stand.state().commands.last().cloned();
    let Some(Command::Ask(Ask::Select(query))) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(query.prefix, b"user:");
    stand.get_by_label("close user:");
    stand.get_by_label("sort by Key").click();
    stand.run();
    let asked = stand.state().commands.last().cloned();
    assert!(matches!(asked, Some(Command::Ask(Ask::Select(query))) if !query.descending));
}

#[test]
fn a_value_is_only_asked_for_when_somebody_wants_it() {
    let mut stand = with_key(Theme::Dark);
    let asked = stand.state().commands.last().cloned();
    assert!(
        matches!(asked, Some(Command::Ask(Ask::Key(ref question))) if !question.with_value),
        "{asked:?}"
    );
    stand.get_by_label_contains("\"visits\": 4211");
    stand.get_by_label("Hex").click();
    stand.run();
    stand.get_by_label_contains("000000  7b 22 69 64");
    let answer = |with_value: bool, stand: &mut Stand| {
        let key = stand.state().published.asked.key.clone().unwrap();
        let mut key = (*key).clone();
        key.question.with_value = with_value;
        if let Some(Ok(Some(facts))) = &mut key.answer {
            facts.value = None;
        }
        stand.state_mut().published.asked.key = Some(Arc::new(key));
        stand.run();
    };
    answer(false, &mut stand);
    stand.get_by_label("The value is hidden.");
    stand.get_by_label("Show value").click();
    stand.run();
    let asked = stand.state().commands.last().cloned();
    assert!(matches!(asked, Some(Command::Ask(Ask::Key(question))) if question.with_value));
}

#[test]
fn why_there_is_no_value_is_told() {
    let mut stand = with_key(Theme::Dark);
    let question = stand
        .state()
        .published
        .asked
        .key
        .clone()
        .unwrap()
        .question
        .clone();
    let mut answer = |answer| {
        let question = question.clone();
        stand.state_mut().published.asked.key = Some(Arc::new(KeyAnswer { question, answer }));
        stand.run();
        stand.query_all_by_label_contains("").count();
    };
    answer(None);
    answer(Some(Ok(None)));
    let too_large = StreamTrouble::TooLarge {
        size: 27 << 20,
        most: 1 << 20,
    };
    answer(Some(Err(too_large)));
    stand.get_by_label("✗ 27.0 MiB is more than is shown here (1.0 MiB)");
}

#[test]
fn nodes_whose_scan_failed_say_why() {
    let stand = stand(View::Keys, scanned(5), Theme::Dark);
    stand.get_by_label("2 of 5 failed");
    stand.get_by_label("cache-01: refused");
}

#[test]
fn before_the_first_answers_and_without_nodes_there_is_nothing_to_scan() {
    let waiting = stand(View::Keys, connecting(), Theme::Dark);
    waiting.get_by_label("waiting for the first answers");
    let trouble = Trouble {
        down: true,
        ..Trouble::default()
    };
    let down = stand(View::Keys, published(1, 20, trouble), Theme::Dark);
    down.get_by_label_contains("No node answers: cache-01 is down: refused.");
}
