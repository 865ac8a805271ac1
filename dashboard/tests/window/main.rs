//! The window without a window: screens are found, clicked and typed into by the names that screen
//! readers hear, and compared with pictures drawn by the processor.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p memlens-dashboard --test window` takes new pictures. Look at
//! each before keeping it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod alerts;
mod demo;
mod idle;
mod keyboard;
mod keys;
mod live;
mod memcached;
mod names;
mod nodes;
mod overview;
mod real_servers;
mod ring;
mod settings;
mod shell;
mod slabs;
mod stand;
mod states;
mod whatif;
mod writes;
