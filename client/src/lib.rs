//! Async, sharded, pipelined memcached client for tokio.
