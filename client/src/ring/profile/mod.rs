//! Distributions by the name of the client that a cluster is shared with.

use std::fmt;
use std::str::FromStr;

use super::distribution::Distribution;

/// Declares the profiles of a group as constants of [`Profile`] and lists them.
macro_rules! profiles {
    ($($constant:ident = $name:literal, $summary:literal, $distribution:expr;)*) => {
        impl Profile {
            $(
                #[doc = concat!("`", $name, "`: ", $summary)]
                pub const $constant: Self = Self {
                    name: $name,
                    summary: $summary,
                    distribution: $distribution,
                };
            )*
        }

        pub(super) const ALL: &[Profile] = &[$(Profile::$constant),*];
    };
}

mod java;
mod libmemcached;
mod other_clients;
mod own;
mod proxies;
mod python;

/// A named [`Distribution`]: what a client of some language does with its settings.
///
/// A cluster that is shared with another client needs its profile, and the server list in the same
/// order, with the same names and weights; otherwise both look for a key on different servers.
///
/// ```
/// use memlens::ring::Profile;
///
/// let profile: Profile = "pymemcache".parse()?;
/// assert_eq!(profile, Profile::PYMEMCACHE);
///
/// let error = "libmemcached-ketama-wieghted".parse::<Profile>().unwrap_err();
/// assert_eq!(error.near()[0], "libmemcached-ketama-weighted");
/// # Ok::<(), memlens::ring::UnknownProfile>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    name: &'static str,
    summary: &'static str,
    distribution: Distribution,
}

/// The profiles by group.
const GROUPS: [&[Profile]; 6] = [
    own::ALL,
    libmemcached::ALL,
    python::ALL,
    java::ALL,
    other_clients::ALL,
    proxies::ALL,
];

const COUNT: usize = {
    let mut count = 0;
    let mut group = 0;
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

/// The groups in one row.
static ALL: [Profile; COUNT] = {
    let mut all = [Profile::LIBMEMCACHED_KETAMA_WEIGHTED; COUNT];
    let (mut group, mut in_group, mut next) = (0, 0, 0);
    while next < COUNT {
        if in_group == GROUPS[group].len() {
            group += 1;
            in_group = 0;
        } else {
            all[next] = GROUPS[group][in_group];
            in_group += 1;
            next += 1;
        }
    }
    all
};

impl Profile {
    /// Every profile.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// The name by which it can be parsed, like `libmemcached-ketama-weighted`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// A sentence on which client, with which settings, it agrees with.
    #[must_use]
    pub const fn summary(&self) -> &'static str {
        self.summary
    }

    /// What that client does, as data.
    #[must_use]
    pub const fn distribution(&self) -> Distribution {
        self.distribution
    }
}

/// [`Profile::LIBMEMCACHED_KETAMA_WEIGHTED`]: consistent, weighted, and understood by the most
/// clients.
impl Default for Profile {
    fn default() -> Self {
        Self::LIBMEMCACHED_KETAMA_WEIGHTED
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        Self::all()
            .iter()
            .find(|profile| profile.name == name)
            .copied()
            .ok_or_else(|| UnknownProfile::new(name))
    }
}

/// There is no profile of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProfile {
    name: String,
    near: Vec<&'static str>,
}

/// How many near names an [`UnknownProfile`] lists.
const NEAR: usize = 3;

impl UnknownProfile {
    fn new(name: &str) -> Self {
        let mut near: Vec<(usize, &str)> = Profile::all()
            .iter()
            .map(|profile| (strsim::osa_distance(name, profile.name), profile.name))
            .collect();
        near.sort();
        Self {
            name: name.to_owned(),
            near: near.into_iter().take(NEAR).map(|(_, name)| name).collect(),
        }
    }

    /// The names nearest to the one that was asked for, the nearest first.
    #[must_use]
    pub fn near(&self) -> &[&'static str] {
        &self.near
    }
}

impl fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no profile {:?}; near it are ", self.name)?;
        f.write_str(&self.near.join(", "))
    }
}

impl std::error::Error for UnknownProfile {}
