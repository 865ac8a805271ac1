//! Integration tests, all in one binary: it links once and the tests run in parallel.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests report by failing"
)]

mod behaviour;
mod client;
mod connection;
mod crosstalk;
mod faults;
mod generated;
mod interop;
mod memccapable;
mod scripts;
mod security;
mod stats;
mod telemetry;
mod topology;
