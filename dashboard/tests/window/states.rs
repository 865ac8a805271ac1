//! Every screen in every state that a cluster can be in: one clear sentence, and what to do.

use egui::Theme;
use egui_kittest::kittest::Queryable;
use memlens_dashboard::model::{Failure, NodeState};
use memlens_dashboard::published::Command;
use memlens_dashboard::rehearsal::{Trouble, published};
use memlens_dashboard::views::View;

use super::stand::{all_in, connecting, pictures, press, stand};

#[test]
fn connecting_is_told_on_every_screen() {
    for view in View::ALL {
        let stand = stand(view, connecting(), Theme::Dark);
        stand.get_by_label("Connecting. Waiting for the first answers.");
    }
}

#[test]
fn no_answer_is_told_on_every_screen_with_the_reason_and_what_to_do() {
    let data = all_in(&NodeState::Down(Failure::TimedOut));
    for view in View::ALL {
        let mut stand = stand(view, data.clone(), Theme::Dark);
        stand.get_by_label(
            "No node answers. cache-01 is down: timed out. Do the servers run, and do their ports \
             answer from here?",
        );
        if view == View::Overview {
            stand.get_all_by_label("Settings").last().unwrap().click();
            stand.run();
            stand.get_by_label("Ask each node every");
        }
    }
}

#[test]
fn a_missing_login_is_told_on_every_screen_with_what_to_do() {
    let data = all_in(&NodeState::Unauthenticated);
    for view in View::ALL {
        let stand = stand(view, data.clone(), Theme::Dark);
        stand.get_by_label(
            "Every node wants a login. Put user and password into the connection: \
             memcache://user:password@host.",
        );
    }
}

#[test]
fn old_figures_are_told_on_every_screen() {
    let data = all_in(&NodeState::Stale);
    for view in View::ALL {
        let stand = stand(view, data.clone(), Theme::Dark);
        stand.get_by_label_contains("Figures are old. No node has answered for ");
    }
}

#[test]
fn a_pause_is_told_on_every_screen_and_ended_there() {
    let mut data = published(3, 20, Trouble::default());
    data.is_paused = true;
    for view in View::ALL {
        let mut stand = stand(view, data.clone(), Theme::Dark);
        stand.get_by_label_contains("Paused: nothing is asked");
        stand.get_by_label("Go on").click();
        stand.run();
        assert_eq!(stand.state().commands, [Command::Pause(false)], "{view:?}");
    }
}

#[test]
fn a_part_that_answers_is_told_in_the_pill_and_covers_nothing() {
    let data = published(5, 60, Trouble::ALL);
    for view in View::ALL {
        let stand = stand(view, data.clone(), Theme::Dark);
        stand.get_by_label("live · 1 s · 3 / 5, pause");
        assert!(stand.query_by_label_contains("No node answers").is_none());
    }
}

#[test]
fn screens_that_need_an_answer_say_so_in_their_own_place_too() {
    let data = all_in(&NodeState::Down(Failure::Refused));
    for view in [View::Overview, View::Slabs, View::Keys, View::Live] {
        let stand = stand(view, data.clone(), Theme::Dark);
        stand.get_by_label_contains("No node answers: cache-01 is down: refused.");
    }
}

#[test]
fn servers_without_items_are_no_trouble() {
    let mut data = published(3, 20, Trouble::default());
    let snapshot = std::sync::Arc::make_mut(data.snapshot.as_mut().unwrap());
    for node in &mut snapshot.nodes {
        let node = std::sync::Arc::make_mut(node);
        (node.items, node.slabs, node.memory) = (None, None, None);
    }
    let slabs = stand(View::Slabs, data.clone(), Theme::Dark);
    slabs.get_by_label_contains("No slab classes yet: ");
    stand(View::Nodes, data, Theme::Dark).get_by_label("Nodes · 3");
}

#[test]
fn pictures_of_a_cluster_that_does_not_answer() {
    let data = all_in(&NodeState::Down(Failure::TimedOut));
    pictures(View::Overview, "overview_down", &data);
}

#[test]
fn esc_leads_back_through_the_screens() {
    let mut stand = stand(
        View::Overview,
        published(3, 20, Trouble::default()),
        Theme::Dark,
    );
    press(&mut stand, egui::Key::Num4);
    press(&mut stand, egui::Key::Num9);
    stand.get_by_label("Ask each node every");
    press(&mut stand, egui::Key::Escape);
    stand.get_by_label("Nodes · 3");
    press(&mut stand, egui::Key::Escape);
    stand.get_by_label("Needs attention");
}
