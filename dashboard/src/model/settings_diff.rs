//! How the nodes' settings differ: the majority's value of each setting, and who has another.

use std::collections::BTreeMap;

use super::monitor::Snapshot;

/// Settings that are each server's own business, and say nothing when they differ: where it
/// listens, its files, and what it has noted at run time.
const INDIVIDUAL: [&str; 12] = [
    "tcpport",
    "udpport",
    "inter",
    "domain_socket",
    "memory_file",
    "oldest",
    "num_napi_ids",
    "verbosity",
    "detail_enabled",
    "ssl_chain_cert",
    "ssl_key",
    "ssl_ca_cert",
];

/// One setting across the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRow {
    /// Its name in `stats settings`.
    pub name: String,
    /// The value that most nodes have; of several that are as common, the first node's.
    pub majority: String,
    /// How many nodes have the majority's value.
    pub agreeing: usize,
    /// The nodes with another value, by index, and that value. `None` for a node whose server does
    /// not report the setting at all, as an older version.
    pub differing: Vec<(usize, Option<String>)>,
    /// Whether it is natural that nodes differ in it.
    pub is_individual: bool,
}

impl SettingRow {
    /// Whether nodes differ where they should not.
    #[must_use]
    pub fn is_drift(&self) -> bool {
        !self.is_individual && !self.differing.is_empty()
    }
}

/// All settings of all nodes that told theirs, in the order of the first node's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsDiff {
    /// The settings.
    pub rows: Vec<SettingRow>,
    /// How many nodes told their settings.
    pub compared: usize,
}

impl SettingsDiff {
    /// Compares the settings of a snapshot's nodes.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let nodes = snapshot.nodes.iter().enumerate();
        let answers: Vec<(usize, Vec<(&str, String)>)> = nodes
            .filter_map(|(index, node)| Some((index, node.settings.as_ref()?.fields())))
            .collect();
        let mut order: Vec<&str> = Vec::new();
        let mut by_name: BTreeMap<&str, BTreeMap<usize, &str>> = BTreeMap::new();
        for (index, fields) in &answers {
            for (name, value) in fields {
                let values = by_name.entry(name).or_insert_with(|| {
                    order.push(name);
                    BTreeMap::new()
                });
                values.insert(*index, value);
            }
        }
        let asked: Vec<usize> = answers.iter().map(|(index, _)| *index).collect();
        let rows = order.iter().map(|name| row(name, &by_name[name], &asked));
        Self {
            rows: rows.collect(),
            compared: asked.len(),
        }
    }

    /// The settings in which nodes differ where they should not.
    pub fn drifts(&self) -> impl Iterator<Item = &SettingRow> {
        self.rows.iter().filter(|row| row.is_drift())
    }

    /// The settings in which one node differs from the majority: name, its value, the majority's.
    pub fn of_node(&self, node: usize) -> impl Iterator<Item = (&SettingRow, Option<&str>)> {
        self.rows.iter().filter_map(move |row| {
            let own = row.differing.iter().find(|(index, _)| *index == node);
            own.map(|(_, value)| (row, value.as_deref()))
        })
    }
}

fn row(name: &str, values: &BTreeMap<usize, &str>, asked: &[usize]) -> SettingRow {
    let majority = most_common(asked.iter().filter_map(|node| values.get(node).copied()));
    let differing: Vec<_> = asked
        .iter()
        .map(|node| (*node, values.get(node).copied()))
        .filter(|(_, value)| *value != Some(majority))
        .map(|(node, value)| (node, value.map(str::to_owned)))
        .collect();
    SettingRow {
        name: name.to_owned(),
        majority: majority.to_owned(),
        agreeing: asked.len() - differing.len(),
        differing,
        is_individual: INDIVIDUAL.contains(&name),
    }
}

/// The value that comes most often; of several as common, the one that came first.
pub(super) fn most_common<'a>(values: impl Iterator<Item = &'a str>) -> &'a str {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for value in values {
        match counts.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => counts.push((value, 1)),
        }
    }
    let mut best: (&str, usize) = ("", 0);
    for (value, count) in counts {
        if count > best.1 {
            best = (value, count);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use memlens::stats::Settings;

    use super::SettingsDiff;
    use crate::model::{Monitor, Observation};

    fn diff(nodes: &[&[(&str, &str)]]) -> SettingsDiff {
        let names = (0..nodes.len()).map(|index| format!("n{index}").into());
        let mut monitor = Monitor::new(names, Duration::from_secs(1));
        for (index, settings) in nodes.iter().enumerate() {
            if settings.is_empty() {
                continue;
            }
            let settings = Arc::new(Settings::parse(settings.iter().copied()));
            monitor.observe(index, Duration::ZERO, Observation::Settings(settings));
        }
        SettingsDiff::of(&monitor.publish(Duration::ZERO))
    }

    #[test]
    fn the_majority_is_right_and_the_others_differ() {
        let usual: &[_] = &[("maxbytes", "64"), ("growth_factor", "1.25")];
        let diff = diff(&[
            &[("maxbytes", "32"), ("growth_factor", "1.25")],
            usual,
            &[],
            usual,
        ]);
        assert_eq!(diff.compared, 3);
        let drift: Vec<_> = diff.drifts().collect();
        assert_eq!(drift.len(), 1);
        assert_eq!(
            (drift[0].name.as_str(), drift[0].majority.as_str()),
            ("maxbytes", "64")
        );
        assert_eq!(drift[0].agreeing, 2);
        assert_eq!(drift[0].differing, [(0, Some("32".to_owned()))]);
        assert_eq!(diff.of_node(0).count(), 1);
        assert_eq!(diff.of_node(1).count(), 0);
    }

    #[test]
    fn a_setting_that_a_server_lacks_differs_and_a_port_may() {
        let diff = diff(&[
            &[("tcpport", "1"), ("temp_lru", "no")],
            &[("tcpport", "2"), ("temp_lru", "no")],
            &[("tcpport", "3")],
        ]);
        let drifts: Vec<_> = diff.drifts().map(|row| row.name.as_str()).collect();
        assert_eq!(drifts, ["temp_lru"]);
        assert_eq!(diff.rows[1].differing, [(2, None)]);
        assert!(diff.rows[0].is_individual && diff.rows[0].differing.len() == 2);
    }

    #[test]
    fn of_values_as_common_the_first_counts() {
        let diff = diff(&[&[("maxconns", "9")], &[("maxconns", "8")]]);
        assert_eq!(diff.rows[0].majority, "9");
        assert_eq!(diff.rows[0].differing, [(1, Some("8".to_owned()))]);
    }
}
