//! One change of a cluster.

use std::fmt;

use memlens::config::Server;
use memlens::ring::{Member, Profile, RingError};

use super::cluster::ClusterSpec;

/// One change of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A server leaves.
    Remove {
        /// Its name.
        node: String,
    },
    /// A server comes, at the end of the list.
    Add {
        /// The server, with its weight.
        server: Member,
    },
    /// A server gets another weight.
    Weight {
        /// Its name.
        node: String,
        /// The new weight, at least 1.
        weight: u32,
    },
    /// Every server gets another number of points.
    Points {
        /// Points of a server of average weight.
        per_server: u32,
    },
    /// Keys are dealt out in another way: another hash, another distribution, or both.
    Ring {
        /// How, by the name of the client that does it so.
        profile: Profile,
    },
}

/// Why a change cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeError {
    /// There is no server of this name.
    UnknownNode {
        /// The name.
        node: String,
    },
    /// There is a server of this name already.
    AlreadyThere {
        /// The name.
        node: String,
    },
    /// The server is the only one.
    LastNode {
        /// Its name.
        node: String,
    },
    /// The text is no server.
    NoServer {
        /// Why.
        reason: String,
    },
    /// The text is no weight.
    NoWeight {
        /// The text.
        text: String,
    },
    /// The profile does not mind weights.
    WeightsIgnored {
        /// Its name.
        profile: &'static str,
    },
    /// The profile has no points.
    NoPoints {
        /// Its name.
        profile: &'static str,
    },
    /// The profile makes points by so many at once.
    NoMultiple {
        /// The number asked for.
        points: u32,
        /// What it has to be a multiple of.
        of: u32,
    },
    /// All is so already.
    NoChange,
    /// No ring comes of it.
    Ring(RingError),
}

impl fmt::Display for ChangeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownNode { node } => write!(formatter, "no server is called {node:?}"),
            Self::AlreadyThere { node } => write!(formatter, "{node} is in the cluster already"),
            Self::LastNode { node } => {
                write!(formatter, "{node} is the last server; a cluster needs one")
            }
            Self::NoServer { reason } => formatter.write_str(reason),
            Self::NoWeight { text } => write!(
                formatter,
                "{text:?} is no weight: a whole number from 1 to 65535. To halve one server, double \
                 the weights of the others"
            ),
            Self::WeightsIgnored { profile } => {
                write!(formatter, "clients of the profile {profile} ignore weights")
            }
            Self::NoPoints { profile } => {
                write!(formatter, "the profile {profile} has no points on a circle")
            }
            Self::NoMultiple { points, of } => write!(
                formatter,
                "{points} points are not possible: this profile makes {of} at once, and needs some"
            ),
            Self::NoChange => formatter.write_str("that is how it is already"),
            Self::Ring(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for ChangeError {}

impl From<RingError> for ChangeError {
    fn from(error: RingError) -> Self {
        Self::Ring(error)
    }
}

impl Change {
    /// A server to add, written as in a server list: `10.0.0.65:11211:2`.
    ///
    /// # Errors
    ///
    /// When the text is no server.
    pub fn add(text: &str) -> Result<Self, ChangeError> {
        let server: Server =
            text.trim()
                .parse()
                .map_err(|error: memlens::Error| ChangeError::NoServer {
                    reason: error.to_string(),
                })?;
        Ok(Self::Add {
            server: server.member(),
        })
    }

    /// A new weight, as text.
    ///
    /// # Errors
    ///
    /// When the text is no whole number from 1 to 65535.
    pub fn weight(node: &str, text: &str) -> Result<Self, ChangeError> {
        match text.trim().parse::<u16>() {
            Ok(weight) if weight > 0 => Ok(Self::Weight {
                node: node.to_owned(),
                weight: u32::from(weight),
            }),
            _ => Err(ChangeError::NoWeight {
                text: text.trim().chars().take(40).collect(),
            }),
        }
    }

    /// The cluster after the change.
    ///
    /// # Errors
    ///
    /// When the change does not fit the cluster, or changes nothing.
    pub fn apply(&self, spec: &ClusterSpec) -> Result<ClusterSpec, ChangeError> {
        match self {
            Self::Remove { node } => remove(spec, node),
            Self::Add { server } => {
                let node = server.name();
                if spec.position(&node).is_some() {
                    return Err(ChangeError::AlreadyThere { node });
                }
                let mut members = spec.members().to_vec();
                members.push(server.clone());
                Ok(spec.with_members(members)?)
            }
            Self::Weight { node, weight } => set_weight(spec, node, *weight),
            Self::Points { per_server } => set_points(spec, *per_server),
            Self::Ring { profile } => {
                let after = spec.with_profile(*profile)?;
                changed(spec, after)
            }
        }
    }

    /// The server that it is about, if it is about one.
    #[must_use]
    pub fn node(&self) -> Option<String> {
        match self {
            Self::Remove { node } | Self::Weight { node, .. } => Some(node.clone()),
            Self::Add { server } => Some(server.name()),
            Self::Points { .. } | Self::Ring { .. } => None,
        }
    }

    /// Whether a second one takes the place of a first: weights of one server, points, rings.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Weight { node, .. }, Self::Weight { node: other, .. }) => node == other,
            (Self::Points { .. }, Self::Points { .. }) | (Self::Ring { .. }, Self::Ring { .. }) => {
                true
            }
            _ => false,
        }
    }
}

/// As a chip of a plan says it: `− n17`, `+ n65`, `n03 weight 2`.
impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remove { node } => write!(formatter, "remove {node}"),
            Self::Add { server } if server.weight() == 1 => {
                write!(formatter, "add {}", server.name())
            }
            Self::Add { server } => {
                write!(
                    formatter,
                    "add {} with weight {}",
                    server.name(),
                    server.weight()
                )
            }
            Self::Weight { node, weight } => write!(formatter, "set weight of {node} to {weight}"),
            Self::Points { per_server } => write!(formatter, "set points to {per_server}"),
            Self::Ring { profile } => write!(formatter, "use ring {profile}"),
        }
    }
}

fn remove(spec: &ClusterSpec, node: &str) -> Result<ClusterSpec, ChangeError> {
    let position = position(spec, node)?;
    if spec.members().len() == 1 {
        return Err(ChangeError::LastNode {
            node: node.to_owned(),
        });
    }
    let mut members = spec.members().to_vec();
    members.remove(position);
    Ok(spec.with_members(members)?)
}

fn set_weight(spec: &ClusterSpec, node: &str, weight: u32) -> Result<ClusterSpec, ChangeError> {
    let position = position(spec, node)?;
    if !spec.distribution().uses_weights() {
        return Err(ChangeError::WeightsIgnored {
            profile: spec.profile().name(),
        });
    }
    let mut members = spec.members().to_vec();
    members[position] = members[position].clone().with_weight(weight);
    changed(spec, spec.with_members(members)?)
}

fn set_points(spec: &ClusterSpec, per_server: u32) -> Result<ClusterSpec, ChangeError> {
    let Some(points) = spec.distribution().points() else {
        return Err(ChangeError::NoPoints {
            profile: spec.profile().name(),
        });
    };
    if spec
        .distribution()
        .with_points_per_member(per_server)
        .is_none()
    {
        return Err(ChangeError::NoMultiple {
            points: per_server,
            of: points.step(),
        });
    }
    changed(spec, spec.with_points(per_server)?)
}

fn changed(before: &ClusterSpec, after: ClusterSpec) -> Result<ClusterSpec, ChangeError> {
    if *before == after {
        return Err(ChangeError::NoChange);
    }
    Ok(after)
}

fn position(spec: &ClusterSpec, node: &str) -> Result<usize, ChangeError> {
    spec.position(node).ok_or_else(|| ChangeError::UnknownNode {
        node: node.to_owned(),
    })
}
