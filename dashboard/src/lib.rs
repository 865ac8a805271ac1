//! Watch a memcached cluster.

pub mod cli;
pub mod demo;
pub mod load;
pub mod model;
pub mod poller;
pub mod report;
pub mod run;
pub mod session;
pub mod terminal;
