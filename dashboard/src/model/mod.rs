//! What is known of a cluster: a pure model, fed with answers and with the time they came at.
//!
//! [`Monitor`] takes [`Observation`]s and publishes an immutable [`Snapshot`]; whoever draws, in a
//! terminal or a window, draws a snapshot and nothing else. There is no clock in here: a moment is
//! the time since the watch began, on a clock that never goes back, and comes in with each call.
//! The answers themselves are typed by [`memlens::stats`].

mod classes;
mod cluster;
mod deltas;
mod history;
mod memory;
mod monitor;
mod node;
mod state;

pub use classes::{ClassRates, ClassSample, class_rates, tail_age};
pub use cluster::Totals;
pub use deltas::{Deltas, FEWEST_FOR_RATIO, Gap, ratio, restarted};
pub use history::{History, Measurement, Point, Series, Tier};
pub use memory::{Memory, PAGE_SIZE};
pub use monitor::{Monitor, Snapshot};
pub use node::{Mark, MarkKind, NodeSnapshot, Observation};
pub use state::{FAILURES_UNTIL_DOWN, Failure, Health, INTERVALS_UNTIL_STALE, NodeState};
