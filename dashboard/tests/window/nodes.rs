//! The screen "Nodes".

use std::sync::Arc;

use egui::Key;
use egui_kittest::kittest::Queryable;
use memlens::stats::Connections;
use memlens_dashboard::model::OpenConnections;
use memlens_dashboard::published::{Ask, Command};
use memlens_dashboard::rehearsal::{Trouble, published};
use memlens_dashboard::views::View;

use super::stand::{click_at, pictures, press, reachable, stand, troubled, type_into};

#[test]
fn pictures_of_the_table() {
    pictures(View::Nodes, "nodes_64", &published(64, 400, Trouble::ALL));
}

#[test]
fn a_selected_node_is_shown_in_depth() {
    let mut stand = stand(
        View::Nodes,
        published(5, 400, Trouble::ALL),
        egui::Theme::Dark,
    );
    press(&mut stand, Key::N);
    press(&mut stand, Key::N);
    stand.get_by_label("What if it was removed?");
    stand.get_by_label_contains("chart: Evictions");
    // The screen of that name is at the left.
    let tab = reachable(&stand)
        .into_iter()
        .find(|it| it.name == "Settings" && it.place.left() > 200.0);
    click_at(&mut stand, tab.unwrap().place);
    stand.get_by_label_contains("slab_automove, 0, ≠ 1");
    stand.snapshot("nodes_drawer_dark");
}

#[test]
fn rows_are_filtered_and_sorted() {
    let mut stand = troubled(View::Nodes);
    type_into(&mut stand, "Filter nodes", "login");
    stand.get_by_label("Nodes · 1 of 5");
    stand.get_by_label_contains("cache-04:11211, login");
    assert!(
        stand
            .query_by_label_contains("cache-01:11211, down")
            .is_none()
    );
}

#[test]
fn the_table_can_be_exported() {
    let mut stand = troubled(View::Nodes);
    stand.get_by_label("Export CSV").click();
    stand.run();
    stand
        .get_by_role_and_label(egui::accesskit::Role::Button, "Save")
        .click();
    stand.run();
    let Some(Command::Save { path, bytes }) = stand.state().commands.first() else {
        panic!("nothing was saved");
    };
    assert!(path.ends_with("memlens-nodes.csv"), "{path:?}");
    let text = std::str::from_utf8(bytes).unwrap();
    assert_eq!(text.lines().count(), 6);
    assert!(text.starts_with("Node,State,Hit %,"), "{text}");
}

#[test]
fn connections_are_asked_for_on_demand() {
    let mut stand = troubled(View::Nodes);
    press(&mut stand, Key::N);
    press(&mut stand, Key::N);
    stand.get_by_label("Connections").click();
    stand.run();
    stand.get_by_label("Ask for connections").click();
    stand.run();
    let node: Arc<str> = "cache-02:11211".into();
    let asked = Command::Ask(Ask::Connections(Arc::clone(&node)));
    assert_eq!(stand.state().commands, [asked]);
    let said = Connections::parse([
        ("24:addr", "tcp:10.0.0.9:56712"),
        ("24:state", "conn_watch"),
        ("24:secs_since_last_cmd", "7"),
        ("25:addr", "tcp:10.0.0.7:40001"),
    ]);
    let own = ["10.0.0.7:40001".parse().unwrap()];
    let open = OpenConnections::of(&said, &own);
    let answers = [(node, Ok(Arc::new(open)))];
    stand.state_mut().published.asked.connections = Arc::new(answers.into());
    stand.run();
    stand.get_by_label("tcp:10.0.0.9:56712, watch, 7 s, 24");
    stand.get_by_label("1 open when asked, and 1 of memlens's own, left out here");
    assert!(stand.query_by_label_contains("40001").is_none());
}
