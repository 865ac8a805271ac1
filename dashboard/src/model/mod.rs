//! What is known of a cluster: a pure model, fed with answers and with the time they came at.
//!
//! [`Monitor`] takes [`Observation`]s and publishes an immutable [`Snapshot`]; whoever draws, in a
//! terminal or a window, draws a snapshot and nothing else. There is no clock in here: a moment is
//! the time since the watch began, on a clock that never goes back, and comes in with each call.
//! The answers themselves are typed by [`memlens::stats`].
//!
//! On top of snapshots: [`Attention`] says what needs attention and what to do about it, [`Alerts`]
//! watches thresholds over time, [`SettingsDiff`], [`ClassMatrix`], [`ClassDetail`] and
//! [`MemoryBar`] are what views show. [`KeyScan`] and [`LiveFeed`] take in what is asked for on
//! demand. [`wording`] writes figures and foreign text.

mod alerts;
mod attention;
mod class_matrix;
mod classes;
mod client_side;
mod cluster;
mod deltas;
mod growth;
mod history;
mod keys;
mod live;
mod memory;
mod memory_bar;
mod monitor;
mod node;
mod open_connections;
pub mod placement;
mod ring_shares;
mod settings_diff;
mod slab_class;
mod state;
mod trouble;
mod value;
mod watched;
pub mod whatif;
pub mod wording;

pub use alerts::{
    Alert, AlertEpisode, AlertRule, AlertState, Alerts, Rule, RuleUnit, Rules, Transition,
};
pub use attention::{
    Advice, AdviceKind, Attention, Known, Remedy, Severity, Subject, findings, skew,
};
pub use class_matrix::{ClassMatrix, ClassMetric, MatrixCell};
pub use classes::{ClassRates, ClassSample, class_rates, tail_age};
pub use client_side::{ClientCounts, ClientSide};
pub use cluster::Totals;
pub use deltas::{Deltas, FEWEST_FOR_RATIO, Gap, ratio, restarted};
pub use growth::{Fit, GrowthAdvice, SlabLayout};
pub use history::{History, Measurement, Point, Series, Tier};
pub use keys::{
    KeyColumn, KeyFacts, KeyQuery, KeyRow, KeyScan, KeySummary, KeyTable, NodeScan, PrefixNode,
    PrefixTree, ScanOptions, ScanStage, ScannedKey, TTL_BUCKETS, TtlBucket,
};
pub use live::{
    LiveCounts, LiveDigest, LiveEvent, LiveFeed, LiveFilter, LiveKind, LiveOptions, NodeWatch,
    PrefixReads, TopKey, TopKeys, WatchStage,
};
pub use memory::{Memory, PAGE_SIZE};
pub use memory_bar::{MemoryBar, MemoryPart};
pub use monitor::{Change, Monitor, Snapshot};
pub use node::{Mark, MarkKind, NodeSnapshot, Observation};
pub use open_connections::{OpenConnection, OpenConnections};
pub use ring_shares::{MORE_POINTS, RingShares};
pub use settings_diff::{SettingRow, SettingsDiff};
pub use slab_class::ClassDetail;
pub use state::{FAILURES_UNTIL_DOWN, Failure, Health, INTERVALS_UNTIL_STALE, NodeState};
pub use trouble::StreamTrouble;
pub use value::{MOST_SHOWN, ValueForm};
pub use watched::Cluster;
