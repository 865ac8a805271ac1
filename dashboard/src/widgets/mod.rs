//! What views are built of: painting that knows no cluster.
//!
//! Everything that is painted has a name for screen readers, which is also the name by which tests
//! find and click it.

mod badge;
mod bar;
mod card;
mod chart;
mod donut;
mod empty;
mod field;
mod figure;
mod keyboard;
mod layout;
mod sparkline;
mod table;
mod text;

pub use badge::{Tone, badge, dot};
pub use bar::{Part, bar, stacked_bar};
pub use card::{card, card_with, ghost_button, link_button};
pub use chart::{Chart, ChartMark, Line};
pub use donut::{Donut, Stretch};
pub use empty::{Empty, empty, skeleton};
pub use field::{search_field, segmented};
pub use figure::{Figure, figure_card};
pub use keyboard::{is_typing, pressed, pressed_beside_controls};
pub use layout::{Split, columns, place, rows};
pub use sparkline::sparkline;
pub use table::{
    Align, Column, SortKey, TableResponse, TableState, csv, moved_by_arrows, scroll_to_row, table,
};
pub use text::{elided, named, named_by, paint_text};
