//! Distributions by the name of the client that a cluster is shared with.

use std::fmt;
use std::str::FromStr;

use super::distribution::{Distribution, Points, Weights};
use super::hash::KeyHash;
use super::naming::NodeName;

/// A distribution that agrees with another client on the server of every key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    name: &'static str,
    distribution: Distribution,
}

impl Profile {
    /// libmemcached with `KETAMA_WEIGHTED`.
    pub const LIBMEMCACHED_KETAMA_WEIGHTED: Self = Self {
        name: "libmemcached-ketama-weighted",
        distribution: Distribution::continuum(KeyHash::Md5, Points::KETAMA)
            .with_name(NodeName::HostPortUnlessDefault),
    };

    /// CRC-32 modulo the number of servers.
    pub const CRC32_MODULO: Self = Self {
        name: "crc32-modulo",
        distribution: Distribution::modulo(KeyHash::Crc32, Weights::Repeat),
    };

    const ALL: &'static [Self] = &[Self::LIBMEMCACHED_KETAMA_WEIGHTED, Self::CRC32_MODULO];

    /// Every profile.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        Self::ALL
    }

    /// The name under which [`FromStr`] finds this profile.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What the client does, as data.
    #[must_use]
    pub const fn distribution(&self) -> Distribution {
        self.distribution
    }
}

/// [`LIBMEMCACHED_KETAMA_WEIGHTED`](Profile::LIBMEMCACHED_KETAMA_WEIGHTED).
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
        Self::ALL
            .iter()
            .find(|profile| profile.name == name)
            .copied()
            .ok_or_else(|| UnknownProfile {
                name: name.to_owned(),
            })
    }
}

/// There is no profile of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProfile {
    name: String,
}

impl fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no profile {:?}", self.name)
    }
}

impl std::error::Error for UnknownProfile {}
