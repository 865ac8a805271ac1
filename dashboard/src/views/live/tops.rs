//! Which keys come most, and how reads end, prefix by prefix.

use egui::{Align2, Rect, Role, ScrollArea, Sense, Ui, pos2, vec2};

use super::super::Action;
use crate::format::{UNKNOWN, compact_with, count};
use crate::model::wording::{foreign, percent};
use crate::model::{LiveDigest, PrefixReads, TopKey};
use crate::theme::{GAP_LARGE, ROW_HEIGHT, SMALL, Theme, mono};
use crate::widgets::{
    Empty, Split, bar, card, card_with, columns, empty, named, paint_text, place, rows, segmented,
};

/// How much of a key is shown.
const LONGEST_KEY: usize = 80;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Counted {
    #[default]
    Hits,
    Misses,
    Stored,
    Evicted,
}

/// What can be chosen.
const CHOICES: [(Counted, &str); 4] = [
    (Counted::Hits, "Hits"),
    (Counted::Misses, "Misses"),
    (Counted::Stored, "Stores"),
    (Counted::Evicted, "Evictions"),
];

/// What is shown beside the events.
#[derive(Debug, Default)]
pub(super) struct Tops {
    counted: Counted,
}

impl Tops {
    pub(super) fn ui(&mut self, ui: &mut Ui, live: &LiveDigest, actions: &mut Vec<Action>) {
        let parts = rows(
            ui.max_rect(),
            GAP_LARGE,
            &[Split::Share(1.2), Split::Share(1.0)],
        );
        place(ui, parts[0], |ui| self.keys(ui, live, actions));
        place(ui, parts[1], |ui| prefixes(ui, live));
    }

    fn keys(&mut self, ui: &mut Ui, live: &LiveDigest, actions: &mut Vec<Action>) {
        let counted = &mut self.counted;
        card_with(
            ui,
            ui.max_rect(),
            "Most frequent",
            |ui| {
                segmented(ui, counted, &CHOICES);
            },
            |_| (),
        );
        let (keys, all) = match self.counted {
            Counted::Hits => (&live.hits, live.counts.of(crate::model::LiveKind::Hit)),
            Counted::Misses => (&live.misses, live.counts.of(crate::model::LiveKind::Miss)),
            Counted::Stored => (&live.stored, live.counts.of(crate::model::LiveKind::Stored)),
            Counted::Evicted => (
                &live.evicted,
                live.counts.of(crate::model::LiveKind::Evicted),
            ),
        };
        let inner = ui.max_rect().shrink(14.0);
        let body = Rect::from_min_max(inner.min + vec2(0.0, 34.0), inner.max);
        place(ui, body, |ui| {
            if keys.is_empty() {
                let what = Empty {
                    title: "None so far",
                    text: "Keys are counted from the beginning of the watch.",
                };
                empty(ui, ui.max_rect(), what);
                return;
            }
            let most = keys.first().map_or(1, |key| key.count);
            let seconds = live.watched_for.as_secs_f64().max(1.0);
            // The rows in sight are found by their height and the space between them.
            ui.spacing_mut().item_spacing.y = 0.0;
            ScrollArea::vertical()
                .id_salt("tops")
                .auto_shrink(false)
                .show_rows(ui, ROW_HEIGHT, keys.len(), |ui, visible| {
                    for key in &keys[visible] {
                        top_row(ui, key, (all, most), seconds, actions);
                    }
                });
        });
    }
}

fn top_row(
    ui: &mut Ui,
    key: &TopKey,
    (all, most): (u64, u64),
    seconds: f64,
    actions: &mut Vec<Action>,
) {
    let theme = Theme::of(ui);
    let size = vec2(ui.available_width(), ROW_HEIGHT);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let response = ui.interact(rect, ui.scope_id().with(("top", &key.key)), Sense::click());
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4.0, theme.raised);
    }
    let widths = [Split::Share(1.0), Split::Exact(62.0), Split::Exact(44.0)];
    let places = columns(rect.shrink2(vec2(6.0, 0.0)), 8.0, &widths);
    let text = foreign(&key.key, LONGEST_KEY);
    let share = key.count as f64 / all.max(1) as f64;
    let per_second = compact_with(Some(key.count as f64 / seconds), "/s");
    let font = mono(SMALL + 0.5);
    paint_text(
        ui,
        places[0],
        Align2::LEFT_CENTER,
        &text,
        font.clone(),
        theme.text,
    );
    paint_text(
        ui,
        places[1],
        Align2::RIGHT_CENTER,
        &per_second,
        font.clone(),
        theme.text_soft,
    );
    paint_text(
        ui,
        places[2],
        Align2::RIGHT_CENTER,
        &percent(share),
        font,
        theme.text_soft,
    );
    let under = Rect::from_min_max(
        pos2(places[0].left(), rect.bottom() - 3.0),
        pos2(rect.right() - 6.0, rect.bottom() - 1.5),
    );
    bar(
        ui,
        under,
        key.count as f32 / most.max(1) as f32,
        theme.accent,
    );
    let name = format!(
        "{text}, {} times, {}",
        count(Some(key.count)),
        percent(share)
    );
    let response = named(response, Role::Button, name);
    let response = response.on_hover_ui(|ui| {
        ui.label(theme.soft(format!("counted {} times", count(Some(key.count)))));
        if key.missed_at_most > 0 {
            let more = count(Some(key.missed_at_most));
            ui.label(theme.soft(format!("and at most {more} times before it was counted")));
        }
        ui.label(theme.faint("click to find it on the ring"));
    });
    if response.clicked() {
        actions.push(Action::Probe(
            String::from_utf8_lossy(&key.key).into_owned(),
        ));
    }
}

fn prefixes(ui: &mut Ui, live: &LiveDigest) {
    card(
        ui,
        ui.max_rect(),
        "Hit rate by prefix",
        "reads since the watch began",
        |ui| {
            if live.prefixes.is_empty() {
                let what = Empty {
                    title: "No reads so far",
                    text: "The servers count hits and misses of all keys together; a watch tells them apart.",
                };
                empty(ui, ui.available_rect_before_wrap(), what);
                return;
            }
            // The rows in sight are found by their height and the space between them.
            ui.spacing_mut().item_spacing.y = 0.0;
            ScrollArea::vertical()
                .id_salt("prefix reads")
                .auto_shrink(false)
                .show_rows(ui, ROW_HEIGHT, live.prefixes.len(), |ui, visible| {
                    for reads in &live.prefixes[visible] {
                        prefix_row(ui, reads);
                    }
                });
        },
    );
}

fn prefix_row(ui: &mut Ui, reads: &PrefixReads) {
    let theme = Theme::of(ui);
    let size = vec2(ui.available_width(), ROW_HEIGHT);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let response = ui.interact(
        rect,
        ui.scope_id().with(("reads", &reads.prefix)),
        Sense::hover(),
    );
    if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, theme.raised);
    }
    let widths = [
        Split::Share(1.0),
        Split::Exact(70.0),
        Split::Exact(92.0),
        Split::Exact(48.0),
    ];
    let places = columns(rect.shrink2(vec2(6.0, 0.0)), 8.0, &widths);
    let prefix = match reads.prefix.len() {
        0 => "(no prefix)".to_owned(),
        _ => foreign(&reads.prefix, LONGEST_KEY),
    };
    let reads_text = count(Some(reads.hits + reads.misses));
    let rate = reads.hit_rate();
    let rate_text = rate.map_or(UNKNOWN.to_owned(), percent);
    let font = mono(SMALL + 0.5);
    let color = if reads.prefix.is_empty() {
        theme.text_soft
    } else {
        theme.text
    };
    paint_text(
        ui,
        places[0],
        Align2::LEFT_CENTER,
        &prefix,
        font.clone(),
        color,
    );
    paint_text(
        ui,
        places[1],
        Align2::RIGHT_CENTER,
        &reads_text,
        mono(SMALL),
        theme.text_soft,
    );
    let track = Rect::from_center_size(places[2].center(), vec2(places[2].width(), 5.0));
    bar(ui, track, rate.unwrap_or(0.0) as f32, theme.accent);
    paint_text(
        ui,
        places[3],
        Align2::RIGHT_CENTER,
        &rate_text,
        font,
        theme.text,
    );
    let name = format!("prefix {prefix}, {reads_text} reads, hit rate {rate_text}");
    let response = named(response, Role::Label, name);
    if rate.is_none() {
        response.on_hover_text("too few reads to tell");
    }
}
