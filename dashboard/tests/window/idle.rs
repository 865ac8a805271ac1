//! A window in which nothing happens does nothing.

use std::time::Duration;

use memlens_dashboard::model::whatif::Change;
use memlens_dashboard::rehearsal::{Trouble, asked, published};
use memlens_dashboard::views::View;

use super::stand::{Stand, press, stand};

/// After how long the window wants to be painted again by itself.
#[track_caller]
fn wait(stand: &mut Stand) -> Duration {
    stand.step();
    let viewports = &stand.output().viewport_output;
    let root = viewports.values().next().expect("a window");
    root.repaint_delay
}

#[test]
fn nothing_is_painted_again_while_nothing_is_new() {
    for trouble in [Trouble::default(), Trouble::ALL] {
        let mut published = published(6, 120, trouble);
        published.asked = asked(&published);
        for view in View::ALL {
            let mut stand = stand(view, published.clone(), egui::Theme::Dark);
            assert_eq!(wait(&mut stand), Duration::MAX, "{view:?}");
            // A pause publishes once more, and then nothing.
            stand.state_mut().published.is_paused = true;
            stand.run();
            assert_eq!(wait(&mut stand), Duration::MAX, "{view:?}, paused");
        }
    }
}

#[test]
fn a_plan_is_computed_and_then_nothing_is_painted_again() {
    let published = published(6, 60, Trouble::default());
    let mut stand = stand(View::Overview, published, egui::Theme::Dark);
    let addition = Change::add("cache-07:11211").expect("a server");
    stand.state_mut().shell.simulate(addition);
    stand.run();
    assert_eq!(wait(&mut stand), Duration::MAX);
}

#[test]
fn a_screen_that_was_left_leaves_nothing_running() {
    let published = published(6, 60, Trouble::default());
    let mut stand = stand(View::Ring, published, egui::Theme::Dark);
    for key in [egui::Key::Num3, egui::Key::Num1, egui::Key::Num7] {
        press(&mut stand, key);
        assert_eq!(wait(&mut stand), Duration::MAX, "{key:?}");
    }
}
