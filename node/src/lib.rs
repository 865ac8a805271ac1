//! An embedded memcached-compatible node for demos and tests.
