//! The screen "What-if".

use std::time::Duration;

use egui::Key;
use egui_kittest::kittest::Queryable;
use memlens_dashboard::published::Command;
use memlens_dashboard::rehearsal::{Trouble, published};
use memlens_dashboard::views::View;

use super::stand::{Stand, connecting, pictures, press, press_with_ctrl, stand, type_into};

fn healthy() -> Stand {
    stand(
        View::WhatIf,
        published(
            6,
            60,
            Trouble {
                evicts: true,
                ..Trouble::default()
            },
        ),
        egui::Theme::Dark,
    )
}

/// A stand with the removal of the third node on the plan.
fn removal() -> Stand {
    let mut stand = stand(
        View::Ring,
        published(6, 60, Trouble::default()),
        egui::Theme::Dark,
    );
    stand.get_by_label_contains("cache-03 holds").click();
    stand.run();
    press(&mut stand, Key::W);
    stand
}

#[test]
fn pictures_without_a_plan() {
    pictures(
        View::WhatIf,
        "what_if_empty",
        &published(6, 60, Trouble::default()),
    );
}

fn picture_of_a_removal(theme: egui::Theme, name: &str) {
    let trouble = Trouble {
        evicts: true,
        ..Trouble::default()
    };
    let mut stand = stand(View::Ring, published(64, 60, trouble), theme);
    type_into(&mut stand, "Key to look up", "user:42");
    stand.get_by_label_contains("cache-17 holds").click();
    stand.run();
    stand.get_by_label("What if removed").click();
    stand.run();
    stand.snapshot(name);
}

#[test]
fn a_picture_of_a_removal_in_the_dark() {
    picture_of_a_removal(egui::Theme::Dark, "what_if_dark");
}

#[test]
fn a_picture_of_a_removal_in_the_light() {
    picture_of_a_removal(egui::Theme::Light, "what_if_light");
}

#[test]
fn a_removal_tells_what_moves_and_what_it_costs() {
    let stand = removal();
    stand.get_by_label_contains("remove cache-03:11211  ×");
    stand.get_by_label_contains("% of keys move");
    stand.get_by_label_contains("Lowest hit rate:");
    stand.get_by_label_contains("Back end, at worst: +");
    stand.get_by_label_contains("modulo: moves");
    stand.get_by_label_contains("warm hand-over: moves");
    stand.get_by_label_contains("− cache-03, ");
}

#[test]
fn a_plan_can_be_undone_and_taken_apart() {
    let mut stand = removal();
    press_with_ctrl(&mut stand, Key::Z);
    stand.get_by_label_contains("Nothing planned. Choose");
    stand.get_by_label("Redo").click();
    stand.run();
    stand.get_by_label("remove cache-03:11211  ×").click();
    stand.run();
    stand.get_by_label_contains("Nothing planned. Choose");
    stand.get_by_label("Undo").click();
    stand.run();
    stand.get_by_label("Clear").click();
    stand.run();
    stand.get_by_label_contains("Nothing planned. Choose");
}

#[test]
fn servers_can_be_added_and_nonsense_is_refused_with_the_reason() {
    let mut stand = healthy();
    stand.get_by_label("Add").click();
    stand.run();
    type_into(&mut stand, "Server to add", "cache-07:bad");
    stand.get_by_label("Put on plan").click();
    stand.run();
    stand.get_by_label_contains("port is not a number");
    stand.get_by_label("Points").click();
    stand.run();
    type_into(&mut stand, "Points of each server", "1");
    stand.get_by_label("Put on plan").click();
    stand.run();
    stand.get_by_label_contains("makes 4 at once");
}

#[test]
fn a_weight_is_stepped_up_and_down_from_what_it_is() {
    let mut stand = healthy();
    stand.get_by_label("Weight").click();
    stand.run();
    stand.get_by_label("now 1");
    for button in [
        "higher weight",
        "higher weight",
        "higher weight",
        "lower weight",
    ] {
        stand.get_by_label(button).click();
        stand.run();
    }
    stand.get_by_label("Put on plan").click();
    stand.run();
    stand.get_by_label("set weight of cache-01:11211 to 3  ×");
    stand.get_by_label("now 3");
}

#[test]
fn an_added_server_is_listed_and_several_steps_come_with_advice() {
    let mut stand = removal();
    stand.get_by_label("Add").click();
    stand.run();
    type_into(&mut stand, "Server to add", "cache-07");
    stand.get_by_label("Put on plan").click();
    stand.run();
    stand.get_by_label_contains("+ cache-07:11211, ");
    stand.get_by_label_contains("Safer: add cache-07:11211, then remove cache-03:11211");
}

#[test]
fn reads_are_only_watched_when_somebody_asks() {
    let mut stand = healthy();
    assert!(stand.state().commands.is_empty());
    stand.get_by_label("Watch reads for 20 s").click();
    stand.run();
    assert_eq!(
        stand.state().commands,
        [Command::WatchReads(Duration::from_secs(20))]
    );
}

#[test]
fn before_the_first_answers_only_the_hit_rate_is_missing() {
    let stand = stand(View::WhatIf, connecting(), egui::Theme::Dark);
    stand.get_by_label_contains("no hit rate to predict");
    stand.get_by_label_contains("ring before and after: No change");
}
