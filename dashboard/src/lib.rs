//! Watch a memcached cluster.

pub mod load;
pub mod model;
pub mod poller;
pub mod terminal;
