//! What moves, on the circle: grey stays, orange leaves, green arrives.

use std::sync::Arc;

use egui::{Align2, Mesh, Rect, Role, Sense, Shape, Ui, pos2, vec2};
use memlens::ring::Accuracy;

use super::super::ViewContext;
use super::super::ring::{LensMark, Marker, lens_strip};
use super::WhatIfView;
use super::compute::Computed;
use crate::model::placement::{Lens, Probe};
use crate::model::whatif::{Movement, NodeFate};
use crate::theme::{BODY, GAP, SMALL, Theme, mix, regular, semi_bold};
use crate::widgets::{Donut, Stretch, card, named, paint_text};

/// Room around the circle for the marks of new owners.
const MARGIN: f32 = 22.0;
/// The least width of what moves, in points.
const LEAST_WIDTH: f32 = 1.4;
/// Height of the two lenses, in points.
const LENSES: f32 = 84.0;

/// The circle as it was painted last.
#[derive(Debug, Default)]
pub(super) struct RingDiff {
    painted: Option<(Key, Arc<Mesh>, Arc<Mesh>)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    number: u64,
    donut: Donut,
    is_dark: bool,
}

impl WhatIfView {
    pub(super) fn ring_card(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let hint = "orange leaves · green arrives · tick = new owner";
        card(ui, ui.max_rect(), "Ring", hint, |ui| {
            let room = ui.available_rect_before_wrap();
            let Some(computed) = &self.computed else {
                return;
            };
            let probe = Probe::new(computed.baseline.spec().ring(), &full_key(cx)).ok();
            let lenses = probe.as_ref().and_then(|probe| lenses(computed, probe));
            let below = if lenses.is_some() { LENSES } else { 0.0 };
            let circle = Rect::from_min_max(room.min, pos2(room.right(), room.bottom() - below));
            self.diff.ui(ui, computed, circle, probe.as_ref());
            if let Some((before, after)) = lenses {
                let rect = Rect::from_min_max(pos2(room.left(), circle.bottom() + GAP), room.max);
                draw_lenses(
                    ui,
                    cx,
                    computed,
                    rect,
                    [&before, &after],
                    probe.and_then(|probe| probe.turn),
                );
            }
        });
    }
}

/// The key that is looked for, as the clients send it; empty if there is none.
fn full_key(cx: &ViewContext<'_>) -> String {
    if cx.desk.probe.is_empty() {
        return String::new();
    }
    let namespace = String::from_utf8_lossy(cx.cluster.config().namespace.as_bytes());
    format!("{namespace}{}", cx.desk.probe)
}

/// The neighbourhood of a key before and after; `None` without arcs.
fn lenses(computed: &Computed, probe: &Probe) -> Option<(Lens, Lens)> {
    let before = Lens::around(computed.baseline.spec().ring(), probe.turn?)?;
    let after = before.of_other(computed.forecast.after.ring())?;
    Some((before, after))
}

impl RingDiff {
    fn ui(&mut self, ui: &Ui, computed: &Computed, rect: Rect, probe: Option<&Probe>) {
        let theme = Theme::of(ui);
        let donut = Donut::within(rect, MARGIN);
        let key = Key {
            number: computed.number,
            donut,
            is_dark: theme.is_dark,
        };
        if self
            .painted
            .as_ref()
            .is_none_or(|(known, ..)| *known != key)
        {
            let (mesh, ticks) = meshes(computed, theme, &donut);
            self.painted = Some((key, Arc::new(mesh), Arc::new(ticks)));
        }
        if let Some((_, mesh, ticks)) = &self.painted {
            donut.paint(ui, mesh);
            if !ticks.is_empty() {
                ui.painter().add(Shape::Mesh(Arc::clone(ticks)));
            }
        }
        if let Some(turn) = probe.and_then(|probe| probe.turn) {
            let turn = turn as f32;
            Marker {
                turn,
                color: theme.text,
            }
            .paint(ui, &donut);
        }
        let lines = words(computed, probe);
        let first = donut.centre.y - 11.0 * (lines.len() as f32 - 1.0);
        for (place, line) in lines.iter().enumerate() {
            let y = first + 22.0 * place as f32;
            let rect =
                Rect::from_center_size(pos2(donut.centre.x, y), vec2(donut.inner * 1.7, 20.0));
            let (font, color) = match place {
                0 => (semi_bold(17.0), theme.text),
                1 if computed.is_plan() => (regular(BODY), theme.leaves),
                _ => (regular(SMALL + 0.5), theme.text_soft),
            };
            paint_text(ui, rect, Align2::CENTER_CENTER, line, font, color);
        }
        let response = ui.interact(rect, ui.scope_id().with("ring diff"), Sense::hover());
        named(
            response,
            Role::Image,
            format!("ring before and after: {}", lines.join(", ")),
        );
    }
}

/// What stands in the middle.
fn words(computed: &Computed, probe: Option<&Probe>) -> Vec<String> {
    let movement = &computed.forecast.movement;
    let what = computed.what();
    if what.is_empty() {
        return vec!["No change".to_owned(), "nothing moves".to_owned()];
    }
    let accuracy = match movement.accuracy {
        Accuracy::Exact => "exact",
        Accuracy::Ideal => "ideal",
        Accuracy::Sampled { .. } => "sampled",
    };
    let receivers = movement.receivers();
    let nodes = if receivers == 1 {
        "1 node".to_owned()
    } else {
        format!("{receivers} nodes")
    };
    let mut lines = vec![
        what,
        format!(
            "{:.2} % of keys move ({accuracy})",
            movement.moved.fraction * 100.0
        ),
        format!(
            "to {nodes}, at most {:.2} % each",
            movement.most_received() * 100.0
        ),
    ];
    if let Some(probe) = probe {
        let after = computed.forecast.after.ring();
        let owner = after.members()[after.node_for(probe.key.as_bytes())].name();
        lines.push(if owner == probe.name {
            format!("{} stays on {owner}", probe.key)
        } else {
            format!("{}: {} → {owner}", probe.key, probe.name)
        });
    }
    lines
}

/// The ring itself, and the marks of new owners around it.
fn meshes(computed: &Computed, theme: &Theme, donut: &Donut) -> (Mesh, Mesh) {
    let before = computed.baseline.spec().ring();
    let after = computed.forecast.after.ring();
    let changes = before.arc_changes(after);
    let movement = &computed.forecast.movement;
    if changes.is_empty() {
        return (donut.mesh(sectors(movement, theme)), Mesh::default());
    }
    let greys = [
        mix(theme.raised, theme.track, 0.55),
        mix(theme.raised, theme.track, 0.95),
    ];
    let least = donut.turn_of(LEAST_WIDTH);
    let is_new: Vec<bool> = after
        .members()
        .iter()
        .map(|member| {
            let name = member.name();
            computed
                .forecast
                .nodes
                .iter()
                .any(|node| node.fate == NodeFate::Added && node.name == name)
        })
        .collect();
    let mut stretches = Vec::with_capacity(changes.len());
    let mut moved = Vec::new();
    let mut ticks = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        let (start, end) = (change.start as f32, change.end as f32);
        stretches.push(Stretch {
            start,
            end,
            color: greys[place % 2],
        });
        if !change.is_moved {
            continue;
        }
        let end = end.max(start + least);
        let color = if is_new[change.to] {
            theme.arrives
        } else {
            theme.leaves
        };
        moved.push(Stretch { start, end, color });
        let owner = theme.node_hue(&after.members()[change.to].name());
        ticks.push(Stretch {
            start,
            end: end.max(start + 2.0 * least),
            color: owner,
        });
    }
    stretches.extend(moved);
    let outside = donut.with_radii(donut.outer + 4.0, donut.outer + 10.0);
    (donut.mesh(stretches), outside.mesh(ticks))
}

/// Without arcs: each server's share as a sector, and what it gives away at its end.
fn sectors(movement: &Movement, theme: &Theme) -> Vec<Stretch> {
    let greys = [
        mix(theme.raised, theme.track, 0.55),
        mix(theme.raised, theme.track, 0.95),
    ];
    let mut sectors = Vec::new();
    let mut start = 0.0;
    for (server, share) in movement.shares_before.iter().enumerate() {
        let gives = movement.gives[server].min(*share);
        let (stays_until, end) = (start + share - gives, start + share);
        sectors.push(Stretch {
            start: start as f32,
            end: stays_until as f32,
            color: greys[server % 2],
        });
        if gives > 0.0 {
            sectors.push(Stretch {
                start: stays_until as f32,
                end: end as f32,
                color: theme.leaves,
            });
        }
        start = end;
    }
    sectors
}

fn draw_lenses(
    ui: &Ui,
    cx: &ViewContext<'_>,
    computed: &Computed,
    rect: Rect,
    lenses: [&Lens; 2],
    key: Option<f64>,
) {
    let theme = Theme::of(ui);
    let rings = [computed.baseline.spec(), &computed.forecast.after];
    for (place, (lens, spec)) in lenses.into_iter().zip(rings).enumerate() {
        let what = ["before", "after"][place];
        let top = rect.top() + place as f32 * 38.0;
        let label = Rect::from_min_size(pos2(rect.left(), top), vec2(48.0, 26.0));
        paint_text(
            ui,
            label,
            Align2::LEFT_CENTER,
            what,
            regular(SMALL),
            theme.text_faint,
        );
        let strip = Rect::from_min_max(
            pos2(rect.left() + 52.0, top),
            pos2(rect.right(), top + 26.0),
        );
        let mark = LensMark {
            focus: None,
            key,
            what,
        };
        lens_strip(ui, strip, lens, mark, |node| {
            short(cx, &spec.members()[node].name())
        });
    }
}

/// The label of a node that is there already, else its name.
fn short(cx: &ViewContext<'_>, name: &str) -> String {
    let known = cx
        .cluster
        .node_names()
        .iter()
        .position(|node| **node == *name);
    known.map_or_else(|| name.to_owned(), |node| cx.label(node).to_owned())
}
