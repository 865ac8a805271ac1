//! The screen "Ring".

use egui::Key;
use egui_kittest::kittest::Queryable;
use memlens_dashboard::rehearsal::{Trouble, published};
use memlens_dashboard::views::View;

use super::stand::{Stand, connecting, pictures, press, stand, troubled, type_into};

fn healthy() -> Stand {
    stand(
        View::Ring,
        published(5, 60, Trouble::default()),
        egui::Theme::Dark,
    )
}

#[test]
fn pictures_of_a_small_ring() {
    pictures(View::Ring, "ring", &published(5, 60, Trouble::default()));
}

#[test]
fn pictures_of_a_large_ring() {
    pictures(
        View::Ring,
        "ring_64",
        &published(64, 60, Trouble::default()),
    );
}

#[test]
fn a_picture_of_a_key_and_its_node() {
    let mut stand = healthy();
    type_into(&mut stand, "Key to look up", "user:42");
    type_into(
        &mut stand,
        "Keys, one in a line",
        "user:1\nuser:2\nuser:3\nuser:4\nuser:5\nno key\nuser:6",
    );
    stand.snapshot("ring_key_dark");
}

#[test]
fn a_key_is_followed_to_its_node() {
    let mut stand = healthy();
    stand.get_by_label_contains("No key yet");
    type_into(&mut stand, "Key to look up", "user:42");
    stand.get_by_label("18dfda56");
    stand.get_by_label_contains("first point at or after the hash");
    stand.get_by_label_contains("key user:42 lies on cache-0");
    stand.get_by_label_contains("If it is down, then cache-0");
}

#[test]
fn a_key_that_memcached_refuses_says_why() {
    let mut stand = healthy();
    type_into(&mut stand, "Key to look up", "user 42");
    stand.get_by_label_contains("no spaces");
}

#[test]
fn a_bar_selects_its_node_and_tells_who_would_inherit() {
    let mut stand = healthy();
    stand.get_by_label_contains("cache-03 holds").click();
    stand.run();
    stand.get_by_label_contains("fair 20.00 %, ");
    stand.get_by_label_contains("to cache-0");
    stand.get_by_label("What if removed").click();
    stand.run();
    stand.get_by_label("remove cache-03:11211  ×");
}

#[test]
fn arrow_keys_step_from_node_to_node_and_from_arc_to_arc() {
    let mut stand = healthy();
    press(&mut stand, Key::ArrowDown);
    stand.get_by_label_contains("Lens at the first arc of");
    press(&mut stand, Key::ArrowRight);
    stand.get_by_label_contains("Lens at arc ");
}

#[test]
fn pasted_keys_are_counted_node_by_node() {
    let mut stand = healthy();
    type_into(&mut stand, "Keys, one in a line", "a\nb\nc\nnot a key");
    stand.get_by_label_contains("3 keys, most on cache-0");
    stand.get_by_label_contains("1 line is no key");
    stand.get_by_label("Clear keys").click();
    stand.run();
    stand.get_by_label("How a list of keys is spread over the nodes");
}

#[test]
fn nodes_that_do_not_answer_keep_their_place_on_the_ring() {
    let mut stand = troubled(View::Ring);
    stand.get_by_label_contains("cache-01 holds").click();
    stand.run();
    stand.get_by_label("down: refused");
    let connecting = stand_connecting();
    connecting.get_by_label_contains("ring of 4 nodes");
}

fn stand_connecting() -> Stand {
    stand(View::Ring, connecting(), egui::Theme::Dark)
}
