//! A snapshot as text: the live table, and plain rows for logs and pipes.
//!
//! What is shown is a pure function of a [`Frame`], a size and a [`Style`]; only [`Screen`] and
//! [`Keys`] touch the terminal.

mod columns;
mod figures;
mod frame;
mod keys;
mod marks;
mod rows;
mod screen;
mod style;

pub use frame::{Frame, Size, render};
pub use keys::{Input, Keys};
pub use rows::{row_heading, rows};
pub use screen::Screen;
pub use style::Style;
