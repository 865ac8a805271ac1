//! What keys do anywhere, as long as nobody is typing into a field or asked by a dialog.

use std::sync::Arc;

use egui::{Event, Key, Modifiers, ThemePreference, Ui};

use super::Shell;
use crate::published::Command;
use crate::views::{Action, Export, ExportContent, TimeWindow, View, ViewContext};
use crate::widgets::{is_typing, pressed, pressed_beside_controls};

const NUMBERS: [Key; 9] = [
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

/// Keys that mean the same on every screen.
pub(super) fn before_view(
    ui: &Ui,
    shell: &mut Shell,
    cx: &ViewContext<'_>,
    actions: &mut Vec<Action>,
) {
    if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::K)) {
        shell.omnibox.open(ui);
    }
    if typed(ui, "?") && !ui.text_edit_focused() {
        shell.help.toggle();
    }
    if is_typing(ui) {
        return;
    }
    for (key, view) in NUMBERS.into_iter().zip(View::ALL) {
        if pressed(ui, key) {
            actions.push(Action::Open(view));
        }
    }
    // Space also presses the button that has the focus; there it must not pause as well.
    if pressed_beside_controls(ui, Key::Space) {
        actions.push(Action::Command(Command::Pause(!cx.published.is_paused)));
    }
    if pressed(ui, Key::R) {
        actions.push(Action::Command(Command::Refresh));
    }
    about_nodes(ui, cx, actions);
    for (key, step) in [(Key::OpenBracket, -1), (Key::CloseBracket, 1)] {
        if pressed(ui, key) {
            actions.push(Action::SetWindow(other_window(cx.desk.window, step)));
        }
    }
    if pressed(ui, Key::T) {
        let mut preferences = cx.desk.preferences.clone();
        preferences.theme = if ui.visuals().dark_mode {
            ThemePreference::Light
        } else {
            ThemePreference::Dark
        };
        actions.push(Action::SetPreferences(Box::new(preferences)));
    }
    if pressed(ui, Key::S) {
        actions.push(Action::Export(Export {
            file_name: format!("memlens-{}.png", shell.view.slug()),
            content: ExportContent::Picture,
        }));
    }
}

/// Keys that a screen may have a better use for, and did not take.
pub(super) fn after_view(
    ui: &Ui,
    shell: &mut Shell,
    cx: &ViewContext<'_>,
    actions: &mut Vec<Action>,
) {
    if pressed(ui, Key::Slash) {
        shell.omnibox.open(ui);
    }
    let selected = cx.desk.selected.as_ref();
    if shell.view != View::Nodes && selected.is_some() && pressed_beside_controls(ui, Key::Enter) {
        actions.push(Action::Open(View::Nodes));
    }
    // Esc in a field leaves the field, and no more.
    if !cx.desk.was_typing && pressed(ui, Key::Escape) {
        match selected {
            Some(_) => actions.push(Action::Select(None)),
            None => shell.go_back(),
        }
    }
    shell.desk.was_typing = is_typing(ui);
}

/// Which node is selected, and what if it was not there. Several keys can fall into one frame: each
/// sees what the one before it did.
fn about_nodes(ui: &Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let mut selected = cx.desk.selected.clone();
    for (key, step) in [(Key::N, 1), (Key::P, -1)] {
        if pressed(ui, key) {
            selected = neighbour(cx, step);
            actions.push(Action::Select(selected.clone()));
        }
    }
    if let Some(node) = selected
        && pressed(ui, Key::W)
    {
        actions.push(Action::SimulateRemoval(node));
    }
}

/// Whether a sign was typed, on whatever key of whatever keyboard it lies.
fn typed(ui: &Ui, sign: &str) -> bool {
    ui.input(|input| {
        let mut events = input.events.iter();
        events.any(|event| matches!(event, Event::Text(text) if text == sign))
    })
}

fn neighbour(cx: &ViewContext<'_>, step: isize) -> Option<Arc<str>> {
    let nodes = &cx.snapshot.nodes;
    let count = isize::try_from(nodes.len())
        .ok()
        .filter(|count| *count > 0)?;
    let place = match cx.selected().and_then(|place| isize::try_from(place).ok()) {
        Some(place) => (place + step).rem_euclid(count),
        None if step > 0 => 0,
        None => count - 1,
    };
    let node = nodes.get(usize::try_from(place).ok()?)?;
    Some(Arc::clone(&node.name))
}

fn other_window(current: TimeWindow, step: isize) -> TimeWindow {
    let place = TimeWindow::ALL
        .iter()
        .position(|window| *window == current)
        .unwrap_or(0);
    let place = place
        .saturating_add_signed(step)
        .min(TimeWindow::ALL.len() - 1);
    TimeWindow::ALL[place]
}
