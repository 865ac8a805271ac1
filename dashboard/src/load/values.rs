//! What an application would compute for an item.

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::workload::{Item, Kind, LARGEST_VALUE};

/// The values of all items: windows into one stretch of random letters, so that making one costs
/// no copying and a value does not compress.
#[derive(Debug, Clone)]
pub(super) struct Values {
    letters: Bytes,
}

impl Values {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let letters = (0..2 * LARGEST_VALUE).map(|_| random.random_range(b'!'..=b'~'));
        Self {
            letters: letters.collect(),
        }
    }

    /// The item's value: always the same for the same item and seed.
    pub(super) fn of(&self, item: &Item) -> Bytes {
        if item.kind == Kind::Counter {
            return Bytes::from_static(b"0");
        }
        let begin = (item.number % LARGEST_VALUE as u64) as usize;
        let end = (begin + item.size).min(self.letters.len());
        self.letters.slice(begin..end)
    }
}

#[cfg(test)]
mod tests {
    use super::Values;
    use crate::load::workload::{Item, Kind, LARGEST_VALUE};

    #[test]
    fn values_have_their_items_size_and_differ() {
        let values = Values::new(1);
        for number in [0, 1, LARGEST_VALUE as u64 - 1, u64::MAX] {
            let item = Item {
                number,
                kind: Kind::Page,
                size: LARGEST_VALUE,
            };
            assert_eq!(values.of(&item).len(), LARGEST_VALUE);
            let next = Item {
                number: number.wrapping_add(1),
                ..item.clone()
            };
            assert_ne!(values.of(&item), values.of(&next));
        }
        let counter = Item {
            number: 19,
            kind: Kind::Counter,
            size: 1,
        };
        assert_eq!(values.of(&counter), "0");
    }
}
