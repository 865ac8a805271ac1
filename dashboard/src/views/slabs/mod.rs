//! The screen "Slabs": where memory goes, class by class and node by node, and what to do about it.

mod detail;
mod heat;
mod memory;
mod suggestions;

use std::sync::Arc;
use std::time::Duration;

use egui::{Key, Modifiers, Ui};

use super::{Action, ViewContext};
use crate::model::{ClassMatrix, ClassMetric, NodeState, Subject};
use crate::theme::GAP_LARGE;
use crate::widgets::{Empty, Split, card, columns, empty, place, rows, skeleton};

/// Width of what is said of one class, in points.
const DETAIL: f32 = 400.0;

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct SlabsView {
    metric: ClassMetric,
    /// The chunk size of the class that was chosen.
    chunk_size: Option<u64>,
    matrix: Option<(Duration, ClassMetric, Arc<ClassMatrix>)>,
}

/// The class on the node that is shown in depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chosen {
    node: usize,
    row: usize,
}

impl SlabsView {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        let matrix = self.matrix(cx);
        if matrix.chunk_sizes.is_empty() {
            nothing_yet(ui, cx);
            return actions;
        }
        let chosen = self.chosen(cx, &matrix);
        let parts = rows(
            ui.max_rect(),
            GAP_LARGE,
            &[Split::Share(1.35), Split::Share(1.0)],
        );
        let widths = [Split::Share(1.0), Split::Exact(DETAIL)];
        let top = columns(parts[0], GAP_LARGE, &widths);
        let bottom = columns(parts[1], GAP_LARGE, &widths);
        let mut picked = None;
        place(ui, top[0], |ui| {
            picked = heat::ui(ui, cx, &matrix, &mut self.metric, chosen, &mut actions);
        });
        place(ui, top[1], |ui| {
            detail::ui(ui, cx, &matrix, chosen, &mut actions);
        });
        place(ui, bottom[0], |ui| memory::ui(ui, cx, &mut actions));
        place(ui, bottom[1], |ui| suggestions::ui(ui, cx, &mut actions));
        if let Some(place) = picked.or_else(|| moved_by_keys(ui, &matrix, chosen)) {
            self.chunk_size = matrix.chunk_sizes.get(place.row).copied();
            let node = cx
                .snapshot
                .nodes
                .get(place.node)
                .map(|node| node.name.clone());
            actions.push(Action::Select(node));
        }
        actions
    }

    /// The matrix of this snapshot, built once.
    fn matrix(&mut self, cx: &ViewContext<'_>) -> Arc<ClassMatrix> {
        let at = cx.snapshot.at;
        match &self.matrix {
            Some((then, metric, matrix)) if *then == at && *metric == self.metric => {
                Arc::clone(matrix)
            }
            _ => {
                let matrix = Arc::new(ClassMatrix::new(cx.snapshot, self.metric));
                self.matrix = Some((at, self.metric, Arc::clone(&matrix)));
                matrix
            }
        }
    }

    /// What somebody chose, or else what is most worth looking at.
    fn chosen(&self, cx: &ViewContext<'_>, matrix: &ClassMatrix) -> Option<Chosen> {
        let row_of = |size: u64| matrix.chunk_sizes.iter().position(|chunk| *chunk == size);
        let selected = cx.selected();
        if let Some((node, row)) = selected.zip(self.chunk_size.and_then(row_of)) {
            return Some(Chosen { node, row });
        }
        if selected.is_none()
            && let Some(advised) = advised(cx, matrix)
        {
            return Some(advised);
        }
        most(matrix, selected)
    }
}

/// The class that the worst finding is about.
fn advised(cx: &ViewContext<'_>, matrix: &ClassMatrix) -> Option<Chosen> {
    cx.published.advice.iter().find_map(|advice| {
        let Subject::Class { node, class } = &advice.subject else {
            return None;
        };
        let node = cx
            .snapshot
            .nodes
            .iter()
            .position(|known| known.name == *node)?;
        let is_it = |row: &usize| {
            matrix
                .cell(*row, node)
                .is_some_and(|cell| cell.class == *class)
        };
        let row = (0..matrix.chunk_sizes.len()).find(is_it)?;
        Some(Chosen { node, row })
    })
}

/// The place with the largest value, on one node or on any.
fn most(matrix: &ClassMatrix, node: Option<usize>) -> Option<Chosen> {
    let nodes = node.map_or(0..matrix.nodes, |node| node..node + 1);
    let rows = 0..matrix.chunk_sizes.len();
    let places = rows.flat_map(|row| nodes.clone().map(move |node| Chosen { node, row }));
    places
        .filter_map(|place| {
            let cell = matrix.cell(place.row, place.node)?;
            Some((cell.value.unwrap_or(-1.0), place))
        })
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, place)| place)
}

/// Where the arrow keys lead from the chosen place: to the next cell that there is.
fn moved_by_keys(ui: &Ui, matrix: &ClassMatrix, chosen: Option<Chosen>) -> Option<Chosen> {
    let chosen = chosen?;
    if ui.text_edit_focused() {
        return None;
    }
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let (down, right): (isize, isize) = if pressed(Key::ArrowDown) {
        (1, 0)
    } else if pressed(Key::ArrowUp) {
        (-1, 0)
    } else if pressed(Key::ArrowRight) {
        (0, 1)
    } else if pressed(Key::ArrowLeft) {
        (0, -1)
    } else {
        return None;
    };
    let mut place = chosen;
    loop {
        place = Chosen {
            node: place.node.checked_add_signed(right)?,
            row: place.row.checked_add_signed(down)?,
        };
        if place.node >= matrix.nodes || place.row >= matrix.chunk_sizes.len() {
            return None;
        }
        if matrix.cell(place.row, place.node).is_some() {
            return Some(place);
        }
    }
}

fn nothing_yet(ui: &mut Ui, cx: &ViewContext<'_>) {
    let rect = ui.max_rect();
    let is =
        |state: fn(&NodeState) -> bool| cx.snapshot.nodes.iter().all(|node| state(&node.state));
    card(ui, rect, "Slab classes", "", |ui| {
        let room = ui.available_rect_before_wrap();
        if is(|state| *state == NodeState::Connecting) {
            skeleton(ui, room, 8);
        } else if is(|state| *state == NodeState::Unauthenticated) {
            let what = Empty {
                title: "Every node wants a login",
                text: "Slab classes can only be read after one.",
            };
            empty(ui, room, what);
        } else if is(|state| !state.is_answering()) {
            let what = Empty {
                title: "No node answers",
                text: "Slab classes show once one does.",
            };
            empty(ui, room, what);
        } else {
            let what = Empty {
                title: "No slab classes yet",
                text: "They are asked for every 5 seconds; a server without items has none.",
            };
            empty(ui, room, what);
        }
    });
}
