//! Random command scripts, run against two servers whose replies must be the same.

use std::env;

use memlens_tests::difference::{self, Side};
use memlens_tests::{EmbeddedNode, Memcached, Seed, generator};

/// Names the environment variable that says how many scripts to run.
const COUNT_VARIABLE: &str = "MEMLENS_TEST_SCRIPTS";
const DEFAULT_COUNT: u64 = 3000;

/// Without its maintainer thread, which holds items for moments in which `incr` and `decr` store a new
/// item instead of padding the old one, memcached's answers do not depend on timing.
const REFERENCE_ARGUMENTS: &[&str] = &["-m", "1024", "-o", "no_lru_maintainer"];
const NODE_ARGUMENTS: &[&str] = &["-m", "1024"];

fn count() -> u64 {
    env::var(COUNT_VARIABLE).map_or(DEFAULT_COUNT, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{COUNT_VARIABLE} must be a number, is {text:?}"))
    })
}

/// Runs them against both and fails with the smallest form of the first difference.
fn compare(sides: [Side<'_>; 2]) {
    let seed = Seed::from_environment();
    for number in 0..count() {
        let mut random = seed.generator(number);
        let script = generator::script(&format!("random {number}"), &mut random);
        if let Err(difference) = difference::compare(&script, sides, &mut random) {
            panic!("{}", difference::shrink(difference, sides, &mut random));
        }
    }
}

#[test]
fn memcached_answers_as_itself() {
    let servers = [0; 2].map(|_| Memcached::reference(REFERENCE_ARGUMENTS));
    let [one, other] = &servers;
    compare([
        Side {
            name: "memcached",
            address: one.address(),
        },
        Side {
            name: "another memcached",
            address: other.address(),
        },
    ]);
}

#[test]
fn the_node_answers_as_memcached() {
    let memcached = Memcached::reference(REFERENCE_ARGUMENTS);
    let node = EmbeddedNode::with_arguments(NODE_ARGUMENTS);
    compare([
        Side {
            name: "memcached",
            address: memcached.address(),
        },
        Side {
            name: "the node",
            address: node.address(),
        },
    ]);
}
