//! See a memcached cluster: the program `memlens`, as a library that its tests and its views share.
//!
//! ```text
//! poller ── asks every node through the memlens client
//!    │ observations
//! model ─── pure: states, rates, memory, history, the ring, simulations
//!    │ immutable snapshots
//! backend ─ a thread with a runtime: poller, demo, commands ──────── Published ─► shell
//!                    ▲                                                              │
//!                    └──────────────────────────── Command ◄─────────── Action ◄── views
//! ```
//!
//! [`shell`] is the window round the [`views`], which are built of [`widgets`] in one [`mod@theme`].
//! [`raster`] draws them without a window for pictures. [`terminal`] draws a snapshot as text and
//! [`report`] prints one as JSON; [`mod@run`] puts all of it together as [`cli`] says.

pub mod backend;
pub mod cli;
pub mod demo;
pub mod format;
pub mod load;
pub mod model;
pub mod picture;
pub mod poller;
pub mod preferences;
pub mod published;
pub mod raster;
pub mod rehearsal;
pub mod report;
pub mod run;
pub mod session;
pub mod shell;
pub mod stage;
pub mod terminal;
pub mod theme;
pub mod views;
pub mod widgets;
