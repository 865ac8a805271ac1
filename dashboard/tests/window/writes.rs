//! Servers are never changed by a single click, and not at all unless that was allowed.

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use memlens_dashboard::preferences::Preferences;
use memlens_dashboard::published::{Command, Write, WriteCommand};
use memlens_dashboard::rehearsal::{Trouble, published};
use memlens_dashboard::shell::Shell;
use memlens_dashboard::views::View;

use super::names::full;
use super::stand::{Reachable, Stand, click_at, reachable, stand_with, type_into};

/// What leads to a change of a server, as it stands on the screens.
const WRITES: [&str; 6] = [
    "Change…",
    "Delete…",
    "Move a page",
    "Forget all items…",
    "Memory limit",
    "Send",
];

/// A screen with everything on it; on "Keys", with a key chosen.
fn screen(view: View, may_write: bool) -> Stand {
    let mut stand = full(view, may_write);
    choose_key(&mut stand, view);
    stand
}

/// Brings a screen back to what [`screen`] shows, without making all of it anew.
fn reset(stand: &mut Stand, view: View) {
    let node = stand.state().published.snapshot.as_ref().unwrap().nodes[1]
        .name
        .clone();
    let mut shell = Shell::new(view, Preferences::default(), true);
    shell.select(node);
    let scene = stand.state_mut();
    scene.shell = shell;
    scene.commands.clear();
    egui::Popup::close_all(&stand.ctx);
    stand.ctx.set_zoom_factor(1.0);
    stand.run_ok();
    choose_key(stand, view);
}

fn choose_key(stand: &mut Stand, view: View) {
    if view != View::Keys {
        return;
    }
    let rows = reachable(stand);
    let mut keys = rows
        .iter()
        .filter(|it| it.role == Role::Row && !it.name.starts_with("prefix"));
    let first = keys.next().expect("keys are listed").place;
    click_at(stand, first);
}

fn has_written(stand: &Stand) -> bool {
    let commands = &stand.state().commands;
    commands
        .iter()
        .any(|command| matches!(command, Command::Write(_)))
}

/// What was clickable after a click and was not before: a menu's entries, a dialog's buttons.
fn new_ones(before: &[Reachable], after: Vec<Reachable>) -> Vec<Reachable> {
    after
        .into_iter()
        .filter(|it| before.iter().all(|known| known.name != it.name))
        .collect()
}

/// Clicks everything on a screen once, and everything that comes of it once more. Returns how often
/// it was asked whether a server shall really be changed.
fn sweep(view: View) -> usize {
    let mut proposals = 0;
    let mut stand = screen(view, true);
    let all = reachable(&stand);
    for target in &all {
        reset(&mut stand, view);
        click_at(&mut stand, target.place);
        assert!(!has_written(&stand), "{view:?}: {target:?} writes at once");
        proposals += usize::from(is_asking(&stand));
        let shown = reachable(&stand);
        for inner in new_ones(&all, shown) {
            click_at(&mut stand, inner.place);
            let has = has_written(&stand);
            assert!(!has, "{view:?}: {inner:?} writes after {target:?}");
            proposals += usize::from(is_asking(&stand));
        }
    }
    proposals
}

fn is_asking(stand: &Stand) -> bool {
    stand.query_by_label("name of the node").is_some()
}

#[test]
fn no_click_on_the_nodes_screen_changes_a_server() {
    assert!(sweep(View::Nodes) > 0, "the sweep meets a proposal");
}

#[test]
fn no_click_on_the_slabs_screen_changes_a_server() {
    assert!(sweep(View::Slabs) > 0, "the sweep meets a proposal");
}

#[test]
fn no_click_on_the_keys_screen_changes_a_server() {
    assert!(sweep(View::Keys) > 0, "the sweep meets a proposal");
}

#[test]
fn no_click_on_any_other_screen_changes_a_server() {
    for view in [
        View::Overview,
        View::Ring,
        View::WhatIf,
        View::Live,
        View::Alerts,
        View::Settings,
    ] {
        sweep(view);
    }
}

#[test]
fn unless_it_was_allowed_nothing_that_writes_is_on_any_screen() {
    for view in View::ALL {
        let stand = screen(view, false);
        for target in reachable(&stand) {
            let writes = WRITES.iter().any(|name| target.name.starts_with(name));
            assert!(!writes, "{view:?}: {target:?}");
        }
    }
}

/// Follows a proposal to its end: the button is dead until the node's name stands there.
fn confirm(stand: &mut Stand, node: &str) {
    click_named(stand, "Send");
    assert!(!has_written(stand), "nothing was typed yet");
    type_into(stand, "name of the node", "cache-0");
    click_named(stand, "Send");
    assert!(!has_written(stand), "that is not all of the name");
    type_into(
        stand,
        "name of the node",
        node.strip_prefix("cache-0").unwrap(),
    );
    click_named(stand, "Send");
}

fn click_named(stand: &mut Stand, name: &str) {
    stand.get_by_role_and_label(Role::Button, name).click();
    stand.run();
}

fn written(stand: &Stand) -> Vec<WriteCommand> {
    let commands = stand.state().commands.iter();
    commands
        .filter_map(|command| match command {
            Command::Write(write) => Some(write.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_key_is_deleted_after_its_nodes_name_was_typed() {
    let mut stand = screen(View::Keys, true);
    click_named(&mut stand, "Delete…");
    let name = stand.state().published.asked.scan.as_ref().map(|scan| {
        let row = scan.table.row(scan.selected[0] as usize).unwrap();
        (
            scan.nodes[usize::from(row.node)].name.clone(),
            row.key.to_vec(),
        )
    });
    let (node, key) = name.unwrap();
    confirm(&mut stand, &node);
    let expected = WriteCommand {
        node,
        write: Write::Delete(key),
    };
    assert_eq!(written(&stand), [expected]);
}

#[test]
fn a_page_is_moved_after_the_nodes_name_was_typed() {
    let data = published(5, 20, Trouble::ALL);
    let mut stand = stand_with(View::Slabs, data, egui::Theme::Dark, true);
    let button = reachable(&stand)
        .into_iter()
        .find(|it| it.name.starts_with("Move a page from class "))
        .expect("the starving class can be given a page");
    click_at(&mut stand, button.place);
    confirm(&mut stand, "cache-02:11211");
    let written = written(&stand);
    assert_eq!(&*written[0].node, "cache-02:11211");
    let Write::SlabsReassign { from, to } = written[0].write else {
        panic!("{written:?}")
    };
    assert_eq!(to, 12);
    assert_ne!(from, to);
}

#[test]
fn what_was_changed_is_listed_with_what_the_server_said() {
    let mut data = published(3, 20, Trouble::default());
    data.audit = std::sync::Arc::new(vec![memlens_dashboard::published::AuditEntry {
        at: std::time::Duration::from_secs(12),
        node: "cache-02:11211".into(),
        line: "slabs reassign 19 12".to_owned(),
        outcome: Err("SERVER_ERROR slabs reassign is off".to_owned()),
    }]);
    let stand = stand_with(View::Settings, data, egui::Theme::Dark, true);
    stand.get_by_label("cache-02:11211 slabs reassign 19 12");
    stand.get_by_label("✗ SERVER_ERROR slabs reassign is off");
}
