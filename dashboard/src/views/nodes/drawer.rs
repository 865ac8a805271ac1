//! One node in depth: how it went, what each command did, and how its settings differ.

use std::sync::Arc;
use std::time::Duration;

use egui::{Id, Ui};

use super::super::overview::{longest_step, shown, time};
use super::super::{Action, Export, View, ViewContext, state_text, state_tone};
use super::connections;
use crate::format::{UNKNOWN, bytes, compact_with, count, latency, percent_figure};
use crate::model::{Deltas, NodeSnapshot, Series, SettingsDiff};
use crate::published::{Write, WriteCommand};
use crate::theme::{GAP, GAP_LARGE, Theme};
use crate::widgets::{
    Chart, Column, Empty, Line, Split, TableState, badge, card_with, columns, csv, empty,
    ghost_button, link_button, place, rows, segmented, table,
};

/// What stands beside the charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Page {
    #[default]
    Commands,
    Settings,
    Connections,
}

/// Bytes in a MiB.
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// A chart: its name, its series, and how a value is written.
type ChartSpec = (&'static str, Series, fn(f64) -> String);

const CHARTS: [ChartSpec; 6] = [
    ("Hit rate", Series::HitRate, |value| {
        format!("{:.1} %", value * 100.0)
    }),
    ("Requests", Series::Operations, |value| {
        compact_with(Some(value), "/s")
    }),
    ("Evictions", Series::Evictions, |value| {
        compact_with(Some(value), "/s")
    }),
    ("Stored", Series::StoredBytes, |value| {
        bytes(Some(value as u64))
    }),
    ("CPU cores", Series::CpuCores, |value| format!("{value:.2}")),
    ("Answer time", Series::RoundTrip, |value| {
        let (figure, unit) = latency(Duration::try_from_secs_f64(value).ok());
        format!("{figure} {unit}")
    }),
];

#[derive(Debug, Default)]
pub(super) struct Drawer {
    page: Page,
    commands: TableState,
    settings: TableState,
    settings_page: SettingsPage,
    connections: TableState,
}

impl Drawer {
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        index: usize,
        actions: &mut Vec<Action>,
    ) {
        let Some(node) = cx.snapshot.nodes.get(index) else {
            return;
        };
        let parts = columns(
            ui.max_rect(),
            GAP_LARGE,
            &[Split::Share(1.7), Split::Share(1.0)],
        );
        place(ui, parts[0], |ui| charts(ui, cx, node, actions));
        place(ui, parts[1], |ui| self.page(ui, cx, node, actions));
    }

    fn page(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        node: &NodeSnapshot,
        actions: &mut Vec<Action>,
    ) {
        let page = &mut self.page;
        let mut export = false;
        let title = match page {
            Page::Commands => "Commands",
            Page::Settings => "Settings",
            Page::Connections => "Connections",
        };
        let rect = ui.max_rect();
        let (commands, settings) = (&mut self.commands, &mut self.settings);
        let settings_page = &mut self.settings_page;
        let connections_state = &mut self.connections;
        // The pages' names are the title.
        card_with(
            ui,
            rect,
            " ",
            |ui| {
                export = ghost_button(ui, "Export CSV").clicked();
                segmented(
                    ui,
                    page,
                    &[
                        (Page::Commands, "Commands"),
                        (Page::Settings, "Settings"),
                        (Page::Connections, "Connections"),
                    ],
                );
            },
            |_| (),
        );
        let inner = rect.shrink(14.0);
        let body = egui::Rect::from_min_max(inner.min + egui::vec2(0.0, 34.0), inner.max);
        let text = place(ui, body, |ui| match *page {
            Page::Commands => commands_page(ui, node, commands),
            Page::Settings => settings_page.ui(ui, cx, node, settings),
            Page::Connections => connections::ui(ui, cx, node, connections_state, actions),
        });
        if export {
            let name = format!(
                "memlens-{}-{}.csv",
                title.to_lowercase(),
                node.name.replace([':', '/'], "-")
            );
            actions.push(Action::Export(Export::text(name, &text)));
        }
    }
}

fn charts(ui: &mut Ui, cx: &ViewContext<'_>, node: &NodeSnapshot, actions: &mut Vec<Action>) {
    card_with(
        ui,
        ui.max_rect(),
        &node.name,
        |ui| {
            if ghost_button(ui, "Close").clicked() {
                actions.push(Action::Select(None));
            }
            if link_button(ui, "What if it was removed?").clicked() {
                actions.push(Action::SimulateRemoval(node.name.clone()));
            }
            if link_button(ui, "Slabs").clicked() {
                actions.push(Action::Open(View::Slabs));
            }
            if cx.desk.may_write {
                writes(ui, node, actions);
            }
            badge(ui, &state_text(node), state_tone(&node.state));
        },
        |ui| {
            let grid = rows(
                ui.available_rect_before_wrap(),
                GAP,
                &[Split::Share(1.0); 2],
            );
            for (row, specs) in grid.into_iter().zip(CHARTS.chunks(3)) {
                let places = columns(row, GAP_LARGE, &[Split::Share(1.0); 3]);
                for (rect, spec) in places.into_iter().zip(specs) {
                    place(ui, rect, |ui| chart(ui, cx, node, *spec));
                }
            }
        },
    );
}

/// What can be changed on a server, once the program was started to allow it.
fn writes(ui: &mut Ui, node: &NodeSnapshot, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    ui.menu_button(theme.soft("Change…").color(theme.warn), |ui| {
        if ui.button("Forget all items…").clicked() {
            actions.push(Action::ProposeWrite(WriteCommand {
                node: node.name.clone(),
                write: Write::FlushAll,
            }));
        }
        let limit = node
            .general
            .as_ref()
            .and_then(|general| general.limit_maxbytes);
        let limit = limit.and_then(|bytes| u32::try_from(bytes >> 20).ok());
        for (text, factor) in [("Memory limit + 25 %…", 5), ("Memory limit − 25 %…", 3)] {
            let Some(limit) = limit else { continue };
            if ui.button(text).clicked() {
                actions.push(Action::ProposeWrite(WriteCommand {
                    node: node.name.clone(),
                    write: Write::MemoryLimit((limit / 4 * factor).max(1)),
                }));
            }
        }
    });
}

fn chart(
    ui: &mut Ui,
    cx: &ViewContext<'_>,
    node: &NodeSnapshot,
    (name, series, format): ChartSpec,
) {
    let theme = Theme::of(ui);
    let (window, tier) = (cx.desk.window.length(), cx.desk.window.tier());
    let now = cx.snapshot.at;
    let since = now.saturating_sub(window);
    let points: Vec<_> = node
        .history
        .points(tier, series)
        .filter(|point| point.at >= since)
        .map(|point| {
            [
                point.at.as_secs_f64() - now.as_secs_f64(),
                f64::from(point.value),
            ]
        })
        .collect();
    let current = points
        .last()
        .map_or(UNKNOWN.to_owned(), |point| format(point[1]));
    ui.horizontal(|ui| {
        ui.label(theme.soft(name));
        ui.label(theme.strong(current));
    });
    if points.is_empty() {
        empty(
            ui,
            ui.available_rect_before_wrap(),
            Empty {
                title: "",
                text: "nothing measured",
            },
        );
        return;
    }
    Chart {
        name,
        x: [-shown(window, now).as_secs_f64(), 0.0],
        // The interesting part of a hit rate is its top; everything else is seen against nothing.
        y: if series == Series::HitRate {
            [f64::INFINITY, f64::NEG_INFINITY]
        } else {
            [0.0, f64::NEG_INFINITY]
        },
        longest_step: longest_step(tier, cx.snapshot.interval),
        lines: vec![Line {
            name: name.to_owned(),
            color: theme.accent,
            points,
            is_dashed: false,
        }],
        band: Vec::new(),
        marks: Vec::new(),
        level: None,
        unit: if series == Series::StoredBytes {
            MEBIBYTE
        } else {
            1.0
        },
        format: &format,
        time: &time,
        group: Some(Id::unique("node charts")),
    }
    .show(ui);
}

/// What a kind of command did since the server started, and does now.
struct CommandRow {
    name: &'static str,
    hits: Option<u64>,
    misses: Option<u64>,
    per_second: Option<f64>,
    ratio: Option<f64>,
}

fn commands_page(ui: &mut Ui, node: &NodeSnapshot, state: &mut TableState) -> String {
    let rows = command_rows(node);
    let columns = [
        Column::text("Command", Split::Share(1.0), |row: &CommandRow| {
            row.name.to_owned()
        })
        .by_text(|row| row.name.to_owned()),
        Column::number("Per s", 52.0, |row: &CommandRow| {
            compact_with(row.per_second, "")
        })
        .by_number(|row| row.per_second),
        Column::number("Hit %", 40.0, |row: &CommandRow| percent_figure(row.ratio))
            .by_number(|row| row.ratio),
        Column::number("Hits ever", 66.0, |row: &CommandRow| count(row.hits))
            .by_number(|row| row.hits.map(|count| count as f64)),
        Column::number("Misses ever", 72.0, |row: &CommandRow| count(row.misses))
            .by_number(|row| row.misses.map(|count| count as f64)),
    ];
    table(ui, "commands", state, &columns, &rows, |_| false);
    csv(state, &columns, &rows)
}

fn command_rows(node: &NodeSnapshot) -> Vec<CommandRow> {
    let general = node.general.as_deref();
    let deltas = node.deltas.as_ref();
    let row =
        |name, ever: (Option<u64>, Option<u64>), lately: Option<(Option<u64>, Option<u64>)>| {
            let lately = lately.and_then(|(hits, misses)| Some((hits?, misses?)));
            let per_second = lately
                .zip(deltas)
                .and_then(|((hits, misses), deltas)| deltas.per_second(Some(hits + misses)));
            CommandRow {
                name,
                hits: ever.0,
                misses: ever.1,
                per_second,
                ratio: lately.and_then(|(hits, misses)| crate::model::ratio(hits, hits + misses)),
            }
        };
    let ever = |hits: fn(&memlens::stats::General) -> (Option<u64>, Option<u64>)| {
        general.map_or((None, None), hits)
    };
    let lately = |hits: fn(&Deltas) -> (Option<u64>, Option<u64>)| deltas.map(hits);
    vec![
        row(
            "get",
            ever(|it| (it.get_hits, it.get_misses)),
            lately(|it| (it.get_hits, it.get_misses)),
        ),
        CommandRow {
            name: "set",
            hits: general.and_then(|it| it.cmd_set),
            misses: None,
            per_second: node.rate(|it| it.per_second(it.cmd_set)),
            ratio: None,
        },
        row(
            "touch",
            ever(|it| (it.touch_hits, it.touch_misses)),
            lately(|it| (it.touch_hits, it.touch_misses)),
        ),
        row(
            "delete",
            ever(|it| (it.delete_hits, it.delete_misses)),
            lately(|it| (it.delete_hits, it.delete_misses)),
        ),
        row(
            "incr",
            ever(|it| (it.incr_hits, it.incr_misses)),
            lately(|it| (it.incr_hits, it.incr_misses)),
        ),
        row(
            "decr",
            ever(|it| (it.decr_hits, it.decr_misses)),
            lately(|it| (it.decr_hits, it.decr_misses)),
        ),
        row(
            "cas",
            ever(|it| {
                (
                    it.cas_hits,
                    it.cas_misses.zip(it.cas_badval).map(|(a, b)| a + b),
                )
            }),
            lately(|it| {
                (
                    it.cas_hits,
                    it.cas_misses.zip(it.cas_badval).map(|(a, b)| a + b),
                )
            }),
        ),
    ]
}

/// A setting here, and as most nodes have it where they differ.
#[derive(Debug, Clone)]
struct SettingLine {
    name: String,
    value: String,
    most: Option<String>,
    is_drift: bool,
}

/// The settings of one node; comparing all nodes anew in each frame would be felt.
#[derive(Debug, Default)]
struct SettingsPage {
    of: Option<(Arc<str>, Duration)>,
    lines: Vec<SettingLine>,
}

impl SettingsPage {
    fn look(&mut self, cx: &ViewContext<'_>, node: &NodeSnapshot) {
        let of = Some((Arc::clone(&node.name), cx.snapshot.at));
        if self.of == of {
            return;
        }
        self.of = of;
        let Some(settings) = &node.settings else {
            self.lines.clear();
            return;
        };
        let diff = SettingsDiff::of(cx.snapshot);
        let lines = settings.fields().into_iter().map(|(name, value)| {
            let row = diff.rows.iter().find(|row| row.name == name);
            let row = row.filter(|row| row.majority != value);
            SettingLine {
                name: name.to_owned(),
                value,
                most: row.map(|row| row.majority.clone()),
                is_drift: row.is_some_and(|row| !row.is_individual),
            }
        });
        self.lines = lines.collect();
        // What differs from the other nodes is what somebody is looking for.
        self.lines.sort_by_key(|line| !line.is_drift);
    }

    fn ui(
        &mut self,
        ui: &mut Ui,
        cx: &ViewContext<'_>,
        node: &NodeSnapshot,
        state: &mut TableState,
    ) -> String {
        let theme = Theme::of(ui);
        self.look(cx, node);
        if self.lines.is_empty() {
            let what = Empty {
                title: "No settings known",
                text: "They are asked for when a node answers for the first time.",
            };
            empty(ui, ui.max_rect(), what);
            return String::new();
        }
        let drift = move |line: &SettingLine| {
            if line.is_drift {
                theme.warn
            } else {
                theme.text
            }
        };
        let columns = [
            Column::text("Setting", Split::Share(1.2), |line: &SettingLine| {
                line.name.clone()
            })
            .by_text(|line| line.name.clone()),
            Column::text("Here", Split::Share(1.0), |line: &SettingLine| {
                line.value.clone()
            })
            .colored(drift),
            Column::text("Most nodes", Split::Share(1.0), |line: &SettingLine| {
                line.most
                    .as_ref()
                    .map_or_else(|| "same".to_owned(), |most| format!("≠ {most}"))
            })
            .colored(move |line| {
                if line.is_drift {
                    theme.warn
                } else {
                    theme.text_faint
                }
            }),
        ];
        table(ui, "settings", state, &columns, &self.lines, |_| false);
        csv(state, &columns, &self.lines)
    }
}
