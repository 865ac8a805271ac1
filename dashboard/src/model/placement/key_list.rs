//! A pasted list of keys: where each lies, and how evenly they are spread.

use memlens::ring::{Ring, Step};

use super::probe::check;

/// So many keys are looked up; more of a list is left out, and told.
pub const MOST_KEYS: usize = 100_000;

/// So many are drawn one by one.
const MOST_DOTS: usize = 4_000;

/// Where the keys of a list lie.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyList {
    /// The keys that are drawn one by one, in the order of the list.
    pub placed: Vec<PlacedKey>,
    /// How many of the keys each node holds, by its index.
    pub per_node: Vec<usize>,
    /// Keys looked up.
    pub keys: usize,
    /// Lines that are no key.
    pub refused: usize,
    /// Keys left out because the list is too long.
    pub left_out: usize,
}

/// One key of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedKey {
    /// The key, without the namespace.
    pub key: String,
    /// The index of its node.
    pub node: usize,
    /// Where it lies on the circle, if there is one.
    pub turn: Option<f64>,
}

impl KeyList {
    /// Looks up the keys of a text, one in a line, with `namespace` put in front of each as the clients
    /// do. Empty lines and spaces around a key count for nothing, and neither do commas and quotes
    /// around it.
    #[must_use]
    pub fn of(ring: &Ring, namespace: &str, text: &str) -> Self {
        let mut list = Self {
            per_node: vec![0; ring.members().len()],
            ..Self::default()
        };
        let is_wrapping = |c: char| c.is_whitespace() || matches!(c, ',' | '"' | '\'');
        let lines = text.lines().map(|line| line.trim_matches(is_wrapping));
        for key in lines.filter(|line| !line.is_empty()) {
            let full = format!("{namespace}{key}");
            if check(&full).is_err() {
                list.refused += 1;
            } else if list.keys == MOST_KEYS {
                list.left_out += 1;
            } else {
                list.add(ring, key, &full);
            }
        }
        list
    }

    fn add(&mut self, ring: &Ring, key: &str, full: &str) {
        self.keys += 1;
        let node = if self.placed.len() < MOST_DOTS {
            let why = ring.explain(full.as_bytes());
            let turn = match why.step {
                Step::Continuum { turn, .. } => Some(turn),
                _ => None,
            };
            self.placed.push(PlacedKey {
                key: key.to_owned(),
                node: why.node,
                turn,
            });
            why.node
        } else {
            ring.node_for(full.as_bytes())
        };
        self.per_node[node] += 1;
    }

    /// The share of the keys that a node holds, 0 to 1; `None` for a list without keys.
    #[must_use]
    pub fn share(&self, node: usize) -> Option<f64> {
        (self.keys > 0).then(|| self.per_node[node] as f64 / self.keys as f64)
    }
}

#[cfg(test)]
mod tests {
    use memlens::ring::{Member, Profile, Ring};

    use super::{KeyList, MOST_DOTS, MOST_KEYS};

    fn ring() -> Ring {
        let members: Vec<Member> = (1..=4).map(|port| Member::tcp("a", port)).collect();
        Ring::new(members, Profile::default()).unwrap()
    }

    #[test]
    fn every_key_is_counted_at_its_node() {
        let list = KeyList::of(
            &ring(),
            "",
            "user:1\r\n  \"user:2\",\n\nnot a key\nuser:3\n",
        );
        assert_eq!((list.keys, list.refused, list.left_out), (3, 1, 0));
        assert_eq!(list.per_node.iter().sum::<usize>(), 3);
        assert_eq!(list.placed[1].key, "user:2");
        assert!(list.placed.iter().all(|placed| placed.turn.is_some()));
        let sum: f64 = (0..4).filter_map(|node| list.share(node)).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        assert_eq!(KeyList::of(&ring(), "", "").share(0), None);
    }

    #[test]
    fn a_namespace_is_a_part_of_the_key() {
        let (plain, full) = (
            "user:1\nuser:2\nuser:3",
            "app:user:1\napp:user:2\napp:user:3",
        );
        let with_namespace = KeyList::of(&ring(), "app:", plain);
        let spelt_out = KeyList::of(&ring(), "", full);
        assert_eq!(with_namespace.per_node, spelt_out.per_node);
        assert_eq!(with_namespace.placed[0].key, "user:1");
        assert_eq!(with_namespace.placed[0].turn, spelt_out.placed[0].turn);
        assert_eq!(KeyList::of(&ring(), &"n".repeat(245), plain).refused, 3);
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let text: String = (0..MOST_KEYS + 5)
            .map(|number| format!("k{number}\n"))
            .collect();
        let list = KeyList::of(&ring(), "", &text);
        assert_eq!((list.keys, list.left_out), (MOST_KEYS, 5));
        assert_eq!(list.placed.len(), MOST_DOTS);
        assert_eq!(list.per_node.iter().sum::<usize>(), MOST_KEYS);
    }
}
