//! The screen "Overview".

use egui::Key;
use egui_kittest::kittest::Queryable;
use memlens_dashboard::rehearsal::{Trouble, published};
use memlens_dashboard::views::View;

use super::stand::{connecting, pictures, press, stand, troubled};

#[test]
fn pictures_of_a_small_cluster() {
    pictures(View::Overview, "overview", &published(5, 400, Trouble::ALL));
}

#[test]
fn pictures_of_a_large_cluster() {
    pictures(
        View::Overview,
        "overview_64",
        &published(64, 400, Trouble::ALL),
    );
}

#[test]
fn figures_say_what_is_missing() {
    let stand = troubled(View::Overview);
    stand.get_by_label_contains("3 of 5 nodes");
    stand.get_by_label("node cache-01:11211, down, hit rate – %");
    stand.get_by_label("node cache-04:11211, login, hit rate – %");
}

#[test]
fn a_tile_selects_its_node_and_opens_it() {
    let mut stand = troubled(View::Overview);
    let tile = "node cache-01:11211, down, hit rate – %";
    stand.get_by_label(tile).click();
    stand.run();
    press(&mut stand, Key::Num4);
    stand.get_by_label("down: refused");
}

#[test]
fn before_the_first_answers_nothing_is_invented() {
    let stand = stand(View::Overview, connecting(), egui::Theme::Dark);
    stand.get_by_label_contains("Hit rate: – %");
    stand.get_by_label_contains("No hit rate yet");
}
