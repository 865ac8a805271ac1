//! What the person at the terminal does.

use std::io::{self, IsTerminal, stdin};

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::StreamExt;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// To end.
    Quit,
    /// To draw again, in the new size.
    Resized,
}

/// The keys and the size of the terminal. While the terminal is in raw mode Ctrl-C arrives here,
/// as a key, and not as a signal.
#[derive(Debug)]
pub struct Keys(Option<EventStream>);

impl Keys {
    /// Listens to the standard input, when it is a terminal.
    #[must_use]
    pub fn listen() -> Self {
        Self(stdin().is_terminal().then(EventStream::new))
    }

    /// Listens to nobody.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Waits for the next input; for ever, where there is no terminal.
    ///
    /// # Errors
    ///
    /// When the terminal is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no input.
    pub async fn next(&mut self) -> io::Result<Input> {
        let Some(events) = &mut self.0 else {
            return std::future::pending().await;
        };
        loop {
            match events.next().await {
                Some(event) => {
                    if let Some(input) = meaning(&event?) {
                        return Ok(input);
                    }
                }
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

fn meaning(event: &Event) -> Option<Input> {
    match event {
        Event::Resize(..) => Some(Input::Resized),
        Event::Key(key) if key.kind == KeyEventKind::Press && quits(*key) => Some(Input::Quit),
        _ => None,
    }
}

fn quits(key: KeyEvent) -> bool {
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => true,
        KeyCode::Char('c') => key.modifiers.contains(KeyModifiers::CONTROL),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

    use super::{Input, meaning};

    #[test]
    fn control_c_and_q_quit_and_a_plain_c_does_not() {
        let key = |code, modifiers| meaning(&Event::Key(KeyEvent::new(code, modifiers)));
        assert_eq!(
            key(KeyCode::Char('c'), KeyModifiers::CONTROL),
            Some(Input::Quit)
        );
        assert_eq!(
            key(KeyCode::Char('q'), KeyModifiers::NONE),
            Some(Input::Quit)
        );
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(meaning(&Event::Resize(80, 24)), Some(Input::Resized));
    }
}
