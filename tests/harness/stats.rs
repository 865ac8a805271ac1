//! Reads what `stats` answers, in its order.

use std::time::{Duration, Instant};

use crate::raw::RawClient;

const SETTLED_DEADLINE: Duration = Duration::from_secs(10);

/// The names and values of a `stats` answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats(pub Vec<(String, String)>);

impl Stats {
    /// Asks for `stats`, or for `stats <argument>` if there is one, on the given connection.
    pub fn read(client: &mut RawClient, argument: &str) -> Self {
        let request = format!("stats {argument}");
        let reply = client.request(format!("{}\r\n", request.trim_end()).as_bytes(), b"END\r\n");
        let text = String::from_utf8(reply).expect("stats are text");
        let lines = text.strip_suffix("END\r\n").unwrap_or_default().lines();
        Self(
            lines
                .map(|line| {
                    let pair = line
                        .strip_prefix("STAT ")
                        .and_then(|rest| rest.split_once(' '));
                    let (name, value) = pair.unwrap_or_else(|| panic!("{request}: {line:?}"));
                    (name.to_owned(), value.to_owned())
                })
                .collect(),
        )
    }

    /// Asks until `settled` holds: some numbers follow an event on a thread of the server's own.
    pub fn read_settled(client: &mut RawClient, settled: impl Fn(&Self) -> bool) -> Self {
        let deadline = Instant::now() + SETTLED_DEADLINE;
        loop {
            let stats = Self::read(client, "");
            if settled(&stats) {
                return stats;
            }
            assert!(Instant::now() < deadline, "these do not settle: {stats:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(present, _)| present == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of this name as a number, or the test fails.
    pub fn number(&self, name: &str) -> u64 {
        let value = self
            .get(name)
            .unwrap_or_else(|| panic!("no {name} among {:?}", self.names()));
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is {value:?}"))
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}
