//! The shell in a window of the operating system.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use eframe::{App, CreationContext, NativeOptions, Renderer, Storage};
use egui::{IconData, Ui, ViewportBuilder};

use super::Shell;
use crate::backend::Backend;
use crate::preferences::Preferences;
use crate::theme;
use crate::views::View;

/// Under which name preferences are stored.
const PREFERENCES: &str = "preferences";

/// Name under which the system knows the program, and stores what it remembers.
const APP_ID: &str = "memlens";

/// Opens the window, and returns when it is closed.
///
/// # Errors
/// When there is no display to open it on; the text says so, and what to do.
pub fn open(backend: Backend, view: View, may_write: bool) -> Result<(), String> {
    let options = NativeOptions {
        renderer: Renderer::Glow,
        viewport: ViewportBuilder::default()
            .with_app_id(APP_ID)
            .with_title("memlens")
            .with_icon(icon())
            .with_inner_size([1440.0, 900.0])
            .with_min_inner_size([960.0, 600.0]),
        ..NativeOptions::default()
    };
    // A display without the libraries that draw on it makes the windowing library panic.
    let run = AssertUnwindSafe(|| {
        eframe::run_native(
            APP_ID,
            options,
            Box::new(move |cx| Ok(Box::new(Window::new(cx, backend, view, may_write)))),
        )
    });
    match catch_unwind(run) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("{NO_WINDOW} ({})", cause(&error))),
        Err(_) => Err(NO_WINDOW.to_owned()),
    }
}

const NO_WINDOW: &str = "cannot open a window: is there a display? Without one, `--headless` shows a \
                         table, `--screenshot out.png --view overview` draws a view into a file, and \
                         `--json` prints one snapshot";

/// The reason without the places in source code that windowing libraries put into it.
fn cause(error: &eframe::Error) -> String {
    let text = error.to_string();
    let reason = text.rsplit(": ").next().unwrap_or(&text);
    reason.trim_end_matches(['.', ')']).to_owned()
}

/// No time at all would mean two frames.
const AT_ONCE: Duration = Duration::from_nanos(1);

struct Window {
    shell: Shell,
    backend: Backend,
}

impl Window {
    fn new(cx: &CreationContext<'_>, backend: Backend, view: View, may_write: bool) -> Self {
        let preferences: Preferences = cx
            .storage
            .and_then(|storage| eframe::get_value(storage, PREFERENCES))
            .unwrap_or_default();
        theme::apply(&cx.egui_ctx, preferences.reduce_motion);
        cx.egui_ctx.set_theme(preferences.theme);
        let context = cx.egui_ctx.clone();
        backend.on_news(move || context.request_repaint_after(AT_ONCE));
        Self {
            shell: Shell::new(view, preferences, may_write),
            backend,
        }
    }
}

impl App for Window {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let published = self.backend.published();
        for command in self.shell.ui(ui, &published) {
            self.backend.send(command);
        }
    }

    fn save(&mut self, storage: &mut dyn Storage) {
        eframe::set_value(storage, PREFERENCES, self.shell.preferences());
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}

/// A ring of four arcs, one of them lit.
fn icon() -> IconData {
    const SIZE: u32 = 64;
    let mut rgba = Vec::with_capacity((SIZE * SIZE * 4) as usize);
    for y in 0..SIZE {
        for x in 0..SIZE {
            let (dx, dy) = (x as f32 - 31.5, y as f32 - 31.5);
            let radius = dx.hypot(dy);
            let turn = dy.atan2(dx) / std::f32::consts::TAU + 0.5;
            let is_gap = (turn * 4.0).fract() < 0.04;
            let color = if (turn * 4.0) as u32 == 2 {
                theme::Theme::DARK.accent
            } else {
                theme::Theme::DARK.track
            };
            let alpha = if (17.0..30.0).contains(&radius) && !is_gap {
                255
            } else {
                0
            };
            rgba.extend([color.r(), color.g(), color.b(), alpha]);
        }
    }
    IconData {
        rgba,
        width: SIZE,
        height: SIZE,
    }
}
