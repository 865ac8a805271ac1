//! The form for one more change.

use egui::{Button, ComboBox, DragValue, Role, TextEdit, Ui};
use memlens::ring::{Member, Profile};

use crate::model::whatif::{Change, ChangeError, ClusterSpec};
use crate::theme::Theme;
use crate::widgets::{named, segmented};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Remove,
    Add,
    Weight,
    Points,
    Ring,
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::Remove, "Remove"),
    (Kind::Add, "Add"),
    (Kind::Weight, "Weight"),
    (Kind::Points, "Points"),
    (Kind::Ring, "Ring"),
];

/// The largest weight of a server, as server lists take it.
const MOST_WEIGHT: u32 = 65_535;

/// What was typed and chosen.
#[derive(Debug)]
pub(super) struct Editor {
    kind: Kind,
    node: Option<String>,
    server: String,
    /// The weight to give, and the node whose present weight it began with.
    weight: u32,
    weighed: Option<String>,
    points: String,
    profile: Profile,
}

impl Default for Editor {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            node: None,
            server: String::new(),
            weight: 1,
            weighed: None,
            points: "320".to_owned(),
            profile: Profile::CRC32_MODULO,
        }
    }
}

impl Editor {
    /// Draws the form in one line. `spec` is the cluster after the plan; `selected` the node that is
    /// selected elsewhere.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        spec: &ClusterSpec,
        selected: Option<&str>,
    ) -> Option<Result<Change, ChangeError>> {
        let mut wanted = None;
        ui.horizontal(|ui| {
            segmented(ui, &mut self.kind, &KINDS);
            let names: Vec<String> = spec.members().iter().map(Member::name).collect();
            let is_there = self.node.as_ref().is_some_and(|node| names.contains(node));
            if !is_there {
                let selected = selected.filter(|name| names.iter().any(|known| known == name));
                self.node = selected
                    .map(str::to_owned)
                    .or_else(|| names.first().cloned());
            }
            let entered = match self.kind {
                Kind::Remove => {
                    self.choose_node(ui, &names);
                    false
                }
                Kind::Add => field(
                    ui,
                    &mut self.server,
                    "Server to add",
                    "10.0.0.65:11211",
                    168.0,
                ),
                Kind::Weight => {
                    self.choose_node(ui, &names);
                    self.choose_weight(ui, spec);
                    false
                }
                Kind::Points => field(ui, &mut self.points, "Points of each server", "160", 72.0),
                Kind::Ring => {
                    self.choose_profile(ui, spec);
                    false
                }
            };
            let theme = Theme::of(ui);
            let button = Button::new(theme.body("Put on plan").color(theme.accent));
            if ui.add(button).clicked() || entered {
                wanted = Some(self.change());
            }
        });
        wanted
    }

    fn change(&mut self) -> Result<Change, ChangeError> {
        let node = self.node.clone().unwrap_or_default();
        match self.kind {
            Kind::Remove => Ok(Change::Remove { node }),
            Kind::Add => {
                let change = Change::add(&self.server)?;
                self.server.clear();
                Ok(change)
            }
            Kind::Weight => Change::weight(&node, &self.weight.to_string()),
            Kind::Points => Ok(Change::Points {
                per_server: self.points.trim().parse().unwrap_or(0),
            }),
            Kind::Ring => Ok(Change::Ring {
                profile: self.profile,
            }),
        }
    }

    fn choose_node(&mut self, ui: &mut Ui, names: &[String]) {
        let theme = Theme::of(ui);
        let current = self.node.clone().unwrap_or_default();
        let combo = ComboBox::from_id_salt("node to change")
            .width(168.0)
            .selected_text(theme.body(&current))
            .show_ui(ui, |ui| {
                for name in names {
                    ui.selectable_value(&mut self.node, Some(name.clone()), name);
                }
            });
        named(
            combo.response,
            Role::ComboBox,
            format!("Node to change: {current}"),
        );
    }

    /// A weight to step up and down, or to type; it begins with the one that the node has.
    fn choose_weight(&mut self, ui: &mut Ui, spec: &ClusterSpec) {
        let theme = Theme::of(ui);
        let node = self.node.as_deref();
        let mut members = spec.members().iter();
        let member = members.find(|member| Some(member.name().as_str()) == node);
        let now = member.map_or(1, Member::weight);
        if self.weighed.as_deref() != node {
            self.weighed = node.map(str::to_owned);
            self.weight = now;
        }
        ui.spacing_mut().item_spacing.x = 3.0;
        let less = named(ui.button("−"), Role::Button, "lower weight");
        if less.clicked() {
            self.weight = self.weight.saturating_sub(1).max(1);
        }
        let value = DragValue::new(&mut self.weight)
            .range(1..=MOST_WEIGHT)
            .speed(0.05);
        named(ui.add(value), Role::SpinButton, "New weight");
        let more = named(ui.button("+"), Role::Button, "higher weight");
        if more.clicked() {
            self.weight = (self.weight + 1).min(MOST_WEIGHT);
        }
        ui.label(theme.faint(format!("now {now}")));
        ui.add_space(4.0);
    }

    fn choose_profile(&mut self, ui: &mut Ui, spec: &ClusterSpec) {
        let theme = Theme::of(ui);
        let current = self.profile.name();
        let combo = ComboBox::from_id_salt("ring to use")
            .width(220.0)
            .selected_text(theme.body(current))
            .show_ui(ui, |ui| {
                for profile in Profile::all()
                    .iter()
                    .filter(|profile| **profile != spec.profile())
                {
                    ui.selectable_value(&mut self.profile, *profile, profile.name())
                        .on_hover_text(profile.summary());
                }
            });
        named(
            combo.response,
            Role::ComboBox,
            format!("Ring to use: {current}"),
        );
    }
}

/// A field in which Enter does what the button does.
fn field(ui: &mut Ui, text: &mut String, name: &str, hint: &str, width: f32) -> bool {
    let theme = Theme::of(ui);
    let field = TextEdit::singleline(text)
        .hint_text(theme.faint(hint))
        .desired_width(width);
    let response = named(ui.add(field), Role::TextInput, name);
    response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))
}
