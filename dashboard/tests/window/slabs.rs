//! The screen "Slabs".

use egui::accesskit::Role;
use egui::{Key, Theme};
use egui_kittest::kittest::Queryable;
use memlens_dashboard::model::StreamTrouble;
use memlens_dashboard::published::{Ask, Command};
use memlens_dashboard::rehearsal::{Trouble, published};
use memlens_dashboard::views::View;

use super::stand::{click_at, connecting, pictures, press, reachable, stand, troubled};

#[test]
fn pictures_of_a_small_cluster() {
    pictures(View::Slabs, "slabs", &published(5, 120, Trouble::ALL));
}

#[test]
fn pictures_of_a_large_cluster() {
    pictures(View::Slabs, "slabs_64", &published(64, 120, Trouble::ALL));
}

#[test]
fn a_cell_can_be_clicked_and_tells_of_its_class() {
    let mut stand = troubled(View::Slabs);
    stand
        .get_by_label_contains("class 12 on cache-02: evictions/s ")
        .click();
    stand.run();
    stand.get_by_label("Class 12 on cache-02");
    stand.get_by_label("chunks of 1.2 KiB");
    stand.get_by_label("Advice for cache-02");
}

#[test]
fn arrow_keys_walk_over_the_map() {
    let mut stand = troubled(View::Slabs);
    stand
        .get_by_label_contains("class 12 on cache-02: evictions/s ")
        .click();
    stand.run();
    press(&mut stand, Key::ArrowDown);
    stand.get_by_label("Class 15 on cache-02");
    press(&mut stand, Key::ArrowRight);
    stand.get_by_label("Class 15 on cache-03");
    // The next node has no classes, since it wants a login.
    press(&mut stand, Key::ArrowRight);
    stand.get_by_label("Class 15 on cache-05");
}

#[test]
fn the_worst_class_is_shown_first_with_what_to_do() {
    let mut stand = troubled(View::Slabs);
    stand.get_by_label("Class 12 on cache-02");
    stand.get_by_label_contains("warning: Class 12 evicting ");
    let copy = r"copy printf 'slabs automove 1\r\n' | nc -w 2 cache-02 11211";
    stand.get_by_label(copy).click();
    stand.run();
    assert!(
        stand.state().commands.is_empty(),
        "nothing is sent to a server"
    );
}

#[test]
fn another_metric_colours_the_same_map() {
    let mut stand = troubled(View::Slabs);
    stand.get_by_label("Waste").click();
    stand.run();
    stand.get_by_label_contains("class 12 on cache-02: waste ");
    stand
        .get_by_role_and_label(Role::Button, "Tail age")
        .click();
    stand.run();
    stand.get_by_label("class 12 on cache-02: tail age 41 s");
}

#[test]
fn bars_name_their_parts_and_nodes_that_are_not_there_say_why() {
    let stand = troubled(View::Slabs);
    stand.get_by_label_contains("memory of cache-02: allocated ");
    stand.get_by_label("memory of cache-04: login required");
}

#[test]
fn a_large_map_is_reached_row_by_row() {
    let mut stand = stand(View::Slabs, published(200, 20, Trouble::ALL), Theme::Dark);
    let row = "chunks of 1.2 KiB: evictions/s at most ";
    stand.get_by_label_contains(row).click();
    stand.run();
    stand.get_by_label_contains("Class 12 on cache-");
}

#[test]
fn sizes_are_asked_for_on_demand_and_a_refusal_is_told() {
    let mut stand = troubled(View::Slabs);
    stand
        .get_by_label_contains("class 12 on cache-02: evictions/s ")
        .click();
    stand.run();
    stand.get_by_label("Ask for item sizes").click();
    stand.run();
    let expected = Command::Ask(Ask::Sizes("cache-02:11211".into()));
    assert_eq!(stand.state().commands, [expected]);
    let refused = StreamTrouble::NotCounted {
        option: "-o track_sizes",
    };
    let sizes = [("cache-02:11211".into(), Err(refused))];
    stand.state_mut().published.asked.sizes = std::sync::Arc::new(sizes.into());
    stand.run();
    stand.get_by_label("The server does not count sizes: it would with -o track_sizes.");
}

#[test]
fn before_the_first_answers_there_are_no_classes() {
    let stand = stand(View::Slabs, connecting(), Theme::Dark);
    stand.get_by_label("waiting for the first answers");
}

#[test]
fn one_node_is_shown_with_all_figures_of_its_classes() {
    let mut stand = troubled(View::Slabs);
    stand.get_by_label("Nodes shown: All nodes").click();
    stand.run();
    let entry = reachable(&stand)
        .into_iter()
        .filter(|it| it.name == "cache-02")
        .max_by(|one, other| one.place.top().total_cmp(&other.place.top()));
    click_at(&mut stand, entry.unwrap().place);
    stand.get_by_label("Nodes shown: cache-02");
    stand.get_by_label("Memory of cache-02");
    stand.get_by_label("sort by Evictions/s");
    stand.get_by_label_contains("12, 1.2 KiB, 3, 1");
    press(&mut stand, Key::ArrowDown);
    stand.get_by_label("Class 15 on cache-02");
    stand.snapshot("slabs_one_node_dark");
    press(&mut stand, Key::E);
    stand.get_by_label("file");
}

#[test]
fn the_map_can_be_exported() {
    let mut stand = troubled(View::Slabs);
    press(&mut stand, Key::E);
    stand.get_all_by_label("Save").next().unwrap();
}
