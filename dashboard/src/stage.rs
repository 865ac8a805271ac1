//! The window without a window: the shell run frame by frame, and drawn by the processor.

use std::time::Duration;

use egui::{Color32, ColorImage, Context, Pos2, RawInput, Rect, Theme as EguiTheme, Vec2};

use crate::published::{Command, Published};
use crate::raster::Rasterizer;
use crate::shell::Shell;
use crate::theme::{self, Theme};

/// Frames until everything stands where it belongs: some sizes are only known after a first one.
const FRAMES_TO_SETTLE: usize = 4;

/// Time between two frames, in seconds.
const FRAME_TIME: f64 = 0.1;

/// A shell, and what it is drawn on.
pub struct Stage {
    context: Context,
    painter: Rasterizer,
    shell: Shell,
    size: Vec2,
    pixels_per_point: f32,
    time: f64,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Stage")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Stage {
    /// A stage of `size` points, for a shell in the dark or light theme.
    #[must_use]
    pub fn new(shell: Shell, size: [f32; 2], pixels_per_point: f32, is_dark: bool) -> Self {
        let context = Context::default();
        theme::apply(&context, true);
        context.set_theme(if is_dark {
            EguiTheme::Dark
        } else {
            EguiTheme::Light
        });
        Self {
            context,
            painter: Rasterizer::default(),
            shell,
            size: size.into(),
            pixels_per_point,
            time: 0.0,
        }
    }

    /// Runs frames until nothing moves any more, and draws the last one. Returns also what the
    /// backend was asked to do meanwhile.
    pub fn settle(&mut self, published: &Published) -> (ColorImage, Vec<Command>) {
        let mut commands = Vec::new();
        for _ in 1..FRAMES_TO_SETTLE {
            let output = self.run(published, &mut commands);
            self.take_textures(output);
        }
        let output = self.run(published, &mut commands);
        let shapes = output.shapes.clone();
        self.take_textures(output);
        let primitives = self.context.tessellate(shapes, self.pixels_per_point);
        let size = self.size * self.pixels_per_point;
        let background = self.background();
        let image = self.painter.draw(
            [size.x as usize, size.y as usize],
            self.pixels_per_point,
            &primitives,
            background,
        );
        (image, commands)
    }

    /// Runs one frame and lays it out for painting, without painting it: what a frame costs the
    /// program itself.
    pub fn frame(&mut self, published: &Published) -> usize {
        let output = self.run(published, &mut Vec::new());
        let shapes = output.shapes.clone();
        self.take_textures(output);
        self.context.tessellate(shapes, self.pixels_per_point).len()
    }

    fn run(&mut self, published: &Published, commands: &mut Vec<Command>) -> egui::FullOutput {
        self.time += FRAME_TIME;
        let mut input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.size)),
            time: Some(self.time),
            predicted_dt: FRAME_TIME as f32,
            focused: true,
            ..RawInput::default()
        };
        if let Some(viewport) = input.viewports.get_mut(&input.viewport_id) {
            viewport.native_pixels_per_point = Some(self.pixels_per_point);
        }
        let shell = &mut self.shell;
        self.context
            .run_ui(input, |ui| commands.extend(shell.ui(ui, published)))
    }

    fn take_textures(&mut self, mut output: egui::FullOutput) {
        self.painter.apply(&mut output.textures_delta);
    }

    fn background(&self) -> Color32 {
        match self.context.theme() {
            EguiTheme::Dark => Theme::DARK.background,
            EguiTheme::Light => Theme::LIGHT.background,
        }
    }
}

/// How long after the first answers a picture of live servers is taken, so that there are rates.
pub const FIRST_PICTURE: Duration = Duration::from_secs(3);
