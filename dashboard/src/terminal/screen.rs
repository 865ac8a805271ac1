//! The terminal while the live table is on it.

use std::io::{self, IsTerminal, Write, stdin, stdout};
use std::panic;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::Print;
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen,
};
use crossterm::{execute, queue};

use super::frame::Size;

/// The terminal's second screen, taken for the table. Given back when dropped, and when the
/// program panics.
#[derive(Debug)]
pub struct Screen(());

impl Screen {
    /// Takes the screen.
    ///
    /// # Errors
    ///
    /// When the standard output is not a terminal that can do it.
    pub fn enter() -> io::Result<Self> {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |what| {
            leave();
            told(what);
        }));
        let screen = Self(());
        if stdin().is_terminal() {
            terminal::enable_raw_mode()?;
        }
        execute!(stdout(), EnterAlternateScreen, Hide)?;
        Ok(screen)
    }

    /// The room there is now.
    ///
    /// # Errors
    ///
    /// When the terminal does not tell.
    pub fn size(&self) -> io::Result<Size> {
        let (columns, rows) = terminal::size()?;
        Ok(Size {
            columns: columns.into(),
            rows: Some(rows.into()),
        })
    }

    /// Shows a text in place of the one before. Lines that do not fit are left out, so that
    /// nothing scrolls.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    pub fn show(&mut self, text: &str, size: Size) -> io::Result<()> {
        let mut out = io::BufWriter::new(stdout().lock());
        queue!(out, BeginSynchronizedUpdate, MoveTo(0, 0))?;
        let lines = text.lines().take(size.rows.unwrap_or(usize::MAX));
        for (index, line) in lines.enumerate() {
            let begin = if index == 0 { "" } else { "\r\n" };
            queue!(
                out,
                Print(begin),
                Print(line),
                Clear(ClearType::UntilNewLine)
            )?;
        }
        queue!(out, Clear(ClearType::FromCursorDown), EndSynchronizedUpdate)?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Gives the terminal back. A terminal that is gone needs nothing back, so errors say nothing.
fn leave() {
    drop(execute!(stdout(), Show, LeaveAlternateScreen));
    drop(terminal::disable_raw_mode());
}
