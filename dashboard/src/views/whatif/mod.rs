//! The screen "What-if": what a change of the cluster would do, before it is made.
//!
//! Nothing here reaches a server. Only in the demo a plan can be carried out, and then what is measured
//! is laid over what was predicted.

mod compare;
mod compute;
mod curve;
mod editor;
mod figures;
mod nodes;
mod plan_card;
mod ring_diff;
mod tracking;

use egui::{Key, Modifiers, Ui};

use super::{Action, ViewContext};
use crate::model::whatif::{Change, ClusterSpec, Plan};
use crate::theme::GAP_LARGE;
use crate::widgets::{Empty, Split, TableState, columns, empty, is_typing, place, rows};

use compute::Computed;
use editor::Editor;
use ring_diff::RingDiff;
use tracking::{Tracked, Underway};

/// Width of the ring and of what is compared, in points.
const LEFT: f32 = 400.0;

/// What the screen keeps from frame to frame.
#[derive(Debug, Default)]
pub(super) struct WhatIfView {
    /// The cluster that the plan is made for.
    spec: Option<ClusterSpec>,
    plan: Plan,
    computed: Option<Computed>,
    editor: Editor,
    /// Why the last change was not made.
    refusal: Option<String>,
    /// Changes that were asked for elsewhere.
    asked: Vec<Change>,
    diff: RingDiff,
    table: TableState,
    /// A plan that the demo was asked to carry out.
    underway: Option<Underway>,
    tracked: Option<Tracked>,
}

impl WhatIfView {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        self.follow(cx);
        self.shortcuts(ui);
        let Some(spec) = self.spec.clone() else {
            let what = Empty {
                title: "No ring",
                text: "The servers of this cluster make no ring, so there is nothing to change.",
            };
            empty(ui, ui.max_rect(), what);
            return actions;
        };
        self.compute(cx, &spec);
        if self.is_incomplete() {
            ui.request_repaint();
        }
        let sides = columns(
            ui.max_rect(),
            GAP_LARGE,
            &[Split::Exact(LEFT), Split::Share(1.0)],
        );
        let left = rows(
            sides[0],
            GAP_LARGE,
            &[Split::Share(1.0), Split::Exact(206.0)],
        );
        let right = rows(
            sides[1],
            GAP_LARGE,
            &[
                Split::Exact(126.0),
                Split::Exact(90.0),
                Split::Share(1.15),
                Split::Share(1.0),
            ],
        );
        place(ui, left[0], |ui| self.ring_card(ui, cx));
        place(ui, left[1], |ui| self.compare_card(ui, cx));
        place(ui, right[0], |ui| {
            self.plan_card(ui, cx, &spec, &mut actions);
        });
        place(ui, right[1], |ui| self.figures(ui));
        place(ui, right[2], |ui| self.curve_card(ui, cx, &mut actions));
        place(ui, right[3], |ui| self.nodes_card(ui, cx, &mut actions));
        actions
    }

    /// Puts a change on the plan, when the screen is drawn next.
    pub(super) fn simulate(&mut self, change: Change) {
        self.asked.push(change);
    }

    /// Follows the cluster that is watched, and takes in what was asked for elsewhere.
    fn follow(&mut self, cx: &ViewContext<'_>) {
        let ring = cx.cluster.ring();
        let is_same = self.spec.as_ref().is_some_and(|spec| {
            spec.members() == ring.members() && spec.profile() == cx.cluster.config().ring
        });
        if !is_same {
            self.change_cluster(cx);
        }
        for change in std::mem::take(&mut self.asked) {
            self.add(change);
        }
    }

    fn change_cluster(&mut self, cx: &ViewContext<'_>) {
        let config = cx.cluster.config();
        let members = cx.cluster.ring().members();
        let spec = ClusterSpec::new(members, config.ring)
            .and_then(|spec| spec.with_hash_tag(config.hash_tag))
            .ok();
        let planned = self.computed.as_ref().filter(|_| !self.plan.is_empty());
        let unasked = || planned.map(|computed| Underway::of(computed, None));
        let underway = self.underway.take().or_else(unasked);
        if let (Some(plan), Some(spec)) = (underway, &spec) {
            if plan.is_done(spec) {
                self.tracked = Tracked::begin(plan, spec, cx);
            } else if plan.was_asked_for() {
                self.underway = Some(plan);
            }
        }
        // A plan is made for one cluster.
        self.plan = Plan::default();
        self.refusal = None;
        self.computed = None;
        self.spec = spec;
    }

    fn add(&mut self, change: Change) {
        let Some(spec) = &self.spec else { return };
        match self.plan.add(spec, change) {
            Ok(()) => {
                self.refusal = None;
                self.tracked = None;
            }
            Err(error) => self.refusal = Some(error.to_string()),
        }
    }

    fn shortcuts(&mut self, ui: &Ui) {
        if is_typing(ui) {
            return;
        }
        let redo = Modifiers::COMMAND | Modifiers::SHIFT;
        if ui.input_mut(|input| input.consume_key(redo, Key::Z)) {
            self.plan.redo();
        } else if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Z)) {
            self.plan.undo();
        }
    }
}
