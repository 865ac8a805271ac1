//! What to do about the memory of the nodes.

use egui::{ScrollArea, Ui};

use super::super::advice::{Depth, advice_item, is_about_memory};
use super::super::{Action, ViewContext};
use crate::model::wording::bytes;
use crate::model::{GrowthAdvice, SlabLayout, StreamTrouble};
use crate::published::{Ask, Command};
use crate::theme::{GAP, Theme};
use crate::widgets::{Empty, card_with, empty, link_button};

pub(super) fn ui(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let selected = cx.desk.selected.as_ref();
    let about = |advice: &&crate::model::Advice| {
        let of_selected = selected.is_none() || advice.subject.node() == selected;
        is_about_memory(advice.kind) && of_selected
    };
    let advice: Vec<_> = cx.published.advice.iter().filter(about).collect();
    let title = match cx.selected() {
        Some(node) => format!("Advice for {}", cx.label(node)),
        None => "Advice".to_owned(),
    };
    card_with(
        ui,
        ui.max_rect(),
        &title,
        |ui| {
            let theme = Theme::of(ui);
            ui.label(theme.faint("nothing is sent by itself"));
        },
        |ui| {
            let room = ui.available_rect_before_wrap();
            if advice.is_empty() && selected.is_none() {
                let what = Empty {
                    title: "Nothing to advise",
                    text: "No class starves, and little is wasted inside chunks.",
                };
                empty(ui, room, what);
                return;
            }
            ScrollArea::vertical()
                .id_salt("advice")
                .auto_shrink(false)
                .show(ui, |ui| {
                    ui.spacing_mut().item_spacing.y = GAP;
                    for advice in advice {
                        advice_item(ui, cx, advice, Depth::Full, actions);
                    }
                    sizes(ui, cx, actions);
                });
        },
    );
}

/// What the sizes of the selected node's items say about its growth factor.
fn sizes(ui: &mut Ui, cx: &ViewContext<'_>, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    let Some(node) = cx.selected().and_then(|index| cx.snapshot.nodes.get(index)) else {
        return;
    };
    let known = cx.published.asked.sizes.get(&node.name);
    ui.horizontal(|ui| {
        ui.label(theme.strong("Growth factor"));
        let text = if known.is_some() {
            "Ask again"
        } else {
            "Ask for item sizes"
        };
        if link_button(ui, text).clicked() {
            actions.push(Action::Command(Command::Ask(Ask::Sizes(node.name.clone()))));
        }
    });
    let text = match known {
        None => "stats sizes tells how many items there are of each size, and so which growth \
                 factor (-f) would waste least. It is asked once, when you say so."
            .to_owned(),
        Some(Err(StreamTrouble::NotCounted { option })) => {
            format!("The server does not count sizes: it would with {option}.")
        }
        Some(Err(trouble)) => format!("✗ {trouble}"),
        Some(Ok(sizes)) => {
            let settings = node.settings.as_deref();
            let now = settings
                .and_then(SlabLayout::of)
                .map(|layout| layout.fit(sizes));
            let better = settings.and_then(|settings| GrowthAdvice::find(settings, sizes));
            match (now, better) {
                (Some(now), Some(better)) => format!(
                    "-f {} would waste {} inside chunks instead of {} on the items there are now \
                     (an estimate).",
                    better.factor,
                    bytes(better.with_it.waste),
                    bytes(now.waste)
                ),
                (Some(now), None) => format!(
                    "No other factor would waste much less than the {} of now.",
                    bytes(now.waste)
                ),
                (None, _) => "The server does not tell its growth factor.".to_owned(),
            }
        }
    };
    ui.add(egui::Label::new(theme.soft(text)).wrap());
}
