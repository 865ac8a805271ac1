//! Everything that can be clicked or take the focus has a name for screen readers.

use egui::Key;
use egui::accesskit::Role;
use memlens_dashboard::published::Published;
use memlens_dashboard::rehearsal::{Trouble, asked, published};
use memlens_dashboard::views::View;

use super::stand::{Stand, press, reachable, stand_with};

/// Everything there is to see on `view`: a scan, a watch, a selected node, and writes allowed.
pub(crate) fn full(view: View, may_write: bool) -> Stand {
    let data = published(5, 20, Trouble::ALL);
    let data = Published {
        asked: asked(&data),
        ..data
    };
    let mut stand = stand_with(view, data, egui::Theme::Dark, may_write);
    press(&mut stand, Key::N);
    press(&mut stand, Key::N);
    stand
}

/// Names what of a screen can be reached and has no name.
fn nameless(stand: &Stand) -> Vec<String> {
    let all = reachable(stand);
    assert!(!all.is_empty());
    let without = all.iter().filter(|it| {
        // Areas that scroll and the window itself have nothing to say.
        let is_plain = matches!(
            it.role,
            Role::Window
                | Role::GenericContainer
                | Role::ScrollView
                | Role::ScrollBar
                | Role::Unknown
        );
        it.name.trim().is_empty() && !is_plain
    });
    without
        .map(|it| format!("{:?} at {:?}", it.role, it.place))
        .collect()
}

#[test]
fn whatever_can_be_reached_has_a_name() {
    for view in View::ALL {
        let stand = full(view, true);
        assert_eq!(nameless(&stand), Vec::<String>::new(), "{view:?}");
    }
}

#[test]
fn no_two_controls_of_a_screen_have_the_same_name() {
    for view in View::ALL {
        let stand = full(view, true);
        let mut names: Vec<_> = reachable(&stand)
            .into_iter()
            .filter(|it| matches!(it.role, Role::TextInput | Role::SpinButton | Role::CheckBox))
            .map(|it| it.name)
            .collect();
        names.sort();
        let twice: Vec<_> = names.windows(2).filter(|two| two[0] == two[1]).collect();
        assert!(twice.is_empty(), "{view:?}: {twice:?}");
    }
}
