//! Test harness: real memcached processes, embedded nodes, scripted servers.
