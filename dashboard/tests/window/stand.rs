//! A shell under test, and what it asked for.

use egui::{Key, Modifiers, Theme, UiBuilder};
use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults, TestRenderer};
use memlens_dashboard::preferences::Preferences;
use memlens_dashboard::published::{Command, Published};
use memlens_dashboard::raster::Rasterizer;
use memlens_dashboard::rehearsal::{Trouble, published};
use memlens_dashboard::shell::Shell;
use memlens_dashboard::theme;
use memlens_dashboard::views::View;

/// Size of the window, in points.
const SIZE: [f32; 2] = [1280.0, 800.0];

/// Our own painter, for pictures without a graphics card.
#[derive(Default)]
struct Painter(Rasterizer);

impl TestRenderer for Painter {
    fn handle_delta(&mut self, delta: &mut egui::TexturesDelta) {
        self.0.apply(delta);
    }

    fn render(
        &mut self,
        context: &egui::Context,
        output: &egui::FullOutput,
    ) -> Result<image::RgbaImage, String> {
        let primitives = context.tessellate(output.shapes.clone(), output.pixels_per_point);
        let size = context.content_rect().size() * output.pixels_per_point;
        let (width, height) = (size.x as u32, size.y as u32);
        let drawn = self.0.draw(
            [width as usize, height as usize],
            output.pixels_per_point,
            &primitives,
            egui::Color32::BLACK,
        );
        let bytes = drawn
            .pixels
            .iter()
            .flat_map(egui::Color32::to_array)
            .collect();
        image::RgbaImage::from_raw(width, height, bytes).ok_or_else(|| "wrong size".to_owned())
    }
}

/// The shell, what it looks at, and what it asked the backend for.
pub(crate) struct Scene {
    pub(crate) shell: Shell,
    pub(crate) published: Published,
    pub(crate) commands: Vec<Command>,
}

pub(crate) type Stand = Harness<'static, Scene>;

/// A window on `view`, looking at `published`.
pub(crate) fn stand(view: View, published: Published, theme: Theme) -> Stand {
    let scene = Scene {
        shell: Shell::new(view, Preferences::default(), false),
        published,
        commands: Vec::new(),
    };
    let mut stand = Harness::builder()
        .with_size(SIZE)
        .with_theme(theme)
        .with_render_cursor(false)
        .with_options(SnapshotOptions::new().output_path("tests/data/pictures"))
        .with_context_setup(|context| theme::apply(context, true))
        .renderer(Painter::default())
        .build_ui_state(
            |ui, scene: &mut Scene| {
                // The harness leaves a margin that a window has not.
                let whole = UiBuilder::new().max_rect(ui.content_rect());
                let commands = ui.scope_builder(whole, |ui| scene.shell.ui(ui, &scene.published));
                scene.commands.extend(commands.inner);
            },
            scene,
        );
    stand.run();
    stand
}

/// A window on `view`, looking at four nodes of which each has a trouble of its own.
pub(crate) fn troubled(view: View) -> Stand {
    stand(view, published(5, 120, Trouble::ALL), Theme::Dark)
}

/// Pictures of `view` in dark and light, for a healthy cluster of `nodes` with some trouble.
pub(crate) fn pictures(view: View, name: &str, published: &Published) {
    let mut results = SnapshotResults::new();
    for (theme, suffix) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let mut stand = stand(view, published.clone(), theme);
        stand.snapshot(format!("{name}_{suffix}"));
        results.extend_harness(&mut stand);
    }
    results.unwrap();
}

/// Types `text` into the field that is called `name`.
pub(crate) fn type_into(stand: &mut Stand, name: &str, text: &str) {
    stand.get_by_label(name).focus();
    stand.run();
    stand.get_by_label(name).type_text(text);
    stand.run();
}

/// Presses a key that nobody types into a field.
pub(crate) fn press(stand: &mut Stand, key: Key) {
    stand.key_press(key);
    stand.run();
}

/// Presses a key with Ctrl.
pub(crate) fn press_with_ctrl(stand: &mut Stand, key: Key) {
    stand.key_press_modifiers(Modifiers::COMMAND, key);
    stand.run();
}

/// What is published before the first answers have come.
pub(crate) fn connecting() -> Published {
    published(4, 0, Trouble::default())
}
