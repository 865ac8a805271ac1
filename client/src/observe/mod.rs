//! What a client tells of itself: statistics of its own, spans and metrics.
//!
//! Nothing here knows connections or clusters. Those say what happens, as plain data: a connection
//! was made, an operation begins on a node, it was answered, it ended. [`Observer`] has a
//! [`NodeRecord`] for each node, and a [`Call`] is one operation under way.
//!
//! A plain client has the same records for its connections, but its operations pass by unobserved.

mod call;
mod core;
mod failure;
mod fleet;
mod histogram;
mod key_policy;
mod labels;
mod log;
mod observer;
mod operation;
mod providers;
mod record;
mod sample;
mod span;
mod statistics;

pub use core::SpanMode;
pub use failure::ErrorClass;
pub use histogram::Latency;
pub use key_policy::KeyPolicy;
pub use operation::Operation;
pub use providers::Telemetry;
pub use statistics::{NodeStatistics, OperationStatistics, Statistics};

pub(crate) use call::{Call, Start, Tally};
pub(crate) use core::Options;
#[cfg(feature = "dangerous-tls")]
pub(crate) use log::trust_in_anyone as log_of_trust_in_anyone;
#[cfg(feature = "tls")]
pub(crate) use log::unusable_certificates as log_of_unusable_certificates;
pub(crate) use log::{
    not_refreshed as log_of_no_refresh, not_stored as log_of_no_store,
    password_in_clear as log_of_password_in_clear,
};
pub(crate) use observer::{Gauges, NodeGauges, Observer};
pub(crate) use record::{NodeRecord, Place};
