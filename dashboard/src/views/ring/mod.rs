//! The screen "Ring": which node holds which keys, and why.

mod circle;
mod facts;
mod key_card;
mod lens;
mod list_card;
mod node_card;
mod shares;

use std::borrow::Cow;
use std::sync::Arc;

use egui::Ui;

pub(super) use circle::Marker;
pub(super) use lens::{LensMark, lens_strip};

use super::{Action, ViewContext};
use crate::model::placement::{KeyList, Probe};
use crate::theme::GAP_LARGE;
use crate::widgets::{Split, columns, place, rows};

use circle::Circle;
use facts::RingFacts;

/// Width of the cards at the right, in points.
const SIDE: f32 = 372.0;
/// Height of the neighbourhood of a key, in points.
const LENS: f32 = 96.0;
/// Height of the shares of all nodes, in points.
const SHARES: f32 = 150.0;

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct RingView {
    facts: Option<RingFacts>,
    circle: Circle,
    /// The key that was followed, and what came of it.
    probe: Option<(String, Result<Probe, String>)>,
    key_list: KeyList,
    key_text: String,
    /// The arc that the arrow keys stand on.
    arc: Option<usize>,
    hovered: Option<usize>,
}

impl RingView {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        self.refresh(cx);
        let sides = columns(
            ui.max_rect(),
            GAP_LARGE,
            &[Split::Share(1.0), Split::Exact(SIDE)],
        );
        let left = rows(
            sides[0],
            GAP_LARGE,
            &[Split::Share(1.0), Split::Exact(LENS), Split::Exact(SHARES)],
        );
        let right = rows(
            sides[1],
            GAP_LARGE,
            &[Split::Exact(278.0), Split::Share(1.0), Split::Exact(146.0)],
        );
        self.arrow_keys(ui, cx, &mut actions);
        place(ui, left[0], |ui| self.circle_card(ui, cx, &mut actions));
        place(ui, left[1], |ui| self.lens_card(ui, cx, &mut actions));
        place(ui, left[2], |ui| self.shares_card(ui, cx, &mut actions));
        place(ui, right[0], |ui| self.node_card(ui, cx, &mut actions));
        place(ui, right[1], |ui| self.key_card(ui, cx, &mut actions));
        place(ui, right[2], |ui| self.list_card(ui, cx));
        actions
    }

    /// Brings what is kept up to the cluster and the key that are looked at now.
    fn refresh(&mut self, cx: &ViewContext<'_>) {
        let ring = cx.cluster.ring();
        let is_other_ring = self
            .facts
            .as_ref()
            .is_none_or(|facts| !Arc::ptr_eq(&facts.ring, ring));
        if is_other_ring {
            self.facts = Some(RingFacts::of(ring));
            self.key_list = KeyList::of(ring, &namespace(cx), &self.key_text);
            self.probe = None;
            self.arc = None;
        }
        let key = &cx.desk.probe;
        if key.is_empty() {
            self.probe = None;
        } else if self.probe.as_ref().is_none_or(|(asked, _)| asked != key) {
            let followed = Probe::new(ring, &format!("{}{key}", namespace(cx)));
            self.probe = Some((key.clone(), followed));
            self.arc = None;
        }
    }

    fn found(&self) -> Option<&Probe> {
        self.probe
            .as_ref()
            .and_then(|(_, probe)| probe.as_ref().ok())
    }

    /// The node that stands out: the one under the pointer, else the selected one, else the key's.
    fn focus(&self, cx: &ViewContext<'_>) -> Option<usize> {
        let of_key = || self.found().map(|probe| probe.node);
        self.hovered.or_else(|| cx.selected()).or_else(of_key)
    }

    /// Where the lens is held: over the arc of the arrow keys, else over the key, else over the first
    /// arc of the selected node.
    fn lens_turn(&self, cx: &ViewContext<'_>) -> Option<f64> {
        let facts = self.facts.as_ref()?;
        let middle = |arc: usize| {
            facts
                .arcs
                .get(arc)
                .map(|arc| f64::midpoint(arc.start, arc.end))
        };
        let of_key = || self.found().and_then(|probe| probe.turn);
        let of_node = || middle(facts.first_arc_of(cx.selected()?)?);
        self.arc.and_then(middle).or_else(of_key).or_else(of_node)
    }
}

/// What the clients put in front of every key.
fn namespace<'a>(cx: &ViewContext<'a>) -> Cow<'a, str> {
    String::from_utf8_lossy(cx.cluster.config().namespace.as_bytes())
}
