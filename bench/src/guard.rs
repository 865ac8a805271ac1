//! Guards the counts of memlens: instructions, system calls and allocations an operation must not rise
//! above those written down in `baseline.json`, by more than a margin.
//!
//! Unlike times, they hardly depend on what else the machine does. They do depend a little on the C
//! library and on how many requests and replies happen to meet, which is what the margins are for. As
//! chance can only add to what the client needs, what exceeds them is counted again.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::counts::Trial;
use crate::server::{Server, Servers};
use crate::table::{Table, number};
use crate::workload::Workload;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.json");

/// What is counted, over how many servers and operations. With several workers, counts would depend
/// on chance.
const GUARDED: &[(&str, Workload, usize, u64)] = &[
    ("memlens@current", Workload::Get, 1, 2_000),
    ("memlens@current", Workload::Set, 1, 2_000),
    ("memlens@current", Workload::Get64, 1, 6_400),
    ("memlens@current", Workload::Mixed64, 1, 6_400),
    ("memlens@current", Workload::Get64, 3, 6_400),
    ("memlens-meta@current", Workload::Get64, 1, 6_400),
    ("memlens@current", Workload::MultiGet, 1, 200),
    ("memlens@current", Workload::MultiGet, 3, 200),
    ("memlens@current", Workload::Large, 1, 200),
];

/// How often to count what exceeds the margins before it has risen.
const TRIES: usize = 4;

/// How far counts may differ without a reason in the client.
#[derive(Clone, Copy, Debug)]
enum Margin {
    /// One caller, whose request and reply are a piece each.
    Narrow,
    /// How many requests and replies share a call is chance; one more for each would be none.
    Shared,
    /// Replies come in as many pieces as the kernel likes, because they are large or because several
    /// servers send them to one caller.
    Pieces,
}

impl Margin {
    /// Of a row of the table, by its name.
    fn of(name: &str) -> Self {
        if name.contains("64") {
            Self::Shared
        } else if name.contains(Workload::Large.name()) || !name.ends_with(" 1") {
            Self::Pieces
        } else {
            Self::Narrow
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Counts {
    instructions: f64,
    system_calls: f64,
    allocations: f64,
}

impl Counts {
    fn take(trial: &Trial<'_>) -> Result<Self> {
        let hundredths = |count: f64| (count * 100.0).round() / 100.0;
        Ok(Self {
            instructions: trial.instructions()?.round(),
            system_calls: hundredths(trial.system_calls()?),
            allocations: hundredths(trial.allocations()?),
        })
    }

    /// The less of each.
    fn least(self, other: Self) -> Self {
        Self {
            instructions: self.instructions.min(other.instructions),
            system_calls: self.system_calls.min(other.system_calls),
            allocations: self.allocations.min(other.allocations),
        }
    }

    /// The least of several tries, until they are within `limits`.
    fn take_within(limits: Self, mut take: impl FnMut() -> Result<Self>) -> Result<Self> {
        let mut least = take()?;
        for _ in 1..TRIES {
            if !least.exceeds(limits) {
                break;
            }
            least = least.least(take()?);
        }
        Ok(least)
    }

    /// The most that each may be: a tenth more, and besides what depends on how much happens to be read
    /// at one go.
    fn limits(self, margin: Margin) -> Self {
        let (instructions, system_calls, allocations) = match margin {
            Margin::Narrow => (0.0, 0.05, 0.1),
            Margin::Shared => (0.05 * self.instructions, 0.15, 0.3),
            Margin::Pieces => (2_500.0, 1.5, 0.3),
        };
        Self {
            instructions: self.instructions * 1.10 + instructions,
            system_calls: self.system_calls * 1.10 + system_calls,
            allocations: self.allocations * 1.10 + allocations,
        }
    }

    fn exceeds(self, limits: Self) -> bool {
        self.instructions > limits.instructions
            || self.system_calls > limits.system_calls
            || self.allocations > limits.allocations
    }
}

pub(crate) fn run(memcached: &str, update: bool) -> Result<()> {
    let workloads: Vec<Workload> = GUARDED.iter().map(|(_, workload, ..)| *workload).collect();
    let most = GUARDED.iter().map(|(_, _, servers, _)| *servers).max();
    let servers = Servers::start(memcached, most.unwrap_or(1), &workloads)?;
    let addresses = servers.addresses();
    let known: BTreeMap<String, Counts> = match update {
        true => BTreeMap::new(),
        false => {
            let baseline = std::fs::read(Path::new(BASELINE)).context("no baseline.json")?;
            serde_json::from_slice(&baseline)?
        }
    };
    let mut counted = BTreeMap::new();
    for &(contender, workload, count, operations) in GUARDED {
        let trial = Trial {
            contender,
            workload,
            servers: &addresses[..count],
            operations,
        };
        let name = format!("{contender} {} {count}", workload.name());
        let counts = match known.get(&name) {
            Some(known) => {
                let limits = known.limits(Margin::of(&name));
                Counts::take_within(limits, || Counts::take(&trial))?
            }
            None => Counts::take(&trial)?,
        };
        counted.insert(name, counts);
    }
    println!("{}", Server::version(memcached)?);
    if update {
        std::fs::write(BASELINE, serde_json::to_string_pretty(&counted)? + "\n")?;
        return Ok(());
    }
    compare(&counted, &known)
}

fn compare(counted: &BTreeMap<String, Counts>, baseline: &BTreeMap<String, Counts>) -> Result<()> {
    let mut table = Table::new([
        "contender, workload, servers",
        "instructions/op",
        "system calls/op",
        "allocations/op",
    ]);
    let mut risen = Vec::new();
    for (name, counts) in counted {
        let known = baseline
            .get(name)
            .with_context(|| format!("no baseline of {name}"))?;
        if counts.exceeds(known.limits(Margin::of(name))) {
            risen.push(name.as_str());
        }
        let beside = |now: String, then: String| format!("{now} ({then})");
        table.row([
            name.clone(),
            beside(number(counts.instructions), number(known.instructions)),
            beside(
                counts.system_calls.to_string(),
                known.system_calls.to_string(),
            ),
            beside(
                counts.allocations.to_string(),
                known.allocations.to_string(),
            ),
        ]);
    }
    print!("{table}");
    if !risen.is_empty() {
        bail!(
            "the counts have risen: {}. If that has to be, write them down with `guard --update`",
            risen.join(", ")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: Counts = Counts {
        instructions: 1000.0,
        system_calls: 3.0,
        allocations: 0.0,
    };

    #[test]
    fn what_rises_beyond_the_margin_is_noticed() {
        let risen =
            |counts: Counts| counts.exceeds(COUNTS.limits(Margin::of("memlens@current get 1")));
        assert!(!risen(COUNTS));
        assert!(!risen(Counts {
            instructions: 1099.0,
            ..COUNTS
        }));
        assert!(risen(Counts {
            instructions: 1101.0,
            ..COUNTS
        }));
        assert!(risen(Counts {
            system_calls: 3.5,
            ..COUNTS
        }));
        assert!(risen(Counts {
            allocations: 0.2,
            ..COUNTS
        }));
        let one_more = Counts {
            system_calls: 4.0,
            ..COUNTS
        };
        let excused = |name| !one_more.exceeds(COUNTS.limits(Margin::of(name)));
        assert!(risen(one_more) && !excused("memlens@current set 1"));
        assert!(!excused("memlens@current get64 1"));
        assert!(!excused("memlens@current get64 3"));
        assert!(excused("memlens@current large 1") && excused("memlens@current multi-get 3"));
    }

    #[test]
    fn chance_is_given_several_tries() -> Result<()> {
        let limits = COUNTS.limits(Margin::Narrow);
        let unlucky = Counts {
            allocations: 1.0,
            ..COUNTS
        };
        let mut tries = [unlucky, COUNTS, unlucky].into_iter();
        let counts = Counts::take_within(limits, || tries.next().context("too many"))?;
        assert!(!counts.exceeds(limits));
        assert_eq!(tries.count(), 1);

        let mut tries = 0;
        let counts = Counts::take_within(limits, || {
            tries += 1;
            Ok(unlucky)
        })?;
        assert!(counts.exceeds(limits));
        assert_eq!(tries, TRIES);
        Ok(())
    }

    #[test]
    fn a_count_without_a_baseline_is_an_error() {
        let counted = BTreeMap::from([("new".to_owned(), COUNTS)]);
        assert!(compare(&counted, &BTreeMap::new()).is_err());
        assert!(compare(&counted, &counted).is_ok());
    }
}
