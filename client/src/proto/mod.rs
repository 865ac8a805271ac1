//! The protocol without I/O: commands to bytes, bytes to replies, and the state of one connection.
//!
//! Nothing here knows sockets, tasks or clocks; time comes in as an argument. So every order of
//! events that a network can produce can be produced by a test.

pub(crate) mod command;
pub(crate) mod deal;
pub(crate) mod detach;
mod expected;
pub(crate) mod frame;
pub(crate) mod group;
pub(crate) mod output;
pub(crate) mod pipeline;
pub(crate) mod reply;
pub(crate) mod slots;
mod unsent;
pub(crate) mod value_line;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod transcripts;
