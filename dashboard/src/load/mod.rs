//! A realistic load: what an application with a cache does, at a steady rate.
//!
//! [`Workload`] decides what comes next and [`Pace`] how much of it is due; both are pure and
//! repeat exactly for the same seed. The rest sends it through the client.

mod driver;
mod pace;
mod report;
mod values;
mod workload;

pub use driver::Load;
pub use pace::Pace;
pub use report::{LoadCounters, LoadMeter, LoadReport};
pub use workload::{Action, Item, KEY_PREFIX, Kind, Workload, WorkloadSettings};
