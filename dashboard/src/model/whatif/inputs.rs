//! What a forecast was computed from, for the label beside it.

use std::fmt;

use serde::Serialize;

use crate::model::wording::count;

/// How it is known which keys are read how often.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PopularitySource {
    /// From reads that were watched.
    Sample {
        /// How many reads.
        reads: u64,
        /// Over how many seconds.
        seconds: f64,
        /// How many different keys they were of.
        distinct_keys: usize,
        /// How many of the next reads would be of keys not among them (Good and Turing).
        unseen_share: f64,
    },
    /// From the measured hit rate alone, and from the tail age if there is one: a law is assumed, and
    /// its constants are chosen so that it gives the measured figures.
    Figures {
        /// Whether the tail age was used. Without it the exponent is assumed, too.
        with_tail_age: bool,
    },
}

impl PopularitySource {
    /// How many reads were watched, if some were.
    pub(super) const fn sample_size(&self) -> Option<f64> {
        match self {
            Self::Sample { reads, .. } => Some(*reads as f64),
            Self::Figures { .. } => None,
        }
    }
}

/// What a forecast of the hit rate was computed from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inputs {
    /// Where the popularity of keys is from.
    pub popularity: PopularitySource,
    /// How many keys there are in all, seen or not.
    pub keys: f64,
    /// How fast reads fall with the rank of a key, among those that were not counted one by one.
    pub exponent: f64,
    /// Keys counted one by one, which are looked up in both rings.
    pub counted_keys: usize,
    /// How often an item ends by itself, by expiry or deletion, per second.
    pub ends_per_second: f64,
    /// How many of the reads of an item find it ended, as by deletions.
    pub ends_per_read: f64,
    /// Keys read per second in the cluster.
    pub reads_per_second: f64,
    /// The measured hit rate, to which the model is anchored.
    pub hit_rate_measured: f64,
    /// What the model says the hit rate is now. Its distance from the measured one is a first sign of
    /// how well the model fits.
    pub hit_rate_modelled: f64,
}

/// Reads per second as a label has them.
fn reads(per_second: f64) -> String {
    format!("{} reads/s", count(per_second.round() as u64))
}

/// One sentence for a label.
impl fmt::Display for Inputs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.popularity {
            PopularitySource::Sample {
                reads,
                seconds,
                distinct_keys,
                unseen_share,
            } => write!(
                formatter,
                "{} reads of {} keys watched for {seconds:.0} s; {:.1} % of reads are of keys not seen",
                count(*reads),
                count(*distinct_keys as u64),
                unseen_share * 100.0
            )?,
            PopularitySource::Figures {
                with_tail_age: true,
            } => formatter
                .write_str("No reads watched: Zipf's law fitted to hit rate and tail age")?,
            PopularitySource::Figures {
                with_tail_age: false,
            } => write!(
                formatter,
                "No reads watched: Zipf's law ({:.2}) assumed and fitted to the hit rate",
                self.exponent
            )?,
        }
        write!(
            formatter,
            "; {}; now {:.1} %, {:.1} % by the model",
            reads(self.reads_per_second),
            self.hit_rate_measured * 100.0,
            self.hit_rate_modelled * 100.0
        )
    }
}
