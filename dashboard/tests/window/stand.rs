//! A shell under test, and what it asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::accesskit::{Action, Role};
use egui::{Key, Modifiers, Theme, UiBuilder};
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults, TestRenderer};
use memlens_dashboard::model::{Known, NodeState, Totals, findings};
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
    stand_with(view, published, theme, false)
}

/// As [`stand`], with commands that change servers allowed or not.
pub(crate) fn stand_with(view: View, published: Published, theme: Theme, may_write: bool) -> Stand {
    let scene = Scene {
        shell: Shell::new(view, Preferences::default(), may_write),
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

/// A cluster all of whose nodes are in this state, after they were up for a minute if they ever
/// answered.
pub(crate) fn all_in(state: &NodeState) -> Published {
    let published = match state {
        NodeState::Up | NodeState::Stale => published(4, 60, Trouble::default()),
        _ => connecting(),
    };
    let mut snapshot = (**published.snapshot.as_ref().unwrap()).clone();
    for node in &mut snapshot.nodes {
        Arc::make_mut(node).state = state.clone();
    }
    snapshot.totals = Totals::of(&snapshot.nodes);
    let advice = findings(&Known {
        snapshot: &snapshot,
        ring: published
            .cluster
            .as_ref()
            .map(|cluster| cluster.ring_shares()),
        usual_time_to_live: None,
        sizes: &BTreeMap::new(),
        client: None,
        cluster_ring: None,
    });
    Published {
        snapshot: Some(Arc::new(snapshot)),
        advice: advice.into(),
        ..published
    }
}

/// What can be clicked or take the focus: role, name, and where it is.
pub(crate) fn reachable(stand: &Stand) -> Vec<Reachable> {
    let mut found = Vec::new();
    for node in stand.root().children_recursive() {
        let inner = node.accesskit_node();
        let data = inner.data();
        let can = |action| data.supports_action(action);
        if !(can(Action::Click) || can(Action::Focus)) || inner.is_hidden() {
            continue;
        }
        found.push(Reachable {
            role: inner.role(),
            name: inner.label().unwrap_or_default(),
            place: node.rect(),
            is_focused: inner.is_focused(),
        });
    }
    found
}

/// Something that can be clicked or take the focus.
#[derive(Debug, Clone)]
pub(crate) struct Reachable {
    pub(crate) role: Role,
    pub(crate) name: String,
    pub(crate) place: egui::Rect,
    pub(crate) is_focused: bool,
}

/// Clicks in the middle of `place`.
pub(crate) fn click_at(stand: &mut Stand, place: egui::Rect) {
    let pos = place.center();
    stand.event(egui::Event::PointerMoved(pos));
    for pressed in [true, false] {
        stand.event(egui::Event::PointerButton {
            pos,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
    }
    stand.run_ok();
}

/// What is published before the first answers have come.
pub(crate) fn connecting() -> Published {
    published(4, 0, Trouble::default())
}
