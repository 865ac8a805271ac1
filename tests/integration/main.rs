//! Integration tests, all in one binary: it links once and the tests run in parallel.
