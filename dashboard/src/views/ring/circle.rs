//! The circle: all nodes muted, one of them lit, and where a key lies on it.

use std::sync::Arc;

use egui::{Align2, Color32, Key, Mesh, Pos2, Rect, Role, Sense, Stroke, Ui, pos2, vec2};

use super::super::{Action, View, ViewContext};
use super::RingView;
use super::facts::RingFacts;
use crate::model::placement::PlacedKey;
use crate::theme::{BODY, SMALL, Theme, mix, mono, regular, semi_bold};
use crate::widgets::{Donut, Stretch, card, named, paint_text, pressed_beside_controls};

/// Room around the circle for the marks of keys.
const MARGIN: f32 = 26.0;
/// The least width of a lit arc, in points: else the arcs of a node among many could not be seen.
const LEAST_WIDTH: f32 = 1.4;

/// The circle as it was painted last.
#[derive(Debug, Default)]
pub(in crate::views) struct Circle {
    painted: Option<Painted>,
}

#[derive(Debug)]
struct Painted {
    ring: usize,
    donut: Donut,
    is_dark: bool,
    focus: Option<usize>,
    mesh: Arc<Mesh>,
}

/// Where something lies on the circle.
#[derive(Debug, Clone, Copy)]
pub(in crate::views) struct Marker {
    pub(in crate::views) turn: f32,
    pub(in crate::views) color: Color32,
}

impl Marker {
    /// A line across the ring with a dot inside it.
    pub(in crate::views) fn paint(self, ui: &Ui, donut: &Donut) {
        let painter = ui.painter();
        let inner = donut.point(self.turn, donut.inner - 16.0);
        let line = [inner, donut.point(self.turn, donut.outer + 10.0)];
        painter.line_segment(line, Stroke::new(2.0, self.color));
        painter.circle_filled(inner, 3.5, self.color);
    }
}

impl Circle {
    fn mesh(
        &mut self,
        ui: &Ui,
        facts: &RingFacts,
        donut: Donut,
        focus: Option<usize>,
    ) -> Arc<Mesh> {
        let theme = Theme::of(ui);
        let ring = Arc::as_ptr(&facts.ring) as usize;
        let is_dark = theme.is_dark;
        let known = self.painted.as_ref().filter(|painted| {
            (painted.ring, painted.donut, painted.is_dark, painted.focus)
                == (ring, donut, is_dark, focus)
        });
        if let Some(painted) = known {
            return Arc::clone(&painted.mesh);
        }
        let mesh = Arc::new(donut.mesh(stretches(facts, theme, &donut, focus)));
        self.painted = Some(Painted {
            ring,
            donut,
            is_dark,
            focus,
            mesh: Arc::clone(&mesh),
        });
        mesh
    }
}

/// All arcs in two greys by turns, then the lit ones on top of them.
fn stretches(
    facts: &RingFacts,
    theme: &Theme,
    donut: &Donut,
    focus: Option<usize>,
) -> Vec<Stretch> {
    let muted = [
        mix(theme.raised, theme.track, 0.55),
        mix(theme.raised, theme.track, 0.95),
    ];
    let least = donut.turn_of(LEAST_WIDTH);
    let mut stretches = Vec::with_capacity(facts.arcs.len() * 2);
    let arcs: Vec<(f64, f64, usize)> = if facts.arcs.is_empty() {
        let mut start = 0.0;
        let sector = |(node, share): (usize, &f64)| {
            let end = start + share;
            let sector = (start, end, node);
            start = end;
            sector
        };
        facts.shares.iter().enumerate().map(sector).collect()
    } else {
        facts
            .arcs
            .iter()
            .map(|arc| (arc.start, arc.end, arc.node))
            .collect()
    };
    for (place, (start, end, _)) in arcs.iter().enumerate() {
        stretches.push(Stretch {
            start: *start as f32,
            end: *end as f32,
            color: muted[place % 2],
        });
    }
    for (start, end, node) in arcs {
        if Some(node) == focus {
            let (start, end) = (start as f32, end as f32);
            stretches.push(Stretch {
                start,
                end: end.max(start + least),
                color: theme.accent,
            });
        }
    }
    stretches
}

impl RingView {
    pub(super) fn circle_card(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        actions: &mut Vec<Action>,
    ) {
        let rect = ui.max_rect();
        let hint = "grey = all nodes · lit = the selected one, or the key's";
        card(ui, rect, "Ring", hint, |ui| {
            let room = ui.available_rect_before_wrap();
            self.circle(ui, cx, room, actions);
        });
    }

    fn circle(&mut self, ui: &Ui, cx: &ViewContext<'_>, room: Rect, actions: &mut Vec<Action>) {
        let focus = self.focus(cx);
        let Some(facts) = &self.facts else { return };
        let donut = Donut::within(room, MARGIN);
        let mesh = self.circle.mesh(ui, facts, donut, focus);
        donut.paint(ui, &mesh);
        let theme = Theme::of(ui);
        self.dots(ui, &donut, &self.key_list.placed);
        if let Some(turn) = self.found().and_then(|probe| probe.turn) {
            let turn = turn as f32;
            Marker {
                turn,
                color: theme.text,
            }
            .paint(ui, &donut);
        }
        if let Some(arc) = self.arc.and_then(|arc| facts.arcs.get(arc)) {
            let turn = f64::midpoint(arc.start, arc.end) as f32;
            let tip = donut.point(turn, donut.outer + 12.0);
            ui.painter().line_segment(
                [donut.point(turn, donut.outer), tip],
                Stroke::new(2.0, theme.accent),
            );
        }
        self.centre(ui, cx, &donut, focus);
        let response = ui.interact(room, ui.scope_id().with("circle"), Sense::click());
        let under = response
            .hover_pos()
            .and_then(|position| donut.turn_at(position));
        let node = under.and_then(|turn| facts.node_at(f64::from(turn)));
        let arc = under.and_then(|turn| facts.arc_at(f64::from(turn)));
        let name = self.spoken(cx, focus);
        let response = named(response, Role::Image, name);
        if let (Some(node), true) = (node, response.clicked()) {
            self.arc = arc;
            actions.push(Action::Select(cx.cluster.node_names().get(node).cloned()));
        }
        if response.double_clicked() {
            actions.push(Action::Open(View::Nodes));
        }
        self.hovered = node;
    }

    /// The keys of a list, each as a dot outside of the ring.
    fn dots(&self, ui: &Ui, donut: &Donut, keys: &[PlacedKey]) {
        let theme = Theme::of(ui);
        let mut mesh = Mesh::default();
        for turn in keys.iter().filter_map(|key| key.turn) {
            let centre: Pos2 = donut.point(turn as f32, donut.outer + 7.0);
            mesh.add_colored_rect(
                Rect::from_center_size(centre, vec2(2.5, 2.5)),
                theme.text_soft,
            );
        }
        if !mesh.is_empty() {
            ui.painter().add(mesh);
        }
    }

    fn centre(&self, ui: &Ui, cx: &ViewContext<'_>, donut: &Donut, focus: Option<usize>) {
        let theme = Theme::of(ui);
        let Some(facts) = &self.facts else { return };
        let line = |y: f32| {
            Rect::from_center_size(
                pos2(donut.centre.x, donut.centre.y + y),
                vec2(donut.inner * 1.6, 22.0),
            )
        };
        let centred = |y: f32, text: &str, font, color| {
            paint_text(ui, line(y), Align2::CENTER_CENTER, text, font, color);
        };
        let Some(node) = focus else {
            let nodes = facts.shares.len();
            let count = if nodes == 1 {
                "1 node".to_owned()
            } else {
                format!("{nodes} nodes")
            };
            centred(-22.0, &count, semi_bold(18.0), theme.text);
            centred(2.0, &self.spread(), regular(BODY), theme.text_soft);
            centred(
                24.0,
                "point at an arc, or type a key",
                regular(SMALL),
                theme.text_faint,
            );
            return;
        };
        let share = facts.shares[node];
        centred(-34.0, cx.label(node), semi_bold(18.0), theme.text);
        centred(
            -10.0,
            &format!("{:.2} % of the keys", share * 100.0),
            regular(BODY),
            theme.accent,
        );
        let fair = facts.fair[node];
        let against = format!("fair {:.2} %, {:.2}× of it", fair * 100.0, share / fair);
        centred(10.0, &against, regular(BODY), theme.text_soft);
        if let Some(probe) = self.found() {
            let holder = cx.label(probe.node);
            let text = format!("{} → {holder}", probe.key);
            centred(38.0, &text, mono(SMALL + 0.5), theme.text);
        }
    }

    /// How even the ring is, in words.
    fn spread(&self) -> String {
        self.facts.as_ref().map_or_else(String::new, |facts| {
            format!("the fullest has {:.2}× its fair share", facts.imbalance())
        })
    }

    /// The circle in words.
    fn spoken(&self, cx: &ViewContext<'_>, focus: Option<usize>) -> String {
        let mut text = format!(
            "ring of {} nodes, {}",
            cx.cluster.node_names().len(),
            self.spread()
        );
        if let (Some(node), Some(facts)) = (focus, &self.facts) {
            let share = facts.shares[node] * 100.0;
            text.push_str(&format!(", {} holds {share:.2} %", cx.label(node)));
        }
        if let Some(probe) = self.found() {
            text.push_str(&format!(
                ", key {} lies on {}",
                probe.key,
                cx.label(probe.node)
            ));
        }
        text
    }

    /// Left and right step from arc to arc, up and down from node to node.
    pub(super) fn arrow_keys(&mut self, ui: &Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
        let Some(facts) = &self.facts else { return };
        let pressed = |key| pressed_beside_controls(ui, key);
        let arcs = facts.arcs.len();
        for (key, step) in [
            (Key::ArrowRight, 1),
            (Key::ArrowLeft, arcs.saturating_sub(1)),
        ] {
            if arcs > 0 && pressed(key) {
                let of_key = || self.found().and_then(|probe| facts.arc_at(probe.turn?));
                let of_node = || facts.first_arc_of(cx.selected()?);
                let from = self.arc.or_else(of_key).or_else(of_node);
                let arc = from.map_or(0, |from| (from + step) % arcs);
                self.arc = Some(arc);
                let node = facts.arcs[arc].node;
                actions.push(Action::Select(cx.cluster.node_names().get(node).cloned()));
            }
        }
        let nodes = facts.by_share.len();
        for (key, step) in [(Key::ArrowDown, 1), (Key::ArrowUp, nodes.saturating_sub(1))] {
            if nodes > 0 && pressed(key) {
                let selected = cx.selected();
                let place = facts
                    .by_share
                    .iter()
                    .position(|node| Some(*node) == selected);
                let next = place.map_or(0, |place| (place + step) % nodes);
                let node = facts.by_share[next];
                self.arc = None;
                actions.push(Action::Select(cx.cluster.node_names().get(node).cloned()));
            }
        }
    }
}
