//! What happened on a node between two answers of `stats`.
//!
//! Counters mean little by themselves: a hit rate over a server's whole life hides what happens
//! now. Everything shown as a rate comes from the difference of two samples of the same process,
//! divided by the time between them on our own monotonic clock (the server's `time` has steps of
//! one second).

use std::time::Duration;

use memlens::stats::General;

/// Reads needed before a ratio means anything; below it a ratio is unknown.
pub const FEWEST_FOR_RATIO: u64 = 20;

/// Why two samples give no rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The process changed between them: its `pid` differs or its `uptime` fell. A falling counter
    /// would not do as evidence, for a busy new process soon passes the old value.
    Restarted,
    /// The same process, but a counter fell: somebody sent `stats reset`.
    CountersReset,
    /// They are so far apart that an average over the time between would mislead.
    TooFarApart,
    /// No time passed between them.
    NoTimePassed,
}

macro_rules! counters {
    ($($(#[$meaning:meta])* $name:ident,)+) => {
        /// How far each counter moved between two samples of one process.
        ///
        /// `None` is a counter that the server does not report.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Deltas {
            /// Seconds between the samples.
            pub seconds: f64,
            /// CPU time used by the process, user and system, in seconds.
            pub cpu_seconds: Option<f64>,
            $($(#[$meaning])* pub $name: Option<u64>,)+
        }

        impl Deltas {
            fn subtract(before: &General, after: &General, seconds: f64) -> Result<Self, Gap> {
                Ok(Self {
                    seconds,
                    cpu_seconds: cpu_between(before, after),
                    $($name: difference(before.$name, after.$name)?,)+
                })
            }
        }
    };
}

counters! {
    /// Keys read.
    cmd_get,
    /// Items offered for storing.
    cmd_set,
    /// `flush_all` commands.
    cmd_flush,
    /// Keys touched.
    cmd_touch,
    /// `me` commands.
    cmd_meta,
    /// Keys read and found.
    get_hits,
    /// Keys read and not found.
    get_misses,
    /// Keys touched and found.
    touch_hits,
    /// Keys touched and not found.
    touch_misses,
    /// Deletions that found their key.
    delete_hits,
    /// Deletions that did not.
    delete_misses,
    /// Increments that found their key.
    incr_hits,
    /// Increments that did not.
    incr_misses,
    /// Decrements that found their key.
    decr_hits,
    /// Decrements that did not.
    decr_misses,
    /// `cas` that stored.
    cas_hits,
    /// `cas` that did not find its key.
    cas_misses,
    /// `cas` that lost against another writer.
    cas_badval,
    /// Live items thrown out.
    evictions,
    /// Of those, never read.
    evicted_unfetched,
    /// Items stored.
    total_items,
    /// Connections opened.
    total_connections,
    /// Connections refused.
    rejected_connections,
    /// Times the server stopped listening.
    listen_disabled_num,
    /// Bytes from the network.
    bytes_read,
    /// Bytes to the network.
    bytes_written,
}

impl Deltas {
    /// Compares two answers of `stats` taken `apart` from each other.
    ///
    /// # Errors
    ///
    /// A [`Gap`] when the two do not belong together. `farthest` bounds how far apart they may be.
    pub fn between(
        before: &General,
        after: &General,
        apart: Duration,
        farthest: Duration,
    ) -> Result<Self, Gap> {
        if restarted(before, after) {
            return Err(Gap::Restarted);
        }
        if apart.is_zero() {
            return Err(Gap::NoTimePassed);
        }
        if apart > farthest {
            return Err(Gap::TooFarApart);
        }
        Self::subtract(before, after, apart.as_secs_f64())
    }

    /// Keys read, found or not.
    #[must_use]
    pub fn lookups(&self) -> Option<u64> {
        Some(self.get_hits?.saturating_add(self.get_misses?))
    }

    /// Share of the keys read that were found: Δ`get_hits` / (Δ`get_hits` + Δ`get_misses`).
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        ratio(self.get_hits?, self.lookups()?)
    }

    /// As [`hit_rate`](Self::hit_rate), with `gat` and `mg` with a new expiry counted too. The
    /// server counts those as touches only, so the plain hit rate does not see them:
    /// (Δ`get_hits` + Δ`touch_hits`) / (Δ`cmd_get` + Δ`cmd_touch`).
    #[must_use]
    pub fn read_hit_rate(&self) -> Option<f64> {
        ratio(
            self.get_hits?.saturating_add(self.touch_hits.unwrap_or(0)),
            self.cmd_get?.saturating_add(self.cmd_touch.unwrap_or(0)),
        )
    }

    /// Operations: the sum of Δ`cmd_get`, Δ`cmd_set`, Δ`cmd_touch`, Δ`delete_*`, Δ`incr_*`,
    /// Δ`decr_*` and Δ`cmd_meta`. Nothing is counted twice: `cas` and `ms` are inside `cmd_set`,
    /// `mg` inside `cmd_get`, `ma` and `md` inside the increments and deletions.
    #[must_use]
    pub fn operations(&self) -> Option<u64> {
        let later_additions = [
            self.cmd_touch,
            self.cmd_meta,
            self.delete_hits,
            self.delete_misses,
            self.incr_hits,
            self.incr_misses,
            self.decr_hits,
            self.decr_misses,
        ];
        let always_there = self.cmd_get?.saturating_add(self.cmd_set?);
        Some(
            later_additions
                .into_iter()
                .flatten()
                .fold(always_there, u64::saturating_add),
        )
    }

    /// [`operations`](Self::operations) per second.
    #[must_use]
    pub fn operations_per_second(&self) -> Option<f64> {
        self.per_second(self.operations())
    }

    /// Share of the evictions that threw out items nobody ever read: a high share is cheap.
    #[must_use]
    pub fn unfetched_share_of_evictions(&self) -> Option<f64> {
        ratio(self.evicted_unfetched?, self.evictions?)
    }

    /// CPU cores that the process keeps busy.
    #[must_use]
    pub fn cpu_cores(&self) -> Option<f64> {
        Some(self.cpu_seconds? / self.seconds)
    }

    /// A difference as a rate per second.
    #[must_use]
    pub fn per_second(&self, difference: Option<u64>) -> Option<f64> {
        Some(difference? as f64 / self.seconds)
    }
}

/// `part` of `whole`, or unknown while `whole` is below [`FEWEST_FOR_RATIO`].
#[must_use]
pub fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole >= FEWEST_FOR_RATIO).then(|| part as f64 / whole as f64)
}

/// Whether `after` comes from another process than `before`.
#[must_use]
pub fn restarted(before: &General, after: &General) -> bool {
    let another_process = before.pid.zip(after.pid).is_some_and(|(was, is)| was != is);
    let younger = before
        .uptime
        .zip(after.uptime)
        .is_some_and(|(was, is)| is < was);
    another_process || younger
}

/// The difference of one counter; `None` when either side does not report it.
fn difference(before: Option<u64>, after: Option<u64>) -> Result<Option<u64>, Gap> {
    match (before, after) {
        (Some(before), Some(after)) => after
            .checked_sub(before)
            .map(Some)
            .ok_or(Gap::CountersReset),
        _ => Ok(None),
    }
}

fn cpu_between(before: &General, after: &General) -> Option<f64> {
    let before = before.rusage_user? + before.rusage_system?;
    let after = after.rusage_user? + after.rusage_system?;
    Some((after - before).max(0.0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Deltas, Gap};
    use memlens::stats::General;

    const SECOND: Duration = Duration::from_secs(1);

    fn sample(pairs: &[(&str, &str)]) -> General {
        General::parse(pairs.iter().copied())
    }

    fn between(before: &[(&str, &str)], after: &[(&str, &str)]) -> Result<Deltas, Gap> {
        Deltas::between(&sample(before), &sample(after), SECOND, 3 * SECOND)
    }

    #[test]
    fn a_restart_shows_even_when_the_counters_grew() {
        let before = [("pid", "1"), ("uptime", "9"), ("cmd_get", "5")];
        let new_pid = [("pid", "2"), ("uptime", "10"), ("cmd_get", "50")];
        let same_pid_younger = [("pid", "1"), ("uptime", "1"), ("cmd_get", "50")];
        assert_eq!(between(&before, &new_pid), Err(Gap::Restarted));
        assert_eq!(between(&before, &same_pid_younger), Err(Gap::Restarted));
    }

    #[test]
    fn a_counter_that_falls_in_the_same_process_is_a_reset() {
        let before = [
            ("pid", "1"),
            ("uptime", "9"),
            ("cmd_get", "5"),
            ("evictions", "7"),
        ];
        let after = [
            ("pid", "1"),
            ("uptime", "10"),
            ("cmd_get", "9"),
            ("evictions", "0"),
        ];
        assert_eq!(between(&before, &after), Err(Gap::CountersReset));
    }

    #[test]
    fn samples_without_time_between_or_too_much_of_it_give_no_rates() {
        let general = sample(&[("pid", "1"), ("uptime", "9")]);
        let at = |apart| Deltas::between(&general, &general, apart, 3 * SECOND);
        assert_eq!(at(Duration::ZERO), Err(Gap::NoTimePassed));
        assert_eq!(at(4 * SECOND), Err(Gap::TooFarApart));
        assert!(at(3 * SECOND).is_ok());
    }

    #[test]
    fn a_ratio_of_too_few_is_unknown() {
        let before = [("get_hits", "0"), ("get_misses", "0")];
        let few = [("get_hits", "19"), ("get_misses", "0")];
        let enough = [("get_hits", "15"), ("get_misses", "5")];
        assert_eq!(
            between(&before, &few).map(|deltas| deltas.hit_rate()),
            Ok(None)
        );
        assert_eq!(
            between(&before, &enough).map(|deltas| deltas.hit_rate()),
            Ok(Some(0.75))
        );
    }

    #[test]
    fn counters_an_old_server_lacks_are_left_out_of_the_sum() {
        let before = [("cmd_get", "0"), ("cmd_set", "0")];
        let after = [("cmd_get", "30"), ("cmd_set", "12")];
        let deltas = between(&before, &after).unwrap();
        assert_eq!(deltas.operations(), Some(42));
        assert_eq!(deltas.cmd_touch, None);
        let without_gets = between(&[("cmd_set", "0")], &[("cmd_set", "12")]).unwrap();
        assert_eq!(without_gets.operations(), None);
    }
}
