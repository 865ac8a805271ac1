//! What is remembered between starts. Never a password: connections are kept as the client writes
//! its settings, which leaves secrets out.

use std::time::Duration;

use egui::ThemePreference;
use memlens::config::Config;
use serde::{Deserialize, Serialize};

use crate::model::Rules;

/// Shortest time between two polls of a node. Faster would load servers to look at them.
pub const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// Longest time between two polls of a node.
pub const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);

/// Everything that is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Clusters that somebody connected to.
    pub profiles: Vec<ConnectionProfile>,
    /// Dark, light, or as the system is.
    pub theme: ThemePreference,
    /// Whether nothing slides or fades.
    pub reduce_motion: bool,
    /// The alert rules with their thresholds.
    pub alert_rules: Rules,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            profiles: Vec::new(),
            theme: ThemePreference::System,
            reduce_motion: false,
            alert_rules: Rules::default(),
        }
    }
}

/// A cluster that somebody connected to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionProfile {
    /// What to call it.
    pub name: String,
    /// Servers and settings, as a URL without secrets.
    pub url: String,
}

impl ConnectionProfile {
    /// A profile of what somebody typed: a server list, a URL, or servers line by line.
    ///
    /// # Errors
    /// When it cannot be understood; the text says why.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let list = joined(text);
        let config: Config = list
            .parse()
            .map_err(|error: memlens::Error| error.to_string())?;
        let name = name.trim();
        let name = if name.is_empty() {
            config
                .servers
                .first()
                .map(ToString::to_string)
                .unwrap_or_default()
        } else {
            name.to_owned()
        };
        Ok(Self {
            name,
            // A login is shown masked, and a mask is not taken for a login. Without one, the server
            // says that it wants one; a `login_file` is kept, since it is no secret itself.
            url: config.to_string().replacen("://***@", "://", 1),
        })
    }
}

impl Preferences {
    /// Remembers a profile, in place of an older one of the same name.
    pub fn remember(&mut self, profile: ConnectionProfile) {
        match self
            .profiles
            .iter_mut()
            .find(|known| known.name == profile.name)
        {
            Some(known) => *known = profile,
            None => self.profiles.push(profile),
        }
    }
}

/// Servers line by line, or in a YAML list, as one list with commas.
#[must_use]
pub fn joined(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| {
            line.trim()
                .trim_start_matches("- ")
                .trim_matches(['"', '\'', ','])
                .trim()
        })
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{ConnectionProfile, Preferences, joined};

    #[test]
    fn a_pasted_list_may_be_lines_yaml_or_commas() {
        for text in [
            "a:1,b:2",
            "a:1\nb:2\n",
            "# our caches\n  - a:1\n  - \"b:2\"\n",
            "a:1,\nb:2,\n",
        ] {
            assert_eq!(joined(text), "a:1,b:2", "{text:?}");
        }
    }

    #[test]
    fn a_profile_is_named_and_written_as_a_url() {
        let profile = ConnectionProfile::parse(" ", "cache1\ncache2:11212").unwrap();
        assert_eq!(profile.name, "cache1:11211");
        assert_eq!(profile.url, "memcache://cache1:11211,cache2:11212");
        assert!(ConnectionProfile::parse("x", "a:b:c").is_err());
    }

    #[test]
    fn a_login_is_not_remembered_and_what_is_remembered_can_be_used() {
        let typed = "memcache://app:hunter2@cache1?ring=pymemcache";
        let profile = ConnectionProfile::parse("shop", typed).unwrap();
        assert_eq!(profile.url, "memcache://cache1:11211?ring=pymemcache");
        assert!(ConnectionProfile::parse("again", &profile.url).is_ok());
    }

    #[test]
    fn a_profile_replaces_one_of_the_same_name() {
        let mut preferences = Preferences::default();
        for servers in ["a", "b"] {
            preferences.remember(ConnectionProfile::parse("prod", servers).unwrap());
        }
        assert_eq!(preferences.profiles.len(), 1);
        assert_eq!(preferences.profiles[0].url, "memcache://b:11211");
    }

    #[test]
    fn what_an_older_version_remembered_still_reads() {
        let preferences: Preferences = serde_json::from_str(r#"{"reduce_motion":true}"#).unwrap();
        assert!(preferences.reduce_motion && preferences.profiles.is_empty());
    }
}
