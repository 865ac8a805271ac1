//! Every node as a tile, those that need attention first.

use egui::{Align2, Rect, Role, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

use super::super::advice::severity_tone;
use super::super::{Action, View, ViewContext, state_tone, state_word};
use crate::format::{UNKNOWN, compact_with, percent_figure};
use crate::model::{Deltas, NodeSnapshot, NodeState};
use crate::theme::{GAP, SMALL, Theme, mono, regular, semi_bold};
use crate::widgets::{Tone, bar, card, named, paint_text};

/// More nodes than this are cells of a heat map.
const MOST_TILES: usize = 96;
/// The least size of a tile, in points.
const SMALLEST: [f32; 2] = [36.0, 38.0];
/// The largest size of a tile, in points.
const LARGEST: [f32; 2] = [460.0, 190.0];
/// How much wider than high a tile looks best.
const SHAPE: f32 = 1.8;
/// Tiles of at least this height have room for more than the hit rate.
const ROOMY: f32 = 96.0;

/// A node with what its tile says.
struct Tile<'a> {
    index: usize,
    node: &'a NodeSnapshot,
    word: &'static str,
    tone: Tone,
    /// Its requests as a share of the busiest node's.
    load: f32,
}

pub(super) fn ui(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let count = cx.snapshot.nodes.len();
    let hint = if count > MOST_TILES {
        "shade = requests/s · sorted by attention".to_owned()
    } else {
        "figure = hit rate in % · bar = requests/s · sorted by attention".to_owned()
    };
    let title = format!("Nodes · {count}");
    card(ui, ui.max_rect(), &title, &hint, |ui| {
        let tiles = tiles(cx);
        let room = ui.available_rect_before_wrap();
        // Where tiles have no room, cells do: no node is left out.
        match tile_size(room, count).filter(|_| count <= MOST_TILES) {
            Some(size) => grid(ui, cx, &tiles, room, size, actions),
            None => cells(ui, cx, &tiles, room, actions),
        }
    });
}

fn tiles<'a>(cx: &ViewContext<'a>) -> Vec<Tile<'a>> {
    let operations = |node: &NodeSnapshot| node.rate(Deltas::operations_per_second);
    let nodes = &cx.snapshot.nodes;
    let busiest = nodes
        .iter()
        .filter_map(|node| operations(node))
        .fold(0.0, f64::max);
    let mut tiles: Vec<_> = nodes
        .iter()
        .zip(0..)
        .map(|(node, index)| {
            let load = operations(node);
            let (word, tone) = word(cx, node);
            let load = load
                .filter(|_| busiest > 0.0)
                .map_or(0.0, |load| (load / busiest) as f32);
            Tile {
                index,
                node,
                word,
                tone,
                load,
            }
        })
        .collect();
    tiles.sort_by_key(|tile| match tile.tone {
        Tone::Bad => 0,
        Tone::Warn => 1,
        _ => 2,
    });
    tiles
}

/// The worst that is the matter with a node, in a word.
fn word(cx: &ViewContext<'_>, node: &NodeSnapshot) -> (&'static str, Tone) {
    match &node.state {
        NodeState::Up => {}
        state => return (state_word(state), state_tone(state)),
    }
    let mut advice = cx.published.advice.iter();
    let worst = advice.find(|advice| advice.subject.node() == Some(&node.name));
    let evicts = || {
        let rate = node.rate(|deltas| deltas.per_second(deltas.evictions));
        rate.is_some_and(|rate| rate > 0.0)
    };
    match worst {
        Some(advice) => (advice.kind.label(), severity_tone(advice.severity)),
        None if evicts() => ("evicts", Tone::Neutral),
        None => ("", Tone::Neutral),
    }
}

fn grid(
    ui: &Ui,
    cx: &ViewContext<'_>,
    tiles: &[Tile<'_>],
    room: Rect,
    size: [f32; 2],
    actions: &mut Vec<Action>,
) {
    let per_row = (((room.width() + GAP + 0.5) / (size[0] + GAP)) as usize).max(1);
    for (tile, place) in tiles.iter().zip(0..) {
        let (column, row) = (place % per_row, place / per_row);
        let corner = room.min
            + vec2(
                column as f32 * (size[0] + GAP),
                row as f32 * (size[1] + GAP),
            );
        let rect = Rect::from_min_size(corner, vec2(size[0], size[1]));
        if rect.bottom() > room.bottom() + 1.0 {
            break;
        }
        draw_tile(ui, cx, tile, rect, actions);
    }
}

/// The size by which all tiles fit, few places stay empty, and tiles still look like tiles. `None`
/// when there is too little room for them.
fn tile_size(room: Rect, count: usize) -> Option<[f32; 2]> {
    let size = |per_row: usize| {
        let (columns, rows) = (per_row as f32, count.div_ceil(per_row) as f32);
        let width = (room.width() - GAP * (columns - 1.0)) / columns;
        let height = (room.height() - GAP * (rows - 1.0)) / rows;
        [width.min(LARGEST[0]), height.min(LARGEST[1])]
    };
    let flaw = |per_row: usize| {
        let [width, height] = size(per_row);
        let places = per_row * count.div_ceil(per_row);
        let empty = (places - count) as f32 / places as f32;
        let unused = 1.0 - (width * height * count as f32 / room.area().max(1.0)).min(1.0);
        empty * 0.5 + unused + (width / height / SHAPE).ln().abs() * 0.5
    };
    let fits = |per_row: &usize| {
        let [width, height] = size(*per_row);
        width >= SMALLEST[0] && height >= SMALLEST[1]
    };
    (1..=count.max(1))
        .filter(fits)
        .min_by(|one, other| flaw(*one).total_cmp(&flaw(*other)))
        .map(size)
}

fn draw_tile(
    ui: &Ui,
    cx: &ViewContext<'_>,
    tile: &Tile<'_>,
    rect: Rect,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui);
    let is_selected = cx.desk.selected.as_ref() == Some(&tile.node.name);
    let response = ui.interact(
        rect,
        ui.scope_id().with(("tile", tile.index)),
        Sense::click(),
    );
    let line = match tile.tone {
        Tone::Bad | Tone::Warn => tile.tone.color(theme),
        _ if is_selected => theme.accent,
        _ => theme.line,
    };
    let fill = if response.hovered() || response.has_focus() {
        theme.line
    } else {
        theme.raised
    };
    ui.painter()
        .rect(rect, 5.0, fill, Stroke::new(1.0, line), StrokeKind::Inside);
    if is_selected {
        let stroke = Stroke::new(2.0, theme.accent);
        ui.painter()
            .rect_stroke(rect, 5.0, stroke, StrokeKind::Outside);
    }
    let is_roomy = rect.height() >= ROOMY && rect.width() >= 100.0;
    let inner = match is_roomy {
        true => rect.shrink(12.0),
        false => rect.shrink2(vec2(6.0, 4.5)),
    };
    let at = |top: f32, height: f32| {
        Rect::from_min_size(
            pos2(inner.left(), inner.top() + top),
            vec2(inner.width(), height),
        )
    };
    let label = cx.label(tile.index);
    let word_color = tile.tone.color(theme);
    let value = percent_figure(tile.node.rate(Deltas::hit_rate));
    if is_roomy {
        let line = at(0.0, 12.0);
        let word = paint_text(
            ui,
            line,
            Align2::RIGHT_CENTER,
            tile.word,
            regular(SMALL),
            word_color,
        );
        let line = Rect::from_min_max(line.min, pos2(word.left() - 6.0, line.bottom()));
        paint_text(
            ui,
            line,
            Align2::LEFT_CENTER,
            label,
            mono(SMALL),
            theme.text_soft,
        );
        let figure = at(20.0, 24.0);
        let figure = paint_text(
            ui,
            figure,
            Align2::LEFT_CENTER,
            &value,
            semi_bold(20.0),
            theme.text,
        );
        let unit = Rect::from_min_max(
            pos2(figure.right() + 4.0, figure.top() + 5.0),
            pos2(inner.right(), figure.bottom()),
        );
        paint_text(
            ui,
            unit,
            Align2::LEFT_CENTER,
            "% hit",
            regular(SMALL),
            theme.text_soft,
        );
        let more = at(inner.height() - 26.0, 14.0);
        let requests = compact_with(tile.node.rate(Deltas::operations_per_second), "/s");
        paint_text(
            ui,
            more,
            Align2::LEFT_CENTER,
            &requests,
            regular(SMALL),
            theme.text_soft,
        );
        let memory = tile
            .node
            .current()
            .and_then(|it| Some((it.bytes?, it.limit_maxbytes?)));
        if let Some((stored, limit)) = memory {
            let share = format!("mem {:.0} %", stored as f64 / limit.max(1) as f64 * 100.0);
            paint_text(
                ui,
                more,
                Align2::RIGHT_CENTER,
                &share,
                regular(SMALL),
                theme.text_soft,
            );
        }
    } else {
        let label = if rect.width() < 80.0 {
            cx.cluster.short_label(tile.index)
        } else {
            label
        };
        let place = at(0.0, 10.0);
        paint_text(
            ui,
            place,
            Align2::LEFT_CENTER,
            label,
            mono(10.0),
            theme.text_soft,
        );
        let has_line_for_word = inner.height() >= 46.0;
        // Without a line of its own for the word, a sign stands for it: the pointer tells which.
        let sign = match tile.tone {
            Tone::Bad => "✗",
            Tone::Warn => "!",
            _ => "",
        };
        let (value, color) = match sign {
            "" => (value, theme.text),
            _ if has_line_for_word => (value, theme.text),
            sign if value == UNKNOWN => (sign.to_owned(), word_color),
            sign => (format!("{sign}{value}"), word_color),
        };
        let size = if has_line_for_word { 13.0 } else { 11.5 };
        paint_text(
            ui,
            at(12.0, 15.0),
            Align2::LEFT_CENTER,
            &value,
            semi_bold(size),
            color,
        );
        if has_line_for_word {
            let place = at(inner.height() - 17.0, 11.0);
            paint_text(
                ui,
                place,
                Align2::LEFT_CENTER,
                tile.word,
                regular(10.0),
                word_color,
            );
        }
    }
    let load = Rect::from_min_max(pos2(inner.left(), inner.bottom() - 3.0), inner.max);
    let color = match tile.tone {
        Tone::Warn => theme.warn,
        _ => theme.accent,
    };
    bar(ui, load, tile.load, color);
    act(ui, cx, tile, response, actions);
}

/// A large cluster: a cell for each node, coloured by its state or by its load.
fn cells(ui: &Ui, cx: &ViewContext<'_>, tiles: &[Tile<'_>], room: Rect, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    let area = room.width() * room.height() / tiles.len().max(1) as f32;
    let side = area.sqrt().floor().clamp(10.0, 28.0);
    let per_row = ((room.width() / side) as usize).max(1);
    for (tile, place) in tiles.iter().zip(0..) {
        let (column, row) = (place % per_row, place / per_row);
        let corner = room.min + vec2(column as f32 * side, row as f32 * side);
        let rect = Rect::from_min_size(corner, vec2(side - 2.0, side - 2.0));
        if rect.bottom() > room.bottom() + 1.0 {
            break;
        }
        let response = ui.interact(
            rect,
            ui.scope_id().with(("tile", tile.index)),
            Sense::click(),
        );
        let color = match tile.tone {
            Tone::Bad | Tone::Warn => tile.tone.color(theme),
            _ => theme.heat(tile.load),
        };
        ui.painter().rect_filled(rect, 3.0, color);
        // Not by colour alone: what is broken is crossed out.
        if tile.tone == Tone::Bad {
            let stroke = Stroke::new(1.5, theme.panel);
            ui.painter()
                .line_segment([rect.left_top(), rect.right_bottom()], stroke);
            ui.painter()
                .line_segment([rect.right_top(), rect.left_bottom()], stroke);
        }
        if cx.desk.selected.as_ref() == Some(&tile.node.name) || response.hovered() {
            let stroke = Stroke::new(1.5, theme.text);
            ui.painter()
                .rect_stroke(rect, 3.0, stroke, StrokeKind::Outside);
        }
        act(ui, cx, tile, response, actions);
    }
}

fn act(
    ui: &Ui,
    cx: &ViewContext<'_>,
    tile: &Tile<'_>,
    response: egui::Response,
    actions: &mut Vec<Action>,
) {
    let hit_rate = percent_figure(tile.node.rate(Deltas::hit_rate));
    let state = if tile.word.is_empty() {
        "up"
    } else {
        tile.word
    };
    let name = format!("node {}, {state}, hit rate {hit_rate} %", tile.node.name);
    let response = named(response, Role::Button, name);
    if response.hovered() {
        response.clone().on_hover_ui(|ui| hover(ui, cx, tile));
    }
    if response.double_clicked() || enter_on(ui, &response) {
        actions.push(Action::Select(Some(tile.node.name.clone())));
        actions.push(Action::Open(View::Nodes));
    } else if response.clicked() {
        actions.push(Action::Select(Some(tile.node.name.clone())));
    }
}

fn enter_on(ui: &Ui, response: &egui::Response) -> bool {
    response.has_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))
}

fn hover(ui: &mut Ui, cx: &ViewContext<'_>, tile: &Tile<'_>) {
    let theme = Theme::of(ui);
    let node = tile.node;
    ui.label(theme.strong(node.name.to_string()));
    ui.label(theme.soft(super::super::state_text(node)));
    let operations = compact_with(node.rate(Deltas::operations_per_second), "requests/s");
    ui.label(theme.soft(operations));
    if let Some(share) = cx.cluster.share(tile.index) {
        ui.label(theme.soft(format!("{:.2} % of the keys by the ring", share * 100.0)));
    }
    if let Some(silence) = cx
        .snapshot
        .silence(node)
        .filter(|_| node.state != NodeState::Up)
    {
        ui.label(theme.soft(format!("last answered {} ago", crate::format::ago(silence))));
    }
    ui.label(theme.faint("double-click opens it"));
}
