//! What the sheet of keys promises, key by key, and the way through every screen by keyboard alone.

use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable;
use memlens_dashboard::published::Command;
use memlens_dashboard::rehearsal::{Trouble, asked, published};
use memlens_dashboard::shell::SHORTCUTS;
use memlens_dashboard::views::View;

use super::stand::{
    Reachable, Stand, press, press_with_ctrl, reachable, stand, troubled, type_into,
};

/// A key of the sheet, and what shows that it does what the sheet says.
type Promise = (&'static str, fn());

const PROMISES: [Promise; 19] = [
    ("1 – 9", numbers_show_screens),
    ("Ctrl K", ctrl_k_finds),
    ("/", slash_filters_or_finds),
    ("Space", space_pauses),
    ("R", r_asks_now),
    ("N  P", n_and_p_select),
    ("← → ↑ ↓", arrows_move),
    ("Enter", enter_opens),
    ("Esc", esc_closes),
    ("[  ]", brackets_change_the_time),
    ("W", w_simulates_a_removal),
    ("Ctrl Z  Ctrl Shift Z", ctrl_z_takes_back),
    ("E", e_exports),
    ("S", s_saves_a_picture),
    ("T", t_changes_the_theme),
    ("Ctrl +  Ctrl −", ctrl_plus_enlarges),
    ("Tab", tab_goes_on),
    ("?", question_mark_shows_the_sheet),
    // The window itself does it: seen in the test with a real one.
    ("Ctrl Q", || ()),
];

#[test]
fn every_key_of_the_sheet_does_what_it_says() {
    let promised: Vec<_> = SHORTCUTS.iter().map(|(key, _)| *key).collect();
    let kept: Vec<_> = PROMISES.iter().map(|(key, _)| *key).collect();
    assert_eq!(promised, kept);
    for (_, keeps) in PROMISES {
        keeps();
    }
}

/// Which screen is shown.
fn shown(stand: &Stand) -> View {
    stand.state().shell.view()
}

fn numbers_show_screens() {
    let mut stand = troubled(View::Settings);
    let keys = [
        Key::Num1,
        Key::Num2,
        Key::Num3,
        Key::Num4,
        Key::Num5,
        Key::Num6,
        Key::Num7,
        Key::Num8,
        Key::Num9,
    ];
    for (key, view) in keys.into_iter().zip(View::ALL) {
        press(&mut stand, key);
        assert_eq!(shown(&stand), view);
    }
}

fn ctrl_k_finds() {
    let mut stand = troubled(View::Live);
    press_with_ctrl(&mut stand, Key::K);
    stand
        .get_by_label("Find a key, node or command")
        .type_text("slab");
    stand.run();
    press(&mut stand, Key::ArrowDown);
    press(&mut stand, Key::Enter);
    assert_eq!(shown(&stand), View::Slabs);
}

fn slash_filters_or_finds() {
    let mut stand = troubled(View::Nodes);
    press(&mut stand, Key::Slash);
    assert!(stand.get_by_label("Filter nodes").is_focused());
    press(&mut stand, Key::Escape);
    press(&mut stand, Key::Num2);
    press(&mut stand, Key::Slash);
    stand.run();
    assert!(
        stand
            .get_by_label("Find a key, node or command")
            .is_focused()
    );
}

fn space_pauses() {
    let mut stand = troubled(View::Overview);
    press(&mut stand, Key::Space);
    assert_eq!(stand.state().commands, [Command::Pause(true)]);
}

fn r_asks_now() {
    let mut stand = troubled(View::Overview);
    press(&mut stand, Key::R);
    assert_eq!(stand.state().commands, [Command::Refresh]);
}

fn n_and_p_select() {
    let mut stand = troubled(View::Nodes);
    press(&mut stand, Key::N);
    press(&mut stand, Key::N);
    stand.get_by_label("cache-02:11211");
    press(&mut stand, Key::P);
    stand.get_by_label("cache-01:11211");
}

fn arrows_move() {
    let mut stand = troubled(View::Nodes);
    press(&mut stand, Key::ArrowDown);
    press(&mut stand, Key::ArrowDown);
    press(&mut stand, Key::ArrowDown);
    press(&mut stand, Key::ArrowUp);
    stand.get_by_label("cache-02:11211");
    // The first row stays chosen when there is none above it.
    press(&mut stand, Key::ArrowUp);
    press(&mut stand, Key::ArrowUp);
    stand.get_by_label("cache-01:11211");
}

fn enter_opens() {
    let mut stand = troubled(View::Ring);
    press(&mut stand, Key::N);
    press(&mut stand, Key::Enter);
    assert_eq!(shown(&stand), View::Nodes);
    stand.get_by_label("down: refused");
}

fn esc_closes() {
    let mut stand = troubled(View::Overview);
    press(&mut stand, Key::Num4);
    press(&mut stand, Key::N);
    press(&mut stand, Key::E);
    stand.get_by_label("file");
    press(&mut stand, Key::Escape);
    assert!(stand.query_by_label("file").is_none());
    stand.get_by_label("down: refused");
    // In a field it leaves the field, and no more.
    press(&mut stand, Key::Slash);
    press(&mut stand, Key::Escape);
    stand.get_by_label("down: refused");
    press(&mut stand, Key::Escape);
    assert!(stand.query_by_label("down: refused").is_none());
    press(&mut stand, Key::Escape);
    assert_eq!(shown(&stand), View::Overview);
}

fn brackets_change_the_time() {
    let mut stand = troubled(View::Overview);
    press(&mut stand, Key::CloseBracket);
    stand.get_by_label("Hit rate, last 1 h");
    press(&mut stand, Key::OpenBracket);
    stand.get_by_label("Hit rate, last 10 min");
}

fn w_simulates_a_removal() {
    let mut stand = troubled(View::Nodes);
    press(&mut stand, Key::N);
    press(&mut stand, Key::W);
    assert_eq!(shown(&stand), View::WhatIf);
    stand.get_by_label("remove cache-01:11211  ×");
}

fn ctrl_z_takes_back() {
    let mut stand = troubled(View::Nodes);
    press(&mut stand, Key::N);
    press(&mut stand, Key::W);
    press_with_ctrl(&mut stand, Key::Z);
    stand.get_by_label_contains("Nothing planned. Choose");
    stand.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    stand.run();
    stand.get_by_label("remove cache-01:11211  ×");
}

/// Every screen has something to export but for those that only begin something.
fn e_exports() {
    let data = published(5, 20, Trouble::ALL);
    let asked = asked(&data);
    let data = memlens_dashboard::published::Published { asked, ..data };
    for view in View::ALL {
        if view == View::Settings {
            continue;
        }
        let mut stand = stand(view, data.clone(), Theme::Dark);
        press(&mut stand, Key::E);
        stand.get_by_label("file");
        press(&mut stand, Key::Enter);
        let saved = stand.state().commands.last().cloned();
        let Some(Command::Save { path, bytes }) = saved else {
            panic!("{view:?}: {saved:?}")
        };
        assert!(path.extension().is_some_and(|it| it == "csv"), "{path:?}");
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.lines().count() > 1, "{view:?}: {text}");
    }
}

fn s_saves_a_picture() {
    let mut stand = troubled(View::Overview);
    // All in one frame: what is asked of the window is gone with the next.
    stand.input_mut().events.push(egui::Event::Key {
        key: Key::S,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    });
    stand.step();
    let viewports = stand.output().viewport_output.values();
    let commands: Vec<_> = viewports.flat_map(|it| &it.commands).collect();
    let is_asked = format!("{commands:?}").contains("Screenshot");
    assert!(is_asked, "the window is asked for a picture of itself");
}

fn t_changes_the_theme() {
    let mut stand = troubled(View::Overview);
    press(&mut stand, Key::T);
    assert!(!stand.ctx.style_of(Theme::Light).visuals.dark_mode);
    assert_eq!(stand.ctx.theme(), Theme::Light);
    press(&mut stand, Key::T);
    assert_eq!(stand.ctx.theme(), Theme::Dark);
}

fn ctrl_plus_enlarges() {
    let mut stand = troubled(View::Overview);
    let before = stand.ctx.zoom_factor();
    press_with_ctrl(&mut stand, Key::Plus);
    assert!(stand.ctx.zoom_factor() > before);
    press_with_ctrl(&mut stand, Key::Minus);
    assert!((stand.ctx.zoom_factor() - before).abs() < 1e-3);
}

fn tab_goes_on() {
    let mut stand = troubled(View::Nodes);
    let focused = |stand: &Stand| stand.ctx.memory(egui::Memory::focused);
    press(&mut stand, Key::Tab);
    let first = focused(&stand);
    press(&mut stand, Key::Tab);
    assert!(first.is_some() && first != focused(&stand));
}

fn question_mark_shows_the_sheet() {
    let mut stand = troubled(View::Overview);
    stand.event(egui::Event::Text("?".to_owned()));
    stand.run();
    for (key, does) in SHORTCUTS {
        stand.get_by_label(key);
        stand.get_by_label(does);
    }
    press(&mut stand, Key::Escape);
    assert!(stand.query_by_label("this sheet").is_none());
}

#[test]
fn whatever_can_be_clicked_can_be_reached_by_tab() {
    for view in View::ALL {
        let mut stand = stand(view, published(3, 20, Trouble::default()), Theme::Dark);
        let all = reachable(&stand);
        let mut missed: Vec<_> = all.iter().map(|it| (it.role, it.name.clone())).collect();
        for _ in 0..all.len() + 4 {
            press(&mut stand, Key::Tab);
            let focused = reachable(&stand).into_iter().find(|it| it.is_focused);
            // A figure to drag becomes a field once it has the focus: names tell, not roles.
            missed.retain(|(_, name)| {
                let is_it = |it: &Reachable| it.name == *name;
                !focused.as_ref().is_some_and(is_it)
            });
        }
        // What scrolls follows what has the focus.
        missed.retain(|(role, _)| *role != Role::ScrollBar);
        assert!(missed.is_empty(), "{view:?}: never reached: {missed:?}");
    }
}

#[test]
fn a_key_is_found_a_node_selected_and_its_removal_simulated_without_a_pointer() {
    let mut stand = troubled(View::Overview);
    press_with_ctrl(&mut stand, Key::K);
    stand
        .get_by_label("Find a key, node or command")
        .type_text("user:42");
    stand.run();
    press(&mut stand, Key::Enter);
    assert_eq!(shown(&stand), View::Ring);
    stand.get_by_label_contains("key user:42 lies on cache-0");
    press(&mut stand, Key::ArrowDown);
    press(&mut stand, Key::W);
    assert_eq!(shown(&stand), View::WhatIf);
    stand.get_by_label_contains("% of keys move");
    press(&mut stand, Key::Escape);
    press(&mut stand, Key::Escape);
    assert_eq!(shown(&stand), View::Ring);
}

#[test]
fn arrows_walk_through_scanned_keys_and_esc_closes_the_key() {
    let data = published(5, 20, Trouble::ALL);
    let asked = asked(&data);
    let data = memlens_dashboard::published::Published { asked, ..data };
    let mut stand = stand(View::Keys, data, Theme::Dark);
    press(&mut stand, Key::ArrowDown);
    stand.get_by_label("On the ring");
    press(&mut stand, Key::Escape);
    assert!(stand.query_by_label("On the ring").is_none());
    assert_eq!(shown(&stand), View::Keys);
}

#[test]
fn while_somebody_types_keys_are_letters() {
    let mut stand = troubled(View::Nodes);
    type_into(&mut stand, "Filter nodes", "cache");
    for key in [Key::R, Key::W, Key::E, Key::Num1, Key::Space] {
        press(&mut stand, key);
    }
    assert!(stand.state().commands.is_empty());
    assert_eq!(shown(&stand), View::Nodes);
    let filter = stand.get_by_role_and_label(Role::TextInput, "Filter nodes");
    assert!(filter.is_focused());
}

#[test]
fn keys_that_fall_into_one_frame_are_all_heeded() {
    let mut stand = troubled(View::Nodes);
    press(&mut stand, Key::Num2);
    for key in [Key::Escape, Key::N, Key::W] {
        stand.input_mut().events.push(egui::Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        });
    }
    stand.run();
    assert_eq!(shown(&stand), View::WhatIf);
    stand.get_by_label("remove cache-01:11211  ×");
}
