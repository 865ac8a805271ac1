//! The screen "Slabs": where memory goes, class by class and node by node, and what to do about it.

mod detail;
mod heat;
mod memory;
mod one_node;
mod suggestions;

use std::sync::Arc;
use std::time::Duration;

use egui::{ComboBox, Key, Rect, Role, Ui, vec2};

use super::{Action, Condition, Export, ViewContext};
use crate::model::{ClassMatrix, ClassMetric, Subject};
use crate::theme::{CARD_PADDING, GAP_LARGE, Theme};
use crate::widgets::{
    Empty, Split, TableState, card, card_with, columns, empty, ghost_button, named, place, pressed,
    pressed_beside_controls, rows, segmented, skeleton,
};

/// Width of what is said of one class, in points.
const DETAIL: f32 = 400.0;

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct SlabsView {
    metric: ClassMetric,
    /// The chunk size of the class that was chosen.
    chunk_size: Option<u64>,
    matrix: Option<(Duration, ClassMetric, Arc<ClassMatrix>)>,
    /// Whether one node is shown and not all.
    is_one_node: bool,
    table: TableState,
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
        if cx.desk.selected.is_none() {
            self.is_one_node = false;
        }
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
            picked = self.classes_card(ui, cx, &matrix, chosen, &mut actions);
        });
        place(ui, top[1], |ui| {
            detail::ui(ui, cx, &matrix, chosen, &mut actions);
        });
        let only = chosen
            .map(|chosen| chosen.node)
            .filter(|_| self.is_one_node);
        place(ui, bottom[0], |ui| memory::ui(ui, cx, only, &mut actions));
        place(ui, bottom[1], |ui| suggestions::ui(ui, cx, &mut actions));
        let moved = || match self.is_one_node {
            true => None,
            false => moved_by_keys(ui, &matrix, chosen),
        };
        if let Some(place) = picked.or_else(moved) {
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

    /// The map of all nodes, or the classes of one.
    fn classes_card(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        matrix: &ClassMatrix,
        chosen: Option<Chosen>,
        actions: &mut Vec<Action>,
    ) -> Option<Chosen> {
        let mut export = pressed(ui, Key::E);
        let one = chosen.filter(|_| self.is_one_node);
        let metric = self.metric;
        let beside = |ui: &mut Ui| {
            export |= ghost_button(ui, "Export CSV").clicked();
            self.choose_scope(ui, cx, one, actions);
            if one.is_none() {
                let choices = ClassMetric::ALL.map(|metric| (metric, title(metric)));
                segmented(ui, &mut self.metric, &choices);
            }
        };
        let mut file = None;
        card_with(ui, ui.max_rect(), "Slab classes", beside, |_| ());
        let inner = ui.max_rect().shrink(CARD_PADDING);
        let body = Rect::from_min_max(inner.min + vec2(0.0, 34.0), inner.max);
        let picked = place(ui, body, |ui| match one {
            Some(one) => {
                let (picked, text) = one_node::ui(ui, cx, matrix, one, &mut self.table, export);
                file = text.map(|text| ("classes".to_owned(), text));
                picked
            }
            None => {
                if export {
                    let nodes = cx.snapshot.nodes.iter().map(|node| &*node.name);
                    file = Some((metric.label().to_owned(), matrix.csv(nodes)));
                }
                heat::ui(ui, cx, matrix, metric, chosen)
            }
        });
        if let Some((what, text)) = file {
            let name = format!("memlens-slabs-{}.csv", what.replace(['/', ' '], "-"));
            actions.push(Action::Export(Export::text(name, &text)));
        }
        picked
    }

    /// Chooses between all nodes and one of them.
    fn choose_scope(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        one: Option<Chosen>,
        actions: &mut Vec<Action>,
    ) {
        let theme = Theme::of(ui);
        let current = one.map_or("All nodes", |one| cx.label(one.node));
        let combo = ComboBox::from_id_salt("nodes shown")
            .width(104.0)
            .selected_text(theme.soft(current))
            .show_ui(ui, |ui| {
                if ui.selectable_label(one.is_none(), "All nodes").clicked() {
                    self.is_one_node = false;
                }
                for (index, node) in cx.snapshot.nodes.iter().enumerate() {
                    let is_it = one.is_some_and(|one| one.node == index);
                    if ui.selectable_label(is_it, cx.label(index)).clicked() {
                        self.is_one_node = true;
                        actions.push(Action::Select(Some(Arc::clone(&node.name))));
                    }
                }
            });
        let name = format!("Nodes shown: {current}");
        named(combo.response, Role::ComboBox, name);
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

/// What a metric is called on a button or above a column.
const fn title(metric: ClassMetric) -> &'static str {
    match metric {
        ClassMetric::Evictions => "Evictions/s",
        ClassMetric::Waste => "Waste",
        ClassMetric::TailAge => "Tail age",
        ClassMetric::Used => "Used",
        ClassMetric::Reuse => "Reuse",
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
    let pressed = |key| pressed_beside_controls(ui, key);
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
    let condition = cx.condition();
    card(ui, ui.max_rect(), "Slab classes", "", |ui| {
        let room = ui.available_rect_before_wrap();
        if condition == Condition::Connecting {
            skeleton(ui, room, 8);
            return;
        }
        let text = condition.text();
        let what = match condition.title() {
            Some(title) if !matches!(condition, Condition::Stale(_)) => {
                Empty { title, text: &text }
            }
            _ => Empty {
                title: "No slab classes yet",
                text: "They are asked for every 5 seconds; a server without items has none.",
            },
        };
        empty(ui, room, what);
    });
}
