//! Test harness: real memcached processes, plain sockets, scripted servers, a proxy that injects
//! faults, and the machinery that runs one command script against two servers and compares what they answer.
//!
//! A harness reports by failing the test that uses it, so its functions panic with a message that says
//! what was expected, instead of returning errors nobody would handle.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a harness reports by failing the test that uses it"
)]

pub mod apart;
pub mod capture;
pub mod certificates;
pub mod difference;
pub mod distant;
pub mod faults;
pub mod generator;
pub mod hasty;
pub mod log;
pub mod memcached;
pub mod node;
pub mod normal;
pub mod oracle;
pub mod otlp;
pub mod process;
pub mod raw;
pub mod refusing;
pub mod replay;
pub mod script;
pub mod scripted;
pub mod seed;
pub mod server;
pub mod stats;
pub mod telemetry;

pub use capture::CaptureServer;
pub use certificates::{Authority, Identity};
pub use faults::FaultProxy;
pub use hasty::DropAfter;
pub use log::Log;
pub use memcached::Memcached;
pub use node::EmbeddedNode;
pub use raw::RawClient;
pub use refusing::RefusingPort;
pub use scripted::ScriptedServer;
pub use seed::Seed;
pub use server::{Kind, Server};
