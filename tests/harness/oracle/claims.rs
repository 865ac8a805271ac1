//! What a task may find under a key that it alone writes.

use std::collections::HashSet;

use memlens::Error;

/// How a write ended.
pub(super) enum Ending {
    Acknowledged,
    /// It failed or was dropped, and may have been carried out, or may yet be.
    Unknown,
    /// Its error says that nothing was sent.
    Unsent,
}

impl Ending {
    pub(super) fn of(error: &Error) -> Self {
        match error.was_sent() {
            true => Self::Unknown,
            false => Self::Unsent,
        }
    }
}

/// The writes of one key by its only writer.
///
/// An acknowledged write has been carried out, so those before it are gone for good: finding one of them
/// again would be an old value that came back. One of unknown fate may turn up at any later time, because
/// it may lie in a buffer somewhere. One that was promised unsent never may.
#[derive(Debug, Default)]
pub(super) struct Claims {
    next: u64,
    acknowledged: Option<u64>,
    unknown: HashSet<u64>,
}

impl Claims {
    pub(super) fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn wrote(&mut self, number: u64, ending: &Ending) {
        match ending {
            Ending::Acknowledged => self.acknowledged = Some(number),
            Ending::Unknown => {
                self.unknown.insert(number);
            }
            Ending::Unsent => {}
        }
    }

    pub(super) fn deleted(&mut self) {
        self.acknowledged = None;
    }

    /// # Panics
    /// If this write can't be what is stored.
    pub(super) fn found(&self, number: u64) {
        assert!(
            self.acknowledged == Some(number) || self.unknown.contains(&number),
            "found write {number}, acknowledged is {:?}, possible are {:?}",
            self.acknowledged,
            self.unknown
        );
    }
}

/// A counter that one task alone counts: it never shows more than was asked for.
#[derive(Debug, Default)]
pub(super) struct Tally {
    most: u64,
}

impl Tally {
    pub(super) fn asked(&mut self) {
        self.most += 1;
    }

    pub(super) fn unsent(&mut self) {
        self.most -= 1;
    }

    /// # Panics
    /// If something was counted twice, or the number is another counter's.
    pub(super) fn counted(&self, now: u64) {
        assert!(
            (1..=self.most).contains(&now),
            "counted {now} of {}",
            self.most
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "found write 1")]
    fn an_old_value_that_comes_back_is_noticed() {
        let mut claims = Claims::default();
        for ending in [Ending::Acknowledged, Ending::Acknowledged] {
            let number = claims.next();
            claims.wrote(number, &ending);
        }
        claims.found(1);
    }

    #[test]
    #[should_panic(expected = "found write 1")]
    fn a_write_that_was_promised_unsent_is_noticed() {
        let mut claims = Claims::default();
        let number = claims.next();
        claims.wrote(number, &Ending::Unsent);
        claims.found(number);
    }

    #[test]
    fn a_write_of_unknown_fate_may_turn_up() {
        let mut claims = Claims::default();
        for ending in [Ending::Unknown, Ending::Acknowledged] {
            let number = claims.next();
            claims.wrote(number, &ending);
        }
        claims.found(1);
        claims.found(2);
    }

    #[test]
    #[should_panic(expected = "counted 2 of 1")]
    fn counting_twice_is_noticed() {
        let mut tally = Tally::default();
        tally.asked();
        tally.counted(2);
    }
}
