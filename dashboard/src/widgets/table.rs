//! A table of any length: only the rows in sight are laid out.

use std::cmp::Ordering;
use std::sync::Arc;

use egui::{Align2, Color32, Key, Rect, Role, ScrollArea, Sense, Ui, pos2, vec2};

use super::layout::{Split, columns as divide};
use super::{named, paint_text, pressed_beside_controls};
use crate::theme::{BODY, ROW_HEIGHT, SMALL, Theme, mono, regular};

/// Space between the text of two columns.
const COLUMN_GAP: f32 = 14.0;

/// On which side of its column a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// What rows are sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum SortKey {
    /// A figure; unknown figures come last, whichever way the rows are sorted.
    Number(Option<f64>),
    /// A word.
    Text(String),
}

/// One column of a table over rows of the type `R`.
pub struct Column<'a, R> {
    title: &'a str,
    width: Split,
    align: Align,
    text: Read<'a, R, String>,
    key: Option<Read<'a, R, SortKey>>,
    color: Option<Read<'a, R, Color32>>,
    paint: Option<Paint<'a, R>>,
}

/// Reads something off a row.
type Read<'a, R, T> = Box<dyn Fn(&R) -> T + 'a>;

/// Paints a row's cell.
type Paint<'a, R> = Box<dyn Fn(&Ui, Rect, &R) + 'a>;

impl<R> std::fmt::Debug for Column<'_, R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Column")
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

impl<'a, R> Column<'a, R> {
    /// A column of words.
    pub fn text(title: &'a str, width: Split, text: impl Fn(&R) -> String + 'a) -> Self {
        Self {
            title,
            width,
            align: Align::Left,
            text: Box::new(text),
            key: None,
            color: None,
            paint: None,
        }
    }

    /// A column of figures, at the right and in digits of one width.
    pub fn number(title: &'a str, width: f32, text: impl Fn(&R) -> String + 'a) -> Self {
        Self {
            align: Align::Right,
            ..Self::text(title, Split::Exact(width), text)
        }
    }

    /// Lets rows be sorted by a figure.
    #[must_use]
    pub fn by_number(self, key: impl Fn(&R) -> Option<f64> + 'a) -> Self {
        Self {
            key: Some(Box::new(move |row| SortKey::Number(key(row)))),
            ..self
        }
    }

    /// Lets rows be sorted by a word.
    #[must_use]
    pub fn by_text(self, key: impl Fn(&R) -> String + 'a) -> Self {
        Self {
            key: Some(Box::new(move |row| SortKey::Text(key(row)))),
            ..self
        }
    }

    /// Puts title and text at the right, for figures in a column that shares what is left.
    #[must_use]
    pub fn at_the_right(self) -> Self {
        Self {
            align: Align::Right,
            ..self
        }
    }

    /// Colours the text.
    #[must_use]
    pub fn colored(self, color: impl Fn(&R) -> Color32 + 'a) -> Self {
        Self {
            color: Some(Box::new(color)),
            ..self
        }
    }

    /// Paints something else than the text, which still is the cell's name and what is exported.
    #[must_use]
    pub fn painted(self, paint: impl Fn(&Ui, Rect, &R) + 'a) -> Self {
        Self {
            paint: Some(Box::new(paint)),
            ..self
        }
    }
}

/// How a table is sorted; kept from frame to frame.
#[derive(Debug, Clone, Default)]
pub struct TableState {
    /// The column and whether it falls; `None` leaves the rows as they come.
    pub sort: Option<(usize, bool)>,
    /// Whether up and down choose the row above and the row below.
    pub follows_arrows: bool,
    /// Which rows come next, where the screen told.
    version: Option<u64>,
    kept: Option<KeptOrder>,
}

/// In which order rows were found to be.
#[derive(Debug, Clone)]
struct KeptOrder {
    version: u64,
    sort: Option<(usize, bool)>,
    order: Arc<[usize]>,
}

impl TableState {
    /// Rows sorted so.
    #[must_use]
    pub fn sorted_by(sort: Option<(usize, bool)>) -> Self {
        Self {
            sort,
            ..Self::default()
        }
    }

    /// Tells which rows come next. As long as the number stays the same they are not sorted anew;
    /// without one they are at every frame.
    pub const fn rows_are(&mut self, version: u64) {
        self.version = Some(version);
    }

    fn order<R>(&mut self, rows: &[R], columns: &[Column<'_, R>]) -> Arc<[usize]> {
        let known = self.kept.as_ref().filter(|kept| {
            Some(kept.version) == self.version
                && kept.sort == self.sort
                && kept.order.len() == rows.len()
        });
        if let Some(known) = known {
            return Arc::clone(&known.order);
        }
        let order: Arc<[usize]> = sorted(rows, columns, self.sort).into();
        self.kept = self.version.map(|version| KeptOrder {
            version,
            sort: self.sort,
            order: Arc::clone(&order),
        });
        order
    }
}

/// What somebody did with a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableResponse {
    /// The row that was clicked, as an index into the rows given.
    pub clicked: Option<usize>,
    /// The row that was double-clicked.
    pub opened: Option<usize>,
}

/// Draws rows below each other in what is left of `ui`, sorted as `state` says. `is_selected` tells
/// which rows stand out.
pub fn table<R>(
    ui: &mut Ui,
    name: &str,
    state: &mut TableState,
    columns: &[Column<'_, R>],
    rows: &[R],
    is_selected: impl Fn(&R) -> bool,
) -> TableResponse {
    let widths: Vec<_> = columns.iter().map(|column| column.width).collect();
    head(ui, name, state, columns, &widths);
    let order = state.order(rows, columns);
    let mut response = TableResponse::default();
    let at = || order.iter().position(|index| is_selected(&rows[*index]));
    let moved = state
        .follows_arrows
        .then(|| moved_by_arrows(ui, order.len(), at))
        .flatten();
    response.clicked = moved.map(|place| order[place]);
    // Rows are reckoned with before they are drawn: both have to know the same space between them.
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical()
        .id_salt(name)
        .auto_shrink(false)
        .show_rows(ui, ROW_HEIGHT, rows.len(), |ui, visible| {
            scroll_to_row(ui, visible.start, moved);
            for place in visible {
                let index = order[place];
                let row = &rows[index];
                let clicks = draw_row(ui, (name, index), columns, &widths, row, is_selected(row));
                if clicks.clicked() {
                    response.clicked = Some(index);
                }
                if clicks.double_clicked() {
                    response.opened = Some(index);
                }
            }
        });
    response
}

/// Where up and down lead from the place `at` of so many rows; to the first one from nowhere.
pub fn moved_by_arrows(ui: &Ui, rows: usize, at: impl FnOnce() -> Option<usize>) -> Option<usize> {
    let down = pressed_beside_controls(ui, Key::ArrowDown);
    let up = !down && pressed_beside_controls(ui, Key::ArrowUp);
    if rows == 0 || !(down || up) {
        return None;
    }
    // At either end there is no other row: nothing is chosen anew.
    match at() {
        None => Some(0),
        Some(place) if down => Some(place + 1).filter(|next| *next < rows),
        Some(place) => place.checked_sub(1),
    }
}

/// Brings a row into sight, from among rows of which `first` is the first that is drawn.
pub fn scroll_to_row(ui: &Ui, first: usize, row: Option<usize>) {
    let Some(row) = row else { return };
    let top = ui.max_rect().top() + (row as f32 - first as f32) * ROW_HEIGHT;
    let size = vec2(ui.max_rect().width(), ROW_HEIGHT);
    ui.scroll_to_rect(
        Rect::from_min_size(pos2(ui.max_rect().left(), top), size),
        None,
    );
}

/// The rows as comma-separated values with the columns' titles, sorted as they are shown.
#[must_use]
pub fn csv<R>(state: &TableState, columns: &[Column<'_, R>], rows: &[R]) -> String {
    let line = |cells: Vec<String>| cells.join(",") + "\r\n";
    let mut text = line(columns.iter().map(|column| quoted(column.title)).collect());
    for index in sorted(rows, columns, state.sort) {
        let cells = columns
            .iter()
            .map(|column| quoted(&(column.text)(&rows[index])));
        text.push_str(&line(cells.collect()));
    }
    text
}

/// A cell as RFC 4180 wants it. A leading sign that a spreadsheet would take for a formula is made
/// harmless with an apostrophe, since keys come from strangers.
fn quoted(cell: &str) -> String {
    let is_formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    let cell = if is_formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

fn sorted<R>(rows: &[R], columns: &[Column<'_, R>], sort: Option<(usize, bool)>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let key = sort.and_then(|(column, falls)| Some((columns.get(column)?.key.as_ref()?, falls)));
    let Some((key, falls)) = key else {
        return order;
    };
    let keys: Vec<_> = rows.iter().map(key).collect();
    order.sort_by(|a, b| compare(&keys[*a], &keys[*b], falls));
    order
}

fn compare(a: &SortKey, b: &SortKey, falls: bool) -> Ordering {
    let ordering = match (a, b) {
        (SortKey::Number(Some(a)), SortKey::Number(Some(b))) => a.total_cmp(b),
        (SortKey::Number(None), SortKey::Number(Some(_))) => return Ordering::Greater,
        (SortKey::Number(Some(_)), SortKey::Number(None)) => return Ordering::Less,
        (SortKey::Text(a), SortKey::Text(b)) => a.cmp(b),
        _ => Ordering::Equal,
    };
    if falls { ordering.reverse() } else { ordering }
}

fn head<R>(
    ui: &mut Ui,
    name: &str,
    state: &mut TableState,
    columns: &[Column<'_, R>],
    widths: &[Split],
) {
    let theme = Theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::hover());
    let places = divide(inner(rect), COLUMN_GAP, widths);
    for ((column, place), index) in columns.iter().zip(places).zip(0..) {
        let sorted = state
            .sort
            .filter(|(by, _)| *by == index)
            .map(|(_, falls)| falls);
        let arrow = match sorted {
            Some(true) => " ↓",
            Some(false) => " ↑",
            None => "",
        };
        let color = if sorted.is_some() {
            theme.text
        } else {
            theme.text_faint
        };
        let title = format!("{}{arrow}", column.title);
        paint_text(
            ui,
            place,
            column.align.centred(),
            &title,
            regular(SMALL),
            color,
        );
        if column.key.is_none() {
            continue;
        }
        let response = ui.interact(
            place,
            ui.scope_id().with((name, "head", index)),
            Sense::click(),
        );
        let label = format!("sort by {}", column.title);
        if named(response, Role::Button, label).clicked() {
            // Figures are looked at from the largest on, words from the first letter on.
            let first = column.align == Align::Right;
            state.sort = Some((index, sorted.map_or(first, |falls| !falls)));
        }
    }
    let line = egui::Stroke::new(1.0, theme.line);
    ui.painter().hline(rect.x_range(), rect.bottom(), line);
}

fn draw_row<R>(
    ui: &mut Ui,
    id: (&str, usize),
    columns: &[Column<'_, R>],
    widths: &[Split],
    row: &R,
    is_selected: bool,
) -> egui::Response {
    let theme = Theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::hover());
    let response = ui.interact(rect, ui.scope_id().with(id), Sense::click());
    if is_selected {
        ui.painter().rect_filled(rect, 4.0, theme.accent_soft);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4.0, theme.raised);
    }
    let mut name = String::new();
    for (column, place) in columns.iter().zip(divide(inner(rect), COLUMN_GAP, widths)) {
        let text = (column.text)(row);
        if !name.is_empty() {
            name.push_str(", ");
        }
        name.push_str(&text);
        if let Some(paint) = &column.paint {
            paint(ui, place, row);
            continue;
        }
        let color = column.color.as_ref().map_or(theme.text, |color| color(row));
        let font = match column.align {
            Align::Left => regular(BODY),
            Align::Right => mono(SMALL + 0.5),
        };
        paint_text(ui, place, column.align.centred(), &text, font, color);
    }
    named(response, Role::Row, name)
}

impl Align {
    const fn centred(self) -> Align2 {
        match self {
            Self::Left => Align2::LEFT_CENTER,
            Self::Right => Align2::RIGHT_CENTER,
        }
    }
}

fn inner(rect: Rect) -> Rect {
    Rect::from_min_max(
        pos2(rect.left() + 6.0, rect.top()),
        pos2(rect.right() - 10.0, rect.bottom()),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Column, Split, TableState, csv};

    fn columns<'a>() -> [Column<'a, (&'static str, Option<f64>)>; 2] {
        [
            Column::text("Node", Split::Share(1.0), |row: &(&str, Option<f64>)| {
                row.0.to_owned()
            })
            .by_text(|row| row.0.to_owned()),
            Column::number("Gets", 60.0, |row: &(&str, Option<f64>)| {
                row.1.map_or("–".to_owned(), |gets| gets.to_string())
            })
            .by_number(|row| row.1),
        ]
    }

    const ROWS: [(&str, Option<f64>); 3] = [("b", Some(2.0)), ("c", None), ("a", Some(10.0))];

    fn names(sort: Option<(usize, bool)>) -> Vec<String> {
        csv(&TableState::sorted_by(sort), &columns(), &ROWS)
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn rows_are_sorted_by_figures_or_words_and_unknown_ones_come_last() {
        assert_eq!(names(None), ["b", "c", "a"]);
        assert_eq!(names(Some((0, false))), ["a", "b", "c"]);
        assert_eq!(names(Some((1, true))), ["a", "b", "c"]);
        assert_eq!(names(Some((1, false))), ["b", "a", "c"]);
    }

    #[test]
    fn the_same_rows_are_sorted_once() {
        let mut state = TableState::sorted_by(Some((1, true)));
        state.rows_are(1);
        let first = state.order(&ROWS, &columns());
        assert_eq!(*first, [2, 0, 1]);
        assert!(Arc::ptr_eq(&first, &state.order(&ROWS, &columns())));
        state.sort = Some((1, false));
        assert_eq!(*state.order(&ROWS, &columns()), [0, 2, 1]);
        let others = [("d", Some(5.0)), ("e", Some(1.0)), ("f", None)];
        state.rows_are(2);
        assert_eq!(*state.order(&others, &columns()), [1, 0, 2]);
        // Fewer rows are others, whatever was told.
        assert_eq!(*state.order(&others[..2], &columns()), [1, 0]);
    }

    #[test]
    fn cells_from_strangers_are_quoted_and_never_formulas() {
        let rows = [("a,\"b\"", Some(-1.5)), ("=1+1", None), ("x\ny", Some(1.0))];
        let text = csv(&TableState::default(), &columns(), &rows);
        assert_eq!(
            text,
            "Node,Gets\r\n\"a,\"\"b\"\"\",-1.5\r\n'=1+1,–\r\n\"x\ny\",1\r\n"
        );
    }
}
