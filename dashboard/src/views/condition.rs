//! How the cluster as a whole is doing, where that decides what a screen can show.

use std::time::Duration;

use super::{ViewContext, state_text};
use crate::format::ago;
use crate::model::NodeState;

/// How the nodes are doing, all of them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// None was heard of yet.
    Connecting,
    /// Every node wants a login.
    LoginWanted,
    /// None answers, and why not.
    NoAnswer(String),
    /// None answered lately, for so long.
    Stale(Duration),
    /// Some answer, and some don't.
    Partial {
        /// How many answer.
        answering: usize,
        /// How many there are.
        nodes: usize,
    },
    /// All answer.
    Well,
}

impl Condition {
    /// What is the matter, in a few words. `None` as long as something answers.
    #[must_use]
    pub const fn title(&self) -> Option<&'static str> {
        match self {
            Self::Connecting => Some("Connecting"),
            Self::LoginWanted => Some("Every node wants a login"),
            Self::NoAnswer(_) => Some("No node answers"),
            Self::Stale(_) => Some("Figures are old"),
            Self::Partial { .. } | Self::Well => None,
        }
    }

    /// What it means, or what to do.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Connecting => "Waiting for the first answers.".to_owned(),
            Self::LoginWanted => {
                "Put user and password into the connection: memcache://user:password@host."
                    .to_owned()
            }
            Self::NoAnswer(reason) => {
                format!("{reason}. Do the servers run, and do their ports answer from here?")
            }
            Self::Stale(silence) => format!("No node has answered for {}.", ago(*silence)),
            Self::Partial { answering, nodes } => {
                format!("{answering} of {nodes} nodes answer; figures are of those.")
            }
            Self::Well => String::new(),
        }
    }
}

impl ViewContext<'_> {
    /// How the cluster as a whole is doing.
    #[must_use]
    pub fn condition(&self) -> Condition {
        let nodes = &self.snapshot.nodes;
        let are = |wanted: fn(&NodeState) -> bool| nodes.iter().all(|node| wanted(&node.state));
        let answering = nodes.iter().filter(|node| node.state.is_answering());
        match answering.count() {
            _ if are(|state| *state == NodeState::Connecting) => Condition::Connecting,
            _ if are(|state| *state == NodeState::Unauthenticated) => Condition::LoginWanted,
            0 => Condition::NoAnswer(self.first_reason()),
            _ if are(|state| *state != NodeState::Up) => {
                let silences = nodes.iter().filter_map(|node| self.snapshot.silence(node));
                Condition::Stale(silences.min().unwrap_or_default())
            }
            answering if answering < nodes.len() => Condition::Partial {
                answering,
                nodes: nodes.len(),
            },
            _ => Condition::Well,
        }
    }

    /// Why the first of the nodes that are down is.
    fn first_reason(&self) -> String {
        let mut nodes = self.snapshot.nodes.iter().zip(0..);
        let down = nodes.find(|(node, _)| matches!(node.state, NodeState::Down(_)));
        down.map_or_else(String::new, |(node, index)| {
            format!("{} is {}", self.label(index), state_text(node))
        })
    }
}
