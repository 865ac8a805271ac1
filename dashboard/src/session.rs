//! Showing the snapshots as they come, until somebody or the time says to end.

use std::io::{self, ErrorKind, IsTerminal, Write, stdout};
use std::sync::Arc;
use std::time::Duration;

use tokio::select;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::load::{LoadCounters, LoadMeter, LoadReport};
use crate::model::{NodeState, Snapshot};
use crate::terminal::{Frame, Input, Keys, Screen, Size, Style, render, row_heading, rows};

/// Where the load's figures come from, while there is a load.
#[derive(Debug)]
pub struct LoadView {
    /// What the load's tasks count.
    pub counters: Arc<LoadCounters>,
    /// Makes rates of it.
    pub meter: LoadMeter,
}

/// A run of the program, as somebody sees it.
#[derive(Debug)]
pub struct Session {
    /// What is being watched, in a few words.
    pub title: String,
    /// The snapshots.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// The load, when there is one.
    pub load: Option<LoadView>,
    /// When to end, when nobody ends it before.
    pub until: Option<Instant>,
}

/// What happened next.
enum Event {
    News,
    Resized,
    End,
}

impl Session {
    /// Shows a live table on a terminal, and plain rows anywhere else.
    ///
    /// # Errors
    ///
    /// When the output fails. A reader that went away is an end, not an error.
    pub async fn show(mut self) -> io::Result<()> {
        let shown = if stdout().is_terminal() {
            self.show_table().await
        } else {
            self.show_rows().await
        };
        match shown {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// The first snapshot that tells all there is to tell: every node has been compared with
    /// itself, or is known not to answer. After `patience`, or at the session's end, the newest.
    pub async fn settled(mut self, patience: Duration) -> Arc<Snapshot> {
        let latest = self.until.unwrap_or_else(|| Instant::now() + patience);
        let until_then = self.until.is_some();
        let mut interrupted = interruption();
        loop {
            let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
            if !until_then && is_settled(&snapshot) {
                return snapshot;
            }
            let ended = select! {
                changed = self.snapshots.changed() => changed.is_err(),
                () = sleep_until(latest) => true,
                _ = &mut interrupted => true,
            };
            if ended {
                return Arc::clone(&self.snapshots.borrow());
            }
        }
    }

    async fn show_table(&mut self) -> io::Result<()> {
        let style = Style::of_stdout();
        let mut interrupted = interruption();
        let title = self.title.clone();
        let mut screen = Screen::enter()?;
        let mut keys = Keys::listen();
        let mut load = None;
        loop {
            let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
            let size = screen.size()?;
            let mut frame = Frame {
                title: &title,
                snapshot: &snapshot,
                load,
                hint: "q or Ctrl-C ends",
            };
            screen.show(&render(&frame, size, style), size)?;
            match self.next_event(&mut keys, &mut interrupted).await? {
                Event::News => load = self.read_load(),
                Event::Resized => {}
                Event::End => {
                    drop(screen);
                    // The table's last state stays behind on the ordinary screen.
                    frame.hint = "";
                    let last = render(&frame, Size { rows: None, ..size }, style);
                    return stdout().lock().write_all(last.as_bytes());
                }
            }
        }
    }

    async fn show_rows(&mut self) -> io::Result<()> {
        let mut interrupted = interruption();
        let mut keys = Keys::none();
        let mut heading = None;
        let mut before = Duration::ZERO;
        // The snapshot that is there at the beginning knows nothing yet.
        self.snapshots.borrow_and_update();
        while let Event::News | Event::Resized =
            self.next_event(&mut keys, &mut interrupted).await?
        {
            let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
            let mut text = String::new();
            // Again when a column grew, so that headings always stand over their columns.
            let current = row_heading(&snapshot);
            if heading.as_ref() != Some(&current) {
                text.push_str(&current);
                heading = Some(current);
            }
            text.push_str(&rows(&snapshot, before));
            before = snapshot.at;
            let mut out = stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
        Ok(())
    }

    async fn next_event(
        &mut self,
        keys: &mut Keys,
        interrupted: &mut oneshot::Receiver<()>,
    ) -> io::Result<Event> {
        let until = self.until;
        let time_is_up = async {
            match until {
                Some(moment) => sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        select! {
            changed = self.snapshots.changed() => {
                Ok(if changed.is_ok() { Event::News } else { Event::End })
            }
            input = keys.next() => Ok(match input? {
                Input::Quit => Event::End,
                Input::Resized => Event::Resized,
            }),
            () = time_is_up => Ok(Event::End),
            _ = interrupted => Ok(Event::End),
        }
    }

    fn read_load(&mut self) -> Option<LoadReport> {
        let now = self.snapshots.borrow().at;
        let load = self.load.as_mut()?;
        Some(load.meter.read(&load.counters, now))
    }
}

/// Is told when the program is asked to end: by Ctrl-C, or politely by another program.
fn interruption() -> oneshot::Receiver<()> {
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        asked_to_end().await;
        // Nobody listens any more when the session is over already.
        let _ = tell.send(());
    });
    told
}

#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};

    let (interrupt, terminate) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    // Without a handler the signal ends the program by itself.
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
        return std::future::pending().await;
    };
    select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// Whether every node has been compared with itself, or is known not to answer.
#[must_use]
pub fn is_settled(snapshot: &Snapshot) -> bool {
    snapshot.nodes.iter().all(|node| match node.state {
        NodeState::Up => node.deltas.is_some(),
        NodeState::Down(_) | NodeState::Unauthenticated => true,
        NodeState::Connecting | NodeState::Stale => false,
    })
}
