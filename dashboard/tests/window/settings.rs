//! The screen "Settings", and what it does to the demo.

use std::sync::Arc;
use std::time::Duration;

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use memlens_dashboard::published::{
    Command, DemoCommand, DemoNode, DemoNodeState, DemoState, Published,
};
use memlens_dashboard::rehearsal::{Trouble, published};
use memlens_dashboard::views::View;

use super::stand::{pictures, stand, type_into};

fn demo() -> Published {
    let states = [
        DemoNodeState::Running,
        DemoNodeState::Hanging,
        DemoNodeState::Stopped,
    ];
    let nodes = states.into_iter().zip(1..).map(|(state, number)| DemoNode {
        name: format!("cache-0{number}:11211").into(),
        state,
    });
    let mut data = published(3, 60, Trouble::default());
    data.demo = Some(Arc::new(DemoState {
        nodes: nodes.collect(),
        wanted_per_second: 20_000,
        sent_per_second: Some(19_870.0),
        ..DemoState::default()
    }));
    data
}

#[test]
fn pictures_of_the_demo() {
    pictures(View::Settings, "settings", &demo());
}

#[test]
fn nodes_of_the_demo_are_stopped_started_and_added() {
    let mut stand = stand(View::Settings, demo(), egui::Theme::Dark);
    for button in [
        "Stop cache-01:11211",
        "Resume cache-02:11211",
        "Start cache-03:11211",
        "Add a node",
    ] {
        stand.get_by_label(button).click();
        stand.run();
    }
    let expected = [
        DemoCommand::Stop("cache-01:11211".into()),
        DemoCommand::Resume("cache-02:11211".into()),
        DemoCommand::Start("cache-03:11211".into()),
        DemoCommand::Add { weight: 1 },
    ];
    assert_eq!(stand.state().commands, expected.map(Command::Demo));
}

#[test]
fn the_interval_and_another_ring_are_chosen() {
    let mut stand = stand(View::Settings, demo(), egui::Theme::Dark);
    stand.get_by_label("5 s").click();
    stand.run();
    stand.get_by_label("Modulo").click();
    stand.run();
    let expected = [
        Command::SetInterval(Duration::from_secs(5)),
        Command::Demo(DemoCommand::SetRing("crc32-modulo")),
    ];
    assert_eq!(stand.state().commands, expected);
}

#[test]
fn a_cluster_is_added_and_forgotten() {
    let mut stand = stand(View::Settings, demo(), egui::Theme::Dark);
    type_into(&mut stand, "servers of the new cluster", "a:1,b:2");
    type_into(&mut stand, "name of the new cluster", "shop");
    stand.get_by_label("Add").click();
    stand.run();
    assert_eq!(stand.state().shell.preferences().profiles.len(), 1);
    stand.get_by_role_and_label(Role::Button, "shop").click();
    stand.run();
    assert!(matches!(&stand.state().commands[0], Command::Connect { name, .. } if name == "shop"));
    stand.get_by_label("forget shop").click();
    stand.run();
    assert!(stand.state().shell.preferences().profiles.is_empty());
}

#[test]
fn servers_cannot_be_changed_unless_that_was_allowed() {
    let stand = stand(View::Settings, demo(), egui::Theme::Dark);
    stand.get_by_label("--allow-writes at the start would allow them");
    assert!(stand.query_by_label("Audit").is_none());
}
