//! Watch a memcached cluster.

pub mod model;
