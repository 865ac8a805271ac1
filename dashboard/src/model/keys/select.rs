//! Which keys of a scan are listed, and in which order.

use std::cmp::Ordering;

use memchr::memmem::Finder;

use super::table::{KeyRow, KeyTable};

/// A column of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyColumn {
    /// The key, bytewise.
    Key,
    /// What it takes in memory.
    #[default]
    Size,
    /// What is left of its life; never comes last.
    TimeToLive,
    /// How long ago it was used.
    Idle,
    /// Whether it was read.
    Fetched,
    /// Its node.
    Node,
}

/// Which keys to list, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyQuery {
    /// Only keys that begin with this.
    pub prefix: Vec<u8>,
    /// Only keys that contain this.
    pub contains: Vec<u8>,
    /// Only keys of the node with this index in the scan.
    pub node: Option<u16>,
    /// The order.
    pub sort: KeyColumn,
    /// Whether the largest come first.
    pub descending: bool,
}

impl Default for KeyQuery {
    fn default() -> Self {
        Self {
            prefix: Vec::new(),
            contains: Vec::new(),
            node: None,
            sort: KeyColumn::Size,
            descending: true,
        }
    }
}

impl KeyQuery {
    /// The indexes of the keys that it selects, in its order.
    #[must_use]
    pub fn select(&self, table: &KeyTable) -> Vec<u32> {
        let finder = Finder::new(&self.contains);
        let wanted = |row: &KeyRow<'_>| {
            self.node.is_none_or(|node| row.node == node)
                && row.key.starts_with(&self.prefix)
                && finder.find(row.key).is_some()
        };
        let rows = (0_u32..).zip(table.iter());
        let mut selected: Vec<(u64, u32)> = rows
            .filter(|(_, row)| wanted(row))
            .map(|(index, row)| (self.rank(&row), index))
            .collect();
        if self.sort == KeyColumn::Key {
            let key = |index: u32| table.row(index as usize).map(|row| row.key);
            selected.sort_unstable_by(|one, other| {
                self.directed(key(one.1).cmp(&key(other.1)))
                    .then(one.1.cmp(&other.1))
            });
        } else {
            selected.sort_unstable_by(|one, other| {
                self.directed(one.0.cmp(&other.0)).then(one.1.cmp(&other.1))
            });
        }
        selected.into_iter().map(|(_, index)| index).collect()
    }

    const fn directed(&self, order: Ordering) -> Ordering {
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }

    fn rank(&self, row: &KeyRow<'_>) -> u64 {
        match self.sort {
            KeyColumn::Key => 0,
            KeyColumn::Size => row.size,
            KeyColumn::TimeToLive => row.time_to_live.unwrap_or(u64::MAX),
            KeyColumn::Idle => row.idle,
            KeyColumn::Fetched => u64::from(row.is_fetched),
            KeyColumn::Node => u64::from(row.node),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyColumn, KeyQuery};
    use crate::model::keys::{KeyTable, ScannedKey};

    fn table() -> KeyTable {
        let mut table = KeyTable::default();
        let keys = [
            ("user:2", 30, Some(9), 0),
            ("page:1", 10, None, 1),
            ("user:10", 20, Some(3), 1),
        ];
        for (key, size, time_to_live, node) in keys {
            table.push(&ScannedKey {
                key: key.as_bytes(),
                node,
                class: 1,
                size,
                time_to_live,
                idle: 0,
                is_fetched: false,
            });
        }
        table
    }

    fn selected(query: &KeyQuery) -> Vec<u32> {
        query.select(&table())
    }

    #[test]
    fn all_keys_the_largest_first() {
        assert_eq!(selected(&KeyQuery::default()), [0, 2, 1]);
    }

    #[test]
    fn every_condition_narrows() {
        let by_prefix = KeyQuery {
            prefix: b"user:".to_vec(),
            sort: KeyColumn::Key,
            descending: false,
            ..KeyQuery::default()
        };
        assert_eq!(selected(&by_prefix), [2, 0]);
        let on_one_node = KeyQuery {
            node: Some(1),
            ..by_prefix
        };
        assert_eq!(selected(&on_one_node), [2]);
        let containing = KeyQuery {
            contains: b":1".to_vec(),
            ..KeyQuery::default()
        };
        assert_eq!(selected(&containing), [2, 1]);
    }

    #[test]
    fn what_never_expires_lives_longest() {
        let query = KeyQuery {
            sort: KeyColumn::TimeToLive,
            descending: false,
            ..KeyQuery::default()
        };
        assert_eq!(selected(&query), [2, 0, 1]);
    }
}
