//! What a change of the cluster would do, before it is made. Nothing in here reaches a server.
//!
//! ```text
//! ClusterSpec ── the servers, their weights, how keys are dealt out
//!    │ Plan: changes, each with undo
//! ClusterSpec after ──► Movement: which part of the hash space goes from whom to whom (exact)
//!    │ ClusterLoad: what the servers measured     Popularity: which keys are read how often
//! Baseline ──► Forecast: shares, requests and memory of every node; hit rate over time
//!                 ├ compare: the same change under modulo, ketama, rendezvous, jump, hand-over
//!                 ├ advice: one step after the other instead of all at once
//!                 └ export: as text and as JSON
//! ```
//!
//! What moves is computed from the rings themselves, and exact wherever [`Accuracy`] says so. The hit
//! rate is a *model*: Che's approximation of an LRU cache (Che, Tung and Wang, 2002), in which all keys
//! that were last read within one characteristic time are there. Each result says what it was
//! computed from ([`Inputs`]), and carries a band: the errors of the approximation, what depends on keys
//! that cannot be seen, and chance. After a real change the measured curve can be laid
//! over the predicted one ([`Verdict`]).
//!
//! [`Accuracy`]: memlens::ring::Accuracy

mod advice;
mod baseline;
mod change;
mod che;
mod cluster;
mod compare;
mod export;
mod forecast;
mod hit_rate;
mod inputs;
mod load;
mod movement;
mod nodes;
mod plan;
mod popularity;
mod sample;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
mod transient;
mod verdict;
mod watched;
mod zipf;

pub use advice::{Advice, Step};
pub use baseline::Baseline;
pub use change::{Change, ChangeError};
pub use cluster::ClusterSpec;
pub use compare::Comparison;
pub use export::{PlanReport, plan_as_text};
pub use forecast::Forecast;
pub use hit_rate::{Backend, HitForecast, NoHitRate, RECOVERED};
pub use inputs::{Inputs, PopularitySource};
pub use load::{ClusterLoad, NodeLoad};
pub use movement::Movement;
pub use nodes::{NodeFate, NodeForecast};
pub use plan::Plan;
pub use popularity::Popularity;
pub use sample::FetchSample;
pub use transient::{CurvePoint, HandOver};
pub use verdict::Verdict;
pub use watched::{ReadSampler, ReadStage, Reads};
