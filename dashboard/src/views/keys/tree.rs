//! The prefixes of the keys, with what is below each.

use std::collections::BTreeSet;

use egui::{Align2, Rect, Role, ScrollArea, Sense, Ui, pos2, vec2};

use crate::format::compact;
use crate::model::wording::{bytes, foreign};
use crate::model::{KeyScan, PrefixTree};
use crate::theme::{ROW_HEIGHT, SMALL, Theme, mono, regular};
use crate::widgets::{Empty, bar, card, empty, named, paint_text};

/// How much of a prefix is shown.
const LONGEST_PREFIX: usize = 60;

/// Indent of each level, in points.
const INDENT: f32 = 14.0;

/// A line of the tree.
struct Line {
    node: usize,
    depth: usize,
}

/// Draws the tree as a card; a click on a prefix lists its keys.
pub(super) fn ui(
    ui: &mut Ui,
    scan: &KeyScan,
    expanded: &mut BTreeSet<usize>,
    prefix: &mut Vec<u8>,
) {
    let tree = &scan.tree;
    let hint = format!("{} prefixes, by bytes", tree.len());
    card(ui, ui.max_rect(), "Prefixes", &hint, |ui| {
        if scan.table.is_empty() {
            let what = Empty {
                title: "No keys",
                text: "Nothing came in so far.",
            };
            empty(ui, ui.available_rect_before_wrap(), what);
            return;
        }
        let lines = lines(tree, expanded);
        // The rows in sight are found by their height and the space between them.
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical()
            .id_salt("prefixes")
            .auto_shrink(false)
            .show_rows(ui, ROW_HEIGHT, lines.len(), |ui, visible| {
                for line in &lines[visible] {
                    draw(ui, tree, line, expanded, prefix);
                }
            });
    });
}

/// The lines in sight: the root, and what is below what was expanded.
fn lines(tree: &PrefixTree, expanded: &BTreeSet<usize>) -> Vec<Line> {
    let mut lines = vec![Line {
        node: PrefixTree::ROOT,
        depth: 0,
    }];
    add_below(tree, PrefixTree::ROOT, 1, expanded, &mut lines);
    lines
}

fn add_below(
    tree: &PrefixTree,
    node: usize,
    depth: usize,
    expanded: &BTreeSet<usize>,
    lines: &mut Vec<Line>,
) {
    for child in tree.children(node) {
        lines.push(Line { node: child, depth });
        if expanded.contains(&child) {
            add_below(tree, child, depth + 1, expanded, lines);
        }
    }
}

fn draw(
    ui: &mut Ui,
    tree: &PrefixTree,
    line: &Line,
    expanded: &mut BTreeSet<usize>,
    prefix: &mut Vec<u8>,
) {
    let theme = Theme::of(ui);
    let Some(node) = tree.node(line.node) else {
        return;
    };
    let size = vec2(ui.available_width(), ROW_HEIGHT);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let response = ui.interact(
        rect,
        ui.scope_id().with(("prefix", line.node)),
        Sense::click(),
    );
    let is_chosen = node.prefix[..] == prefix[..];
    if is_chosen {
        ui.painter().rect_filled(rect, 4.0, theme.accent_soft);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4.0, theme.raised);
    }
    let left = rect.left() + 4.0 + line.depth.saturating_sub(1) as f32 * INDENT;
    let arrow = Rect::from_min_size(pos2(left, rect.top()), vec2(14.0, ROW_HEIGHT));
    let is_root = line.node == PrefixTree::ROOT;
    let name = if is_root {
        "all keys".to_owned()
    } else {
        foreign(last_segment(tree, line, &node.prefix), LONGEST_PREFIX)
    };
    let is_open = expanded.contains(&line.node);
    if node.has_children() && !is_root {
        let sign = if is_open { "▾" } else { "▸" };
        paint_text(
            ui,
            arrow,
            Align2::CENTER_CENTER,
            sign,
            regular(SMALL),
            theme.text_soft,
        );
        let toggle = ui.interact(
            arrow,
            ui.scope_id().with(("expand", line.node)),
            Sense::click(),
        );
        let verb = if is_open { "close" } else { "expand" };
        if named(toggle, Role::Button, format!("{verb} {name}")).clicked() {
            toggled(expanded, line.node);
        }
    }
    let figures = Rect::from_min_max(pos2(rect.right() - 118.0, rect.top()), rect.max);
    let text = Rect::from_min_max(
        pos2(arrow.right() + 2.0, rect.top()),
        pos2(figures.left(), rect.bottom()),
    );
    let color = if is_root { theme.text_soft } else { theme.text };
    paint_text(
        ui,
        text,
        Align2::LEFT_CENTER,
        &name,
        mono(SMALL + 0.5),
        color,
    );
    let (keys, unit) = compact(Some(node.keys as f64));
    let keys = format!("{keys}{unit}");
    let counted = Rect::from_min_size(figures.min, vec2(42.0, ROW_HEIGHT));
    paint_text(
        ui,
        counted,
        Align2::RIGHT_CENTER,
        &keys,
        mono(SMALL),
        theme.text_soft,
    );
    let taken = Rect::from_min_max(
        pos2(counted.right(), rect.top()),
        pos2(rect.right() - 4.0, rect.bottom()),
    );
    paint_text(
        ui,
        taken,
        Align2::RIGHT_CENTER,
        &bytes(node.bytes),
        mono(SMALL),
        theme.text,
    );
    let all = tree
        .node(PrefixTree::ROOT)
        .map_or(1, |root| root.bytes)
        .max(1);
    let under = Rect::from_min_max(
        pos2(text.left(), rect.bottom() - 3.0),
        pos2(rect.right() - 4.0, rect.bottom() - 1.5),
    );
    if !is_root {
        bar(ui, under, node.bytes as f32 / all as f32, theme.accent);
    }
    let label = format!("prefix {name}, {} keys, {}", node.keys, bytes(node.bytes));
    let response = named(response, Role::Row, label);
    let response = if node.unlisted_keys > 0 {
        response.on_hover_text(format!(
            "{} keys with other next segments are counted here and not listed",
            node.unlisted_keys
        ))
    } else {
        response
    };
    if response.clicked() {
        *prefix = node.prefix.to_vec();
        if node.has_children() && !is_root {
            expanded.insert(line.node);
        }
    }
}

/// What a prefix has beyond the prefix above it.
fn last_segment<'a>(tree: &PrefixTree, line: &Line, prefix: &'a [u8]) -> &'a [u8] {
    if line.depth <= 1 || tree.node(line.node).is_none() {
        return prefix;
    }
    let Some((_, body)) = prefix.split_last() else {
        return prefix;
    };
    let begin = body
        .iter()
        .rposition(|byte| b":/|".contains(byte))
        .map_or(0, |place| place + 1);
    &prefix[begin..]
}

fn toggled(expanded: &mut BTreeSet<usize>, node: usize) {
    if !expanded.remove(&node) {
        expanded.insert(node);
    }
}
