//! One class of one node: everything that the server says of it.

use egui::{Grid, Role, ScrollArea, Ui, vec2};

use super::super::{Action, ViewContext, state_text};
use super::Chosen;
use crate::format::{UNKNOWN, ago, compact_with, count};
use crate::model::wording::{bytes, percent};
use crate::model::{ClassDetail, ClassMatrix};
use crate::published::{Write, WriteCommand};
use crate::theme::{Theme, mix};
use crate::widgets::{Empty, Part, card, card_with, empty, named, stacked_bar};

/// Names of the LRU's lists.
const LISTS: [&str; 4] = ["HOT", "WARM", "COLD", "TEMP"];

pub(super) fn ui(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    matrix: &ClassMatrix,
    chosen: Option<Chosen>,
    actions: &mut Vec<Action>,
) {
    let rect = ui.max_rect();
    let found = chosen.and_then(|place| {
        let node = cx.snapshot.nodes.get(place.node)?;
        let cell = matrix.cell(place.row, place.node)?;
        Some((place, node, ClassDetail::of(node, cell.class)?))
    });
    let Some((place, node, class)) = found else {
        card(ui, rect, "Class", "", |ui| {
            let what = match chosen.and_then(|place| cx.snapshot.nodes.get(place.node)) {
                Some(node) if !node.state.is_answering() => state_text(node),
                _ => "Click a cell of the map, or move with the arrow keys.".to_owned(),
            };
            let room = ui.available_rect_before_wrap();
            empty(
                ui,
                room,
                Empty {
                    title: "No class",
                    text: &what,
                },
            );
        });
        return;
    };
    let title = format!("Class {} on {}", class.class, cx.label(place.node));
    card_with(
        ui,
        rect,
        &title,
        |ui| {
            let theme = Theme::of(ui);
            ui.label(theme.faint(format!("chunks of {}", bytes(class.chunk_size()))));
            if cx.desk.may_write {
                move_page(ui, cx, place, &class, actions);
            }
        },
        |ui| {
            ScrollArea::vertical()
                .id_salt("class")
                .auto_shrink(false)
                .show(ui, |ui| {
                    bars(ui, &class);
                    ui.add_space(6.0);
                    figures(ui, &class);
                    if !node.state.is_answering() {
                        let theme = Theme::of(ui);
                        ui.label(theme.faint(format!("old figures: {}", state_text(node))));
                    }
                });
        },
    );
}

/// Shares that are better seen than read.
fn bars(ui: &mut Ui, class: &ClassDetail<'_>) {
    let theme = Theme::of(ui);
    let strong = theme.accent;
    let soft = mix(theme.panel, theme.accent, 0.48);
    let grey = mix(theme.panel, theme.text_soft, 0.45);
    if let Some(used) = class.used_share() {
        let chunks = format!(
            "{} of {} chunks",
            count(class.slab.used_chunks),
            count(class.slab.total_chunks)
        );
        share_bar(ui, "Used", &chunks, &[(used, strong)]);
    }
    if let (Some(waste), Some(share)) = (class.waste_bytes(), class.waste_share()) {
        let text = format!("{} wasted, {}", bytes(waste), percent(share));
        share_bar(
            ui,
            "Inside chunks",
            &text,
            &[(1.0 - share, strong), (share, soft)],
        );
    }
    for (name, shares) in [("Items", class.lists()), ("Hits", class.hits_by_list())] {
        let Some(shares) = shares else { continue };
        let parts = LISTS.iter().zip(shares).filter(|(_, share)| *share > 0.0);
        let text: Vec<_> = parts
            .map(|(list, share)| format!("{list} {}", percent(share)))
            .collect();
        let colors = [strong, soft, grey, theme.text_faint];
        let bars: Vec<_> = shares.into_iter().zip(colors).collect();
        share_bar(ui, name, &text.join("  "), &bars);
    }
}

fn share_bar(ui: &mut Ui, name: &str, text: &str, parts: &[(f64, egui::Color32)]) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.label(theme.soft(name));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(theme.soft(text));
        });
    });
    let size = vec2(ui.available_width(), 7.0);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
    let parts: Vec<_> = parts
        .iter()
        .map(|(share, color)| Part {
            share: *share as f32,
            color: *color,
        })
        .collect();
    stacked_bar(ui, rect, &parts);
    named(response, Role::ProgressIndicator, format!("{name}: {text}"));
}

fn figures(ui: &mut Ui, class: &ClassDetail<'_>) {
    let theme = Theme::of(ui);
    let seconds = |seconds: Option<u64>| {
        seconds.map_or(UNKNOWN.to_owned(), |s| {
            ago(std::time::Duration::from_secs(s))
        })
    };
    let rate = |rate: Option<f64>| compact_with(rate, "/s");
    let rates = class.rates;
    let evicts = class.is_evicting();
    let spare = class.spare_pages();
    let pages = match spare {
        0 => count(class.slab.total_pages),
        spare => format!("{}, {spare} to spare", count(class.slab.total_pages)),
    };
    let rows: [(&str, String, &str); 9] = [
        (
            "Pages",
            pages,
            "total_pages; to spare: ⌊free_chunks / chunks_per_page⌋, but never the last",
        ),
        (
            "Evictions",
            rate(class.evictions_per_second()),
            "Δevicted / time",
        ),
        (
            "Tail age",
            seconds(class.tail_age()),
            "age: since the item evicted next was used",
        ),
        (
            "Last evicted after",
            seconds(
                class
                    .items
                    .and_then(|items| items.evicted_time)
                    .filter(|time| *time > 0),
            ),
            "evicted_time: how long the item evicted last had not been used",
        ),
        (
            "Evicted unread",
            class.unfetched_share().map_or(UNKNOWN.to_owned(), percent),
            "evicted_unfetched / evicted since the start: such evictions cost no hits",
        ),
        (
            "Stores",
            rate(rates.and_then(|rates| rates.stores_per_second)),
            "Δcmd_set of the class",
        ),
        (
            "Hits",
            rate(rates.and_then(|rates| rates.hits_per_second)),
            "Δget_hits of the class",
        ),
        (
            "Reads per store",
            class
                .reuse()
                .map_or(UNKNOWN.to_owned(), |reuse| format!("{reuse:.1}")),
            "Δget_hits / Δcmd_set: a miss has no class, so there is no hit rate of one",
        ),
        (
            "Out of memory",
            rate(rates.and_then(|rates| rates.out_of_memory_per_second)),
            "Δoutofmemory: stores refused for want of memory",
        ),
    ];
    let grid = Grid::new("class figures")
        .num_columns(4)
        .spacing([14.0, 5.0]);
    grid.show(ui, |ui| {
        for pair in rows.chunks(2) {
            for (name, value, formula) in pair {
                let color = if *name == "Evictions" && evicts {
                    theme.warn
                } else {
                    theme.text
                };
                ui.label(theme.soft(*name)).on_hover_text(*formula);
                ui.label(theme.mono(value).color(color))
                    .on_hover_text(*formula);
            }
            ui.end_row();
        }
    });
}

/// Offers to give the class a page of the class that can spare most, where that is allowed.
fn move_page(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    place: Chosen,
    class: &ClassDetail<'_>,
    actions: &mut Vec<Action>,
) {
    let Some(node) = cx.snapshot.nodes.get(place.node) else {
        return;
    };
    let donors = ClassDetail::all(node).filter(|other| other.class != class.class);
    let donor = donors
        .max_by_key(ClassDetail::spare_pages)
        .filter(|donor| donor.spare_pages() > 0);
    let ids = donor.and_then(|donor| {
        Some((
            u8::try_from(donor.class).ok()?,
            u8::try_from(class.class).ok()?,
        ))
    });
    let Some((from, to)) = ids else { return };
    let theme = Theme::of(ui);
    let text = theme
        .soft(format!("Move a page from class {from}…"))
        .color(theme.warn);
    if ui.button(text).clicked() {
        actions.push(Action::ProposeWrite(WriteCommand {
            node: node.name.clone(),
            write: Write::SlabsReassign { from, to },
        }));
    }
}
