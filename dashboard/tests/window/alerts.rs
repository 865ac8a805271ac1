//! The screen "Alerts".

use egui::Theme;
use egui_kittest::kittest::Queryable;
use memlens_dashboard::published::Command;
use memlens_dashboard::rehearsal::{Trouble, published};
use memlens_dashboard::views::View;

use super::stand::{connecting, pictures, stand, troubled};

#[test]
fn pictures_of_a_cluster_in_trouble() {
    pictures(View::Alerts, "alerts", &published(5, 400, Trouble::ALL));
}

#[test]
fn what_fires_is_told_with_its_figure() {
    let stand = stand(View::Alerts, published(5, 400, Trouble::ALL), Theme::Dark);
    stand.get_by_label_contains("firing: node down on cache-01: refused, ");
    stand.get_by_label_contains("firing: evicts young items on cache-02: ");
    stand.get_by_label("node down fired 2 times in the last 10 min");
}

#[test]
fn a_rule_can_be_turned_off_and_that_is_remembered_and_sent() {
    let mut stand = troubled(View::Alerts);
    stand.get_by_label("watch for skew").click();
    stand.run();
    let rules = stand.state().shell.preferences().alert_rules.clone();
    assert!(!rules.all()[6].enabled);
    assert_eq!(stand.state().commands, [Command::SetRules(rules)]);
    stand
        .get_by_label("Back to the built-in thresholds")
        .click();
    stand.run();
    assert!(stand.state().shell.preferences().alert_rules.all()[6].is_built_in());
}

#[test]
fn without_anything_amiss_it_is_quiet() {
    let stand = stand(
        View::Alerts,
        published(3, 60, Trouble::default()),
        Theme::Dark,
    );
    stand.get_by_label("All quiet: No rule is met by anything.");
    stand.get_by_label_contains("Nothing has fired");
}

#[test]
fn before_the_first_answers_nothing_fires() {
    let stand = stand(View::Alerts, connecting(), Theme::Dark);
    stand.get_by_label_contains("Nothing to judge yet: ");
}
