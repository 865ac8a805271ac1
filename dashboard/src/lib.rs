//! Watch a memcached cluster.
