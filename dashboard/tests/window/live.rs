//! The screen "Live".

use egui::Theme;
use egui_kittest::kittest::Queryable;
use memlens::WatchTopic;
use memlens_dashboard::model::{LiveFilter, LiveKind, LiveOptions};
use memlens_dashboard::published::{Ask, Command, Published};
use memlens_dashboard::rehearsal::{Trouble, asked, published};
use memlens_dashboard::views::View;

use super::stand::{connecting, pictures, stand, troubled, type_into};

fn watched(nodes: usize) -> Published {
    let published = published(nodes, 20, Trouble::ALL);
    Published {
        asked: asked(&published),
        ..published
    }
}

#[test]
fn pictures_of_a_watch() {
    pictures(View::Live, "live", &watched(5));
}

#[test]
fn pictures_before_a_watch() {
    pictures(View::Live, "live_before", &published(5, 20, Trouble::ALL));
}

#[test]
fn nothing_is_watched_until_somebody_says_so() {
    let mut stand = troubled(View::Live);
    stand.get_by_label("Deletions").click();
    stand.run();
    assert!(stand.state().commands.is_empty());
    stand.get_by_label("Watch").click();
    stand.run();
    let expected = LiveOptions {
        nodes: ["cache-02:11211", "cache-03:11211", "cache-05:11211"]
            .map(Into::into)
            .to_vec(),
        topics: vec![
            WatchTopic::Fetchers,
            WatchTopic::Mutations,
            WatchTopic::Evictions,
            WatchTopic::Deletions,
        ],
        filter: LiveFilter::default(),
    };
    assert_eq!(stand.state().commands, [Command::Ask(Ask::Watch(expected))]);
}

#[test]
fn events_are_filtered_sampled_and_held() {
    let mut stand = stand(View::Live, watched(5), Theme::Dark);
    stand.get_by_label("hide hit").click();
    stand.run();
    type_into(&mut stand, "Filter by key", "page:");
    stand.get_by_label("1 in 100").click();
    stand.run();
    let asked = stand.state().commands.last().cloned();
    let Some(Command::Ask(Ask::Filter(filter))) = asked else {
        panic!("{asked:?}")
    };
    assert!(!filter.kinds.contains(&LiveKind::Hit));
    assert_eq!((filter.contains, filter.one_in), (b"page:".to_vec(), 100));
    stand.get_by_label("Hold the list").click();
    stand.run();
    let held = Command::Ask(Ask::PauseWatch(true));
    assert_eq!(stand.state().commands.last(), Some(&held));
    stand.get_by_label("Stop watching").click();
    stand.run();
    assert_eq!(
        stand.state().commands.last(),
        Some(&Command::Ask(Ask::EndWatch))
    );
}

#[test]
fn nodes_that_refuse_say_why_and_dropped_events_are_told() {
    let stand = stand(View::Live, watched(5), Theme::Dark);
    stand.get_by_label("3 of 5 nodes");
    stand.get_by_label("cache-01: forbidden: the server was started with -W");
    stand.get_by_label("servers dropped 0");
}

#[test]
fn the_most_frequent_keys_and_prefixes_are_told() {
    let mut stand = stand(View::Live, watched(5), Theme::Dark);
    stand.get_by_label_contains("prefix user:, ");
    stand.get_by_label("Evictions").click();
    stand.run();
    stand.get_all_by_label_contains(" times, ").next().unwrap();
}

#[test]
fn before_the_first_answers_there_is_nothing_to_watch() {
    let stand = stand(View::Live, connecting(), Theme::Dark);
    stand.get_by_label("waiting for the first answers");
}

#[test]
fn events_can_be_exported_and_the_watch_is_told_of_elsewhere() {
    let mut stand = stand(View::Live, watched(5), Theme::Dark);
    stand.get_by_label("Export CSV").click();
    stand.run();
    stand.get_all_by_label("Save").next().unwrap();
    stand.get_by_label("live watch of 5 nodes");
}
