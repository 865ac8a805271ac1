//! The screens. Each looks at a [`ViewContext`] and returns what somebody wants done; none does
//! anything itself.

mod advice;
mod alerts;
mod condition;
mod events;
mod keys;
mod live;
mod nodes;
mod overview;
mod ring;
mod settings;
mod slabs;
mod whatif;

use std::sync::Arc;
use std::time::Duration;

use egui::Ui;

use crate::model::whatif::Change;
use crate::model::{Cluster, NodeSnapshot, NodeState, Snapshot, Tier};
use crate::preferences::Preferences;
use crate::published::{Command, Published, WriteCommand};
use crate::widgets::Tone;

pub use condition::Condition;
pub use events::event_marks;

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The cluster at a glance.
    Overview,
    /// Which node holds which keys.
    Ring,
    /// What a change would do.
    WhatIf,
    /// Every node in a row.
    Nodes,
    /// Where memory goes, class by class.
    Slabs,
    /// What is stored.
    Keys,
    /// What is asked for, as it happens.
    Live,
    /// What was amiss, and is.
    Alerts,
    /// Connections, looks, and what may be done.
    Settings,
}

impl View {
    /// All of them, in the order of their number keys.
    pub const ALL: [Self; 9] = [
        Self::Overview,
        Self::Ring,
        Self::WhatIf,
        Self::Nodes,
        Self::Slabs,
        Self::Keys,
        Self::Live,
        Self::Alerts,
        Self::Settings,
    ];

    /// What it is called on the screen.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Ring => "Ring",
            Self::WhatIf => "What-if",
            Self::Nodes => "Nodes",
            Self::Slabs => "Slabs",
            Self::Keys => "Keys",
            Self::Live => "Live",
            Self::Alerts => "Alerts",
            Self::Settings => "Settings",
        }
    }

    /// What it is called on the command line.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Ring => "ring",
            Self::WhatIf => "what-if",
            Self::Nodes => "nodes",
            Self::Slabs => "slabs",
            Self::Keys => "keys",
            Self::Live => "live",
            Self::Alerts => "alerts",
            Self::Settings => "settings",
        }
    }
}

/// How far back charts look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeWindow {
    /// Ten minutes, second by second.
    #[default]
    TenMinutes,
    /// One hour.
    Hour,
    /// Six hours.
    SixHours,
    /// A day, minute by minute.
    Day,
}

impl TimeWindow {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::TenMinutes, Self::Hour, Self::SixHours, Self::Day];

    /// How long it is.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::TenMinutes => 600,
            Self::Hour => 3_600,
            Self::SixHours => 6 * 3_600,
            Self::Day => 24 * 3_600,
        })
    }

    /// What it is called.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::TenMinutes => "10 min",
            Self::Hour => "1 h",
            Self::SixHours => "6 h",
            Self::Day => "24 h",
        }
    }

    /// The rows that reach back that far.
    #[must_use]
    pub const fn tier(self) -> Tier {
        match self {
            Self::TenMinutes => Tier::Seconds,
            Self::Hour | Self::SixHours => Tier::TenSeconds,
            Self::Day => Tier::Minutes,
        }
    }
}

/// What the screens share: what somebody chose on one of them holds on all.
#[derive(Debug, Clone, Default)]
pub struct Desk {
    /// The selected node's name.
    pub selected: Option<Arc<str>>,
    /// The key that is looked for on the ring.
    pub probe: String,
    /// How far back charts look.
    pub window: TimeWindow,
    /// What is remembered between starts.
    pub preferences: Preferences,
    /// Whether commands that change servers may be given at all.
    pub may_write: bool,
    /// Whether somebody was typing in the frame before: Esc then leaves the field, and no more.
    pub was_typing: bool,
}

/// What a screen looks at.
#[derive(Debug, Clone, Copy)]
pub struct ViewContext<'a> {
    /// Everything that was published.
    pub published: &'a Published,
    /// The cluster that is watched.
    pub cluster: &'a Cluster,
    /// What is known of it.
    pub snapshot: &'a Snapshot,
    /// What somebody chose.
    pub desk: &'a Desk,
}

impl<'a> ViewContext<'a> {
    /// Index of the selected node.
    #[must_use]
    pub fn selected(&self) -> Option<usize> {
        let name = self.desk.selected.as_ref()?;
        self.snapshot
            .nodes
            .iter()
            .position(|node| node.name == *name)
    }

    /// A node's name as short as it still tells nodes apart.
    #[must_use]
    pub fn label(&self, node: usize) -> &'a str {
        self.cluster.label(node)
    }

    /// How long ago something was.
    #[must_use]
    pub fn ago(&self, at: Duration) -> Duration {
        self.snapshot.at.saturating_sub(at)
    }
}

/// What somebody wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Show another screen.
    Open(View),
    /// Select a node, or none.
    Select(Option<Arc<str>>),
    /// Look for a key on the ring.
    Probe(String),
    /// See what removing a node would do.
    SimulateRemoval(Arc<str>),
    /// Put a text into the clipboard.
    Copy(String),
    /// Offer to write a file.
    Export(Export),
    /// Change how far back charts look.
    SetWindow(TimeWindow),
    /// Remember other preferences.
    SetPreferences(Box<Preferences>),
    /// Ask whether a server shall really be changed.
    ProposeWrite(WriteCommand),
    /// Let the backend do something.
    Command(Command),
}

/// A file that somebody wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// Suggested file name.
    pub file_name: String,
    /// What would be written.
    pub content: ExportContent,
}

/// What is written into an exported file.
#[derive(Debug, Clone, PartialEq)]
pub enum ExportContent {
    /// These bytes.
    Bytes(Arc<[u8]>),
    /// A picture of the window as it is.
    Picture,
}

impl Export {
    /// A text file.
    #[must_use]
    pub fn text(file_name: impl Into<String>, text: &str) -> Self {
        Self {
            file_name: file_name.into(),
            content: ExportContent::Bytes(text.as_bytes().into()),
        }
    }
}

/// All screens with what each keeps from frame to frame.
#[derive(Debug, Default)]
pub struct Views {
    overview: overview::OverviewView,
    ring: ring::RingView,
    whatif: whatif::WhatIfView,
    nodes: nodes::NodesView,
    slabs: slabs::SlabsView,
    keys: keys::KeysView,
    live: live::LiveView,
    alerts: alerts::AlertsView,
    settings: settings::SettingsView,
}

impl Views {
    /// Draws a screen in all of `ui`.
    pub fn ui(&mut self, view: View, ui: &mut Ui, cx: &ViewContext<'_>) -> Vec<Action> {
        match view {
            View::Overview => self.overview.ui(ui, cx),
            View::Ring => self.ring.ui(ui, cx),
            View::WhatIf => self.whatif.ui(ui, cx),
            View::Nodes => self.nodes.ui(ui, cx),
            View::Slabs => self.slabs.ui(ui, cx),
            View::Keys => self.keys.ui(ui, cx),
            View::Live => self.live.ui(ui, cx),
            View::Alerts => self.alerts.ui(ui, cx),
            View::Settings => self.settings.ui(ui, cx),
        }
    }

    /// Puts a change on the what-if screen's plan.
    pub fn simulate(&mut self, change: Change) {
        self.whatif.simulate(change);
    }
}

/// A node's state in a word.
#[must_use]
pub const fn state_word(state: &NodeState) -> &'static str {
    match state {
        NodeState::Connecting => "connecting",
        NodeState::Up => "up",
        NodeState::Stale => "stale",
        NodeState::Down(_) => "down",
        NodeState::Unauthenticated => "login",
    }
}

/// What to think of a node's state.
#[must_use]
pub const fn state_tone(state: &NodeState) -> Tone {
    match state {
        NodeState::Connecting => Tone::Neutral,
        NodeState::Up => Tone::Ok,
        NodeState::Stale | NodeState::Unauthenticated => Tone::Warn,
        NodeState::Down(_) => Tone::Bad,
    }
}

/// A node's state with its reason.
#[must_use]
pub fn state_text(node: &NodeSnapshot) -> String {
    match &node.state {
        NodeState::Down(failure) => format!("down: {failure}"),
        NodeState::Unauthenticated => "login required".to_owned(),
        state => state_word(state).to_owned(),
    }
}
