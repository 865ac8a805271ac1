//! What is round the screens.

use std::time::Duration;

use egui::accesskit::Role;
use egui::{Key, Theme};
use egui_kittest::kittest::Queryable;
use memlens_dashboard::published::{Command, Notice, Published};
use memlens_dashboard::rehearsal::{Trouble, published};
use memlens_dashboard::views::View;

use super::stand::{press, press_with_ctrl, stand, troubled, type_into};

#[test]
fn without_a_cluster_it_asks_what_to_watch() {
    let mut stand = stand(View::Overview, Published::default(), Theme::Dark);
    stand.get_by_label("Try the demo cluster").click();
    stand.run();
    assert_eq!(stand.state().commands, [Command::StartDemo]);
    stand.snapshot("welcome_dark");
}

#[test]
fn a_pasted_list_is_connected_to_and_remembered() {
    let mut stand = stand(View::Overview, Published::default(), Theme::Light);
    type_into(&mut stand, "servers", "cache-01:11211\ncache-02:11211");
    type_into(&mut stand, "name", "shop");
    stand.get_by_role_and_label(Role::Button, "Connect").click();
    stand.run();
    let expected = Command::Connect {
        name: "shop".to_owned(),
        servers: "cache-01:11211,cache-02:11211".to_owned(),
    };
    assert_eq!(stand.state().commands, [expected]);
    let preferences = stand.state().shell.preferences();
    assert_eq!(
        preferences.profiles[0].url,
        "memcache://cache-01:11211,cache-02:11211"
    );
}

#[test]
fn a_list_that_makes_no_sense_is_refused_with_a_reason() {
    let mut stand = stand(View::Overview, Published::default(), Theme::Dark);
    type_into(&mut stand, "servers", "cache-01:port");
    stand.get_by_role_and_label(Role::Button, "Connect").click();
    stand.run();
    assert!(stand.state().commands.is_empty());
    stand.get_by_label_contains("✗ ");
}

#[test]
fn number_keys_show_screens() {
    let mut stand = troubled(View::Overview);
    press(&mut stand, Key::Num4);
    stand.get_by_label("sort by Node");
    press(&mut stand, Key::Num1);
    stand.get_by_label("Needs attention");
}

#[test]
fn space_pauses() {
    let mut stand = troubled(View::Overview);
    press(&mut stand, Key::Space);
    assert_eq!(stand.state().commands, [Command::Pause(true)]);
}

#[test]
fn the_omnibox_finds_the_node_of_a_key() {
    let mut stand = troubled(View::Overview);
    press_with_ctrl(&mut stand, Key::K);
    let field = "Find a key, node or command";
    stand.get_by_label(field).type_text("user:42");
    stand.run();
    let cluster = stand.state().published.cluster.clone().unwrap();
    let label = cluster.label(cluster.node_for(b"user:42"));
    stand.get_by_label(&format!("key: user:42 → {label}"));
}

#[test]
fn the_omnibox_goes_to_screens_by_keyboard_alone() {
    let mut stand = troubled(View::Overview);
    press_with_ctrl(&mut stand, Key::K);
    stand
        .get_by_label("Find a key, node or command")
        .type_text("sett");
    stand.run();
    // The first result is the text as a key, the second the screen.
    press(&mut stand, Key::ArrowDown);
    press(&mut stand, Key::Enter);
    stand.get_by_label("Ask each node every");
}

#[test]
fn a_question_mark_shows_all_keys() {
    let mut stand = troubled(View::Overview);
    stand.event(egui::Event::Text("?".to_owned()));
    stand.run();
    stand.get_by_label("what if the selected node was removed");
    press(&mut stand, Key::Escape);
    assert!(
        stand
            .query_by_label("what if the selected node was removed")
            .is_none()
    );
}

#[test]
fn what_failed_is_told() {
    let mut data = published(2, 5, Trouble::default());
    data.notices = vec![Notice {
        number: 0,
        is_error: true,
        text: "cannot write x".to_owned(),
    }]
    .into();
    let stand = stand(View::Overview, data, Theme::Dark);
    stand.get_by_label("cannot write x");
}

#[test]
fn what_polling_costs_is_told() {
    let mut stand = troubled(View::Overview);
    let cost = &mut stand.state_mut().published.cost;
    (cost.cores, cost.late) = (Some(0.0123), Duration::from_millis(4));
    stand.run();
    stand.get_by_label("polling costs 12 requests/s, 46.5 kB/s, 1.2 % of a core here");
}
