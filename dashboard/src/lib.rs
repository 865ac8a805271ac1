//! Watch a memcached cluster: the program `memlens`, as a library that its tests and its views share.
//!
//! ```text
//! poller ── asks every node through the memlens client
//!    │ observations
//! model ─── pure: states, rates, memory, history; publishes immutable snapshots
//!    │ snapshots
//! terminal ─ draws a snapshot as text        report ─ prints one as JSON
//! ```
//!
//! [`demo`] runs embedded nodes, [`load`] sends them what an application would, [`session`] shows
//! the snapshots until somebody ends it, and [`mod@run`] puts all of it together as [`cli`] says.

pub mod cli;
pub mod demo;
pub mod load;
pub mod model;
pub mod poller;
pub mod report;
pub mod run;
pub mod session;
pub mod terminal;
