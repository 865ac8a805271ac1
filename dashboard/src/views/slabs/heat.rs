//! The heat map: a row for each chunk size, a column for each node, all of it in one mesh.

use egui::{Align2, Color32, Mesh, Rect, Response, Role, Sense, Shape, Stroke, StrokeKind, Ui};
use egui::{pos2, vec2};

use super::super::{ViewContext, state_text};
use super::Chosen;
use crate::format::{UNKNOWN, ago, compact, compact_with};
use crate::model::wording::bytes;
use crate::model::{ClassMatrix, ClassMetric};
use crate::theme::{SMALL, Theme, mix, mono, regular};
use crate::widgets::{named, named_by, paint_text};

/// Width of the chunk sizes at the left, in points.
const LABELS: f32 = 66.0;
/// Height of the nodes' names at the top, in points.
const HEAD: f32 = 18.0;
/// Height of the legend at the bottom, in points.
const FOOT: f32 = 24.0;
/// The largest cell.
const LARGEST_CELL: [f32; 2] = [260.0, 36.0];
/// Cells from this size on carry their figure.
const CELL_WITH_TEXT: [f32; 2] = [40.0, 14.0];
/// With more cells than this, rows are what can be reached, and the pointer tells the node.
const MOST_REACHABLE: usize = 600;

/// Where the parts of the map lie.
#[derive(Clone, Copy)]
struct Layout {
    grid: Rect,
    cell: egui::Vec2,
}

impl Layout {
    fn new(room: Rect, matrix: &ClassMatrix) -> Self {
        let corner = room.min + vec2(LABELS, HEAD);
        let space = room.max - corner - vec2(0.0, FOOT);
        let count = vec2(
            matrix.nodes.max(1) as f32,
            matrix.chunk_sizes.len().max(1) as f32,
        );
        let cell = vec2(
            (space.x / count.x).clamp(2.0, LARGEST_CELL[0]),
            (space.y / count.y).clamp(4.0, LARGEST_CELL[1]),
        );
        let grid = Rect::from_min_size(corner, vec2(cell.x * count.x, cell.y * count.y));
        Self { grid, cell }
    }

    fn cell(&self, place: Chosen) -> Rect {
        let offset = vec2(
            place.node as f32 * self.cell.x,
            place.row as f32 * self.cell.y,
        );
        let gap = if self.cell.x > 5.0 && self.cell.y > 5.0 {
            1.0
        } else {
            0.0
        };
        Rect::from_min_size(self.grid.min + offset, self.cell - vec2(gap, gap))
    }

    fn row(&self, row: usize) -> Rect {
        let top = self.grid.top() + row as f32 * self.cell.y;
        Rect::from_min_size(
            pos2(self.grid.left(), top),
            vec2(self.grid.width(), self.cell.y),
        )
    }

    fn node_at(&self, x: f32) -> usize {
        ((x - self.grid.left()) / self.cell.x).max(0.0) as usize
    }
}

/// Draws the map in what is left of `ui`. Returns the place that was clicked.
pub(super) fn ui(
    ui: &Ui,
    cx: &ViewContext<'_>,
    matrix: &ClassMatrix,
    metric: ClassMetric,
    chosen: Option<Chosen>,
) -> Option<Chosen> {
    let room = ui.available_rect_before_wrap();
    let layout = Layout::new(room, matrix);
    paint_cells(ui, cx, matrix, layout, metric);
    paint_labels(ui, cx, matrix, layout, chosen);
    legend(ui, room, matrix, metric);
    if let Some(chosen) = chosen {
        let stroke = Stroke::new(2.0, Theme::of(ui).text);
        let rect = layout.cell(chosen).expand(0.5);
        ui.painter()
            .rect_stroke(rect, 2.0, stroke, StrokeKind::Outside);
    }
    reach(ui, cx, matrix, layout, metric)
}

fn paint_cells(
    ui: &Ui,
    cx: &ViewContext<'_>,
    matrix: &ClassMatrix,
    layout: Layout,
    metric: ClassMetric,
) {
    let theme = Theme::of(ui);
    let mut mesh = Mesh::default();
    for (node, snapshot) in cx.snapshot.nodes.iter().enumerate() {
        if !snapshot.state.is_answering() {
            let first = layout.cell(Chosen { node, row: 0 });
            let column = Rect::from_x_y_ranges(first.x_range(), layout.grid.y_range());
            mesh.add_colored_rect(column, mix(theme.panel, theme.track, 0.55));
        }
    }
    let has_text = layout.cell.x >= CELL_WITH_TEXT[0] && layout.cell.y >= CELL_WITH_TEXT[1];
    let mut texts = Vec::new();
    for row in 0..matrix.chunk_sizes.len() {
        for node in 0..matrix.nodes {
            let Some(cell) = matrix.cell(row, node) else {
                continue;
            };
            let rect = layout.cell(Chosen { node, row });
            let shade = cell.value.map_or(0.0, |value| matrix.shade(value));
            mesh.add_colored_rect(rect, theme.heat(shade));
            if has_text {
                let text = cell.value.map_or_else(
                    || UNKNOWN.to_owned(),
                    |value| short_text(metric, f64::from(value)),
                );
                texts.push((rect, text, text_on(theme, shade)));
            }
        }
    }
    ui.painter().add(Shape::mesh(mesh));
    for (rect, text, color) in texts {
        let room = rect.shrink2(vec2(3.0, 0.0));
        paint_text(ui, room, Align2::CENTER_CENTER, &text, mono(10.5), color);
    }
}

/// The colour of text that can be read on a cell of this shade.
pub(super) fn text_on(theme: &Theme, shade: f32) -> Color32 {
    match (theme.is_dark, shade) {
        (true, 0.70..) => theme.background,
        (false, 0.80..) => theme.panel,
        _ => theme.text,
    }
}

fn paint_labels(
    ui: &Ui,
    cx: &ViewContext<'_>,
    matrix: &ClassMatrix,
    layout: Layout,
    chosen: Option<Chosen>,
) {
    let theme = Theme::of(ui);
    // As many labels as there is room for, evenly spread.
    let every = (12.0 / layout.cell.y).ceil().max(1.0) as usize;
    for (row, size) in matrix.chunk_sizes.iter().enumerate() {
        let is_chosen = chosen.is_some_and(|chosen| chosen.row == row);
        if row % every != 0 && !is_chosen {
            continue;
        }
        let line = layout.row(row);
        let centre = pos2(layout.grid.left() - LABELS / 2.0 - 3.0, line.center().y);
        let rect = Rect::from_center_size(centre, vec2(LABELS - 6.0, 12.0));
        let color = if is_chosen {
            theme.text
        } else {
            theme.text_soft
        };
        if is_chosen {
            ui.painter().rect_filled(rect, 0.0, theme.panel);
        }
        paint_text(
            ui,
            rect,
            Align2::RIGHT_CENTER,
            &bytes(*size),
            mono(10.0),
            color,
        );
    }
    let longest = cx.cluster.node_names().len().min(matrix.nodes);
    let widest = (0..longest)
        .map(|node| cx.label(node).chars().count())
        .max()
        .unwrap_or(1);
    let every = ((widest as f32 * 6.4 + 10.0) / layout.cell.x)
        .ceil()
        .max(1.0) as usize;
    let chosen_node = chosen.map(|chosen| chosen.node);
    for node in 0..matrix.nodes {
        let is_chosen = chosen_node == Some(node);
        // The chosen node's name takes the room of its neighbours' names.
        let is_in_the_way = chosen_node.is_some_and(|chosen| node.abs_diff(chosen) < every);
        let is_cut = every > 1 && node + every > matrix.nodes;
        if !is_chosen && (node % every != 0 || is_in_the_way || is_cut) {
            continue;
        }
        let cell = layout.cell(Chosen { node, row: 0 });
        let width = layout.cell.x * every as f32;
        let farthest = (layout.grid.right() - width).max(layout.grid.left());
        let left = pos2(cell.left().min(farthest), layout.grid.top() - HEAD);
        let rect = Rect::from_min_size(left, vec2(width, HEAD - 4.0));
        let is_up = cx
            .snapshot
            .nodes
            .get(node)
            .is_some_and(|node| node.state.is_answering());
        let color = match (is_chosen, is_up) {
            (_, false) => theme.text_faint,
            (true, _) => theme.text,
            _ => theme.text_soft,
        };
        paint_text(
            ui,
            rect,
            Align2::LEFT_CENTER,
            cx.label(node),
            mono(10.0),
            color,
        );
    }
}

fn legend(ui: &Ui, room: Rect, matrix: &ClassMatrix, metric: ClassMetric) {
    let theme = Theme::of(ui);
    let line = Rect::from_min_max(pos2(room.left(), room.bottom() - FOOT + 8.0), room.max);
    let ramp = Rect::from_min_size(pos2(line.left() + 24.0, line.top() + 3.0), vec2(96.0, 9.0));
    let mut mesh = Mesh::default();
    for step in 0..24 {
        let width = ramp.width() / 24.0;
        let left = ramp.left() + step as f32 * width;
        let rect = Rect::from_min_size(pos2(left, ramp.top()), vec2(width + 0.5, ramp.height()));
        mesh.add_colored_rect(rect, theme.heat(step as f32 / 23.0));
    }
    ui.painter().add(Shape::mesh(mesh));
    let text = |left: f32, width: f32, align: Align2, text: &str| {
        let rect = Rect::from_min_size(pos2(left, line.top()), vec2(width, 15.0));
        paint_text(ui, rect, align, text, regular(SMALL), theme.text_faint)
    };
    text(line.left(), 18.0, Align2::RIGHT_CENTER, "0");
    let most = matrix.largest.map_or(UNKNOWN.to_owned(), |most| {
        metric_text(metric, f64::from(most))
    });
    let end = text(ramp.right() + 6.0, 90.0, Align2::LEFT_CENTER, &most).right();
    let is_quiet = metric == ClassMetric::Evictions && matrix.largest.unwrap_or(0.0) <= 0.0;
    let formula = if is_quiet {
        "nothing is evicted · Waste and Used show where memory is".to_owned()
    } else {
        format!("shade by logarithm · {}", metric.formula())
    };
    let left = end + 16.0;
    text(
        left,
        (line.right() - left).max(0.0),
        Align2::LEFT_CENTER,
        &formula,
    );
}

/// Makes the cells, or the rows of a large map, something that can be pointed at and clicked.
fn reach(
    ui: &Ui,
    cx: &ViewContext<'_>,
    matrix: &ClassMatrix,
    layout: Layout,
    metric: ClassMetric,
) -> Option<Chosen> {
    let mut clicked = None;
    let reachable = matrix.chunk_sizes.len() * matrix.nodes <= MOST_REACHABLE;
    for row in 0..matrix.chunk_sizes.len() {
        if !reachable {
            clicked = clicked.or(reach_row(ui, cx, matrix, layout, metric, row));
            continue;
        }
        for node in 0..matrix.nodes {
            let place = Chosen { node, row };
            if matrix.cell(row, node).is_none() {
                continue;
            }
            let id = ui.scope_id().with(("cell", row, node));
            let response = ui.interact(layout.cell(place), id, Sense::click());
            let name = || cell_name(cx, matrix, metric, place);
            let response = named_by(response, Role::Button, name);
            hover(ui, cx, matrix, layout, metric, place, &response);
            if response.clicked() {
                clicked = Some(place);
            }
        }
    }
    clicked
}

fn reach_row(
    ui: &Ui,
    cx: &ViewContext<'_>,
    matrix: &ClassMatrix,
    layout: Layout,
    metric: ClassMetric,
    row: usize,
) -> Option<Chosen> {
    let response = ui.interact(
        layout.row(row),
        ui.scope_id().with(("row", row)),
        Sense::click(),
    );
    let values = (0..matrix.nodes).filter_map(|node| {
        let value = matrix.cell(row, node)?.value?;
        Some((node, value))
    });
    let most = values.max_by(|one, other| one.1.total_cmp(&other.1));
    let size = bytes(matrix.chunk_sizes[row]);
    let name = most.map_or_else(
        || format!("chunks of {size}"),
        |(node, value)| {
            let value = metric_text(metric, f64::from(value));
            format!(
                "chunks of {size}: {} at most {value}, on {}",
                metric.label(),
                cx.label(node)
            )
        },
    );
    let response = named(response, Role::Button, name);
    let pointed = response.hover_pos().map(|pointer| Chosen {
        node: layout.node_at(pointer.x),
        row,
    });
    if let Some(place) = pointed {
        hover(ui, cx, matrix, layout, metric, place, &response);
    }
    let picked = pointed.or_else(|| most.map(|(node, _)| Chosen { node, row }));
    picked.filter(|place| response.clicked() && matrix.cell(row, place.node).is_some())
}

fn hover(
    ui: &Ui,
    cx: &ViewContext<'_>,
    matrix: &ClassMatrix,
    layout: Layout,
    metric: ClassMetric,
    place: Chosen,
    response: &Response,
) {
    if !(response.hovered() || response.has_focus()) || place.node >= matrix.nodes {
        return;
    }
    let stroke = Stroke::new(1.0, Theme::of(ui).text_soft);
    ui.painter()
        .rect_stroke(layout.cell(place), 1.0, stroke, StrokeKind::Outside);
    response.clone().on_hover_ui_at_pointer(|ui| {
        let theme = Theme::of(ui);
        ui.label(theme.strong(cell_name(cx, matrix, metric, place)));
        ui.label(theme.soft(format!(
            "chunks of {}",
            bytes(matrix.chunk_sizes[place.row])
        )));
        if let Some(node) = cx.snapshot.nodes.get(place.node) {
            ui.label(theme.soft(state_text(node)));
        }
    });
}

fn cell_name(
    cx: &ViewContext<'_>,
    matrix: &ClassMatrix,
    metric: ClassMetric,
    place: Chosen,
) -> String {
    let node = cx.label(place.node);
    match matrix.cell(place.row, place.node) {
        Some(cell) => {
            let value = cell.value.map_or_else(
                || UNKNOWN.to_owned(),
                |value| metric_text(metric, f64::from(value)),
            );
            format!("class {} on {node}: {} {value}", cell.class, metric.label())
        }
        None => format!(
            "{node} has no class of {}",
            bytes(matrix.chunk_sizes[place.row])
        ),
    }
}

/// A value with its unit.
pub(super) fn metric_text(metric: ClassMetric, value: f64) -> String {
    match metric {
        ClassMetric::Evictions => compact_with(Some(value), "/s"),
        ClassMetric::Waste | ClassMetric::Used => bytes(value as u64),
        ClassMetric::TailAge => ago(std::time::Duration::from_secs(value as u64)),
        ClassMetric::Reuse => compact_with(Some(value), "reads/store"),
    }
}

/// A value as short as a cell needs it.
pub(super) fn short_text(metric: ClassMetric, value: f64) -> String {
    match metric {
        ClassMetric::Evictions | ClassMetric::Reuse => {
            let (figure, prefix) = compact(Some(value));
            format!("{figure}{prefix}")
        }
        _ => metric_text(metric, value),
    }
}
