//! A part of the circle, large enough to read who owns which arc.

use egui::{Align2, Rect, Role, Sense, Stroke, Ui, pos2, vec2};

use super::super::{Action, ViewContext};
use super::RingView;
use crate::model::placement::Lens;
use crate::theme::{SMALL, Theme, mix, mono, regular};
use crate::widgets::{Empty, card, elided, empty, named, paint_text};

/// What stands out in a lens.
#[derive(Debug, Clone, Copy)]
pub(in crate::views) struct LensMark<'a> {
    /// The node whose arcs are as bright as possible.
    pub(in crate::views) focus: Option<usize>,
    /// Where a key lies, as a part of a turn.
    pub(in crate::views) key: Option<f64>,
    /// What the lens shows, for screen readers: `before`, `after`.
    pub(in crate::views) what: &'a str,
}

/// Paints the arcs of a lens in `rect`. Returns the node whose arc was clicked.
pub(in crate::views) fn lens_strip(
    ui: &Ui,
    rect: Rect,
    lens: &Lens,
    mark: LensMark<'_>,
    label: impl Fn(usize) -> String,
) -> Option<usize> {
    let theme = Theme::of(ui);
    let mut clicked = None;
    for (place, arc) in lens.arcs.iter().enumerate() {
        let x = |part: f64| rect.left() + rect.width() * part as f32;
        let right = (x(arc.end) - 1.0).max(x(arc.start) + 1.0);
        let place_rect =
            Rect::from_min_max(pos2(x(arc.start), rect.top()), pos2(right, rect.bottom()));
        let name = label(arc.node);
        let is_muted = mark.focus.is_some_and(|focus| focus != arc.node);
        let hue = theme.node_hue(&name);
        let fill = if is_muted {
            mix(theme.raised, hue, 0.55)
        } else {
            hue
        };
        ui.painter().rect_filled(place_rect, 2.0, fill);
        let galley = elided(ui, &name, mono(SMALL), theme.background, f32::INFINITY);
        if galley.size().x + 6.0 < place_rect.width() {
            let color = if is_muted { theme.text } else { on_hue(theme) };
            paint_text(
                ui,
                place_rect,
                Align2::CENTER_CENTER,
                &name,
                mono(SMALL),
                color,
            );
        }
        let id = ui.scope_id().with(("lens", mark.what, place));
        let response = ui.interact(place_rect, id, Sense::click());
        let spoken = format!("{} arc {} of {name}", mark.what, place + 1);
        let response = named(response, Role::Button, spoken).on_hover_text(name);
        if response.clicked() {
            clicked = Some(arc.node);
        }
    }
    if let Some(key) = mark.key {
        let part = ((key - lens.start) / (lens.end - lens.start)) as f32;
        let x = rect.left() + rect.width() * part;
        let line = [pos2(x, rect.top() - 5.0), pos2(x, rect.bottom() + 5.0)];
        ui.painter()
            .line_segment(line, Stroke::new(2.0, theme.text));
    }
    clicked
}

/// Text on a node's hue.
const fn on_hue(theme: &Theme) -> egui::Color32 {
    if theme.is_dark {
        theme.background
    } else {
        theme.text
    }
}

impl RingView {
    pub(super) fn lens_card(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        actions: &mut Vec<Action>,
    ) {
        let rect = ui.max_rect();
        let turn = self.lens_turn(cx);
        let (title, hint) = (
            self.lens_title(cx),
            "one arc for each point, as wide as its part of the circle",
        );
        let (focus, key) = (cx.selected(), self.found().and_then(|probe| probe.turn));
        let is_on_key = self.arc.is_none();
        let Some(facts) = &mut self.facts else { return };
        let has_arcs = !facts.arcs.is_empty();
        let method = facts.ring.distribution().method().name();
        let lens = turn.and_then(|turn| facts.lens(turn));
        let clicked = card(ui, rect, &title, if has_arcs { hint } else { "" }, |ui| {
            let room = ui.available_rect_before_wrap();
            let Some(lens) = lens else {
                let text = if has_arcs {
                    "Type a key, select a node, or step through the arcs with ← and →.".to_owned()
                } else {
                    format!("{method} has no arcs: a node's keys lie all over the hash space.")
                };
                let what = Empty {
                    title: "",
                    text: &text,
                };
                empty(ui, room.expand(6.0), what);
                return None;
            };
            let strip = Rect::from_min_size(room.min, vec2(room.width(), 26.0));
            let mark = LensMark {
                focus,
                key: key.filter(|_| is_on_key),
                what: "lens",
            };
            let clicked = lens_strip(ui, strip, lens, mark, |node| cx.label(node).to_owned());
            ends(ui, strip, lens);
            clicked
        });
        if let Some(node) = clicked {
            actions.push(Action::Select(cx.cluster.node_names().get(node).cloned()));
        }
    }

    fn lens_title(&self, cx: &ViewContext<'_>) -> String {
        let facts = self.facts.as_ref();
        match (self.arc.zip(facts), self.found(), cx.selected()) {
            (Some((arc, facts)), _, _) => {
                let owner = facts.arcs.get(arc).map_or("", |arc| cx.label(arc.node));
                format!("Lens at arc {} of {}, {owner}'s", arc + 1, facts.arcs.len())
            }
            (None, Some(probe), _) if probe.turn.is_some() => format!("Lens around {}", probe.key),
            (None, _, Some(node)) => format!("Lens at the first arc of {}", cx.label(node)),
            _ => "Lens".to_owned(),
        }
    }
}

/// Where the lens begins and ends, in degrees of the circle.
fn ends(ui: &Ui, strip: Rect, lens: &Lens) {
    let theme = Theme::of(ui);
    let below = Rect::from_min_size(
        pos2(strip.left(), strip.bottom() + 4.0),
        vec2(strip.width(), 14.0),
    );
    let degrees = |turn: f64| format!("{:.2}°", turn.rem_euclid(1.0) * 360.0);
    for (align, turn) in [
        (Align2::LEFT_CENTER, lens.start),
        (Align2::RIGHT_CENTER, lens.end),
    ] {
        paint_text(
            ui,
            below,
            align,
            &degrees(turn),
            regular(SMALL),
            theme.text_faint,
        );
    }
}
