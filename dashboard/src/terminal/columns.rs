//! The table's columns: what each shows, and which give way first where there is little room.

use super::figures::Figures;
use super::style::{Span, Tone};
use crate::format::{bar, bytes, count, fine_rate, percent, used_of, whole_rate};

/// Columns between two neighbours.
const GAP: usize = 2;

/// How wide a name may be: where there is room, before a column gives way to it, and when all other
/// columns have given way.
const NAME_WIDTHS: [usize; 3] = [32, 20, 10];

/// The widest text that a node's state gets.
const WIDEST_STATE: usize = 24;

const BAR_CELLS: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// One column of the table.
pub(super) struct Column {
    heading: &'static str,
    side: Side,
    /// The width it has at least, so that the table does not jump as figures change.
    least: usize,
    /// Columns with a lower rank give way first.
    rank: u8,
    show: fn(&Figures) -> Span,
}

impl Column {
    const fn number(
        heading: &'static str,
        least: usize,
        rank: u8,
        show: fn(&Figures) -> Span,
    ) -> Self {
        Self {
            heading,
            side: Side::Right,
            least,
            rank,
            show,
        }
    }
}

/// All columns, from left to right.
static COLUMNS: [Column; 13] = [
    Column {
        heading: "node",
        side: Side::Left,
        least: 15,
        rank: u8::MAX,
        show: |line| line.name.clone(),
    },
    Column {
        heading: "state",
        side: Side::Left,
        least: 9,
        rank: 12,
        show: |line| line.state.cut_end(WIDEST_STATE),
    },
    Column::number("hit rate", 8, 13, |line| {
        Span::normal(percent(line.hit_rate))
    }),
    Column::number("ops/s", 7, 11, |line| {
        Span::normal(whole_rate(line.operations_per_second))
    }),
    Column::number("get/s", 7, 6, |line| {
        Span::normal(whole_rate(line.gets_per_second))
    }),
    Column::number("set/s", 6, 5, |line| {
        Span::normal(whole_rate(line.sets_per_second))
    }),
    Column::number("memory", 13, 10, |line| {
        Span::normal(used_of(line.stored_bytes, line.limit_bytes))
    }),
    Column {
        heading: "of limit",
        side: Side::Left,
        least: BAR_CELLS + 6,
        rank: 2,
        show: fullness,
    },
    Column::number("allocated", 9, 1, |line| {
        Span::normal(bytes(line.allocated_bytes))
    }),
    Column::number("items", 7, 8, |line| Span::normal(count(line.items))),
    Column::number("evict/s", 7, 9, |line| {
        Span::normal(fine_rate(line.evictions_per_second))
    }),
    Column::number("evicted", 9, 4, |line| Span::normal(count(line.evictions))),
    Column::number("conns", 5, 3, |line| Span::normal(count(line.connections))),
];

/// The rank below which columns have no place in plain rows: the bar says nothing there that the
/// numbers do not.
const DRAWN_ONLY: u8 = 2;

fn fullness(line: &Figures) -> Span {
    match line.share_of_limit() {
        Some(share) => {
            let tone = if share > 1.0 {
                Tone::Warning
            } else {
                Tone::Normal
            };
            Span::new(
                format!("{} {:>3.0} %", bar(share, BAR_CELLS), share * 100.0),
                tone,
            )
        }
        None => Span::normal(""),
    }
}

/// A table: columns with their widths, ready to lay out lines.
pub(super) struct Table {
    columns: Vec<(&'static Column, usize)>,
}

impl Table {
    /// Chooses the columns that fit into `width` for these lines. Names are cut first, then columns
    /// give way by their rank.
    pub(super) fn fitting(lines: &[Figures], width: usize) -> Self {
        let [roomy, close, closest] = NAME_WIDTHS;
        let mut table = Self::of(COLUMNS.iter(), lines);
        table.cut_name(width, roomy, roomy);
        table.cut_name(width, close, roomy);
        while table.width() > width && table.columns.len() > 2 {
            let weakest = table.columns.iter().map(|(column, _)| column.rank).min();
            table
                .columns
                .retain(|(column, _)| Some(column.rank) != weakest);
        }
        table.cut_name(width, closest, roomy);
        table
    }

    /// All columns that make sense without drawing.
    pub(super) fn plain(lines: &[Figures]) -> Self {
        Self::of(
            COLUMNS.iter().filter(|column| column.rank != DRAWN_ONLY),
            lines,
        )
    }

    fn of(columns: impl Iterator<Item = &'static Column>, lines: &[Figures]) -> Self {
        let with_width = columns.map(|column| {
            let widest = lines.iter().map(|line| (column.show)(line).width()).max();
            let heading = Span::normal(column.heading).width();
            (column, widest.unwrap_or(0).max(column.least).max(heading))
        });
        Self {
            columns: with_width.collect(),
        }
    }

    /// Makes the column of names as much narrower as the table is wider than `width`, but not
    /// narrower than `least`; and never leaves it wider than `most`.
    fn cut_name(&mut self, width: usize, least: usize, most: usize) {
        let over = self.width().saturating_sub(width);
        if let Some((_, name_width)) = self.columns.first_mut() {
            let cut = name_width.saturating_sub(over).max(least);
            *name_width = cut.min(*name_width).min(most);
        }
    }

    /// Columns of the terminal that a line takes.
    pub(super) fn width(&self) -> usize {
        let gaps = GAP * self.columns.len().saturating_sub(1);
        self.columns.iter().map(|(_, width)| width).sum::<usize>() + gaps
    }

    pub(super) fn heading(&self) -> Vec<Span> {
        self.lay_out(|column| Span::new(column.heading, Tone::Faint))
    }

    pub(super) fn line(&self, line: &Figures) -> Vec<Span> {
        self.lay_out(|column| {
            let text = (column.show)(line);
            if line.old { text.faded() } else { text }
        })
    }

    fn lay_out(&self, show: impl Fn(&Column) -> Span) -> Vec<Span> {
        let mut spans = Vec::with_capacity(self.columns.len() * 3);
        for (index, (column, width)) in self.columns.iter().enumerate() {
            let gap = if index == 0 { 0 } else { GAP };
            let text = show(column);
            let text = match column.side {
                Side::Left => text.cut_start(*width),
                Side::Right => text,
            };
            let padding = width.saturating_sub(text.width());
            match column.side {
                Side::Left => spans.extend([Span::spaces(gap), text, Span::spaces(padding)]),
                Side::Right => spans.extend([Span::spaces(gap + padding), text]),
            }
        }
        spans
    }
}
